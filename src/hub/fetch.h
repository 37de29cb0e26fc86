#pragma once
#include <filesystem>
#include <string>

#include "hub/model_name.h"
#include "hub/settings.h"

namespace dfine::inline hub {

struct Snapshot {
  std::filesystem::path folder;  // with config.json, model.safetensors, preprocessor_config.json
  std::string commit;
};

/// Asks the Hub for the revision's commit, and fetches what of its three files the cache lacks.
/// Several processes may do so at a time: one fetches, the others wait for it.
///
/// A snapshot is complete, or not used. Throws Error where there is no such model,
/// no access, no network or no room, or the model is no D-FINE. Its hint says what to do.
Snapshot fetch_model(const ModelName& model, const HubSettings& settings);

}  // namespace dfine::inline hub
