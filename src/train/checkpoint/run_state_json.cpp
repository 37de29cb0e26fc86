#include "train/checkpoint/run_state_json.h"

#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/error_context.h"
#include "core/host_name.h"
#include "core/text.h"
#include "core/utc_time.h"
#include "dfine_version.h"

namespace dfine::inline checkpoint {
namespace {

using Json = nlohmann::ordered_json;

Json to_value(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

Json to_value(WeightsKind weights) {
  return weights_name(weights);
}

Json to_value(const RunState::Best& best) {
  return {{"monitor", monitor_name(best.monitor)},
          {"value", to_value(best.value)},
          {"val_loss", to_value(best.val_loss)},
          {"epoch", best.epoch},
          {"step", best.step}};
}

template <class T>
Json to_value(const T& value) {
  return value;
}

template <class T>
Json to_value(const std::optional<T>& value) {
  return value ? to_value(*value) : Json();
}

template <class T>
void read(const Json& json, T& value) {
  json.get_to(value);
}

void read(const Json& json, double& value) {
  value = json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}

void read(const Json& json, WeightsKind& weights) {
  weights = to_weights_kind(json.get<std::string>());
}

void read(const Json& json, RunState::Best& best) {
  best.monitor = to_monitor(json.at("monitor").get<std::string>());
  read(json.at("value"), best.value);
  read(json.at("val_loss"), best.val_loss);
  read(json.at("epoch"), best.epoch);
  read(json.at("step"), best.step);
}

template <class T>
void read(const Json& json, std::optional<T>& value) {
  value.reset();
  if (!json.is_null()) read(json, value.emplace());
}

Json written_by() {
  const char* const job = std::getenv("SLURM_JOB_ID");
  return {{"time", utc_now()},
          {"host", host_name()},
          {"process", static_cast<int64_t>(getpid())},
          {"job", job != nullptr ? job : ""},
          {"program", DFINE_VERSION}};
}

}  // namespace

std::string run_state_json(const RunState& state) {
  Json run;
  RunState::entries(state, [&](const char* key, const auto& field) { run[key] = to_value(field); });
  return Json{{"run", std::move(run)}, {"written_by", written_by()}}.dump(
      -1, ' ', false, Json::error_handler_t::replace);
}

RunState run_state_from_json(const std::string& text) {
  RunState state;
  std::string entry = "run";
  try {
    const Json run = Json::parse(text).at("run");
    RunState::entries(state, [&](const char* key, auto& field) {
      entry = key;
      read(run.at(key), field);
    });
  } catch (const Json::exception& e) {
    throw Error(ErrorCode::kFileDamaged,
                str_cat("its entry ", entry, " is not as training writes it: ", e.what()));
  }
  return state;
}

}  // namespace dfine::inline checkpoint
