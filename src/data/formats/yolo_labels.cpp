#include "data/formats/yolo_labels.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "core/printable.h"
#include "core/text.h"

namespace dfine::inline formats {
namespace {

namespace fs = std::filesystem;

constexpr double kTolerance =
    0.01;  // beyond [0, 1], as Ultralytics' own check (data/utils.py) allows

/// The words of a line.
std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view kSpaces = " \t\r";
  std::vector<std::string_view> words;
  for (size_t at = line.find_first_not_of(kSpaces); at != std::string_view::npos;
       at = line.find_first_not_of(kSpaces, at)) {
    words.push_back(line.substr(at, line.find_first_of(kSpaces, at) - at));
    at += words.back().size();
  }
  return words;
}

std::optional<double> number_in(std::string_view word) {
  double value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

struct Box {
  double cx = 0, cy = 0, w = 0, h = 0;  // relative to the image
};

Box bounding_box(const std::vector<double>& numbers) {
  double low[2] = {numbers[1], numbers[2]}, high[2] = {numbers[1], numbers[2]};
  for (size_t k = 3; k < numbers.size(); ++k) {
    double& least = low[(k + 1) % 2];
    double& most = high[(k + 1) % 2];
    least = std::min(least, numbers[k]);
    most = std::max(most, numbers[k]);
  }
  return {(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, high[0] - low[0], high[1] - low[1]};
}

/// What is wrong with the line; empty: nothing, and `box` and `label` are set.
std::string parse_line(std::string_view line, const YoloLabelFormat& format, Box& box,
                       int32_t& label) {
  const std::vector<std::string_view> words = words_of(line);
  std::vector<double> numbers;
  for (const std::string_view word : words) {
    const auto number = number_in(word);
    if (!number) return str_cat("\"", printable(word), "\" is not a number");
    numbers.push_back(*number);
  }
  const bool is_box = numbers.size() == 5 || (format.key_points && numbers.size() > 5);
  const bool is_polygon = !is_box && numbers.size() >= 7 && numbers.size() % 2 == 1;
  if (!is_box && !is_polygon)
    return str_cat(counted(static_cast<long long>(numbers.size()), "number"),
                   " instead of 5 (class x y w h), or of a class and at least 3 points "
                   "(class x1 y1 x2 y2 x3 y3 ...)");
  if (numbers[0] != std::floor(numbers[0]) || numbers[0] < 0 ||
      numbers[0] >= static_cast<double>(format.classes))
    return format.classes == 1 ? str_cat("class ", words[0], " is not 0, the only class")
                               : str_cat("class ", words[0], " is none of the ", format.classes,
                                         " classes 0 to ", format.classes - 1);
  for (size_t k = 1; k < (is_box ? 5 : numbers.size()); ++k) {
    if (numbers[k] < -kTolerance || numbers[k] > 1 + kTolerance)
      return str_cat(words[k], " is not within [0, 1]: places and sizes are relative to the image");
  }
  label = static_cast<int32_t>(numbers[0]);
  box = is_box ? Box{numbers[1], numbers[2], numbers[3], numbers[4]} : bounding_box(numbers);
  return {};
}

}  // namespace

void parse_yolo_labels(std::string_view text, const fs::path& path, const YoloLabelFormat& format,
                       FolderImage& image) {
  size_t number = 0;
  while (!text.empty()) {
    ++number;
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Box box;
    CocoAnnotation annotation;
    if (const std::string wrong = parse_line(line, format, box, annotation.label); !wrong.empty()) {
      image.problems.push_back(str_cat(at_line(path, number), ": ", wrong));
      continue;
    }
    const double width = image.image.width, height = image.image.height;
    annotation.bbox = {(box.cx - box.w / 2) * width, (box.cy - box.h / 2) * height, box.w * width,
                       box.h * height};
    annotation.area = annotation.bbox[2] * annotation.bbox[3];
    image.annotations.push_back(annotation);
  }
}

fs::path yolo_label_path(const fs::path& image) {
  std::vector<fs::path> parts(image.begin(), image.end());
  const auto last = std::find(parts.rbegin(), parts.rend(), fs::path("images"));
  if (last != parts.rend()) *last = "labels";
  fs::path path;
  for (const fs::path& part : parts) path /= part;
  return path.replace_extension(".txt");
}

}  // namespace dfine::inline formats
