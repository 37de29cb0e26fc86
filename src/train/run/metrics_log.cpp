#include "train/run/metrics_log.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "core/utc_time.h"
#include "files/atomic_path.h"

namespace dfine::inline run {
namespace {

using Json = nlohmann::ordered_json;

std::string now() {
  return utc_now(TimeDigits::kMilliseconds);
}

/// A line's step; nothing for one that was cut short.
std::optional<int64_t> step_of(const Json& record) {
  if (!record.is_object() || !record.contains("step") || !record["step"].is_number_integer())
    return std::nullopt;
  return record["step"].get<int64_t>();
}

/// Whether a run that continues after `step` steps leaves this line: not what will be written
/// again. Starts and failures stay, whatever became of their steps.
bool stays(const Json& record, int64_t of_line, int64_t step) {
  const Json event = record.value("event", Json());
  if (event == "failed" || record.value("type", Json()) == "start") return true;
  const bool begins_an_epoch = event == "stage2" || event == "back_to_best";
  return of_line < step || (of_line == step && !begins_an_epoch);
}

/// Returns how many steps beyond `step` there were.
int64_t drop_records_after(const std::filesystem::path& path, int64_t step) {
  std::ifstream in(path);
  if (!in) return 0;
  std::string kept, line;
  int64_t newest = step;
  bool changed = false;
  while (std::getline(in, line)) {
    const auto record = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    const auto of_line = step_of(record);
    const bool keep = of_line && stays(record, *of_line, step);
    if (of_line) newest = std::max(newest, *of_line);
    if (keep) kept += line + "\n";
    changed |= !keep || in.eof();
  }
  in.close();
  if (changed) write_file_atomically(path, kept);
  return newest - step;
}

}  // namespace

MetricsLog::MetricsLog(std::filesystem::path path, int64_t resume_step) : path_(std::move(path)) {
  try {
    if (resume_step >= 0) steps_lost_ = drop_records_after(path_, resume_step);
    out_.emplace(path_, resume_step < 0 ? OutputFile::Mode::kTruncate : OutputFile::Mode::kAppend);
  } catch (const Error& e) {
    log::warn(str_cat("training goes on without ", path_.string(), ": ", e.what()));
  }
}

MetricsLog::~MetricsLog() {
  if (lines_lost_ > 0)
    log::warn(str_cat(counted(lines_lost_, "line"), " of ", path_.string(),
                      " could not be written and are lost"));
}

void MetricsLog::write_start(const StartRecord& r) {
  Json line{{"type", "start"},         {"time", now()},          {"step", r.step},
            {"epoch", r.epoch},        {"attempt", r.attempt},   {"run", r.run_id},
            {"ranks", r.hosts.size()}, {"hosts", Json::array()}, {"steps_lost", steps_lost_}};
  for (const std::string& host : r.hosts) {
    const bool known = std::ranges::find(line["hosts"], Json(host)) != line["hosts"].end();
    if (!known) line["hosts"].push_back(host);
  }
  line["resumed_from"] = r.resumed_from.empty() ? Json() : Json(r.resumed_from);
  write_line(line.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void MetricsLog::write_step(const StepRecord& r) {
  Json line{{"type", "step"},   {"time", now()},  {"step", r.step},
            {"epoch", r.epoch}, {"loss", r.loss}, {"losses", Json::object()}};
  for (const auto& [name, value] : r.losses) line["losses"][name] = value;
  line["grad_norm"] = r.grad_norm;
  line["lr"] = r.lr;
  line["images"] = r.images;
  line["images_per_s"] = r.images_per_s;
  line["data_wait_s"] = r.data_wait_s;
  line["memory_bytes"] = r.memory_bytes;
  if (r.skipped) line["skipped"] = true;
  write_line(line.dump());
}

void MetricsLog::write_validation(const ValidationRecord& record, bool better) {
  Json line{{"type", better ? "val" : "val_other"},
            {"time", now()},
            {"step", record.step},
            {"epoch", record.epoch},
            {"weights", weights_name(record.weights)}};
  for (const auto& [name, value] : record.metrics) line[name] = value;
  write_line(line.dump());
}

void MetricsLog::write_event(const RunEvent& e) {
  Json line{
      {"type", "event"}, {"time", now()}, {"event", e.event}, {"step", e.step}, {"epoch", e.epoch}};
  for (const auto& [name, value] : e.values) line[name] = value;
  write_line(line.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void MetricsLog::write_line(const std::string& line) {
  try {
    if (!out_) out_.emplace(path_, OutputFile::Mode::kAppend);
    out_->append_whole(line + '\n');
  } catch (const Error& e) {
    lose(e.what());
  }
}

void MetricsLog::lose(const std::string& why) {
  ++lines_lost_;
  int64_t said = 1;  // at the 1st, 10th, 100th, ... lost line
  while (said * 10 <= lines_lost_) said *= 10;
  if (said == lines_lost_)
    log::warn(str_cat("training goes on, but metrics are lost, ", counted(lines_lost_, "line"),
                      " so far: ", why));
}

}  // namespace dfine::inline run
