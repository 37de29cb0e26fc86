#include "config/suggest.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

namespace dfine {
namespace {

/// Levenshtein's distance.
size_t edits_between(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row.back();
}

std::string last_part(const std::string& name) {
  return name.substr(name.rfind('.') + 1);
}

/// Those of `known` with the fewest edits, if so few that a word of `length` letters is still the same word.
template <class Edits>
std::vector<std::string> least_edits(const std::vector<std::string>& known, Edits edits_to, size_t length) {
  size_t least = std::max<size_t>(1, length / 3);
  std::vector<std::string> nearest;
  for (const std::string& k : known) {
    const size_t edits = edits_to(k);
    if (edits > least) continue;
    if (edits < least) nearest.clear();
    least = edits;
    nearest.push_back(k);
  }
  return nearest;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : " or ") + name;
  return out;
}

}  // namespace

std::string suggest(const std::string& name, const std::vector<std::string>& known) {
  std::vector<std::string> elsewhere;
  std::copy_if(known.begin(), known.end(), std::back_inserter(elsewhere),
               [&](const std::string& k) { return last_part(k) == last_part(name); });
  if (!elsewhere.empty()) return joined(elsewhere);
  std::vector<std::string> nearest = least_edits(
      known, [&](const std::string& k) { return edits_between(name, k); }, last_part(name).size());
  if (nearest.empty())  // perhaps in the wrong table too
    nearest = least_edits(
        known, [&](const std::string& k) { return edits_between(last_part(name), last_part(k)); }, last_part(name).size());
  return joined(nearest);
}

}  // namespace dfine
