#pragma once
#include <CLI/CLI.hpp>
#include <exception>
#include <functional>
#include <string>

namespace dfine {

struct ProgramFailure {
  std::string text;  // ready to print
  int exit_code;
};

/// What main() does: reads the command line, runs `body`, prints a failure with the program's name
/// in front, as `describe` words it. Returns the exit code (core/error_code.h).
int run_program_with(CLI::App& app, int argc, char** argv, const std::function<void()>& body,
                     const std::function<ProgramFailure(const std::exception_ptr&)>& describe);

/// For programs without LibTorch.
int run_plain_program(CLI::App& app, int argc, char** argv, const std::function<void()>& body);

}  // namespace dfine
