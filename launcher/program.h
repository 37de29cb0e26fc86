#pragma once
#include <CLI/CLI.hpp>
#include <functional>

namespace dfine {

/// What main() does: reads the command line, runs `body`, prints a failure with the program's name
/// in front. Returns the exit code (core/error_code.h).
int run_program(CLI::App& app, int argc, char** argv, const std::function<void()>& body);

}  // namespace dfine
