#pragma once
// The commands of dfine-weights; each has a file of its own.
#include <CLI/CLI.hpp>
#include <functional>

namespace dfine {

/// What a command does, once the command line has been read.
using Command = std::function<void()>;

/// Adds the command, with its options, to the program.
Command add_list(CLI::App& app);
Command add_fetch(CLI::App& app);
Command add_show(CLI::App& app);
Command add_convert(CLI::App& app);

}  // namespace dfine
