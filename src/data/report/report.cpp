#include "data/report/report.h"

#include <utility>

#include "core/text.h"
#include "data/report/duplicates.h"
#include "data/report/page.h"
#include "data/shards/reader.h"
#include "data/split_names.h"

namespace dfine::inline report {
namespace {

struct GatheredSet {
  ReportData data;
  DuplicateFinder contents;
};

GatheredSet gather(const std::filesystem::path& folder, const std::vector<Category>& categories,
                   const std::vector<ShardEntry>& shards) {
  GatheredSet set{ReportData(categories), {}};
  for (const ShardEntry& entry : shards) {
    Shard shard = open_shard(folder, entry, categories);
    set.data.add(shard.index);
    set.contents.add(shard.index, std::move(shard.bytes), (folder / entry.file).string());
  }
  return set;
}

/// Images of val, or of all packs with one to compare with, are in the other pack too.
void warn_of_shared(const ReportPage& page, std::vector<DataWarning>& warnings) {
  for (const SharedImages& shared : page.shared) {
    if (shared.images.empty() || (page.set == kTrainSet && shared.pack == kValSet))
      continue;  // val's page says it
    warnings.push_back(
        {str_cat(counted(static_cast<long long>(shared.images.size()), "image", "images"),
                 page.set.empty() ? "" : " of " + page.set,
                 shared.images.size() == 1 ? " is" : " are", " in ", shared.pack,
                 " too, byte for byte"),
         "metrics on such images flatter the model: keep one file of each pair (report.html lists "
         "them) and pack again"});
  }
}

}  // namespace

Reports make_reports(const ReportInput& input) {
  std::vector<GatheredSet> sets;
  for (const PackedSplit& set : input.sets)
    sets.push_back(gather(input.folder / set.name, input.categories, set.shards));
  DuplicateFinder other;
  if (!input.compare.empty()) {
    const Manifest manifest = read_manifest(input.compare);
    other = gather(input.compare, manifest.categories, manifest.shards).contents;
  }
  std::vector<ReportPage> pages;
  Reports reports{{}, input.warnings};
  for (size_t s = 0; s < sets.size(); ++s) {
    const PackedSplit& set = input.sets[s];
    ReportPage& page = pages.emplace_back(ReportPage{set.name,
                                                     sets[s].data,
                                                     set.counts,
                                                     set.shards.size(),
                                                     input.skipped,
                                                     input.notes,
                                                     {},
                                                     sets[s].contents.duplicates(),
                                                     {}});
    for (size_t k = 0; k < sets.size(); ++k) {
      if (k != s)
        page.shared.push_back({input.sets[k].name, sets[s].contents.also_in(sets[k].contents)});
    }
    if (!input.compare.empty())
      page.shared.push_back({input.compare.string(), sets[s].contents.also_in(other)});
    warn_of_shared(page, reports.warnings);
  }
  for (ReportPage& page : pages) {
    page.warnings = reports.warnings;
    reports.pages.push_back(render(page));
  }
  return reports;
}

}  // namespace dfine::inline report
