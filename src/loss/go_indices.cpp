#include "loss/go_indices.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace dfine::inline loss {
namespace {

Pairs unite(const std::vector<MatchedIndices>& heads, size_t image) {
  std::map<std::pair<int64_t, int64_t>, int> votes;  // (query, box), in the order that settles ties
  for (const MatchedIndices& head : heads) {
    const Pairs& pairs = head[image];
    for (size_t k = 0; k < pairs.size(); ++k) ++votes[{pairs.query[k], pairs.box[k]}];
  }
  std::vector<std::pair<std::pair<int64_t, int64_t>, int>> ranked(votes.begin(), votes.end());
  std::ranges::stable_sort(ranked, std::ranges::greater{},
                           [](const auto& entry) { return entry.second; });
  Pairs result;
  std::set<int64_t> taken;
  for (const auto& [pair, count] : ranked) {
    if (!taken.insert(pair.first).second) continue;
    result.query.push_back(pair.first);
    result.box.push_back(pair.second);
  }
  return result;
}

}  // namespace

MatchedIndices go_indices(const std::vector<MatchedIndices>& heads) {
  MatchedIndices result;
  for (size_t image = 0; !heads.empty() && image < heads.front().size(); ++image)
    result.push_back(unite(heads, image));
  return result;
}

}  // namespace dfine::inline loss
