#pragma once
#include <CLI/CLI.hpp>
#include <functional>

namespace dfine {

/// Of an option --weights.
inline constexpr const char* kWeightsHelp =
    "model: a checkpoint folder, a .safetensors or .pth file, or a model of the Hugging Face Hub, "
    "ORG/NAME[@REVISION] or a short name (dfine-weights list)";

/// run_program_with() for programs that use LibTorch.
int run_program(CLI::App& app, int argc, char** argv, const std::function<void()>& body);

}  // namespace dfine
