#include "data/formats/voc_xml.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <pugixml.hpp>

#include "core/text.h"

namespace dfine::inline formats {
namespace {

std::string trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const size_t begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1));
}

std::optional<double> number_in(const pugi::xml_node& node) {
  const std::string text = trimmed(node.text().get());
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

class Parser {
 public:
  Parser(std::string_view text, const std::filesystem::path& path) : text_(text), path_(path) {}

  VocAnnotation parse() {
    pugi::xml_document document;
    const pugi::xml_parse_result parsed = document.load_buffer(text_.data(), text_.size());
    if (!parsed) {
      problem(parsed.offset, str_cat("broken XML: ", parsed.description()));
      return std::move(result_);
    }
    const pugi::xml_node root = document.child("annotation");
    if (!root) {
      refuse_root(document.document_element());
      return std::move(result_);
    }
    result_.file_name = trimmed(root.child("filename").text().get());
    result_.image.image.width = side(root.child("size").child("width"));
    result_.image.image.height = side(root.child("size").child("height"));
    for (const pugi::xml_node& object : root.children("object")) read_object(object);
    return std::move(result_);
  }

 private:
  size_t line_of(ptrdiff_t offset) const {
    const auto end = std::clamp<ptrdiff_t>(offset, 0, static_cast<ptrdiff_t>(text_.size()));
    return 1 + static_cast<size_t>(std::count(text_.begin(), text_.begin() + end, '\n'));
  }

  void problem(ptrdiff_t offset, const std::string& what) {
    result_.image.problems.push_back(str_cat(at_line(path_, line_of(offset)), ": ", what));
  }

  void refuse_root(const pugi::xml_node& found) {
    const std::string_view name = found.name();
    const char* hint = "";
    if (name == "annotations") hint = " (CVAT's own format? Export as PASCAL VOC or COCO instead)";
    if (name == "html") hint = " (a web page: download the file again)";
    problem(found.offset_debug(),
            str_cat("the root element is <", name, ">, not <annotation>", hint));
  }

  /// Pixels; -1 where the file gives none, or zero as some labelling programs do.
  static int32_t side(const pugi::xml_node& node) {
    const double value = number_in(node).value_or(-1);
    return value >= 1 && value <= std::numeric_limits<int32_t>::max() ? static_cast<int32_t>(value)
                                                                      : -1;
  }

  void read_object(const pugi::xml_node& object) {
    const std::string name = trimmed(object.child("name").text().get());
    if (name.empty()) return problem(object.offset_debug(), "the <object> has no <name>");
    const pugi::xml_node bounds = object.child("bndbox");
    if (!bounds)
      return problem(object.offset_debug(), str_cat("the <object> \"", name, "\" has no <bndbox>"));
    std::array<double, 4> corners{};
    size_t k = 0;
    for (const char* key : {"xmin", "ymin", "xmax", "ymax"}) {
      const auto value = number_in(bounds.child(key));
      if (!value)
        return problem(bounds.offset_debug(),
                       str_cat("the <bndbox> of \"", name, "\" has no number <", key, ">"));
      corners[k++] = *value;
    }
    if (corners[2] < corners[0] || corners[3] < corners[1]) {
      return problem(bounds.offset_debug(),
                     str_cat("the <bndbox> of \"", name, "\" ends before it begins: ", corners[0],
                             ", ", corners[1], " to ", corners[2], ", ", corners[3]));
    }
    CocoAnnotation annotation;
    annotation.bbox = {corners[0] - 1, corners[1] - 1, corners[2] - corners[0] + 1,
                       corners[3] - corners[1] + 1};
    annotation.area = annotation.bbox[2] * annotation.bbox[3];
    if (!std::isfinite(annotation.area))
      return problem(bounds.offset_debug(), str_cat("the <bndbox> of \"", name, "\" is too large"));
    result_.image.annotations.push_back(annotation);
    result_.names.push_back(name);
    result_.lines.push_back(line_of(object.offset_debug()));
  }

  std::string_view text_;
  const std::filesystem::path& path_;
  VocAnnotation result_;
};

}  // namespace

VocAnnotation parse_voc_xml(std::string_view text, const std::filesystem::path& path) {
  return Parser(text, path).parse();
}

}  // namespace dfine::inline formats
