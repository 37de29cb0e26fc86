#pragma once
// Prediction heads over the same queries as one set of tensors, so that a loss is computed for all
// of them at once. B images, Q queries, rows = B * Q, C classes, R bins an edge; H heads, of which
// the first L have distributions.
#include <string>
#include <vector>

#include "model/outputs.h"
#include "tensor.h"

namespace dfine::inline loss {

/// Heads with the suffixes of their terms' names. half and bfloat16 tensors are turned into float.
struct NamedHeads {
  std::vector<HeadOutput> heads;
  std::vector<std::string> suffixes;
};

/// The layers (_aux_0, _aux_1, ..., the last without suffix), then _pre and _enc_0 if the output
/// has them.
NamedHeads normal_heads(const ModelOutput& output);

/// The denoising layers (_dn_0, _dn_1, ...), then _dn_pre; empty without denoising queries.
NamedHeads denoising_heads(const ModelOutput& output);

struct HeadStack {
  Tensor logits;      // [H, rows, C]
  Tensor boxes;       // [H, rows, 4] cx cy w h
  Tensor corners;     // [L, rows, 4, R]; undefined if the layers have none
  Tensor ref_points;  // [rows, 4] cx cy w h, constant: the layers share the first one's
  std::vector<std::string> suffixes;  // [H]
};

HeadStack stack_heads(const NamedHeads& named);

}  // namespace dfine::inline loss
