#include <algorithm>
#include <charconv>
#include <iomanip>
#include <sstream>

#include "analysis/details.h"
#include "core/printable.h"
#include "core/text.h"

namespace dfine::inline analysis {
namespace {

constexpr size_t kNameWidth = 26;
constexpr size_t kMostConfusions = 10;
constexpr int kDigits = 3;

bool starts_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
}

/// `name` safe to print, in `width` columns: filled with spaces, or cut with "..." at its end.
std::string in_columns(std::string_view name, size_t width) {
  std::string text = printable(name);
  const auto columns =
      static_cast<size_t>(std::count_if(text.begin(), text.end(), starts_character));
  if (columns <= width) return text + std::string(width - columns, ' ');
  size_t bytes = 0, kept = 0;
  for (; bytes < text.size(); ++bytes) {
    if (starts_character(text[bytes]) && ++kept > width - 3) break;
  }
  return text.substr(0, bytes) + "...";
}

std::string shown(const std::optional<double>& value) {
  return value ? fixed(*value, kDigits) : "-";
}

/// All digits, so that typing the number keeps the same detections; 6 digits if that is too wide.
std::string exact(double threshold) {
  constexpr size_t kMostColumns = 10;
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), threshold).ptr;
  const std::string text(buffer.data(), end);
  return text.size() <= kMostColumns ? text : fixed(threshold, 6);
}

void threshold_row(std::ostream& out, std::string_view name, const ScoreDetails& details) {
  const bool found = details.best.has_value();
  const Counts counts = found ? details.best->counts : Counts{};
  const auto number = [](const std::optional<double>& value, bool given) {
    return given ? shown(value) : std::string("-");
  };
  out << in_columns(name, kNameWidth) << std::setw(9) << details.curve.positives << std::setw(11)
      << (found ? exact(details.best->threshold) : "-") << std::setw(16)
      << (details.interval ? str_cat(fixed(details.interval->low, kDigits), " - ",
                                     fixed(details.interval->high, kDigits))
                           : "-")
      << std::setw(11) << number(counts.precision(), found) << std::setw(8)
      << number(counts.recall(), found) << std::setw(7) << number(counts.f1(), found)
      << std::setw(8) << shown(details.calibration.ece) << "\n";
}

void write_thresholds(std::ostream& out, const Details& details) {
  out << "Score threshold with the best F1, at IoU " << fixed(details.options.match.iou, 2) << "\n"
      << in_columns("class", kNameWidth) << std::setw(9) << "boxes" << std::setw(11) << "threshold"
      << std::setw(16) << "95 % interval" << std::setw(11) << "precision" << std::setw(8)
      << "recall" << std::setw(7) << "F1" << std::setw(8) << "ECE" << "\n";
  threshold_row(out, "(all, one threshold)", details.pooled);
  for (size_t k = 0; k < details.classes.size(); ++k)
    threshold_row(out, details.categories[k].name, details.classes[k]);
}

struct Cell {
  int64_t count;
  size_t row, column;
};

/// Most frequent first, equal ones in order of rows and columns.
std::vector<Cell> most_frequent(std::vector<Cell> cells) {
  std::erase_if(cells, [](const Cell& cell) { return cell.count == 0; });
  std::stable_sort(cells.begin(), cells.end(),
                   [](const Cell& a, const Cell& b) { return a.count > b.count; });
  cells.resize(std::min(cells.size(), kMostConfusions));
  return cells;
}

void write_confusions(std::ostream& out, const Details& details) {
  const ConfusionMatrix& matrix = details.confusion;
  const size_t last = matrix.classes;
  std::vector<Cell> confused, missed, background;
  for (size_t row = 0; row < last; ++row) {
    for (size_t column = 0; column < last; ++column) {
      if (row != column) confused.push_back({matrix.at(row, column), row, column});
    }
    missed.push_back({matrix.at(row, last), row, last});
    background.push_back({matrix.at(last, row), last, row});
  }
  out << "\nMost frequent confusions, of detections with a score of at least "
      << exact(matrix.threshold) << "\n"
      << in_columns("class", kNameWidth) << "  " << in_columns("taken for", kNameWidth)
      << std::setw(9) << "count" << std::setw(21) << "part of the class" << "\n";
  const auto rows = [&](const std::vector<Cell>& cells) {
    for (const Cell& cell : most_frequent(cells)) {
      const std::string actual =
          cell.row == last ? "(background)" : details.categories[cell.row].name;
      const std::string predicted =
          cell.column == last ? "(missed)" : details.categories[cell.column].name;
      const int64_t boxes = cell.row == last ? 0 : details.classes[cell.row].curve.positives;
      out << in_columns(actual, kNameWidth) << "  " << in_columns(predicted, kNameWidth)
          << std::setw(9) << cell.count << std::setw(21)
          << (boxes == 0 ? "-"
                         : str_cat(fixed(100.0 * static_cast<double>(cell.count) /
                                             static_cast<double>(boxes),
                                         1),
                                   " %"))
          << "\n";
    }
  };
  rows(confused);
  rows(missed);
  rows(background);
}

void write_errors(std::ostream& out, const ErrorKinds& errors) {
  constexpr std::array<std::string_view, kErrorKinds> kMeanings{
      "a box of another class, IoU 0.5 and more",
      "a box of the class, IoU 0.1 to 0.5",
      "wrong class and IoU 0.1 to 0.5",
      "a second detection of a box that was found",
      "no box with an IoU above 0.1",
      "a box with neither a detection nor one of the first two errors"};
  constexpr size_t kWidth = 18;
  out << "\nWhat errors cost: AP that correcting one kind would add to "
      << fixed(errors.ap, kDigits) << " (TIDE, IoU 0.50)\n"
      << in_columns("kind", kWidth) << std::setw(8) << "AP" << std::setw(10) << "count" << "\n";
  for (size_t i = 0; i < kErrorKinds; ++i) {
    out << in_columns(name_of(static_cast<ErrorKind>(i)), kWidth) << std::setw(8)
        << fixed(errors.kinds[i].ap, kDigits) << std::setw(10) << errors.kinds[i].count << "  "
        << kMeanings[i] << "\n";
  }
  const auto special = [&](std::string_view name, double ap, std::string_view meaning) {
    out << in_columns(name, kWidth) << std::setw(8) << fixed(ap, kDigits) << std::setw(10) << "-"
        << "  " << meaning << "\n";
  };
  special("false positives", errors.false_positives, "if no false one had a higher score");
  special("false negatives", errors.false_negatives, "if every box were found");
}

}  // namespace

std::string format_details(const Details& details) {
  std::ostringstream out;
  write_thresholds(out, details);
  write_confusions(out, details);
  write_errors(out, details.errors);
  return out.str();
}

}  // namespace dfine::inline analysis
