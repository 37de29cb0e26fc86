#include "run_report/metrics_file.h"

#include <simdjson.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "core/printable.h"
#include "core/text.h"

namespace dfine::inline run_report {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::string text_of(const object& line, std::string_view key) {
  std::string_view text;
  return line[key].get(text) == simdjson::SUCCESS ? std::string(text) : "";
}

int64_t integer_of(const object& line, std::string_view key, int64_t otherwise = 0) {
  int64_t value = otherwise;
  return line[key].get(value) == simdjson::SUCCESS ? value : otherwise;
}

/// A number, NaN for null, which stands for what is not finite; nothing for other values.
std::optional<double> number_of(const element& value) {
  double number = kNaN;
  if (value.is_null() || value.get(number) == simdjson::SUCCESS) return number;
  return std::nullopt;
}

bool is_place(std::string_view key) {
  return key == "step" || key == "epoch" || key == "attempt";
}

class Reader {
 public:
  explicit Reader(MetricsFile& file) : file_(file) {}

  /// Whether the line is a record.
  bool read(const std::string& text) {
    object line;
    if (parser_.parse(text).get(line) != simdjson::SUCCESS) return false;
    const std::string type = text_of(line, "type");
    const int64_t step = integer_of(line, "step", -1);
    if (type.empty() || step < 0 || (type == "step" && step == 0)) return false;
    const std::string time = text_of(line, "time");
    if (file_.first_time.empty()) file_.first_time = time;
    if (!time.empty()) file_.last_time = time;
    file_.last_step = std::max(file_.last_step, step);
    if (type == "step") {
      read_step(line, step);
    } else if (type == "start") {
      read_start(line, step, time);
    } else if (type == "val" || type == "val_other") {
      read_validation(line, step, time, type == "val");
    } else if (type == "event") {
      read_event(line, step, time);
    } else {
      ++unknown_;
    }
    return true;
  }

  int64_t unknown() const { return unknown_; }

 private:
  void read_step(const object& line, int64_t step) {
    file_.curves.begin_step(step, static_cast<double>(integer_of(line, "epoch")));
    file_.images += integer_of(line, "images");
    bool skipped = false;
    if (line["skipped"].get(skipped) == simdjson::SUCCESS && skipped) ++file_.skipped_steps;
    for (const auto& [key, value] : line) {
      object terms;
      if (key == "losses" && value.get(terms) == simdjson::SUCCESS) {
        for (const auto& [name, term] : terms) add(name, term);
      } else if (!is_place(key) && key != "images") {
        add(key, value);
      }
    }
  }

  void add(std::string_view name, const element& value) {
    // A name that is new in every line would fill the memory.
    constexpr size_t kMostCurves = 500;
    if (file_.curves.all().size() >= kMostCurves && !file_.curves.all().contains(name)) return;
    if (const auto number = number_of(value)) file_.curves.add(name, *number);
  }

  void read_start(const object& line, int64_t step, const std::string& time) {
    RunStart start{.step = step,
                   .attempt = integer_of(line, "attempt", 1),
                   .ranks = integer_of(line, "ranks"),
                   .steps_lost = integer_of(line, "steps_lost"),
                   .time = time,
                   .run_id = text_of(line, "run"),
                   .resumed_from = text_of(line, "resumed_from"),
                   .hosts = {}};
    simdjson::dom::array hosts;
    if (line["hosts"].get(hosts) == simdjson::SUCCESS) {
      for (const element& host : hosts) {
        std::string_view name;
        if (host.get(name) == simdjson::SUCCESS) start.hosts.emplace_back(name);
      }
    }
    file_.starts.push_back(std::move(start));
  }

  void read_validation(const object& line, int64_t step, const std::string& time, bool selected) {
    RunValidation& validation =
        file_.validations.emplace_back(RunValidation{.step = step,
                                                     .epoch = integer_of(line, "epoch"),
                                                     .time = time,
                                                     .weights = text_of(line, "weights"),
                                                     .selected = selected,
                                                     .metrics = {}});
    for (const auto& [key, value] : line) {
      object terms;
      if (value.get(terms) == simdjson::SUCCESS) {  // such as the terms of the loss
        for (const auto& [name, term] : terms)
          if (const auto number = number_of(term))
            validation.metrics.emplace_back(std::string(name), *number);
      } else if (!is_place(key)) {
        if (const auto number = number_of(value))
          validation.metrics.emplace_back(std::string(key), *number);
      }
    }
  }

  void read_event(const object& line, int64_t step, const std::string& time) {
    RunEventLine& event = file_.events.emplace_back(RunEventLine{.step = step,
                                                                 .epoch = integer_of(line, "epoch"),
                                                                 .time = time,
                                                                 .event = text_of(line, "event"),
                                                                 .values = {}});
    for (const auto& [key, value] : line) {
      std::string_view text;
      const bool known = key == "type" || key == "time" || key == "event";
      if (!known && value.get(text) == simdjson::SUCCESS)
        event.values.emplace_back(std::string(key), std::string(text));
    }
  }

  MetricsFile& file_;
  simdjson::dom::parser parser_;
  int64_t unknown_ = 0;
};

}  // namespace

MetricsFile read_metrics_file(const std::filesystem::path& path) {
  MetricsFile file;
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    file.problems.push_back(str_cat(printable(path), " cannot be read: there are no curves"));
    return file;
  }
  Reader reader(file);
  std::string line;
  int64_t number = 0, unreadable = 0, first_unreadable = 0;
  while (std::getline(in, line)) {
    ++number;
    const bool cut_short = in.eof();  // no newline at its end
    if (line.empty() || reader.read(line)) continue;
    if (cut_short) {
      file.problems.push_back(
          str_cat("line ", number, " of metrics.jsonl, the last one, is cut short: it is skipped"));
    } else if (unreadable++ == 0) {
      first_unreadable = number;
    }
  }
  if (unreadable > 0)
    file.problems.push_back(str_cat(counted(unreadable, "line"),
                                    " of metrics.jsonl cannot be read and are skipped; the ",
                                    "first is line ", first_unreadable));
  if (reader.unknown() > 0)
    file.problems.push_back(str_cat(counted(reader.unknown(), "line"),
                                    " of metrics.jsonl are of a type that this version does not ",
                                    "know: they are skipped"));
  return file;
}

}  // namespace dfine::inline run_report
