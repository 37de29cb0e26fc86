#pragma once
// Global optimal localisation (GO): the heads' matchings joined into one, which all heads' box
// losses then share.
#include <vector>

#include "loss/matcher.h"

namespace dfine::inline loss {

/// Each head votes with its pairs. An image's pairs are gone through by votes, most first, and
/// every query keeps the first box it meets. So a query has one box, but a box may have several
/// queries. Equal votes go by (query, box) ascending: the order is defined, which the official
/// argsort does not promise. Pairs come out in the order in which they were taken. All matchings
/// cover the same images.
MatchedIndices go_indices(const std::vector<MatchedIndices>& heads);

}  // namespace dfine::inline loss
