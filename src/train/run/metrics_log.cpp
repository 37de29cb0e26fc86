#include "train/run/metrics_log.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "files/atomic_path.h"

namespace dfine::inline run {
namespace {

using Json = nlohmann::ordered_json;

/// Whether a run that continues after `step` steps leaves this line: not one cut short by the
/// interruption, nor what will be written again. Failures stay, whatever became of their steps.
bool stays(const std::string& line, int64_t step) {
  const auto record = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!record.is_object() || !record.contains("step") || !record["step"].is_number()) return false;
  const Json event = record.value("event", Json());
  if (event == "failed") return true;
  const bool begins_an_epoch = event == "stage2" || event == "back_to_best";
  return record["step"] < step || (record["step"] == step && !begins_an_epoch);
}

void drop_records_after(const std::string& path, int64_t step) {
  std::ifstream in(path);
  if (!in) return;
  std::string kept, line;
  while (std::getline(in, line)) {
    if (stays(line, step)) kept += line + "\n";
  }
  in.close();
  write_file_atomically(path, kept);
}

OutputFile opened(const std::string& path, int64_t resume_step) {
  if (resume_step < 0) return OutputFile(path);
  drop_records_after(path, resume_step);
  return OutputFile(path, OutputFile::Mode::kAppend);
}

}  // namespace

MetricsLog::MetricsLog(const std::string& path, int64_t resume_step)
    : out_(opened(path, resume_step)) {}

void MetricsLog::write_step(const StepRecord& r) {
  Json line{{"type", "step"},
            {"step", r.step},
            {"epoch", r.epoch},
            {"loss", r.loss},
            {"losses", Json::object()}};
  for (const auto& [name, value] : r.losses) line["losses"][name] = value;
  line["grad_norm"] = r.grad_norm;
  line["lr"] = r.lr;
  line["images"] = r.images;
  line["images_per_s"] = r.images_per_s;
  line["data_wait_s"] = r.data_wait_s;
  if (r.skipped) line["skipped"] = true;
  write_line(line.dump());
}

void MetricsLog::write_validation(const ValidationRecord& record, bool better) {
  Json line{{"type", better ? "val" : "val_other"},
            {"step", record.step},
            {"epoch", record.epoch},
            {"weights", weights_name(record.weights)}};
  for (const auto& [name, value] : record.metrics) line[name] = value;
  write_line(line.dump());
}

void MetricsLog::write_event(const RunEvent& e) {
  Json line{{"type", "event"}, {"event", e.event}, {"step", e.step}, {"epoch", e.epoch}};
  for (const auto& [name, value] : e.values) line[name] = value;
  write_line(line.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void MetricsLog::write_line(const std::string& line) {
  out_.write(line + '\n');
}

}  // namespace dfine::inline run
