#pragma once
// What the command lines of all programs share.
#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace dfine::inline cli {

/// The end of every --help (core/error_code.h).
inline constexpr const char* kExitCodesHelp =
    "exit codes: 0 done, 1 failed, 2 wrong usage or setting";

/// What else an unknown option, named without its dashes, may have meant: "--set optim.lr=VALUE".
/// Empty: nothing.
using OptionHint = std::function<std::string(const std::string& name)>;

/// Reads the command line into the options of `app`. CLI::Success (--help, --version) passes
/// through; whatever is wrong becomes a UsageError. For a value that an option does not take it
/// says which ones it takes. For an unknown option or command it suggests the nearest one of this
/// program, what `hint` says, or ours for another program's name.
void parse_command_line(CLI::App& app, int argc, char** argv, const OptionHint& hint = nullptr);

/// Before a program ends well: throws Error where something that it printed did not arrive, such as
/// on a full disk.
void finish_output();

}  // namespace dfine::inline cli
