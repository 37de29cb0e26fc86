#include "eval/stored_thresholds.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "weights/folder_manifest.h"
#include "weights/weights.h"

namespace dfine::inline eval {
namespace {

using Json = nlohmann::json;

/// Of the weights that the checkpoint's model.safetensors holds.
Json thresholds_in(const Json& metrics) {
  for (const Json& record : metrics.at("validations"))
    if (record.at("weights") == metrics.at("weights")) return record.value("thresholds", Json());
  return {};
}

}  // namespace

std::optional<StoredThresholds> stored_thresholds(const std::string& weights,
                                                  const std::vector<std::string>& class_names) {
  const auto file = std::filesystem::path(weights_file(weights)).parent_path() / "metrics.json";
  if (!std::filesystem::is_directory(weights) || !std::filesystem::exists(file))
    return std::nullopt;
  verify_if_listed(file);
  try {
    std::ifstream in(file, std::ios::binary);
    const Json found = thresholds_in(Json::parse(in));
    if (!found.is_object() || !found.at("overall").is_object()) return std::nullopt;
    StoredThresholds stored{.overall = found.at("overall").at("threshold").get<double>(),
                            .classes = {}};
    stored.classes.assign(class_names.size(), stored.overall);
    for (const Json& of_class : found.at("classes")) {
      const auto place = std::ranges::find(class_names, of_class.at("name").get<std::string>());
      if (place == class_names.end() || of_class.at("threshold").is_null()) continue;
      stored.classes[static_cast<size_t>(place - class_names.begin())] =
          of_class.at("threshold").get<double>();
    }
    return stored;
  } catch (const Json::exception& e) {
    throw Error(ErrorCode::kFileDamaged,
                str_cat(printable(file), " is not as training writes it: ", e.what()),
                "give --threshold, or remove the file: 0.25 is taken then");
  }
}

}  // namespace dfine::inline eval
