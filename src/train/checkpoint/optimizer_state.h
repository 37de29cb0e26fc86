#pragma once
#include "optim/adamw.h"
#include "weights/pth.h"

namespace dfine::inline checkpoint {

/// The layout of torch.optim.AdamW's state_dict(), which its load_state_dict() takes: {"state":
/// {index: {step, exp_avg, exp_avg_sq}}, "param_groups": [{lr, betas, eps, weight_decay, ...,
/// params, param_names}]}.
PthValue::Dict adamw_to_pth(const AdamWState& state);

/// Reads that layout, ours or PyTorch's. An Error names the entry that is missing or of a wrong
/// kind, and settings that this AdamW does not have (amsgrad, maximize).
AdamWState to_adamw_state(const PthValue& value);

}  // namespace dfine::inline checkpoint
