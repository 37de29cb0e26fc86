#include "weights/convert.h"

#include <iostream>
#include <memory>
#include <string>

#include "core/printable.h"
#include "hub/local_weights.h"
#include "program.h"
#include "weights_commands.h"

namespace dfine {

Command add_convert(CLI::App& app) {
  struct Options {
    std::string in, out, layout;
  };
  const auto given = std::make_shared<Options>();
  CLI::App* const command =
      app.add_subcommand("convert", "write weights in the layout of other programs");
  command->add_option("IN", given->in, kWeightsHelp)->required()->type_name("PATH");
  command->add_option("OUT", given->out, "folder (hub) or .pth file (official); must not exist")
      ->required()
      ->type_name("PATH");
  command
      ->add_option("--to", given->layout,
                   "hub: a folder for transformers and the programs here; official: a .pth file "
                   "for Peterande/D-FINE")
      ->required()
      ->check(CLI::IsMember({"hub", "official"}));
  return [given] {
    convert_weights(local_weights("IN", given->in), given->out,
                    given->layout == "hub" ? WeightsLayout::kHub : WeightsLayout::kOfficial);
    std::cout << printable(given->out) << '\n';
  };
}

}  // namespace dfine
