#include "data/coco/write_coco.h"

#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline coco {
namespace {

std::string shortest(double value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end};
}

/// In quotes, with what JSON wants escaped.
std::string json_string(std::string_view text) {
  return nlohmann::json(std::string(text)).dump();
}

}  // namespace

CocoWriter::CocoWriter(std::filesystem::path path)
    : path_(std::move(path)), out_(path_, std::ios::binary) {
  if (!out_)
    throw Error(write_error_code(errno), str_cat("cannot create ", path_.string(), ": ",
                                                 std::generic_category().message(errno)));
  out_ << "{\"images\": [";
}

void CocoWriter::image(int64_t id, std::string_view file_name, int width, int height) {
  out_ << (images_++ > 0 ? ",\n" : "\n") << "{\"id\": " << id
       << ", \"file_name\": " << json_string(file_name) << ", \"width\": " << width
       << ", \"height\": " << height << '}';
}

void CocoWriter::annotation(int64_t id, int64_t image_id, int64_t category_id,
                            std::span<const double, 4> bbox, double area, bool iscrowd) {
  out_ << (annotations_++ > 0 ? ",\n" : "\n],\n\"annotations\": [\n") << "{\"id\": " << id
       << ", \"image_id\": " << image_id << ", \"category_id\": " << category_id << ", \"bbox\": ["
       << shortest(bbox[0]) << ", " << shortest(bbox[1]) << ", " << shortest(bbox[2]) << ", "
       << shortest(bbox[3]) << "], \"area\": " << shortest(area)
       << ", \"iscrowd\": " << (iscrowd ? 1 : 0) << '}';
}

void CocoWriter::finish(std::span<const Category> categories) {
  if (annotations_ == 0) out_ << "\n],\n\"annotations\": [";
  out_ << "\n],\n\"categories\": [";
  const char* separator = "\n";
  for (const Category& category : categories) {
    out_ << separator << "{\"id\": " << category.id << ", \"name\": " << json_string(category.name)
         << '}';
    separator = ",\n";
  }
  out_ << "\n]}\n";
  out_.close();
  if (!out_) {
    throw Error(
        write_error_code(errno),
        str_cat("cannot write ", path_.string(), ": ", std::generic_category().message(errno)),
        "free some space there or choose another place");
  }
}

}  // namespace dfine::inline coco
