#include "synthetic.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/text.h"
#include "model/denoising.h"
#include "support/hashed.h"

namespace dfine {
namespace {

Targets make_targets(const std::vector<int64_t>& counts, int64_t classes, at::ScalarType dtype) {
  const int64_t total = std::accumulate(counts.begin(), counts.end(), int64_t{0});
  return {.labels = (hashed_uniform(3, {total}) * classes).floor().to(at::kLong),
          .boxes = at::cat({0.5 + 0.35 * hashed_signed(1, {total, 2}),
                            0.15 + 0.1 * hashed_signed(2, {total, 2})},
                           1)
                       .to(dtype),
          .counts = counts};
}

/// [B, queries, 4] double: query q lies on box 5 q mod n of its image, or on the middle of an empty
/// one.
Tensor near(const Targets& targets, int64_t queries) {
  const Tensor middle = at::tensor({0.5, 0.5, 0.2, 0.2}, at::kDouble);
  std::vector<Tensor> images;
  for (const Tensor& boxes : targets.boxes.to(at::kDouble).split_with_sizes(targets.counts)) {
    images.push_back(boxes.size(0) > 0
                         ? boxes.index_select(0, (5 * at::arange(queries)).remainder(boxes.size(0)))
                         : middle.expand({queries, 4}));
  }
  return at::stack(images);
}

HeadOutput make_head(uint64_t seed, const Tensor& centres, int64_t classes, bool corners) {
  const int64_t b = centres.size(0), q = centres.size(1);
  const Tensor spread = (0.01 + 0.03 * at::arange(q).remainder(5).to(at::kDouble)).unsqueeze(1);
  HeadOutput head;
  head.boxes = centres + spread * hashed_signed(seed, {b, q, 4});
  head.boxes.slice(1, 0, std::nullopt, 13).select(2, 2).neg_();
  head.logits = 3 * hashed_signed(seed + 1, {b, q, classes}) - 1;
  if (corners) head.corners = 2 * hashed_signed(seed + 2, {b, q, 4 * (kRegMax + 1)});
  return head;
}

Tensor make_refs(uint64_t seed, const Tensor& centres) {
  Tensor ref_points = centres + 0.05 * hashed_signed(seed, centres.sizes());
  ref_points.slice(1, 0, std::nullopt, 11).select(2, 3).zero_();
  return ref_points;
}

class BatchMaker {
 public:
  BatchMaker(const SyntheticCase& synthetic, at::ScalarType dtype)
      : synthetic_(synthetic), dtype_(dtype) {}

  SyntheticBatch make() {
    const auto& counts = synthetic_.counts;
    batch_.targets = make_targets(counts, synthetic_.classes, dtype_);
    ModelOutput& out = batch_.output;
    const Tensor centres = near(batch_.targets, synthetic_.queries);
    fill("", 100, centres, out.layers, out.pre);
    out.enc = make_head(300, centres, synthetic_.classes, false);
    make_leaves("enc", out.enc);
    out.dn = denoising_meta(synthetic_.num_denoising, *std::ranges::max_element(counts));
    if (out.dn.groups > 0)
      fill("dn_", 500, near(batch_.targets, out.dn.num_queries()), out.dn_layers, out.dn_pre);
    out.up = at::full({1}, 0.5, dtype_);
    out.reg_scale = at::full({1}, synthetic_.reg_scale, dtype_);
    return std::move(batch_);
  }

 private:
  void fill(const std::string& prefix, uint64_t seed, const Tensor& centres,
            std::vector<HeadOutput>& layers, HeadOutput& pre) {
    const Tensor ref_points = make_refs(seed + 90, centres).to(dtype_);
    for (int64_t i = 0; i < synthetic_.layers; ++i) {
      layers.push_back(
          make_head(seed + 10 * static_cast<uint64_t>(i), centres, synthetic_.classes, true));
      layers.back().ref_points = ref_points;
    }
    if (synthetic_.equal) layers.front().corners = layers.back().corners.clone();
    for (size_t i = 0; i < layers.size(); ++i) make_leaves(str_cat(prefix, i), layers[i]);
    pre = make_head(seed + 80, centres, synthetic_.classes, false);
    make_leaves(prefix + "pre", pre);
  }

  void make_leaves(const std::string& name, HeadOutput& head) {
    for (auto& [part, tensor] : {std::pair{".logits", &head.logits},
                                 {".boxes", &head.boxes},
                                 {".corners", &head.corners}}) {
      if (!tensor->defined()) continue;
      *tensor = tensor->to(dtype_).requires_grad_();
      batch_.leaves[name + part] = *tensor;
    }
  }

  const SyntheticCase& synthetic_;
  at::ScalarType dtype_;
  SyntheticBatch batch_;
};

}  // namespace

SyntheticCase read_case(const nlohmann::json& json) {
  return {.counts = json.at("counts").get<std::vector<int64_t>>(),
          .queries = json.at("queries"),
          .layers = json.at("layers"),
          .num_denoising = json.at("dn"),
          .reg_scale = json.at("reg_scale"),
          .equal = json.at("equal")};
}

SyntheticBatch make_batch(const SyntheticCase& synthetic, at::ScalarType dtype) {
  return BatchMaker(synthetic, dtype).make();
}

Losses compute_loss(const Criterion& criterion, const ModelOutput& output, const Targets& targets) {
  const Matchings matchings = criterion.match(output, targets);
  return criterion.loss(output, targets, matchings, matchings.norms);
}

}  // namespace dfine
