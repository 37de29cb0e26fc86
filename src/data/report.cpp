#include "data/report.h"

#include <utility>

#include "data/image_contents.h"
#include "data/report_page.h"
#include "data/shard_reader.h"

namespace dfine {
namespace {

struct GatheredSet {
  ReportData data;
  ImageContents contents;
};

GatheredSet gather(const std::filesystem::path& folder, const std::vector<Category>& categories, const std::vector<ShardEntry>& shards) {
  GatheredSet set{ReportData(categories), {}};
  for (const ShardEntry& entry : shards) {
    Shard shard = open_shard(folder, entry, categories);
    set.data.add(shard.index);
    set.contents.add(shard.index, std::move(shard.bytes), (folder / entry.file).string());
  }
  return set;
}

}  // namespace

std::vector<std::string> make_reports(const ReportInput& input) {
  std::vector<GatheredSet> sets;
  for (const PackedSet& set : input.result.sets) sets.push_back(gather(input.folder / set.name, input.categories, set.shards));
  ImageContents other;
  if (!input.compare.empty()) {
    const Manifest manifest = read_manifest(input.compare);
    other = gather(input.compare, manifest.categories, manifest.shards).contents;
  }
  std::vector<std::string> pages;
  for (size_t s = 0; s < sets.size(); ++s) {
    const PackedSet& set = input.result.sets[s];
    ReportPage page{set.name, sets[s].data, set.counts, set.shards.size(), input.skipped, sets[s].contents.duplicates(), {}};
    for (size_t k = 0; k < sets.size(); ++k) {
      if (k != s) page.shared.push_back({input.result.sets[k].name, sets[s].contents.also_in(sets[k].contents)});
    }
    if (!input.compare.empty()) page.shared.push_back({input.compare.string(), sets[s].contents.also_in(other)});
    pages.push_back(render(page));
  }
  return pages;
}

}  // namespace dfine
