#pragma once
// What the command lines of all programs share.
#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace dfine {

/// What else an unknown option, named without its dashes, may have meant: "--set optim.lr=VALUE".
/// Empty: nothing.
using OptionHint = std::function<std::string(const std::string& name)>;

/// Reads the command line into the options of `app`. CLI::Success (--help, --version) passes through;
/// whatever is wrong becomes a UsageError. Of an unknown option or command it names the nearest one
/// that the program has, another program's name for it, or what `hint` says.
void parse_command_line(CLI::App& app, int argc, char** argv, const OptionHint& hint = nullptr);

}  // namespace dfine
