#include "data/formats/image_folder.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <fstream>
#include <optional>
#include <span>
#include <sstream>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "data/coco/unexpected_file.h"
#include "data/formats/image_check.h"
#include "files/byte_file.h"
#include "files/lower_extension.h"
#include "image/decode.h"

namespace dfine::inline formats {
using enum ErrorCode;
namespace fs = std::filesystem;
namespace {

/// Shards and manifests hold no other text.
bool is_utf8(const std::string& text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

/// Nothing where the header may lie further on, behind a preview or a colour profile. `whole`:
/// these are all bytes of the file.
std::optional<ImageInfo> probe(const fs::path& path, std::span<const uint8_t> bytes, bool whole) {
  try {
    return probe_image(bytes);
  } catch (const Error& e) {
    if (whole) throw Error(e.code(), str_cat(printable(path), ": ", e.message()), e.hint());
    return std::nullopt;
  }
}

}  // namespace

AnnotationSet coco_from_folder(std::vector<Category> categories, std::vector<FolderImage> images,
                               const fs::path& source) {
  AnnotationSet coco;
  coco.categories = std::move(categories);
  for (const Category& category : coco.categories) {
    if (!is_utf8(category.name))
      throw Error(kFormatInvalid,
                  str_cat(source.string(), ": the name of class ", category.id, ", \"",
                          printable(category.name), "\", is not UTF-8"),
                  "convert the file: iconv -f LATIN1 -t UTF-8 FILE > NEW_FILE");
  }
  coco.offsets.push_back(0);
  for (FolderImage& from : images) {
    const auto index = static_cast<int64_t>(coco.images.size());
    from.image.id = index + 1;
    for (CocoAnnotation& annotation : from.annotations) {
      annotation.id = static_cast<int64_t>(coco.annotations.size()) + 1;
      coco.annotations.push_back(annotation);
    }
    if (!is_utf8(from.image.file_name))
      from.problems.push_back(str_cat(describe(from.image), ": the file name is not UTF-8"));
    coco.images.push_back(std::move(from.image));
    coco.offsets.push_back(coco.annotations.size());
    for (std::string& problem : from.problems) coco.problems.push_back({std::move(problem), index});
  }
  return coco;
}

bool has_image_extension(const fs::path& path) {
  constexpr std::array<std::string_view, 10> kExtensions{".jpg", ".jpeg", ".jpe", ".jfif", ".mpo",
                                                         ".png", ".webp", ".bmp", ".tif",  ".tiff"};
  return std::ranges::find(kExtensions, lower_extension(path)) != kExtensions.end();
}

void read_image_size(const fs::path& path, CocoImage& image) {
  constexpr uint64_t kHeaderBytes = 1 << 16;
  const uint64_t size = image_file_status(path).size;
  const ByteFile file(path);
  std::vector<uint8_t> bytes;
  file.read(0, std::min(size, kHeaderBytes), bytes);
  std::optional<ImageInfo> info = probe(path, bytes, size <= kHeaderBytes);
  if (!info) {
    file.read(0, size, bytes);
    info = probe(path, bytes, true);
  }
  image.width = info->width;
  image.height = info->height;
}

std::string read_text(const fs::path& path) {
  std::error_code failed;
  if (const fs::file_status status = fs::status(path, failed);
      fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status))
    throw Error(kFileUnreadable, str_cat(path.string(), " is not a regular file"),
                "copy it to a file: pipes and devices cannot be read");
  std::ifstream in(path, std::ios::binary);
  if (!in || fs::is_directory(path, failed)) {
    const int code = in ? EISDIR : errno;
    throw Error(read_error_code(code),
                str_cat("cannot read ", path.string(), ": ", std::generic_category().message(code)),
                "check the path and its permissions");
  }
  std::ostringstream text;
  text << in.rdbuf();
  return std::string(without_byte_order_mark(text.view()));
}

std::vector<NumberedLine> read_numbered_lines(const fs::path& path) {
  constexpr std::string_view kSpaces = " \t\r";
  const std::string text = read_text(path);
  require_utf8(text, path);
  std::vector<NumberedLine> lines;
  std::istringstream in(text);
  size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    const size_t begin = line.find_first_not_of(kSpaces);
    if (begin != std::string::npos)
      lines.push_back({number, line.substr(begin, line.find_last_not_of(kSpaces) - begin + 1)});
  }
  return lines;
}

std::vector<std::string> read_lines(const fs::path& path) {
  std::vector<std::string> lines;
  for (NumberedLine& line : read_numbered_lines(path)) lines.push_back(std::move(line.text));
  return lines;
}

std::string at_line(const fs::path& path, size_t line) {
  return str_cat(printable(path), ", line ", line);
}

}  // namespace dfine::inline formats
