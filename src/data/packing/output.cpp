#include "data/packing/output.h"

#include "core/error.h"
#include "core/text.h"
#include "data/report/report.h"
#include "data/shards/manifest.h"
#include "data/split_names.h"

namespace dfine::inline packing {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;

constexpr const char* kElsewhere = "choose another place; nothing was changed";

struct Content {
  bool empty = true, has_manifest = false;
};

bool is_split_folder(const fs::directory_entry& entry) {
  const std::string name = entry.path().filename().string();
  return entry.is_directory() && (name == kTrainSet || name == kValSet);
}

Content look_into(const fs::path& output, const fs::path& folder, bool split_folders) {
  Content content;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    content.empty = false;
    content.has_manifest = content.has_manifest || name == kManifestName;
    if (split_folders && is_split_folder(entry)) {
      content.has_manifest =
          look_into(output, entry.path(), false).has_manifest || content.has_manifest;
    } else if (!is_pack_file(name)) {
      throw Error(
          kFileExists,
          str_cat("the output ", output.string(), " exists and holds '",
                  fs::relative(entry.path(), output).string(), "', which is no part of a pack"),
          kElsewhere);
    }
  }
  return content;
}

}  // namespace

bool is_pack_file(std::string_view name) {
  return name == kManifestName || name == kReportName ||
         (name.starts_with("shard-") && name.ends_with(".h5"));
}

void refuse_link(const fs::path& output) {
  const fs::path itself =
      output.has_filename() ? output : output.parent_path();  // "pack/" is what the link points to
  std::error_code failed;
  if (fs::is_symlink(fs::symlink_status(itself, failed)))
    throw Error(kFileExists, str_cat("the output ", output.string(), " is a symbolic link"),
                "give the folder that it points to, or remove the link");
}

void check_output(const fs::path& output, bool overwrite) {
  if (!overwrite) refuse_link(output);
  std::error_code failed;
  const fs::file_status status = fs::status(output, failed);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(status))
    throw Error(kFileExists, str_cat("the output ", output.string(), " exists and is not a folder"),
                "choose another place");
  Content content;
  try {
    content = look_into(output, output, true);
  } catch (const fs::filesystem_error& e) {
    throw Error(kFileUnreadable,
                str_cat("cannot read the output ", output.string(), ": ", e.code().message()));
  }
  if (content.empty) return;
  if (!content.has_manifest)
    throw Error(kFileExists, str_cat("the output ", output.string(), " exists and is not a pack"),
                kElsewhere);
  if (!overwrite)
    throw Error(kFileExists, str_cat("the output ", output.string(), " exists"),
                "--overwrite replaces it");
}

}  // namespace dfine::inline packing
