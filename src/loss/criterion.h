#pragma once
// The training loss of D-FINE: 20 to 68 weighted terms over the decoder's heads.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "loss/matcher.h"
#include "model/outputs.h"
#include "targets.h"
#include "tensor.h"

namespace dfine::inline loss {

/// Official values (configs/dfine/include/dfine_hgnetv2.yml).
struct CriterionOptions {
  int64_t num_classes = 80;
  int64_t reg_max = 32;
  double vfl = 1, bbox = 5, giou = 2, fgl = 0.15, ddf = 1.5;  // weights of the terms
  double alpha = 0.75, gamma = 2;                             // of the varifocal loss
  double temperature = 5;                                     // of the distillation
  MatcherOptions matcher{};
};

/// What the loss divides by. It holds counts over one optimizer step, so that the loss does not
/// depend on how ranks and micro-batches split the batch.
struct LossNorms {
  double images = 0, boxes = 0;
  double without_denoising = 0;  // boxes without denoising queries because their number is capped
  double pairs = 0;              // in the unions of matchings
  double ranks = 1;              // that take the mean of their results
};

/// Which queries have which boxes, in what one rank forwards at once.
struct Matchings {
  std::vector<MatchedIndices> heads;  // of the layers, `pre` and `enc`
  MatchedIndices go;                  // their union, which the box and distribution losses use
  LossNorms norms;  // of this batch alone; a step's are the sums over its ranks and micro-batches
};

/// The weighted terms of a loss.
struct Losses {
  std::vector<std::string> names;  // official: loss_vfl, loss_bbox_aux_0, loss_giou_pre,
                                   // loss_vfl_enc_0, loss_ddf_dn_1, loss_vfl_dn_pre, ...
  Tensor values;                   // [names]

  /// Scalar, to call backward() on.
  Tensor total() const;
  /// Names with values, copied to the host at once.
  std::vector<std::pair<std::string, double>> to_host() const;
};

/// The official criterion at one rank. Over several, **the mean over ranks of the results and of
/// their gradients is what one rank would get from the whole batch**. Every term is ranks * local
/// sum / count of the whole step; boxes and pairs of the union count as at least 1. The same holds
/// for the sum over micro-batches. The official code takes the counts that mix the two means of ddf
/// from its own rank alone.
///
/// | head               | vfl                      | bbox, giou, fgl           | ddf (teacher: last)    |
/// |--------------------|--------------------------|---------------------------|------------------------|
/// | last, aux_i        | own / boxes              | union / its pairs         | union (not last)       |
/// | pre, enc_0         | own / boxes              | union / its pairs, no fgl | -                      |
/// | dn_i (last: ddf 0) | fixed / (boxes * groups) | fixed / (boxes * groups)  | fixed, mixed as normal |
/// | dn_pre             | fixed / (boxes * groups) | the same, no fgl          | -                      |
///
/// Boxes without denoising queries (LossNorms::without_denoising) do not count in the last two
/// rows.
///
/// float and double outputs are computed as they are, half and bfloat16 as float; run it outside of
/// autocast. A NaN in the outputs is not hidden: it shows in the loss. Without any box all terms
/// but vfl and ddf are zero, and all outputs that a term reads still get a gradient.
class Criterion {
 public:
  explicit Criterion(const CriterionOptions& options = {}) : options_(options) {}

  /// Copies to the host, and so waits for the device. Throws for outputs of an evaluation.
  Matchings match(const ModelOutput& output, const Targets& targets) const;

  /// `matchings`: of these targets, from an output of the same shapes. Does not wait for the
  /// device.
  Losses loss(const ModelOutput& output, const Targets& targets, const Matchings& matchings,
              const LossNorms& norms) const;

 private:
  CriterionOptions options_;
};

/// loss_vfl + loss_bbox + loss_giou of one head with its own matching, before the division.
struct DetectionLossSums {
  double vfl = 0, box = 0;      // weighted sums; `box`: of bbox and giou
  double boxes = 0, pairs = 0;  // what they are divided by

  DetectionLossSums& operator+=(const DetectionLossSums& other);
  double loss() const;
};

/// Of the prediction for one batch, with the classes, weights and matcher of `options`. Waits for
/// the device.
DetectionLossSums detection_loss_sums(const HeadOutput& head, const Targets& targets,
                                      const CriterionOptions& options);

}  // namespace dfine::inline loss
