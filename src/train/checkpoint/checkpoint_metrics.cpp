#include "train/checkpoint/checkpoint_metrics.h"

#include <cmath>
#include <fstream>
#include <limits>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"
#include "files/atomic_path.h"

namespace dfine::inline checkpoint {
using enum ErrorCode;
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kOldMetrics = "figures";  // the key that earlier versions wrote

Json to_json(const ValidationRecord& record) {
  Json json{
      {"weights", weights_name(record.weights)}, {"step", record.step}, {"epoch", record.epoch}};
  for (const auto& [name, value] : record.metrics)
    json["metrics"][name] = std::isfinite(value) ? Json(value) : Json();
  if (!record.thresholds.empty()) json["thresholds"] = Json::parse(record.thresholds);
  return json;
}

ValidationRecord to_record(const Json& json) {
  ValidationRecord record{.weights = to_weights_kind(json.at("weights").get<std::string>()),
                          .epoch = json.at("epoch").get<int64_t>(),
                          .step = json.at("step").get<int64_t>(),
                          .metrics = {}};
  const Json metrics = json.value("metrics", json.value(kOldMetrics, Json::object()));
  for (const auto& [name, value] : metrics.items())
    record.metrics.emplace_back(
        name, value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>());
  if (json.contains("thresholds")) record.thresholds = json.at("thresholds").dump();
  return record;
}

}  // namespace

void write_checkpoint_metrics(const std::filesystem::path& file, const Checkpoint& checkpoint) {
  Json json{{"step", checkpoint.run.step},
            {"epoch", checkpoint.run.last_epoch()},
            {"weights", weights_name(checkpoint.held_weights())},
            {"validations", Json::array()}};
  for (const ValidationRecord& record : checkpoint.run.validations)
    json["validations"].push_back(to_json(record));
  write_file_atomically(file, json.dump(2) + "\n");
}

std::vector<ValidationRecord> read_checkpoint_metrics(const std::filesystem::path& file) {
  const ErrorContext at("while reading ", file.string());
  std::vector<ValidationRecord> records;
  try {
    std::ifstream in(file, std::ios::binary);
    const Json json = Json::parse(in);
    for (const Json& record : json.at("validations")) records.push_back(to_record(record));
  } catch (const Json::exception& e) {
    throw Error(kFileDamaged, str_cat("it is not as training writes it: ", e.what()),
                "remove it, and the checkpoint opens without its metrics");
  }
  return records;
}

}  // namespace dfine::inline checkpoint
