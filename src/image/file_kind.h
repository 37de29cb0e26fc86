#pragma once
// What kind of file this is, by its first bytes: formats that decode_image() does not read have a
// name here too.
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <span>
#include <string_view>

namespace dfine::inline image {

struct FileKind {
  std::string_view name;  // with its article: "a HEIC image", "an MP4 or QuickTime video"
  bool image = false;     // a picture, whether decode_image() reads its format or not
};

/// As many bytes as file_kind() looks at.
inline constexpr size_t kFileKindBytes = 32;

/// Nothing for an empty file and for kinds that are not known. `file` may be the first bytes alone.
std::optional<FileKind> file_kind(std::span<const uint8_t> file);
/// Reads the first bytes. A file that cannot be read counts as empty.
std::optional<FileKind> file_kind(std::istream& file);

}  // namespace dfine::inline image
