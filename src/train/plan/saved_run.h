#pragma once
// Whether a run may continue what an earlier one saved, and what is different.
#include <string>
#include <vector>

#include "data/category.h"
#include "train/checkpoint/run_state.h"
#include "train/plan/run_plan.h"
#include "weights/hf_config.h"

namespace dfine::inline plan {

/// Fills in what load_checkpoint() cannot tell of a checkpoint of version 0.1: what its
/// configuration makes of the steps.
void adopt_old_state(RunState& state);

/// Compares a run of this plan with the one that saved `saved`, with a model as `model` describes.
/// What is compared: the data, the classes and their order, model size, denoising, image size and
/// queries. Throws one Error that lists both sides of each difference that plan.allow_changed does
/// not name. What the checkpoint does not tell (version 0.1) is not compared. `classes`: the
/// training pack's, in its own order.
void require_continuable(const RunState& saved, const ModelDescription& model, const RunPlan& plan,
                         const std::vector<Category>& classes);

/// The keys whose values differ, one per line: "\n  optim.lr = 0.1, was 0.2". Without run.resume.
/// Both configurations are TOML.
std::string changed_settings(const std::string& saved, const std::string& now);

}  // namespace dfine::inline plan
