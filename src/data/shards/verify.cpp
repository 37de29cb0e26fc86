#include "data/shards/verify.h"

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/printable.h"
#include "core/text.h"
#include "core/thread_pool.h"
#include "data/shards/manifest.h"
#include "data/shards/reader.h"
#include "image/decode.h"

namespace dfine::inline shards {
namespace {

constexpr size_t kBlock = 64;  // images read in one job

/// What is wrong with the images [begin, end) of the shard.
std::vector<std::string> check_records(const Shard& shard, const std::string& file, size_t begin,
                                       size_t end, bool decode) {
  std::vector<std::string> damaged;
  std::vector<uint8_t> bytes;
  Image image;
  for (size_t r = begin; r < end; ++r) {
    try {
      shard.bytes.read(shard.index.offset[r], shard.index.size[r], shard.index.crc32c[r], bytes);
      if (decode) decode_image(bytes, image);
    } catch (const Error& e) {
      damaged.push_back(str_cat(file, ": record ", r, " (\"", printable(shard.index.file_name[r]),
                                "\", image id ", shard.index.id[r], "): ", e.message()));
    }
  }
  return damaged;
}

void find_unlisted(const std::filesystem::path& folder, const Manifest& manifest,
                   std::vector<std::string>& damaged) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".h5")) continue;
    if (std::ranges::none_of(manifest.shards,
                             [&](const ShardEntry& shard) { return shard.file == name; })) {
      damaged.push_back(str_cat(name, ": the manifest does not list it"));
    }
  }
}

}  // namespace

VerifyReport verify_pack(const std::filesystem::path& folder, int jobs, bool decode,
                         const std::function<void(uint64_t, uint64_t)>& progress,
                         const std::function<bool()>& interrupted) {
  const Manifest manifest = read_manifest(folder);
  const uint64_t total = manifest.totals().image_bytes;
  VerifyReport report;
  find_unlisted(folder, manifest, report.damaged);
  ThreadPool pool(jobs);
  for (const auto& entry : manifest.shards) {
    std::optional<Shard> shard;
    try {
      shard.emplace(open_shard(folder, entry, manifest.categories));
    } catch (const Error& e) {
      report.damaged.push_back(str_cat(entry.file, ": ", e.message()));
      continue;
    }
    const size_t count = shard->index.images();
    const auto check = [&](size_t block) {
      return check_records(*shard, entry.file, block * kBlock,
                           std::min((block + 1) * kBlock, count), decode);
    };
    ordered_parallel(pool, (count + kBlock - 1) / kBlock, 2 * static_cast<size_t>(jobs), check,
                     [&](size_t block, std::vector<std::string> damaged) {
                       if (interrupted()) throw Error(ErrorCode::kInterrupted, "interrupted");
                       std::ranges::move(damaged, std::back_inserter(report.damaged));
                       for (size_t r = block * kBlock; r < std::min((block + 1) * kBlock, count);
                            ++r)
                         report.bytes += shard->index.size[r];
                       progress(report.bytes, total);
                     });
    ++report.shards;
    report.images += count;
  }
  return report;
}

}  // namespace dfine::inline shards
