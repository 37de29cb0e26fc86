#pragma once
// Weights and batches made by a formula, for comparing whole models; tests/golden/make_parity.py is
// its twin.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/denoising.h"
#include "model/dfine.h"
#include "targets.h"

namespace dfine {

inline constexpr int64_t kFormulaClasses = 7;

/// Gives all parameters but `up` and `reg_scale` the formula's values.
void set_formula_parameters(DFine& model);

/// Gives the formula's values to everything that a published file holds, except `up`, `reg_scale`
/// and running statistics. These are parameters, weights and biases of frozen norms, and the
/// attention's `num_points_scale`.
void set_formula_weights(DFine& model);

/// Gives all norms the running statistics that one batch of 160x160 images has in the model with
/// formula weights and live norms.
void set_measured_statistics(DFine& model, ModelSize size);

/// The model of the size for res x res images: live norms, every token a query, weights from the
/// formula.
std::shared_ptr<DFine> make_formula_model(ModelSize size, int64_t res, int64_t num_denoising,
                                          at::ScalarType dtype);

/// The same as it is trained officially. Norms and stem of the backbone of L and X are frozen, and
/// all norms start with measured statistics.
std::shared_ptr<DFine> make_published_model(ModelSize size, int64_t res, int64_t num_denoising,
                                            at::ScalarType dtype);

/// [count, 3, res, res] in [0, 1].
Tensor make_formula_images(int64_t count, int64_t res, at::ScalarType dtype, uint64_t seed = 0);

struct FormulaBatch {
  Tensor images;  // [B, 3, res, res] in [0, 1]
  Targets targets;
};

FormulaBatch make_formula_batch(const std::vector<int64_t>& counts, int64_t res,
                                at::ScalarType dtype, uint64_t seed = 0);

/// Denoising queries of the batch with the random numbers of `step`.
DenoisingQueries make_formula_denoising(const FormulaBatch& batch, int64_t num_denoising,
                                        int64_t step = 0);

/// Norm of a parameter's gradient, and its product with a hashed tensor.
std::vector<double> summary(const std::string& name, const Tensor& grad);

}  // namespace dfine
