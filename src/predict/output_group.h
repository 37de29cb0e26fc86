#pragma once
// All outputs of a run: one that fails does not keep the others from their work.
#include <functional>
#include <memory>
#include <vector>

#include "core/error.h"
#include "predict/prediction_output.h"

namespace dfine::inline predict {

class OutputGroup {
 public:
  explicit OutputGroup(std::vector<std::unique_ptr<PredictionOutput>> outputs)
      : outputs_(std::move(outputs)) {}

  /// On a full disk the outputs are asked to make room, as long as one can. Throws no Error of an
  /// output: see failures().
  void add(const std::shared_ptr<const PredictedPicture>& picture);
  /// Ends all outputs, in their order: what matters more comes first.
  void finish();

  /// Of the outputs that are complete; after finish().
  std::vector<std::filesystem::path> places() const { return places_; }
  const std::vector<Error>& failures() const { return failures_; }

 private:
  /// Whether it went well. An output that fails is destroyed, and its temporary files with it.
  bool attempt(std::unique_ptr<PredictionOutput>& output,
               const std::function<void(PredictionOutput&)>& call);
  /// Some other output does.
  bool make_room(const PredictionOutput& wanting);

  std::vector<std::unique_ptr<PredictionOutput>> outputs_;  // null: failed
  std::vector<std::filesystem::path> places_;
  std::vector<Error> failures_;
};

}  // namespace dfine::inline predict
