#pragma once
// dfine-eval of a model on a packed dataset.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/image_size.h"
#include "distributed/communicator.h"

namespace dfine::inline eval {

struct PackEvalOptions {
  std::string weights, data;
  std::optional<std::filesystem::path> output;       // metrics.json
  std::optional<std::filesystem::path> predictions;  // COCO results
  bool details = false;                              // also analyse() (analysis/details.h)
  std::optional<ImageSize> image_size;               // default: what preprocessor_config.json says
  int64_t batch_size = 8;                            // of each rank
  int threads = 0;                                   // of each rank; 0: one for every core
};

/// Collective. Predicts all images of the pack, prints the metrics and writes them. The pack's
/// classes are matched with the model's by name (weights/class_match.h); Error when they are
/// others.
void evaluate_pack(const PackEvalOptions& options, const Communicator& group);

}  // namespace dfine::inline eval
