#include "weights/batch_counters.h"

#include <ATen/ops/full.h>

#include <charconv>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/split.h"

namespace dfine::inline weights {
namespace {

constexpr std::string_view kCounter = ".num_batches_tracked", kMean = ".running_mean";

bool is_in_backbone(const std::string& name) {
  return name.starts_with("model.backbone.");
}

}  // namespace

bool is_backbone_counter(const std::string& published) {
  return is_in_backbone(published) && published.ends_with(kCounter);
}

std::string counters_text(const std::map<std::string, Tensor>& published) {
  std::string text;
  for (const auto& [name, tensor] : published) {
    if (!is_backbone_counter(name) || tensor.numel() != 1) continue;
    if (!text.empty()) text += ',';
    text += std::to_string(tensor.item<int64_t>());
  }
  return text;
}

void add_counters(const std::string& text, std::map<std::string, Tensor>& published) {
  std::vector<std::string> norms;
  for (const auto& item : published) {
    const std::string& name = item.first;
    if (is_in_backbone(name) && name.ends_with(kMean))
      norms.push_back(name.substr(0, name.size() - kMean.size()));
  }
  std::vector<int64_t> counts;
  for (const std::string& part : split(text, ',')) {
    int64_t count = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), count);
    if (error != std::errc() || end != part.data() + part.size()) return;
    counts.push_back(count);
  }
  if (counts.size() != norms.size()) return;
  for (size_t i = 0; i < norms.size(); ++i)
    published.emplace(norms[i].append(kCounter), at::full({}, counts[i], at::kLong));
}

}  // namespace dfine::inline weights
