#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "core/error.h"
#include "core/log.h"
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
    if (std::filesystem::exists(*name))
      throw UsageError(str_cat(*name, " is a file or folder here, which needs no fetching"),
                       "give this path as weights, or the name of a model");
    const auto model = model_name_of(*name);
    if (!model)
      throw UsageError(str_cat(*name, " is no name of a model"),
                       "give ORG/NAME[@REVISION], or a short name of `dfine-weights list`");
    const HubSettings settings = hub_settings();
    try {
      std::cout << fetch_model(*model, settings).folder.string() << '\n';
    } catch (const Error& e) {
      const auto cached = cached_model(*model, settings);
      if (e.code() != ErrorCode::kNetworkFailed || !cached) throw;
      log::warn(str_cat("the Hub was not asked for a newer commit: ",
                        settings.offline ? "HF_HUB_OFFLINE is set" : e.message()));
      std::cout << cached->folder.string() << '\n';
    }
  };
}

}  // namespace dfine
