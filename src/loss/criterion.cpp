#include "loss/criterion.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <ATen/ATen.h>

#include "core/error.h"
#include "core/text.h"
#include "loss/box_ops.h"
#include "loss/flat_indices.h"
#include "loss/go_indices.h"
#include "loss/terms.h"
#include "model/distribution.h"

namespace dfine::inline loss {
using enum ErrorCode;
namespace {

Tensor at_least_float(const Tensor& tensor) {
  return at::isReducedFloatingType(tensor.scalar_type()) ? tensor.to(at::kFloat) : tensor;
}

/// The decoder's heads for `count` queries, not narrower than float.
Heads narrow_queries(const Heads& heads, int64_t first, int64_t count) {
  return {.logits = at_least_float(heads.logits.narrow(2, first, count)),
          .boxes = at_least_float(heads.boxes.narrow(2, first, count)),
          .corners = at_least_float(heads.corners.narrow(2, first, count)),
          .ref_points = at_least_float(heads.ref_points.detach().narrow(1, first, count))};
}

/// The layers, `pre` and `enc`, for the normal queries.
Heads normal_heads(const ModelOutput& output) {
  const HeadOutput& enc = output.enc;
  Heads heads = narrow_queries(output.decoder, output.dn.num_queries(), enc.logits.size(1));
  heads.logits = at::cat({heads.logits, at_least_float(enc.logits).unsqueeze(0)});
  heads.boxes = at::cat({heads.boxes, at_least_float(enc.boxes).unsqueeze(0)});
  return heads;
}

/// How the names of their terms end.
std::vector<std::string> normal_suffixes(int64_t layers) {
  std::vector<std::string> suffixes;
  for (int64_t i = 0; i + 1 < layers; ++i) suffixes.push_back(str_cat("_aux_", i));
  suffixes.insert(suffixes.end(), {"", "_pre", "_enc_0"});
  return suffixes;
}

std::vector<std::string> denoising_suffixes(int64_t layers) {
  std::vector<std::string> suffixes;
  for (int64_t i = 0; i < layers; ++i) suffixes.push_back(str_cat("_dn_", i));
  suffixes.emplace_back("_dn_pre");
  return suffixes;
}

/// Matched rows on the device, int64. The queries of all images, one image after another, are rows.
struct StackPairs {
  Tensor own_query,
      own_box;  // [H * K] each head's own pairs, queries counted through all heads' rows
  Tensor shared_query, shared_box;  // [U] pairs that all heads share
  Tensor counted_rows;  // [rows] 0 for queries that no loss counts; undefined where all count
};

/// 1 for the pairs whose query is one of `rows`, 0 for padding.
Tensor pair_weights(const Tensor& query, int64_t rows, const Tensor& like) {
  return query.lt(rows).to(like.scalar_type());
}

/// Factors that turn sums on this rank into its share of the global means.
struct Scales {
  double own, shared;                 // sums over own pairs and over shared pairs
  double ddf_matched, ddf_unmatched;  // sums over the edges of matched and of other queries
};

/// The term ddf mixes the mean over matched edges and the mean over the other edges. Their weights
/// are the square roots of how many normal queries are matched and not. `matched` and `unmatched`
/// count the stack's own queries, each with four edges, of the whole step.
void set_ddf_scales(Scales& scales, double ranks, double pairs, double other_queries,
                    double matched, double unmatched) {
  const double a = std::sqrt(pairs), b = std::sqrt(other_queries);
  scales.ddf_matched = matched > 0 ? ranks * a / (a + b) / (4 * matched) : 0;
  scales.ddf_unmatched = unmatched > 0 ? ranks * b / (a + b) / (4 * unmatched) : 0;
}

/// Collects the weighted terms of one stack after another.
class LossBuilder {
 public:
  LossBuilder(const CriterionOptions& options, const Targets& targets, const ModelOutput& output)
      : options_(options), targets_(targets), output_(output) {}

