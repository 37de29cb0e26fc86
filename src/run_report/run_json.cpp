#include "run_report/run_json.h"

#include <charconv>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>

#include "core/printable.h"
#include "core/text.h"
#include "run_report/config_file.h"
#include "run_report/log_file.h"
#include "run_report/metrics_file.h"
#include "run_report/pack_summary.h"

namespace dfine::inline run_report {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

/// Six digits are enough for a curve, and a third of the bytes.
Json curve_number(double value) {
  char text[32];
  const auto end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::general, 6).ptr;
  double rounded = 0;
  std::from_chars(text, end, rounded);
  return rounded;
}

Json curve_json(const Curves::Curve& curve, const std::vector<size_t>& used, bool range) {
  Json mean = Json::array(), least = Json::array(), most = Json::array();
  for (const size_t b : used) {
    const bool has = b < curve.buckets.size() && curve.buckets[b].count > 0;
    mean.push_back(has ? curve_number(curve.buckets[b].mean()) : Json());
    if (!range) continue;
    least.push_back(has ? curve_number(curve.buckets[b].least) : Json());
    most.push_back(has ? curve_number(curve.buckets[b].most) : Json());
  }
  Json json{{"mean", std::move(mean)}};
  if (range) {
    json["min"] = std::move(least);
    json["max"] = std::move(most);
  }
  if (curve.not_finite > 0) json["not_finite"] = curve.not_finite;
  return json;
}

Json curves_json(const Curves& curves) {
  std::vector<size_t> used;
  Json steps = Json::array(), epochs = Json::array(), all = Json::object();
  for (size_t b = 0; b < curves.buckets(); ++b) {
    if (curves.last_step(b) == 0) continue;
    used.push_back(b);
    steps.push_back(curves.last_step(b));
    epochs.push_back(curves.epoch(b));
  }
  for (const auto& [name, curve] : curves.all())
    all[utf8_text(name)] = curve_json(curve, used, curves.steps_per_bucket() > 1);
  return Json{{"steps_per_point", curves.steps_per_bucket()},
              {"steps", std::move(steps)},
              {"epochs", std::move(epochs)},
              {"values", std::move(all)}};
}

Json starts_json(const MetricsFile& metrics) {
  Json all = Json::array();
  for (const RunStart& start : metrics.starts)
    all.push_back({{"step", start.step},
                   {"time", start.time},
                   {"attempt", start.attempt},
                   {"ranks", start.ranks},
                   {"steps_lost", start.steps_lost},
                   {"run", start.run_id},
                   {"resumed_from", start.resumed_from},
                   {"hosts", start.hosts}});
  return all;
}

Json validations_json(const MetricsFile& metrics) {
  Json all = Json::array();
  for (const RunValidation& validation : metrics.validations) {
    Json values = Json::object();
    for (const auto& [name, value] : validation.metrics)
      values[name] = std::isfinite(value) ? Json(value) : Json();
    all.push_back({{"step", validation.step},
                   {"epoch", validation.epoch},
                   {"weights", validation.weights},
                   {"selected", validation.selected},
                   {"metrics", std::move(values)}});
  }
  return all;
}

Json events_json(const MetricsFile& metrics) {
  Json all = Json::array();
  for (const RunEventLine& event : metrics.events) {
    Json values = Json::object();
    for (const auto& [name, value] : event.values) values[name] = value;
    all.push_back({{"step", event.step},
                   {"epoch", event.epoch},
                   {"time", event.time},
                   {"event", event.event},
                   {"values", std::move(values)}});
  }
  return all;
}

/// The JSON of a file; nothing where it is missing or broken.
std::optional<Json> read_json(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  Json json = Json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.is_object()) return std::nullopt;
  return json;
}

/// The folder of checkpoint `name`: a link, or a file with the folder's name where the file system
/// has no links.
fs::path checkpoint_folder(const fs::path& run, const std::string& name) {
  fs::path link = run / "checkpoints" / name;
  std::error_code error;
  if (!fs::is_regular_file(link, error)) return link;
  std::ifstream in(link);
  std::string target;
  std::getline(in, target);
  return run / "checkpoints" / target;
}

/// What the manifest and the metrics of a checkpoint say of the run.
Json checkpoint_json(const fs::path& run, const std::string& name) {
  const fs::path folder = checkpoint_folder(run, name);
  Json json = Json::object();
  if (const auto manifest = read_json(folder / "manifest.json")) {
    if (manifest->contains("run") && (*manifest)["run"].is_object()) {
      json = (*manifest)["run"];
      json.erase("config");
    }
    if (manifest->contains("written_by")) json["written_by"] = (*manifest)["written_by"];
  }
  if (const auto metrics = read_json(folder / "metrics.json")) json["metrics"] = *metrics;
  return json.empty() ? Json() : json;
}

Json pack_json(const std::string& path) {
  const PackSummary pack = summarize_pack(path);
  Json json{{"path", path}};
  if (!pack.problem.empty()) {
    json["problem"] = pack.problem;
    return json;
  }
  json["checksum"] = pack.checksum;
  json["images"] = pack.images;
  json["images_without_boxes"] = pack.images_without_boxes;
  json["boxes"] = pack.boxes;
  json["classes"] = Json::array();
  for (const auto& [name, boxes] : pack.classes) json["classes"].push_back({name, boxes});
  return json;
}

Json config_json(const std::vector<ConfigEntry>& entries) {
  Json all = Json::array();
  for (const ConfigEntry& entry : entries)
    all.push_back({{"key", entry.key},
                   {"value", entry.value},
                   {"default", entry.by_default},
                   {"changed", entry.changed()},
                   {"about", entry.description}});
  return all;
}

}  // namespace

Json run_json(const fs::path& folder) {
  MetricsFile metrics = read_metrics_file(folder / "metrics.jsonl");
  const std::vector<ConfigEntry> config = read_config_file(folder / "config.toml");
  if (config.empty())
    metrics.problems.push_back(
        str_cat(printable(folder / "config.toml"), " is missing or holds no key"));
  const LogFile log = read_log_file(folder / "log.txt");
  Json packs = Json::object();
  for (const char* set : {"train", "val"}) {
    const std::string path = config_text(config, str_cat("data.", set));
    if (!path.empty()) packs[set] = pack_json(path);
  }
  const fs::path whole = fs::absolute(folder).lexically_normal();
  const fs::path name = whole.has_filename() ? whole.filename() : whole.parent_path().filename();
  return Json{{"name", name.string()},
              {"folder", whole.string()},
              {"problems", metrics.problems},
              {"last_step", metrics.last_step},
              {"steps", metrics.curves.steps()},
              {"images", metrics.images},
              {"skipped_steps", metrics.skipped_steps},
              {"first_time", metrics.first_time},
              {"last_time", metrics.last_time},
              {"starts", starts_json(metrics)},
              {"curves", curves_json(metrics.curves)},
              {"validations", validations_json(metrics)},
              {"events", events_json(metrics)},
              {"last", checkpoint_json(folder, "last")},
              {"best", checkpoint_json(folder, "best")},
              {"config", config_json(config)},
              {"packs", std::move(packs)},
              {"warnings", {{"count", log.warnings}, {"first", log.first_warnings}}},
              {"log", log.last_lines}};
}

}  // namespace dfine::inline run_report
