#include "core/nearest.h"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <utility>

namespace dfine {

size_t edits_between(const std::string& a, const std::string& b) {
  std::vector<size_t> two_up, up, row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    two_up = std::exchange(up, row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({up[j] + 1, row[j - 1] + 1, up[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], two_up[j - 2] + 1);
    }
  }
  return row.back();
}

std::string plain_name(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return c == '-' ? '_' : static_cast<char>(std::tolower(c));
  });
  return name;
}

std::vector<std::string> nearest_names(const std::string& name,
                                       const std::vector<std::string>& known, size_t most_edits) {
  const std::string wanted = plain_name(name);
  size_t least = most_edits;
  std::vector<std::string> nearest;
  for (const std::string& candidate : known) {
    const size_t edits = edits_between(wanted, plain_name(candidate));
    if (edits > least) continue;
    if (edits < least) nearest.clear();
    least = edits;
    nearest.push_back(candidate);
  }
  return nearest;
}

std::string joined_by_or(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : " or ") + name;
  return out;
}

}  // namespace dfine
