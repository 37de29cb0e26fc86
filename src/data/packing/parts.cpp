#include "data/packing/parts.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "core/error.h"
#include "core/text.h"
#include "files/atomic_path.h"
#include "files/file_sync.h"

namespace dfine::inline packing {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;

constexpr const char* kRecord = "part.json";
constexpr const char* kJoined = "pack";

fs::path without_trailing_slash(fs::path path) {
  path = path.lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

/// True when it was renamed; false when `from` is not there, or `to` already is.
bool move(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return true;
  const int code = errno;
  if (code == ENOENT || code == ENOTEMPTY || code == EEXIST) return false;
  throw Error(write_error_code(code), str_cat("cannot rename ", from.string(), " to ", to.string(),
                                              ": ", std::generic_category().message(code)));
}

}  // namespace

PackParts::PackParts(fs::path output, PackPart part, uint32_t plan)
    : output_(without_trailing_slash(std::move(output))),
      base_(fs::path(output_) += ".parts"),
      part_(part),
      plan_(plan) {}

fs::path PackParts::folder_of(size_t index) const {
  return base_ / str_cat("part-", index, "-of-", part_.count);
}

ReadPackResult PackParts::read(size_t index) const {
  ReadPackResult read = read_pack_result(folder_of(index) / kRecord);
  if (read.plan != plan_) {
    throw Error(kDataMismatch,
                str_cat(folder_of(index).string(),
                        " was packed from other images or annotations than part ", part_.index,
                        ", or with other options"),
                str_cat("give all parts the same input and options; remove ", base_.string(),
                        " to begin again"));
  }
  return read;
}

std::optional<PackResult> PackParts::done() const {
  std::error_code absent;
  const std::string division = str_cat("-of-", part_.count);
  for (const auto& entry : fs::directory_iterator(base_, absent)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("part-") && !name.ends_with(division)) {
      throw Error(kConflictingSettings,
                  str_cat(base_.string(), " holds ", name, ", but this run is part ", part_.index,
                          " of ", part_.count),
                  str_cat("give all parts the same n in --part i/n; remove ", base_.string(),
                          " to begin again"));
    }
  }
  if (!fs::exists(own_folder())) return std::nullopt;
  return read(part_.index).result;
}

void PackParts::write_record(const fs::path& folder, const PackResult& result) const {
  write_pack_result(folder / kRecord, result, plan_);
}

std::vector<size_t> PackParts::missing() const {
  // It lists the folder. A network file system may remember for a while that a name was absent. But
  // it lists again a folder that this node has just changed. So the last to finish sees all.
  std::vector<std::string> names;
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(base_, absent))
    names.push_back(entry.path().filename().string());
  std::vector<size_t> missing;
  for (size_t index = 1; index <= part_.count; ++index) {
    if (std::ranges::find(names, folder_of(index).filename().string()) == names.end())
      missing.push_back(index);
  }
  return missing;
}

PackResult PackParts::gather() const {
  PackResult all = read(1).result;
  for (size_t index = 2; index <= part_.count; ++index) all.append(read(index).result);
  return all;
}

fs::path PackParts::join(const PackResult& result) const {
  fs::path joined = base_ / kJoined;
  for (const PackedSplit& set : result.sets) {
    fs::create_directories(joined / set.name);
    for (const ShardEntry& shard : set.shards) {
      const fs::path target = joined / set.name / shard.file;
      for (size_t index = 1; index <= part_.count && !fs::exists(target); ++index)
        move(folder_of(index) / set.name / shard.file, target);
      if (!fs::exists(target)) {
        throw Error(kFileMissing,
                    str_cat(base_.string(), " lacks ", (fs::path(set.name) / shard.file).string(),
                            ", which a part has packed"),
                    str_cat("remove ", base_.string(), " and pack all parts again"));
      }
    }
    sync_to_disk(joined / set.name);
  }
  return joined;
}

void PackParts::complete(const std::vector<std::pair<fs::path, std::string>>& files) const {
  const fs::path joined = base_ / kJoined;
  const AtomicFolder scratch(base_ /
                             "finish");  // under a name of this process's own; removed at the end
  for (const auto& [name, text] : files) {
    const fs::path written = scratch.path() / name.filename();
    write_file_atomically(written, text);
    move(written, joined / name);
  }
  if (!move(joined, output_)) {
    // What stands there is the same pack, completed by another run, or something that must stay,
    // and the parts with it.
    const auto is_there = [&](const auto& file) { return fs::exists(output_ / file.first); };
    if (!std::ranges::all_of(files, is_there))
      throw Error(kFileChanged, str_cat(output_.string(), " was made by another program meanwhile"),
                  str_cat("it was left alone, and the parts are still in ", base_.string(),
                          ": remove it, and run any part again"));
  }
  sync_to_disk(output_.has_parent_path() ? output_.parent_path() : fs::path("."));
}

void PackParts::remove() const {
  // Another run may be removing the same files at this moment, and each then stumbles over what the
  // other has removed.
  constexpr int kAttempts = 20;
  std::error_code ignored;
  for (int k = 0; k < kAttempts && fs::exists(base_, ignored); ++k) fs::remove_all(base_, ignored);
}

bool PackParts::completed(const std::vector<std::string>& sets) const {
  return std::ranges::all_of(
      sets, [&](const std::string& set) { return fs::exists(output_ / set / kManifestName); });
}

}  // namespace dfine::inline packing
