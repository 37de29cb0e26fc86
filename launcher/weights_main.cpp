// dfine-weights: what weights there are, fetching them, looking at them, and converting them.
#include <CLI/CLI.hpp>
#include <map>
#include <string>

#include "cli/command_line.h"
#include "dfine_version.h"
#include "program.h"
#include "weights_commands.h"

int main(int argc, char** argv) {
  CLI::App app("Lists, fetches, describes and converts the weights of D-FINE models.",
               "dfine-weights");
  app.set_version_flag("--version", "dfine-weights " DFINE_VERSION);
  app.require_subcommand(1);
  const std::map<std::string, dfine::Command> commands{{"list", dfine::add_list(app)},
                                                       {"fetch", dfine::add_fetch(app)},
                                                       {"show", dfine::add_show(app)},
                                                       {"convert", dfine::add_convert(app)}};
  app.footer(dfine::kExitCodesHelp);
  return dfine::run_program(app, argc, argv, [&] {
    for (const auto& [name, command] : commands)
      if (app.got_subcommand(name)) command();
  });
}