  /// `suffixes`: of the names of each head's terms.
  void add_stack(const Heads& stack, std::vector<std::string> suffixes, const StackPairs& pairs,
                 const Scales& scales) {
    suffixes_ = std::move(suffixes);
    const Heads heads{
        .logits = stack.logits.flatten(1, 2),                           // [H, rows, C]
        .boxes = stack.boxes.flatten(1, 2),                             // [H, rows, 4]
        .corners = stack.corners.flatten(1, 2).unflatten(2, {4, -1}),   // [L, rows, 4, R]
        .ref_points = stack.ref_points.flatten(0, 1)};                  // [rows, 4]
    const Tensor boxes = targets_.boxes.to(heads.boxes.scalar_type());  // [T, 4]
    const int64_t rows = heads.boxes.size(1);
    const Tensor shared_query = pairs.shared_query.clamp_max(rows - 1);
    add("vfl", vfl(heads, pairs, boxes), options_.vfl * scales.own);

    const Tensor wanted = boxes.index_select(0, pairs.shared_box);  // [U, 4]
    const BoxSums sums = box_sums(heads.boxes.index_select(1, shared_query), wanted,
                                  pair_weights(pairs.shared_query, rows, wanted));
    add("bbox", sums.l1, options_.bbox * scales.shared);
    add("giou", sums.giou, options_.giou * scales.shared);

    const int64_t layers = heads.corners.size(0);
    const Tensor reg_scale = output_.reg_scale.detach().to(wanted.scalar_type());
    const Tensor bins = weighting_function(output_.up.detach().to(wanted.scalar_type()), reg_scale,
                                           options_.reg_max);
    const EdgeTargets edges =
        bbox2distance(heads.ref_points.index_select(0, shared_query), wanted, bins, reg_scale);
    const Tensor iou = sums.iou.narrow(0, 0, layers);  // [L, U]
    add("fgl", fgl_sums(heads.corners.index_select(1, shared_query), edges, iou),
        options_.fgl * scales.shared);
    if (layers > 1) add("ddf", ddf(heads, pairs, iou, scales), options_.ddf);
  }

  /// The last denoising layer is officially compared with itself.
  void add_zero(const std::string& name) {
    names_.push_back(name);
    values_.push_back(at::zeros({1}, values_.front().options()));
  }

  Losses build() { return {.names = std::move(names_), .values = at::cat(values_)}; }

 private:
  /// [H]
  Tensor vfl(const Heads& heads, const StackPairs& pairs, const Tensor& boxes) const {
    const int64_t all_rows = heads.boxes.size(0) * heads.boxes.size(1);
    const Tensor predicted =
        heads.boxes.detach().flatten(0, 1).index_select(0, pairs.own_query.clamp_max(all_rows - 1));
    const Tensor iou = box_iou_giou(predicted, boxes.index_select(0, pairs.own_box)).iou *
                       pair_weights(pairs.own_query, all_rows, predicted);  // [H * K]
    return vfl_sums(heads.logits, iou.view({heads.logits.size(0), -1}), pairs.own_query,
                    targets_.labels.index_select(0, pairs.own_box), pairs.counted_rows,
                    options_.alpha, options_.gamma);
  }

  /// [L - 1]: every layer but the last learns from the last.
  Tensor ddf(const Heads& heads, const StackPairs& pairs, const Tensor& iou,
             const Scales& scales) const {
    const int64_t students = heads.corners.size(0) - 1;
    Tensor confidence =
        heads.logits.select(0, students).detach().amax(-1).sigmoid();  // [rows] the teacher's
    if (pairs.counted_rows.defined()) confidence *= pairs.counted_rows;
    const DdfSums sums =
        ddf_sums(heads.corners.narrow(0, 0, students), heads.corners.select(0, students),
                 iou.narrow(0, 0, students), confidence, pairs.shared_query, options_.temperature);
    return sums.matched * scales.ddf_matched + sums.unmatched * scales.ddf_unmatched;
  }

  /// values: one for each of the first heads.
  void add(const char* kind, const Tensor& values, double factor) {
    for (int64_t k = 0; k < values.size(0); ++k)
      names_.push_back(str_cat("loss_", kind, suffixes_[static_cast<size_t>(k)]));
    values_.push_back(values * factor);
  }

