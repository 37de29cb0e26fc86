#include "formula.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <regex>

#include "model/freezing.h"
#include "support/hashed.h"

namespace dfine {
namespace {

int64_t count_tokens(const ModelSpec& spec, int64_t res) {
  int64_t tokens = 0;
  for (const int64_t stride : spec.strides()) tokens += (res / stride) * (res / stride);
  return tokens;
}

/// Factor of a weight matrix, where it is not 1.
double gain(const std::string& name) {
  static const std::regex distributions(R"(\.bbox_embed\.\d+\.layers\.2\.)");
  static const std::regex places(
      R"((enc|pre)_bbox_head\.layers\.2\.|sampling_offsets|attention_weights|gate\.)");
  return std::regex_search(name, distributions) ? 2 : std::regex_search(name, places) ? 0.5 : 1;
}

Tensor formula(const std::string& name, at::IntArrayRef shape) {
  Tensor s = hashed_signed(name_seed(name), shape);
  const auto has = [&](const char* part) { return name.find(part) != std::string::npos; };
  if (name == "model.denoising_class_embed.weight") {
    s[-1].zero_();  // the padding row
    return s;
  }
  if (shape.size() == 1) {
    if (name.ends_with("weight") || name.ends_with("scale")) return 1 + 0.2 * s;
    if (has("norm")) return (has("decoder") ? 0.0 : 1.0) + 0.3 * s;
    return (has("class_embed") || has("score_head") ? -4.6 : 0.0) + 0.1 * s;
  }
  return s * (gain(name) *
              std::sqrt((shape.size() == 2 ? 1.0 : 3.0) / static_cast<double>(s[0].numel())));
}

ModelSpec every_token_a_query(ModelSize size, int64_t res, int64_t num_denoising) {
  ModelSpec spec = model_spec(size, kFormulaClasses);
  spec.num_denoising = num_denoising;
  spec.num_queries = count_tokens(spec, res);
  return spec;
}

}  // namespace

void set_formula_parameters(DFine& model) {
  const at::NoGradGuard no_grad;
  for (auto& item : model.named_parameters()) {
    const std::string& name = item.key();
    if (!name.ends_with(".up") && !name.ends_with(".reg_scale"))
      item.value().copy_(formula(name, item.value().sizes()));
  }
}

void set_formula_weights(DFine& model) {
  set_formula_parameters(model);
  const at::NoGradGuard no_grad;
  for (auto& item : model.named_buffers()) {
    const std::string& name = item.key();
    if (name.ends_with(".num_points_scale"))
      item.value().copy_(formula(name, item.value().sizes()));
  }
}

void set_measured_statistics(DFine& model, ModelSize size) {
  constexpr int64_t kRes = 160, kImages = 2;
  const at::NoGradGuard no_grad;
  const auto measured = make_formula_model(size, kRes, 0, at::kDouble);
  measured->forward(make_formula_images(kImages, kRes, at::kDouble));
  const auto found = measured->named_buffers();
  for (auto& item : model.named_buffers()) {
    // What a norm holds after the batch, without the values that it starts with.
    if (item.key().ends_with(".running_mean")) item.value().copy_(found[item.key()] / 0.1);
    if (item.key().ends_with(".running_var")) item.value().copy_((found[item.key()] - 0.9) / 0.1);
  }
}

std::shared_ptr<DFine> make_formula_model(ModelSize size, int64_t res, int64_t num_denoising,
                                          at::ScalarType dtype) {
  auto model = std::make_shared<DFine>(every_token_a_query(size, res, num_denoising));
  model->to(dtype);
  set_formula_parameters(*model);
  return model;
}

std::shared_ptr<DFine> make_published_model(ModelSize size, int64_t res, int64_t num_denoising,
                                            at::ScalarType dtype) {
  auto model = std::make_shared<DFine>(every_token_a_query(size, res, num_denoising));
  const bool frozen = model_variant(size).freeze_norm;
  freeze(*model, {.backbone_norms = frozen, .stem = frozen});
  model->to(dtype);
  set_formula_weights(*model);
  set_measured_statistics(*model, size);
  return model;
}

Tensor make_formula_images(int64_t count, int64_t res, at::ScalarType dtype, uint64_t seed) {
  const Tensor blocks = hashed_uniform(seed + 1, {count, 3, res / 16, res / 16})
                            .repeat_interleave(16, 2)
                            .repeat_interleave(16, 3);
  return (0.7 * blocks + 0.3 * hashed_uniform(seed + 2, {count, 3, res, res})).to(dtype);
}

FormulaBatch make_formula_batch(const std::vector<int64_t>& counts, int64_t res,
                                at::ScalarType dtype, uint64_t seed) {
  const auto b = static_cast<int64_t>(counts.size());
  const int64_t total = std::accumulate(counts.begin(), counts.end(), int64_t{0});
  return {.images = make_formula_images(b, res, dtype, seed),
          .targets = {
              .labels = (hashed_uniform(seed + 5, {total}) * kFormulaClasses).floor().to(at::kLong),
              .boxes = at::cat({0.5 + 0.35 * hashed_signed(seed + 3, {total, 2}),
                                0.16 + 0.12 * hashed_signed(seed + 4, {total, 2})},
                               1)
                           .to(dtype),
              .counts = counts}};
}

DenoisingQueries make_formula_denoising(const FormulaBatch& batch, int64_t num_denoising,
                                        int64_t step) {
  const DenoisingMeta meta =
      denoising_meta(num_denoising, *std::ranges::max_element(batch.targets.counts));
  const int64_t b = batch.targets.num_images(), n = meta.num_queries();
  const uint64_t seed = 100 * static_cast<uint64_t>(step);
  const DenoisingNoise draws{
      .label_u = hashed_uniform(seed + 12, {b, n}),
      .label_new = (hashed_uniform(seed + 22, {b, n}) * kFormulaClasses).floor().to(at::kLong),
      .box_sign = (hashed_uniform(seed + 23, {b, n, 4}) * 2).floor(),
      .box_u = hashed_uniform(seed + 13, {b, n, 4})};
  return make_denoising(batch.targets, meta, draws, kFormulaClasses);
}

std::vector<double> summary(const std::string& name, const Tensor& grad) {
  const Tensor g = grad.to(at::kDouble);
  return {g.norm().item<double>(),
          (g * hashed_signed(name_seed(name) ^ 1, g.sizes())).sum().item<double>()};
}

}  // namespace dfine
