#include <gtest/gtest.h>

#include "support/raises.h"
#include "train/plan/resolve.h"

namespace dfine {
using enum ErrorCode;
namespace {

const std::vector<Category> kClasses{{.id = 1, .name = "cell"}};

Caught error_of(const Config& config, std::optional<int64_t> resumed_queries = {}) {
  return catch_error([&] { model_options(config, kClasses, resumed_queries); });
}

// Layers that never learn have to come from weights.
TEST(ModelOptions, FrozenLayersNeedWeights) {
  Config config;
  EXPECT_FALSE(error_of(config).code);  // N freezes nothing
  config.model.size = "l";              // its norms are frozen unless said otherwise
  EXPECT_TRUE(error_of(config).is(kConflictingSettings, "model.freeze_norm", "model.weights",
                                  "model.backbone_weights", "model.allow_random_frozen"));
  EXPECT_FALSE(error_of(config, 300).code);  // the checkpoint has them
  config.model.freeze_norm = false;
  EXPECT_FALSE(error_of(config).code);
  config.model.freeze_stem = true;
  EXPECT_TRUE(error_of(config).is(kConflictingSettings, "model.freeze_stem"));
  config.model.allow_random_frozen = true;
  EXPECT_FALSE(error_of(config).code);
  config.model.allow_random_frozen = false;
  config.model.backbone_weights = "PPHGNetV2_B4_stage1.pth";  // read when the model is built
  EXPECT_FALSE(error_of(config).code);
  EXPECT_EQ(model_options(config, kClasses, {}).backbone_weights, "PPHGNetV2_B4_stage1.pth");
}

}  // namespace
}  // namespace dfine
