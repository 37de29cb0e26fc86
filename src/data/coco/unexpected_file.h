#pragma once
// What a file looks like that was given for a JSON file, a list or labels, but is none.
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace dfine::inline coco {

struct UnexpectedFile {
  std::string what;  // after the path: "is gzip-compressed"
  std::string hint;  // what to do instead
};

/// Compressed files, archives, pickles, HDF5, UTF-16 and UTF-32 (with or without a byte order
/// mark), by the first bytes. UTF-8 text of any kind gives nothing.
std::optional<UnexpectedFile> recognise_encoding(std::string_view text);

/// Those, and HTML, XML, YAML, TOML, CSV, YOLO labels, comments, Python's notation and pointers of
/// Git LFS. JSON gives nothing.
std::optional<UnexpectedFile> recognise_no_json(std::string_view text);

/// Text in Latin-1 or another encoding of single bytes, and where it shows. UTF-8 gives nothing.
std::optional<UnexpectedFile> recognise_no_utf8(std::string_view text);

/// JSON records, one per line. `second`: place in the text of what follows the first JSON value.
std::optional<UnexpectedFile> recognise_json_lines(std::string_view text, size_t second);

/// Throws Error where the text of `path` is of a kind that recognise_encoding() knows.
void require_utf8(std::string_view text, const std::filesystem::path& path);

/// `text` without a UTF-8 byte order mark.
std::string_view without_byte_order_mark(std::string_view text);

}  // namespace dfine::inline coco
