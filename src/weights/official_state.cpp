#include "weights/official_state.h"

#include <ATen/ATen.h>

#include <cmath>
#include <limits>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "variants/variants.h"
#include "weights/official_names.h"

namespace dfine::inline weights {
namespace {

/// As _generate_anchors() in src/zoo/dfine/dfine_decoder.py makes them, operation by operation, so
/// that the bits are the same.
std::pair<Tensor, Tensor> official_anchors(const ModelDescription& description) {
  std::vector<Tensor> levels;
  double scale = 1;
  for (const int64_t stride : description.spec.strides()) {
    const int64_t height = description.image_height / stride,
                  width = description.image_width / stride;
    const auto grid = at::meshgrid({at::arange(height), at::arange(width)}, "ij");
    const Tensor sides =
        at::tensor({static_cast<float>(width), static_cast<float>(height)}, at::kFloat);
    const Tensor centers = (at::stack({grid[1], grid[0]}, -1).unsqueeze(0) + 0.5) / sides;
    const Tensor extents = at::ones_like(centers) * 0.05 * scale;
    levels.push_back(at::cat({centers, extents}, -1).reshape({-1, height * width, 4}));
    scale *= 2;
  }
  const Tensor anchors = at::cat(levels, 1);
  const Tensor valid = ((anchors > 0.01) * (anchors < 1 - 0.01)).all(-1, /*keepdim=*/true);
  const Tensor unact = at::log(anchors / (1 - anchors));
  return {at::where(valid, unact, std::numeric_limits<float>::infinity()), valid};
}

/// The official constant is what the configuration has: an integer unless it is a fraction.
Tensor as_configured(const Tensor& reg_scale) {
  const Tensor whole = reg_scale.round();
  return at::equal(whole, reg_scale) ? whole.to(at::kLong) : reg_scale;
}

constexpr std::string_view kAttention = "self_attn.", kQuery = "self_attn.q_proj.";

/// Of a matrix that is joined officially.
bool is_part(const std::string& name) {
  const size_t at = name.find(kAttention);
  return at != std::string::npos && name.find("out_proj.", at) == std::string::npos;
}

/// The key's or value's projection beside that of the query.
std::string beside(std::string query, std::string_view projection) {
  const size_t at = query.find(kQuery) + kAttention.size();
  return query.replace(at, projection.size(), projection);
}

bool is_backbone_norm(const std::string& name) {
  return name.starts_with("backbone.") && name.ends_with(".bn.running_mean");
}

}  // namespace

bool is_official_state(const std::map<std::string, Tensor>& tensors) {
  return tensors.contains("backbone.stem.stem4.conv.weight") &&
         tensors.contains("decoder.pre_bbox_head.layers.0.weight");
}

std::map<std::string, Tensor> from_official(const std::map<std::string, Tensor>& tensors) {
  std::map<std::string, Tensor> published;
  for (const auto& [name, tensor] : tensors) {
    const std::vector<std::string> names = published_names(name);
    if (names.size() == 3 && tensor.dim() > 0 && tensor.size(0) % 3 == 0) {
      const auto parts = tensor.chunk(3);
      for (size_t i = 0; i < 3; ++i) published.emplace(names[i], parts[i]);
    } else if (!names.empty()) {
      const bool integer = names[0] == "model.decoder.reg_scale" && tensor.is_signed() &&
                           !tensor.is_floating_point();
      published.emplace(names[0], integer ? tensor.to(at::kFloat) : tensor);
    }
  }
  return published;
}

std::map<std::string, Tensor> to_official(const std::map<std::string, Tensor>& published,
                                          const ModelDescription& description) {
  std::map<std::string, Tensor> state;
  for (const auto& [name, tensor] : published) {
    if (!is_part(name)) {
      state.emplace(official_name(name), tensor);
    } else if (name.find(kQuery) != std::string::npos) {
      state.emplace(official_name(name), at::cat({tensor, published.at(beside(name, "k_proj.")),
                                                  published.at(beside(name, "v_proj."))}));
    }
  }
  state["decoder.reg_scale"] = as_configured(state.at("decoder.reg_scale"));
  for (const char* constant : {"up", "reg_scale"})
    state[std::string("decoder.decoder.") + constant] =
        state.at(std::string("decoder.") + constant);
  std::tie(state["decoder.anchors"], state["decoder.valid_mask"]) = official_anchors(description);
  // Norms that are frozen officially count no batches.
  const std::string size = architecture_size(description.spec);
  if (size.empty() || !model_variant(size).freeze_norm) {
    std::vector<std::string> norms;
    for (const auto& item : state)
      if (is_backbone_norm(item.first)) norms.push_back(item.first);
    for (const std::string& norm : norms)
      state.emplace(norm.substr(0, norm.rfind('.')) + ".num_batches_tracked",
                    at::zeros({}, at::kLong));
  }
  return state;
}

std::optional<AnchorSize> anchor_size(const Tensor& anchors, const std::vector<int64_t>& strides) {
  if (anchors.dim() != 3 || anchors.size(0) != 1 || anchors.size(2) != 4 ||
      anchors.scalar_type() != at::kFloat)
    return std::nullopt;
  // Positions of the coarsest level; a finer one has 4 times as many.
  int64_t share = 0;
  for (const int64_t stride : strides)
    share += (strides.back() / stride) * (strides.back() / stride);
  const int64_t tokens = anchors.size(1), places = tokens / share;
  if (places == 0 || tokens % share != 0) return std::nullopt;
  // The first of them is centered half a position from the left.
  const double first = anchors[0][tokens - places][0].sigmoid().item<double>();
  const auto width = static_cast<int64_t>(std::lround(0.5 / first));
  if (!std::isfinite(first) || width < 1 || places % width != 0) return std::nullopt;
  return AnchorSize{places / width * strides.back(), width * strides.back()};
}

}  // namespace dfine::inline weights
