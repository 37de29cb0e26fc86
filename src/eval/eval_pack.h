#pragma once
// dfine-eval of a model on a packed dataset.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/image_size.h"

namespace dfine::inline eval {

struct PackEvalOptions {
  std::string weights, data;
  std::optional<std::filesystem::path> output;  // metrics.json
  std::optional<ImageSize> image_size;          // default: what preprocessor_config.json says
  std::string device = "auto";
  int64_t batch_size = 8;
  int threads = 0;  // 0: one for every core
};

/// Predicts all images of the pack, prints the metrics and writes them. The pack's classes are
/// matched with the model's by name (classes/class_match.h); Error when they are others.
void evaluate_pack(const PackEvalOptions& options);

}  // namespace dfine::inline eval
