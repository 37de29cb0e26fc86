#include "predict/output_group.h"

#include <algorithm>

namespace dfine::inline predict {

bool OutputGroup::make_room(const PredictionOutput& wanting) {
  return std::ranges::any_of(outputs_, [&](const auto& output) {
    return output && output.get() != &wanting && output->make_room();
  });
}

bool OutputGroup::attempt(std::unique_ptr<PredictionOutput>& output,
                          const std::function<void(PredictionOutput&)>& call) {
  while (output) {
    try {
      call(*output);
      return true;
    } catch (const Error& e) {
      if (e.code() == ErrorCode::kDiskFull && make_room(*output)) continue;
      failures_.push_back(e);
      output = nullptr;
    }
  }
  return false;
}

void OutputGroup::add(const std::shared_ptr<const PredictedPicture>& picture) {
  for (auto& output : outputs_) attempt(output, [&](PredictionOutput& to) { to.add(picture); });
}

void OutputGroup::finish() {
  for (auto& output : outputs_) {
    if (!attempt(output, [](PredictionOutput& to) { to.finish(); })) continue;
    if (!output->place().empty()) places_.push_back(output->place());
  }
}

}  // namespace dfine::inline predict
