#include "data/coco/unexpected_file.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <system_error>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"

namespace dfine::inline coco {
namespace {

using namespace std::string_view_literals;

constexpr const char* kUnpack = "unpack it first, and name the file that was in it";
constexpr const char* kPickle = "load it in Python, and write it with json.dump(data, file)";
constexpr const char* kSpaces = " \t\r\n";

struct Signature {
  std::string_view bytes;
  const char* what;
  const char* hint;
};

// The formats' own first bytes: RFC 1952, PKWARE's APPNOTE.TXT 4.3, tukaani.org/xz, RFC 8878,
// bzip2's and 7z's manuals, the HDF5 file format specification.
constexpr std::array kSignatures{
    Signature{"\x1f\x8b"sv, "is gzip-compressed", "unpack it first: gzip -dc FILE > NEW_FILE"},
    Signature{"PK\x03\x04"sv, "is a zip archive", kUnpack},
    Signature{"PK\x05\x06"sv, "is an empty zip archive", "download or export it again"},
    Signature{"\xfd\x37zXZ\0"sv, "is xz-compressed", "unpack it first: xz -dc FILE > NEW_FILE"},
    Signature{"\x28\xb5\x2f\xfd"sv, "is zstd-compressed",
              "unpack it first: zstd -dc FILE > NEW_FILE"},
    Signature{"7z\xbc\xaf\x27\x1c"sv, "is a 7z archive", kUnpack},
    Signature{"\x80\x02"sv, "is a Python pickle", kPickle},  // PROTO and its number: pickletools
    Signature{"\x80\x03"sv, "is a Python pickle", kPickle},
    Signature{"\x80\x04"sv, "is a Python pickle", kPickle},
    Signature{"\x80\x05"sv, "is a Python pickle", kPickle},
    Signature{"\x89HDF\r\n\x1a\n"sv, "is an HDF5 file",
              "a pack is opened by the name of its folder: dfine-eval --data FOLDER"},
};

UnexpectedFile utf(const char* name) {
  return {str_cat("is ", name, " text, not UTF-8"),
          str_cat("convert it: iconv -f ", name, " -t UTF-8 FILE > NEW_FILE")};
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

std::string_view without_spaces(std::string_view text) {
  text.remove_prefix(std::min(text.size(), text.find_first_not_of(kSpaces)));
  return text;
}

/// Without the lines of spaces and `#` comments that it begins with.
std::string_view without_comments(std::string_view text) {
  for (text = without_spaces(text); text.starts_with('#'); text = without_spaces(text))
    text.remove_prefix(std::min(text.size(), text.find('\n')));
  return text;
}

/// The length of the key ("names") that the line begins with; 0: there is none.
size_t key_length(std::string_view line) {
  const auto in_key = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; };
  return static_cast<size_t>(std::ranges::find_if_not(line, in_key) - line.begin());
}

/// A key ("names:") or an entry ("- cat").
bool is_yaml(std::string_view text) {
  const std::string_view line = line_of(text);
  if (line == "---" || line.starts_with("- ") || line.starts_with("%YAML")) return true;
  const size_t end = key_length(line);
  if (end == 0 || end == line.size() || line[end] != ':') return false;
  return end + 1 == line.size() || line[end + 1] == ' ';
}

/// A table ("[run]") with a key, or a key ("seed = 1").
bool is_toml(std::string_view text) {
  const std::string_view line = line_of(text);
  if (line.starts_with('[')) {
    const size_t end = key_length(line.substr(1)) + 1;
    return end > 1 && line.substr(end) == "]" && text.find('=') != std::string_view::npos;
  }
  const size_t end = key_length(line);
  return end > 0 && without_spaces(line.substr(end)).starts_with('=');
}

/// Two lines with the same number of commas, semicolons or tabs.
bool is_csv(std::string_view text) {
  const std::string_view line = line_of(text);
  const std::string_view next = line_of(text.substr(std::min(text.size(), text.find('\n') + 1)));
  return text.find('\n') != std::string_view::npos &&
         std::ranges::any_of(",;\t"sv, [&](char separator) {
           const auto count = std::ranges::count(line, separator);
           return count > 0 && std::ranges::count(next, separator) == count;
         });
}

/// At least five numbers: "0 0.5 0.5 0.1 0.1".
bool is_yolo_label(std::string_view text) {
  size_t words = 0;
  for (std::string_view line = line_of(text); !line.empty(); line = without_spaces(line)) {
    const std::string_view word = line.substr(0, line.find_first_of(kSpaces));
    double number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc() || end != word.data() + word.size()) return false;
    line.remove_prefix(word.size());
    ++words;
  }
  return words >= 5;
}

/// Text that begins like neither JSON nor a page or pointer.
std::optional<UnexpectedFile> recognise_text(std::string_view text) {
  text = text.substr(0, 1 << 12);  // a line may be the whole file
  const std::string_view content = without_comments(text);
  if (is_yaml(content))
    return UnexpectedFile{
        "looks like YAML, not JSON",
        "a YOLO dataset is packed with dfine-pack --format yolo --annotations data.yaml"};
  if (is_toml(content))
    return UnexpectedFile{"looks like TOML, not JSON",
                          "a configuration goes to dfine_ddp --config; annotations are JSON"};
  if (content.starts_with("{'") || content.starts_with("[{'"))
    return UnexpectedFile{"looks like a printed Python object, not JSON",
                          "write it with Python's json.dump(data, file)"};
  if (content.size() < text.size() || text.starts_with("//") || text.starts_with("/*"))
    return UnexpectedFile{"begins with a comment, which JSON does not have", "remove all comments"};
  if (text.starts_with('{') || text.starts_with('[')) return std::nullopt;
  if (is_yolo_label(text))
    return UnexpectedFile{
        "looks like the labels of a YOLO dataset, not like JSON",
        "a YOLO dataset is packed with dfine-pack --format yolo --annotations data.yaml"};
  if (is_csv(text))
    return UnexpectedFile{"looks like a table (CSV), not like JSON",
                          "convert it to the JSON that docs/data-format.md describes"};
  return std::nullopt;
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
    return UnexpectedFile{"is bzip2-compressed", "unpack it first: bzip2 -dc FILE > NEW_FILE"};
  return recognise_utf(text);
}

std::optional<UnexpectedFile> recognise_no_json(std::string_view text) {
  if (auto kind = recognise_encoding(text)) return kind;
  text = without_spaces(without_byte_order_mark(text));
  if (text.empty()) return std::nullopt;
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
  return recognise_text(text);
}

std::optional<UnexpectedFile> recognise_no_utf8(std::string_view text) {
  size_t at = 0, line = 1;
  while (at < text.size()) {
    const size_t length = utf8_length(text.substr(at, 4));
    if (length == 0) break;
    if (text[at] == '\n') ++line;
    at += length;
  }
  if (at == text.size()) return std::nullopt;
  return UnexpectedFile{str_cat("is not UTF-8 text (at byte ", at, ", line ", line, ")"),
                        "convert it: iconv -f LATIN1 -t UTF-8 FILE > NEW_FILE, or -f CP1252 for a "
                        "file from Windows; download a damaged file again"};
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
    throw Error(ErrorCode::kFormatInvalid, str_cat(path.string(), " ", kind->what), kind->hint);
}

}  // namespace dfine::inline coco
