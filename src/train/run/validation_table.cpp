#include "train/run/validation_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iomanip>
#include <limits>
#include <sstream>
#include <utility>

#include "core/text.h"

namespace dfine::inline run {
namespace {

struct Column {
  const char *metric, *title;
};
constexpr std::array<Column, 8> kColumns{{{"ap", "AP"},
                                          {"ap50", "AP50"},
                                          {"ap75", "AP75"},
                                          {"ap_small", "small"},
                                          {"ap_medium", "medium"},
                                          {"ap_large", "large"},
                                          {"ar100", "AR100"},
                                          {"val_loss", "val loss"}}};
constexpr int kLabelWidth = 14, kWidth = 9;

/// NaN where there is none: no such metric, or -1 since no ground truth counts.
double value_of(const ValidationRecord& record, const std::string& metric) {
  const auto found =
      std::ranges::find(record.metrics, metric, &std::pair<std::string, double>::first);
  const bool none = found == record.metrics.end() || found->second == -1;
  return none ? std::numeric_limits<double>::quiet_NaN() : found->second;
}

template <class Text>
std::string row(const std::string& label, Text text) {
  std::ostringstream out;
  out << "\n  " << std::left << std::setw(kLabelWidth) << label << std::right;
  for (const Column& column : kColumns) out << std::setw(kWidth) << text(column);
  return out.str();
}

std::string shown(double value) {
  return std::isfinite(value) ? fixed(value, 4) : "-";
}

std::string shown_change(double value) {
  return std::isfinite(value) ? (value >= 0 ? "+" : "") + fixed(value, 4) : "-";
}

std::string row_of(const std::string& label, const ValidationRecord& record) {
  return row(label, [&](const Column& column) { return shown(value_of(record, column.metric)); });
}

}  // namespace

std::string validation_table(const std::vector<ValidationRecord>& found,
                             const std::optional<ValidationRecord>& before) {
  std::string table = row("", [](const Column& column) { return column.title; });
  for (const ValidationRecord& record : found)
    table += row_of(record.weights == WeightsKind::kEma ? "EMA" : "raw weights", record);
  if (!before) return table;
  return table + row_of(str_cat("best, epoch ", before->epoch), *before) +
         row("change", [&](const Column& column) {
           return shown_change(value_of(found.front(), column.metric) -
                               value_of(*before, column.metric));
         });
}

}  // namespace dfine::inline run
