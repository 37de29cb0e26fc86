#include <iostream>
#include <memory>
#include <string>

#include "core/error.h"
#include "core/text.h"
#include "hub/fetch.h"
#include "hub/local_weights.h"
#include "hub/settings.h"
#include "weights_commands.h"

namespace dfine {

Command add_fetch(CLI::App& app) {
  const auto name = std::make_shared<std::string>();
  CLI::App* const command = app.add_subcommand(
      "fetch",
      "fetch a model from the Hugging Face Hub into its cache, or the newest commit of one that is "
      "there; prints the folder. For machines with a network: training then needs none");
  command->add_option("NAME", *name, "ORG/NAME[@REVISION], or a short name of `list`")
      ->required()
      ->type_name("NAME");
  return [name] {
    const auto model = model_name_of(*name);
    if (!model)
      throw UsageError(str_cat(*name, " is no name of a model"),
                       "give ORG/NAME[@REVISION], or a short name of `dfine-weights list`");
    std::cout << fetch_model(*model, hub_settings()).folder.string() << '\n';
  };
}

}  // namespace dfine
