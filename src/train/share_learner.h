#pragma once
#include "dist/group.h"
#include "train/learner.h"

namespace dfine {

/// Collective: every rank gets rank zero's weights, buffers, optimizer moments, average and loss
/// scale.
void share_learner(Learner& learner, const Group& group);

}  // namespace dfine
