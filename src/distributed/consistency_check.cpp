#include "distributed/consistency_check.h"

#include <algorithm>
#include <functional>
#include <map>
#include <vector>

#include "core/error.h"
#include "core/host_name.h"
#include "core/split.h"
#include "core/text.h"

namespace dfine::inline distributed {
namespace {

// "ranks 0-2, 5"
std::string rank_list(const std::vector<int>& ranks) {
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (size_t first = 0; first < ranks.size();) {
    size_t last = first;
    while (last + 1 < ranks.size() && ranks[last + 1] == ranks[last] + 1) ++last;
    if (first > 0) text += ", ";
    text += str_cat(ranks[first]);
    if (last > first) text += str_cat("-", ranks[last]);
    first = last + 1;
  }
  return text;
}

// The part of `value` around `difference` that is worth printing.
std::string excerpt(const std::string& value, size_t difference) {
  constexpr size_t kBefore = 40, kLength = 160;
  const size_t first = value.size() <= kLength || difference < kBefore ? 0 : difference - kBefore;
  return str_cat(first > 0 ? "..." : "", value.substr(first, kLength),
                 first + kLength < value.size() ? "..." : "");
}

/// " on n1, n2"; some of many.
std::string host_list(const std::vector<int>& ranks, const std::vector<std::string>& hosts) {
  constexpr size_t kMost = 8;
  std::vector<std::string> names;
  for (const int rank : ranks) {
    const std::string& host = hosts.at(static_cast<size_t>(rank));
    if (std::ranges::find(names, host) == names.end()) names.push_back(host);
  }
  std::string text = " on ";
  for (size_t i = 0; i < std::min(names.size(), kMost); ++i)
    text += str_cat(i > 0 ? ", " : "", names[i]);
  return names.size() > kMost ? text + ", ..." : text;
}

std::string describe(std::string_view name, const std::vector<std::string>& values,
                     const std::vector<std::string>& hosts) {
  std::map<std::string, std::vector<int>> ranks_of;
  size_t difference = std::string::npos;
  for (size_t rank = 0; rank < values.size(); ++rank) {
    ranks_of[values[rank]].push_back(static_cast<int>(rank));
    const auto [end, other_end] =
        std::mismatch(values[0].begin(), values[0].end(), values[rank].begin(), values[rank].end());
    if (values[rank] != values[0])
      difference = std::min(difference, static_cast<size_t>(end - values[0].begin()));
  }
  std::vector<std::pair<std::vector<int>, std::string>> groups;
  for (const auto& [value, ranks] : ranks_of) groups.emplace_back(ranks, value);
  std::sort(groups.begin(), groups.end());
  std::string text = str_cat("The ranks disagree on ", name, ":");
  for (const auto& [ranks, value] : groups)
    text += str_cat("\n  ", rank_list(ranks), host_list(ranks, hosts), ": ",
                    excerpt(value, difference));
  return text;
}

/// Of rank zero: describe(each rank's value, each rank's host), unless `value` is the same
/// everywhere.
template <class Describe>
void require_agreement(const Communicator& group, const std::string& value,
                       const Describe& describe) {
  if (group.is_single()) return;
  const std::string reference = group.broadcast(value, 0);
  if (group.max({value != reference ? 1 : 0}).front() == 0) return;
  const auto values = group.gather(value, 0), hosts = group.gather(host_name(), 0);
  const std::string message =
      group.broadcast(group.rank() == 0 ? describe(values, hosts) : std::string(), 0);
  throw Error(
      ErrorCode::kRanksDisagree, message,
      "All ranks must run the same program with the same configuration and see the same files.");
}

}  // namespace

void check_agreement(const Communicator& group, std::string_view name, const std::string& value) {
  require_agreement(
      group, value,
      [&](const std::vector<std::string>& values, const std::vector<std::string>& hosts) {
        return describe(name, values, hosts);
      });
}

void check_agreement(const Communicator& group, const std::vector<NamedValue>& values) {
  std::string joined;
  for (const NamedValue& value : values) joined += value.value + '\0';
  require_agreement(
      group, joined,
      [&](const std::vector<std::string>& of_ranks, const std::vector<std::string>& hosts) {
        std::vector<std::vector<std::string>> by_rank;
        for (const std::string& all : of_ranks) by_rank.push_back(split(all, '\0'));
        std::string text;
        for (size_t i = 0; i < values.size(); ++i) {
          std::vector<std::string> found;
          for (const auto& of_rank : by_rank) found.push_back(i < of_rank.size() ? of_rank[i] : "");
          if (std::ranges::adjacent_find(found, std::not_equal_to<>()) == found.end()) continue;
          text += (text.empty() ? "" : "\n") + describe(values[i].name, found, hosts);
        }
        return text;
      });
}

}  // namespace dfine::inline distributed