  const CriterionOptions& options_;
  const Targets& targets_;
  const ModelOutput& output_;
  std::vector<std::string> suffixes_, names_;
  std::vector<Tensor> values_;
};

void check(const HeadOutput& head, const Targets& targets, const CriterionOptions& options) {
  if (head.logits.size(-1) != options.num_classes) {
    throw Error(kInternal, str_cat("criterion: built for ", options.num_classes,
                                   " classes, the outputs have ", head.logits.size(-1)));
  }
  if (head.logits.size(0) != targets.num_images()) {
    throw Error(kInternal, str_cat("criterion: outputs of ", head.logits.size(0),
                                   " images, targets of ", targets.num_images()));
  }
}

void check(const ModelOutput& output, const Targets& targets, const CriterionOptions& options) {
  if (!output.enc.logits.defined())
    throw Error(kInternal, "criterion: the output is not that of a model in training mode");
  check(output.prediction(), targets, options);
  const int64_t bins = output.decoder.corners.size(-1);
  if (bins != 4 * (options.reg_max + 1)) {
    throw Error(kInternal, str_cat("criterion: built for ", options.reg_max + 1,
                                   " bins per edge, the outputs have ", bins, " / 4"));
  }
}

void check(const Targets& targets, const LossNorms& norms) {
  const auto images = static_cast<double>(targets.num_images()),
             boxes = static_cast<double>(targets.num_boxes());
  if (norms.images < images || norms.boxes < boxes) {
    throw Error(kInternal, str_cat("criterion: the global batch (", norms.images, " images, ",
                                   norms.boxes, " boxes) is smaller than this rank's (", images,
                                   " images, ", boxes, " boxes)"));
  }
}

double count_pairs(const MatchedIndices& matching) {
  size_t pairs = 0;
  for (const Pairs& image : matching) pairs += image.size();
  return static_cast<double>(pairs);
}

}  // namespace

Tensor Losses::total() const {
  return values.sum();
}

std::vector<std::pair<std::string, double>> Losses::to_host() const {
  const Tensor host = values.detach().to(at::kDouble).cpu();
  std::vector<std::pair<std::string, double>> result;
  for (size_t k = 0; k < names.size(); ++k)
    result.emplace_back(names[k], host.const_data_ptr<double>()[k]);
  return result;
}

Matchings Criterion::match(const ModelOutput& output, const Targets& targets) const {
  check(output, targets, options_);
  Matchings result;
  const Heads heads = normal_heads(output);
  result.heads = hungarian_match(heads.logits, heads.boxes, targets, options_.matcher);
  result.go = go_indices(result.heads);
  const std::vector<int64_t>& kept = output.dn.kept;
  const auto boxes = static_cast<double>(targets.num_boxes());
  result.norms = {.images = static_cast<double>(targets.num_images()),
                  .boxes = boxes,
                  .without_denoising = kept.empty() ? 0 : boxes - static_cast<double>(kept.size()),
                  .pairs = count_pairs(result.go)};
  return result;
}

Losses Criterion::loss(const ModelOutput& output, const Targets& targets,
                       const Matchings& matchings, const LossNorms& norms) const {
  check(output, targets, options_);
  check(targets, norms);
  const Heads normal = normal_heads(output);
  const int64_t images = targets.num_images(), queries = normal.logits.size(2),
                dn_queries = output.dn.num_queries(), layers = output.decoder.corners.size(0);
  std::vector<FlatIndices> own;
  for (const MatchedIndices& matching : matchings.heads)
    own.push_back(flat_indices(matching, targets, queries));
  const auto heads = static_cast<int64_t>(own.size());
  FlatIndices go_rows = flat_indices(matchings.go, targets, queries),
              dn_rows = denoising_pair_rows(output.dn, targets);
  // The most pairs that a padded batch can have: of a head, of all heads' union, of its groups.
  const int64_t most_own = images * std::min(queries, targets.boxes_per_image),
                most_go = images * std::min(queries, heads * targets.boxes_per_image),
                most_dn = targets.padded() ? images * dn_queries / 2 : 0;
  const FlatIndices own_rows = join_heads(own, images * queries, most_own),
                    dn_own_rows = join_heads(std::vector(static_cast<size_t>(layers + 1), dn_rows),
                                             images * dn_queries, most_dn);
  go_rows.pad(most_go, images * queries);
  dn_rows.pad(most_dn, images * dn_queries);
  std::vector<int64_t> dn_counted;
  if (targets.padded()) dn_counted = grouped_queries(output.dn, images);
  const std::vector<Tensor> rows =
      to_device({&own_rows.query, &own_rows.box, &go_rows.query, &go_rows.box, &dn_own_rows.query,
                 &dn_own_rows.box, &dn_rows.query, &dn_rows.box, &dn_counted},
                targets.boxes.device());

  const double ranks = norms.ranks, pairs = norms.pairs;
  const double other_queries = norms.images * static_cast<double>(queries) - pairs;
  LossBuilder losses(options_, targets, output);
  Scales scales{.own = ranks / std::max(norms.boxes, 1.0),
                .shared = ranks / std::max(pairs, 1.0),
                .ddf_matched = 0,
                .ddf_unmatched = 0};
  set_ddf_scales(scales, ranks, pairs, other_queries, pairs, other_queries);
  losses.add_stack(normal, normal_suffixes(layers), {rows[0], rows[1], rows[2], rows[3], {}},
                   scales);

  if (dn_queries > 0) {
    const double denoised = norms.boxes - norms.without_denoising;
    const double groups = static_cast<double>(output.dn.groups), positives = groups * denoised;
    scales.own = scales.shared = ranks / std::max(denoised * groups, 1.0);
    set_ddf_scales(scales, ranks, pairs, other_queries, positives,
                   norms.images * static_cast<double>(output.dn.num_grouped()) - positives);
    const Heads stack = narrow_queries(output.decoder, 0, dn_queries);
    losses.add_stack(stack, denoising_suffixes(layers),
                     {rows[4], rows[5], rows[6], rows[7],
                      targets.padded() ? rows[8].to(stack.logits.scalar_type()) : Tensor()},
                     scales);
    losses.add_zero(str_cat("loss_ddf_dn_", layers - 1));
  }
  return losses.build();
}

DetectionLossSums& DetectionLossSums::operator+=(const DetectionLossSums& other) {
  vfl += other.vfl;
  box += other.box;
  boxes += other.boxes;
  pairs += other.pairs;
  return *this;
}

double DetectionLossSums::loss() const {
  return vfl / std::max(boxes, 1.0) + box / std::max(pairs, 1.0);
}

DetectionLossSums detection_loss_sums(const HeadOutput& head, const Targets& targets,
                                      const CriterionOptions& options) {
  check(head, targets, options);
  const at::NoGradGuard no_grad;
  const Tensor logits = at_least_float(head.logits).unsqueeze(0),
               boxes = at_least_float(head.boxes).unsqueeze(0);
  const MatchedIndices matching = hungarian_match(logits, boxes, targets, options.matcher).front();
  const FlatIndices pairs = flat_indices(matching, targets, head.logits.size(1));
  const std::vector<Tensor> rows = to_device({&pairs.query, &pairs.box}, targets.boxes.device());
  const Tensor wanted = targets.boxes.to(boxes.scalar_type()).index_select(0, rows[1]);
  const BoxSums box = box_sums(boxes.flatten(1, 2).index_select(1, rows[0]), wanted,
                               at::ones({wanted.size(0)}, wanted.options()));
  const Tensor vfl =
      vfl_sums(logits.flatten(1, 2), box.iou, rows[0], targets.labels.index_select(0, rows[1]),
               /*row_weight=*/{}, options.alpha, options.gamma);
  const Tensor sums = at::cat({vfl * options.vfl, box.l1 * options.bbox + box.giou * options.giou})
                          .to(at::kDouble)
                          .cpu();
  return {.vfl = sums.const_data_ptr<double>()[0],
          .box = sums.const_data_ptr<double>()[1],
          .boxes = static_cast<double>(targets.num_boxes()),
          .pairs = static_cast<double>(pairs.size())};
}

}  // namespace dfine::inline loss
