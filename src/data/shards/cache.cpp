#include "data/shards/cache.h"

#include <array>
#include <cstdio>
#include <string>
#include <system_error>

#include "core/crc32c.h"
#include "core/error.h"
#include "core/log.h"
#include "core/stop_request.h"
#include "core/text.h"
#include "data/shards/manifest.h"
#include "files/atomic_path.h"
#include "files/byte_file.h"
#include "files/file_lock.h"

namespace dfine::inline shards {
namespace {

namespace fs = std::filesystem;

std::vector<uint8_t> content(const fs::path& path) {
  const ByteFile file(path);
  std::vector<uint8_t> bytes;
  file.read(0, file.size(), bytes);
  return bytes;
}

bool is_complete(const fs::path& copy, const Manifest& manifest,
                 const std::vector<uint8_t>& manifest_bytes) {
  std::error_code failed;
  if (!fs::exists(copy / kManifestName, failed) || content(copy / kManifestName) != manifest_bytes)
    return false;
  for (const auto& shard : manifest.shards) {
    if (fs::file_size(copy / shard.file, failed) != shard.file_bytes || failed) return false;
  }
  return true;
}

void check_space(const fs::path& cache_dir, uint64_t needed) {
  const uint64_t free = fs::space(cache_dir).available;
  if (needed > free) {
    throw Error(
        ErrorCode::kDiskFull,
        str_cat("the copy needs ", human_bytes(static_cast<double>(needed)), ", but ",
                cache_dir.string(), " has only ", human_bytes(static_cast<double>(free)), " free"),
        "remove copies of other packs there, name another folder, or leave data.cache_dir empty");
  }
}

void copy_pack(const fs::path& pack, const fs::path& target, const Manifest& manifest) {
  AtomicFolder folder(target);
  std::vector<std::string> names{kManifestName};
  for (const auto& shard : manifest.shards) names.push_back(shard.file);
  for (const auto& name : names) {
    end_if_stop_requested();
    std::error_code failed;
    fs::copy_file(pack / name, folder.path() / name, failed);
    if (failed) {
      throw Error(write_error_code(failed.value()),
                  str_cat("cannot copy ", (pack / name).string(), " to ", target.string(), ": ",
                          failed.message()),
                  "is there room on the disk of data.cache_dir?");
    }
  }
  folder.commit();
}

}  // namespace

fs::path cached_pack(const fs::path& pack, const fs::path& cache_dir) {
  const Manifest manifest = read_manifest(pack);
  const auto manifest_bytes = content(pack / kManifestName);
  std::array<char, 9> checksum{};
  std::snprintf(checksum.data(), checksum.size(), "%08x", crc32c(manifest_bytes));
  const std::string name = fs::weakly_canonical(pack).filename().string() + "-" + checksum.data();
  const fs::path target = cache_dir / name;

  MadeFolders folders(cache_dir);
  folders.keep();
  const FileLock lock(
      cache_dir / str_cat(".", name, ".lock"),
      str_cat("waiting for another process to copy ", pack.string(), " to ", target.string()),
      "data.cache_dir must be a folder on a local disk that you may write to");
  if (is_complete(target, manifest, manifest_bytes)) return target;
  const uint64_t bytes = manifest.totals().file_bytes + manifest_bytes.size();
  check_space(cache_dir, bytes);
  log::local_info(str_cat("copying ", pack.string(), " (", human_bytes(static_cast<double>(bytes)),
                          ") to ", target.string()));
  copy_pack(pack, target, manifest);
  return target;
}

}  // namespace dfine::inline shards
