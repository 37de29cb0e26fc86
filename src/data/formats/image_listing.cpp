#include "data/formats/image_listing.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "data/formats/image_folder.h"
#include "files/byte_file.h"
#include "files/folder_walk.h"
#include "files/lower_extension.h"
#include "image/decode.h"
#include "image/file_kind.h"

namespace dfine::inline formats {
namespace {

namespace fs = std::filesystem;

bool is_annotation(const fs::path& path) {
  constexpr std::array<std::string_view, 3> kExtensions{".txt", ".json", ".xml"};
  return std::ranges::find(kExtensions, lower_extension(path)) != kExtensions.end();
}

struct Look {
  bool image = false;    // of a format that can be read
  bool picture = false;  // of any format, or perhaps
  std::string reason;    // why it is none; empty: it begins as no image does
};

/// At a file whose name does not tell.
Look look_at(const fs::path& path) {
  std::error_code failed;
  const fs::file_status status = fs::status(path, failed);
  if (!fs::exists(status)) return {false, true, "a link to a file that does not exist"};
  if (!fs::is_regular_file(status)) return {false, false, "not a regular file"};
  try {
    const ByteFile file(path);
    std::vector<uint8_t> bytes;
    file.read(0, std::min<uint64_t>(file.size(), kFileKindBytes), bytes);
    const std::optional<FileKind> kind = file_kind(bytes);
    return {image_format(bytes).has_value(), kind ? kind->image : bytes.empty(), {}};
  } catch (const Error& e) {
    return {false, true, e.message()};
  }
}

DataNote note_of(std::string what, const std::set<std::string>& names) {
  DataNote note{std::move(what), 0, {}};
  for (const std::string& name : names) note.add(name);
  return note;
}

}  // namespace

std::vector<DataNote> UnusedFiles::notes() const {
  std::vector<DataNote> notes;
  append_note(notes, note_of("hidden files and folders, not packed", hidden));
  append_note(
      notes, note_of("files that are not JPEG, PNG, WebP, BMP or TIFF images, not packed", others));
  append_note(notes, note_of(kCycles, cycles));
  return notes;
}

bool may_be_image(const fs::path& path) {
  return !is_annotation(path) && look_at(path).picture;
}

std::vector<fs::path> list_image_folder(const fs::path& folder, ThreadPool& pool,
                                        UnusedFiles& unused,
                                        const std::function<bool(const fs::path&)>& is_used) {
  const FolderFiles found = walk_folder(folder);
  for (const fs::path& name : found.hidden) {
    if (!is_used(name)) unused.hidden.insert((folder / name).string());
  }
  for (const fs::path& name : found.cycles) unused.cycles.insert((folder / name).string());
  std::vector<fs::path> images, unknown;
  for (const fs::path& name : found.files) {
    if (is_used(name) || is_annotation(name)) continue;
    (has_image_extension(name) ? images : unknown).push_back(name);
  }
  ordered_parallel(
      pool, unknown.size(), 64 * static_cast<size_t>(pool.size() + 1),
      [&](size_t i) { return look_at(folder / unknown[i]); },
      [&](size_t i, const Look& look) {
        if (look.image) {
          images.push_back(unknown[i]);
        } else {
          unused.others.insert((folder / unknown[i]).string() +
                               (look.reason.empty() ? "" : ": " + look.reason));
        }
      });
  std::ranges::sort(images);
  return images;
}

}  // namespace dfine::inline formats
