#include "synthetic.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

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

/// One head; its corners only where `corners` is given.
HeadOutput make_head(uint64_t seed, const Tensor& centres, int64_t classes,
                     Tensor* corners = nullptr) {
  const int64_t b = centres.size(0), q = centres.size(1);
  const Tensor spread = (0.01 + 0.03 * at::arange(q).remainder(5).to(at::kDouble)).unsqueeze(1);
  HeadOutput head;
  head.boxes = centres + spread * hashed_signed(seed, {b, q, 4});
  head.boxes.slice(1, 0, std::nullopt, 13).select(2, 2).neg_();
  head.logits = 3 * hashed_signed(seed + 1, {b, q, classes}) - 1;
  if (corners != nullptr) *corners = 2 * hashed_signed(seed + 2, {b, q, 4 * (kRegMax + 1)});
  return head;
}

Tensor make_refs(uint64_t seed, const Tensor& centres) {
  Tensor ref_points = centres + 0.05 * hashed_signed(seed, centres.sizes());
  ref_points.slice(1, 0, std::nullopt, 11).select(2, 3).zero_();
  return ref_points;
}

/// The decoder's heads for the queries of `centres`.
Heads make_heads(const SyntheticCase& synthetic, uint64_t seed, const Tensor& centres) {
  std::vector<Tensor> logits, boxes, corners;
  const auto append = [&](const HeadOutput& head) {
    logits.push_back(head.logits);
    boxes.push_back(head.boxes);
  };
  for (int64_t i = 0; i < synthetic.layers; ++i)
    append(make_head(seed + 10 * static_cast<uint64_t>(i), centres, synthetic.classes,
                     &corners.emplace_back()));
  if (synthetic.equal) corners.front() = corners.back();
  append(make_head(seed + 80, centres, synthetic.classes));
  return {.logits = at::stack(logits),
          .boxes = at::stack(boxes),
          .corners = at::stack(corners),
          .ref_points = make_refs(seed + 90, centres)};
}

/// The queries of `first`, then those of `second`.
Heads join_queries(const Heads& first, const Heads& second) {
  return {.logits = at::cat({first.logits, second.logits}, 2),
          .boxes = at::cat({first.boxes, second.boxes}, 2),
          .corners = at::cat({first.corners, second.corners}, 2),
          .ref_points = at::cat({first.ref_points, second.ref_points}, 1)};
}

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
  SyntheticBatch batch{.targets = make_targets(synthetic.counts, synthetic.classes, dtype),
                       .output = {}};
  ModelOutput& out = batch.output;
  const Tensor centres = near(batch.targets, synthetic.queries);
  out.decoder = make_heads(synthetic, 100, centres);
  out.enc = make_head(300, centres, synthetic.classes);
  out.dn = denoising_meta(synthetic.num_denoising, *std::ranges::max_element(synthetic.counts));
  if (out.dn.groups > 0)
    out.decoder = join_queries(
        make_heads(synthetic, 500, near(batch.targets, out.dn.num_queries())), out.decoder);
  out.decoder.ref_points = out.decoder.ref_points.to(dtype);
  for (Tensor* leaf : leaves(out)) *leaf = leaf->to(dtype).requires_grad_();
  out.up = at::full({1}, 0.5, dtype);
  out.reg_scale = at::full({1}, synthetic.reg_scale, dtype);
  return batch;
}

std::vector<Tensor*> leaves(ModelOutput& output) {
  return {&output.decoder.logits, &output.decoder.boxes, &output.decoder.corners,
          &output.enc.logits, &output.enc.boxes};
}

std::map<std::string, Tensor> head_gradients(const ModelOutput& output) {
  std::map<std::string, Tensor> result;
  const Heads& heads = output.decoder;
  const int64_t layers = heads.corners.size(0), denoising = output.dn.num_queries();
  const auto add = [&](const std::string& name, int64_t head, int64_t first, int64_t count) {
    const auto part = [&](const Tensor& t) {
      return t.grad().select(0, head).narrow(1, first, count);
    };
    result[name + ".logits"] = part(heads.logits);
    result[name + ".boxes"] = part(heads.boxes);
    if (head < layers) result[name + ".corners"] = part(heads.corners);
  };
  for (int64_t i = 0; i <= layers; ++i) {
    const std::string name = i < layers ? std::to_string(i) : "pre";
    add(name, i, denoising, heads.logits.size(2) - denoising);
    if (denoising > 0) add("dn_" + name, i, 0, denoising);
  }
  result["enc.logits"] = output.enc.logits.grad();
  result["enc.boxes"] = output.enc.boxes.grad();
  return result;
}

Losses compute_loss(const Criterion& criterion, const ModelOutput& output, const Targets& targets) {
  const Matchings matchings = criterion.match(output, targets);
  return criterion.loss(output, targets, matchings, matchings.norms);
}

}  // namespace dfine
