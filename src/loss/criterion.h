#pragma once
// The training loss of D-FINE: 20 to 68 weighted terms over the decoder's heads.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "dist/group.h"
#include "loss/matcher.h"
#include "model/outputs.h"
#include "model/targets.h"
#include "tensor.h"

namespace dfine {

/// Official values (configs/dfine/include/dfine_hgnetv2.yml).
struct CriterionOptions {
  int64_t num_classes = 80;
  int64_t reg_max = 32;
  double vfl = 1, bbox = 5, giou = 2, fgl = 0.15, ddf = 1.5;  // weights of the terms
  double alpha = 0.75, gamma = 2;                             // of the varifocal loss
  double temperature = 5;                                     // of the distillation
  MatcherOptions matcher{};
};

struct LossResult {
  Tensor total;  // scalar: the sum of all terms, to call backward() on
  std::vector<std::string>
      names;     // official: loss_vfl, loss_bbox_aux_0, loss_giou_pre, loss_vfl_enc_0, loss_ddf_dn_1, loss_vfl_dn_pre, ...
  Tensor terms;  // [names], weighted, differentiable
  std::vector<Matching> matchings;  // of the layers, `pre` and `enc`
  Matching go;                      // their union, which the box and distribution losses use

  /// Names with values, copied to the host at once.
  std::vector<std::pair<std::string, double>> values() const;
};

/// The official criterion at one rank. Over several, **the mean over ranks of the results and of their gradients is what one rank would get
/// from the whole batch**: every term is size of the group * local sum / count over all ranks (boxes and pairs of the union count as at
/// least 1). The official code takes the counts that mix the two means of ddf from its own rank alone.
///
/// | head                    | vfl                      | bbox, giou, fgl               | ddf (teacher: last layer)    |
/// |-------------------------|--------------------------|-------------------------------|------------------------------|
/// | last, aux_i             | own matching / boxes     | union / pairs of the union    | union (not the last)         |
/// | pre, enc_0              | own matching / boxes     | union / pairs, without fgl    | -                            |
/// | dn_i (last: ddf 0)      | fixed / (boxes * groups) | fixed / (boxes * groups)      | fixed, mixed as normal ones  |
/// | dn_pre                  | fixed / (boxes * groups) | the same, without fgl         | -                            |
///
/// float and double outputs are computed as they are, half and bfloat16 as float; run it outside of autocast. Nothing is masked: a NaN in
/// the outputs shows in the loss. Without any box all terms but vfl and ddf are zero, and all outputs that a term reads still get a
/// gradient.
class Criterion {
 public:
  explicit Criterion(const CriterionOptions& options = {}) : options_(options) {}

  /// Heads without logits are left out (an evaluation's output has the last layer only). With several ranks this is a collective call.
  LossResult operator()(const ModelOutput& output, const Targets& targets, const GlobalCounts& counts, const Group& group) const;

  const CriterionOptions& options() const { return options_; }

 private:
  CriterionOptions options_;
};

}  // namespace dfine
