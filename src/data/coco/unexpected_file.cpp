#include "data/coco/unexpected_file.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "core/error.h"
#include "core/text.h"

namespace dfine {
namespace {

using namespace std::string_view_literals;

constexpr const char* kUnpack = "unpack it first, and name the file that was in it";
constexpr const char* kSpaces = " \t\r\n";

struct Signature {
  std::string_view bytes;
  const char* what;
  const char* hint;
};

// The formats' own first bytes: RFC 1952, PKWARE's APPNOTE.TXT 4.3, tukaani.org/xz, RFC 8878,
// bzip2's and 7z's manuals, the HDF5 file format specification.
constexpr std::array kSignatures{
    Signature{"\x1f\x8b"sv, "is gzip-compressed", "unpack it first: gunzip FILE"},
    Signature{"PK\x03\x04"sv, "is a zip archive", kUnpack},
    Signature{"PK\x05\x06"sv, "is an empty zip archive", "download or export it again"},
    Signature{"\xfd\x37zXZ\0"sv, "is xz-compressed", "unpack it first: unxz FILE"},
    Signature{"\x28\xb5\x2f\xfd"sv, "is zstd-compressed", "unpack it first: unzstd FILE"},
    Signature{"7z\xbc\xaf\x27\x1c"sv, "is a 7z archive", kUnpack},
    Signature{"\x89HDF\r\n\x1a\n"sv, "is an HDF5 file",
              "a pack is opened by the name of its folder: dfine-eval --data FOLDER"},
};

UnexpectedFile utf(const char* name) {
  return {cat("is ", name, " text, not UTF-8"),
          cat("convert it: iconv -f ", name, " -t UTF-8 FILE > NEW_FILE")};
}

std::optional<UnexpectedFile> recognise_utf(std::string_view text) {
  if (text.starts_with("\xff\xfe\0\0"sv) || text.starts_with("\0\0\xfe\xff"sv))
    return utf("UTF-32");
  if (text.starts_with("\xff\xfe"sv) || text.starts_with("\xfe\xff"sv)) return utf("UTF-16");
  // Without a mark: an ASCII character has its zero bytes behind or before it.
  const auto zeros_are = [&](std::string_view pattern) {
    const auto agree = [](char kind, char byte) { return (kind == '0') == (byte == '\0'); };
    return text.size() >= pattern.size() &&
           std::equal(pattern.begin(), pattern.end(), text.begin(), agree);
  };
  if (zeros_are("x000")) return utf("UTF-32LE");
  if (zeros_are("000x")) return utf("UTF-32BE");
  if (zeros_are("x0")) return utf("UTF-16LE");
  if (zeros_are("0x")) return utf("UTF-16BE");
  return std::nullopt;
}

std::string_view line_of(std::string_view text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  return line.substr(0, line.find_last_not_of(kSpaces) + 1);
}

/// Does `text` begin with a key ("names:") or an entry ("- cat") after comments?
bool is_yaml(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = line_of(text);
    if (line == "---" || line.starts_with("- ") || line.starts_with("%YAML")) return true;
    if (!line.empty() && line.front() != '#') {
      const size_t end = std::min(line.find(':'), line.size());
      const std::string_view key = line.substr(0, end);
      const auto in_key = [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '_' || c == '-';
      };
      const bool value_apart = end + 1 >= line.size() || line[end + 1] == ' ';
      return end < line.size() && end > 0 && std::ranges::all_of(key, in_key) && value_apart;
    }
    text.remove_prefix(std::min(text.size(), text.find('\n')));
    text.remove_prefix(std::min(text.size(), text.find_first_not_of(kSpaces)));
  }
  return false;
}

}  // namespace

std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  return text;
}

std::optional<UnexpectedFile> recognise_encoding(std::string_view text) {
  for (const Signature& signature : kSignatures) {
    if (text.starts_with(signature.bytes)) return UnexpectedFile{signature.what, signature.hint};
  }
  if (text.starts_with("BZh") && text.substr(3).find("1AY&SY") == 1)  // a digit lies between
    return UnexpectedFile{"is bzip2-compressed", "unpack it first: bunzip2 FILE"};
  return recognise_utf(text);
}

std::optional<UnexpectedFile> recognise_no_json(std::string_view text) {
  if (auto kind = recognise_encoding(text)) return kind;
  text = without_byte_order_mark(text);
  text.remove_prefix(std::min(text.size(), text.find_first_not_of(kSpaces)));
  if (text.empty() || text.front() == '{' || text.front() == '[') return std::nullopt;
  std::string begin(text.substr(0, 64));
  std::ranges::transform(begin, begin.begin(), [](unsigned char c) { return std::tolower(c); });
  if (begin.starts_with("version https://git-lfs"))
    return UnexpectedFile{"is a pointer of Git LFS, not the file itself",
                          "fetch the file: git lfs pull"};
  if (begin.starts_with("<!doctype html") || begin.starts_with("<html"))
    return UnexpectedFile{"is an HTML page",
                          "the download saved a web page instead of the file: download it again"};
  if (begin.front() == '<')
    return UnexpectedFile{
        "looks like XML, not JSON",
        "Pascal VOC annotations are packed with dfine-pack --format voc --annotations FOLDER"};
  if (is_yaml(text))
    return UnexpectedFile{
        "looks like YAML, not JSON",
        "a YOLO data set is packed with dfine-pack --format yolo --annotations data.yaml"};
  return std::nullopt;
}

std::optional<UnexpectedFile> recognise_json_lines(std::string_view text, size_t second) {
  const size_t first_end = text.find_last_not_of(kSpaces, second - 1) + 1;
  const bool on_new_line =
      text.substr(first_end, second - first_end).find('\n') != std::string_view::npos;
  if (second >= text.size() || text[second] != '{' || !on_new_line) return std::nullopt;
  return UnexpectedFile{"looks like JSON lines (one record per line), not one JSON value",
                        "put the records into the lists of one JSON object, or into one JSON list"};
}

void require_utf8(std::string_view text, const std::filesystem::path& path) {
  if (const auto kind = recognise_encoding(text))
    throw Error(cat(path.string(), " ", kind->what), kind->hint);
}

}  // namespace dfine
