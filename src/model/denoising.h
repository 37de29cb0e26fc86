#pragma once
// Contrastive denoising queries (DINO, Zhang et al. 2022, section 3.3, as D-FINE trains them):
// noised copies of the ground truth that the decoder must repair. Each group holds M positive
// queries (small box noise: to be repaired) and M negative ones (large box noise: to be rejected).
// Every image has M of each, because the queries beyond its boxes take part in attention. M is the
// most boxes in an image of the *global* batch (or less under a limit). B images, N denoising
// queries, Q normal queries, C classes.
#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "model/outputs.h"
#include "targets.h"
#include "tensor.h"

namespace dfine::inline model {

/// What the decoder starts the denoising queries from.
struct DenoisingQueries {
  Tensor labels;       // int64 [B, N], rows of the class embedding; C: the query has no box
  Tensor boxes_unact;  // [B, N, 4] cx cy w h before the sigmoid, dtype of the target boxes
  DenoisingMeta meta;
};

/// The random numbers of one batch.
struct DenoisingNoise {
  Tensor
      label_u;  // float [B, N] uniform in [0, 1): the label is replaced below kDenoisingLabelNoise
  Tensor label_new;  // int64 [B, N] uniform in 0..C-1: by this one
  Tensor box_sign;   // float [B, N, 4] 0 or 1: a coordinate of x0 y0 x1 y1 moves down or up
  Tensor box_u;  // float [B, N, 4] uniform in [0, 1): by u (positive) or 1 + u (negative) half box
                 // sizes
};

/// Half of the official label_noise_ratio 0.5: the official code draws the label against ratio / 2.
inline constexpr double kDenoisingLabelNoise = 0.25;

/// Groups: max(1, num_denoising / global_max_boxes); none when num_denoising <= 0 or no image
/// anywhere has a box. `max_queries` > 0 (at least 2 * num_denoising) limits num_queries(): images
/// with more than max_queries / 2 boxes then count as having max_queries / 2, see
/// choose_denoised_boxes().
DenoisingMeta denoising_meta(int64_t num_denoising, int64_t global_max_boxes,
                             int64_t max_queries = 0);

/// DenoisingMeta::kept of a batch: of an image with more than meta.max_boxes boxes as many, drawn
/// without replacement. The choice is a function of (seed, step, place in the global batch, number
/// of boxes) alone, as draw_denoising() is. Each step draws again, so that every box has its turn.
/// Empty: no image has more.
std::vector<int64_t> choose_denoised_boxes(const Targets& targets, const DenoisingMeta& meta,
                                           uint64_t seed, uint64_t step, int64_t first_sample);

/// Row of each box that has denoising queries, image after image: meta.kept or, where that is
/// empty, all. Throws if an image has more than meta.max_boxes boxes and none were chosen.
std::vector<int64_t> denoised_rows(const Targets& targets, const DenoisingMeta& meta);

/// Draws of the images [first_sample, first_sample + batch) of the global batch, on the CPU. Each
/// is a function of (seed, step, place in the global batch, query) alone, so it does not matter how
/// the ranks split the batch.
DenoisingNoise draw_denoising(uint64_t seed, uint64_t step, int64_t first_sample, int64_t batch,
                              const DenoisingMeta& meta, int64_t num_classes);

/// The noised queries on the targets' device. Query g * 2M + j is the positive, g * 2M + M + j the
/// negative of box j in group g. Corners move by up to half (positive) or half to all (negative) of
/// the box size and are clipped to [0, 1]. A box turned inside out is turned back. Draws may lie on
/// the CPU. Throws as denoised_rows() does. meta.num_queries() must not be 0.
DenoisingQueries make_denoising(const Targets& targets, const DenoisingMeta& meta,
                                const DenoisingNoise& draws, int64_t num_classes);

/// Additive self-attention mask [N + Q, N + Q] of a floating dtype: -inf where the row must not see
/// the column, else 0. Nobody outside of a group sees its denoising queries, and padding counts as
/// one more group; everybody sees the normal queries.
Tensor denoising_attention_mask(const DenoisingMeta& meta, int64_t num_queries,
                                const at::TensorOptions& options);

}  // namespace dfine::inline model
