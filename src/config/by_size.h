#pragma once
// How the published models and their official recipes differ, for the descriptions of keys. The
// values themselves are in variants/variants.cpp alone.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/text.h"
#include "variants/variants.h"

namespace dfine::inline config {

inline std::string value_text(bool value) {
  return value ? "true" : "false";
}
inline std::string value_text(int64_t value) {
  return std::to_string(value);
}
/// With at most three decimals.
inline std::string value_text(double value) {
  return str_cat(std::round(value * 1000) / 1000);
}

inline std::string value_text(const BackboneWidths* value) {
  return std::string(value->name);
}

/// "n and s 20; m 6; l 4; x 3": sizes that follow one another with the same value share it.
template <class T>
std::string by_size(T ModelVariant::* member) {
  const auto& all = model_variants();
  std::string text;
  for (auto first = all.begin(); first != all.end();) {
    const T value = (*first).*member;
    const auto end = std::find_if(
        first, all.end(), [&](const ModelVariant& variant) { return variant.*member != value; });
    std::vector<std::string> names;
    for (auto each = first; each != end; ++each) names.emplace_back(each->name);
    text += str_cat(text.empty() ? "" : "; ", listed(names), ' ', value_text(value));
    first = end;
  }
  return text;
}

}  // namespace dfine::inline config
