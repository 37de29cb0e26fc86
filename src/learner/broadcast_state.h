#pragma once
#include "distributed/communicator.h"
#include "learner/learner.h"

namespace dfine::inline learner {

/// Collective: every rank gets rank zero's weights, buffers, optimizer moments, average and loss
/// scale.
void broadcast_state(Learner& learner, const Communicator& group);

}  // namespace dfine::inline learner
