#include "config/config.h"

#include <gtest/gtest.h>

#include <cmath>

#include "config/load.h"

namespace dfine {
namespace {

const std::string kData = "[data]\ntrain='a'\nval='b'\n";

TEST(Config, NormsAreFrozenAsInTheOfficialModels) {
  // HGNetv2 section of the official yml files: freeze_norm false for n s m, true for l x.
  ModelConfig model;
  for (const auto& [size, frozen] : {std::pair{"n", false}, {"s", false}, {"m", false}, {"l", true}, {"x", true}}) {
    model.size = size;
    EXPECT_EQ(freezes_norm(model), frozen) << size;
  }
  model.freeze_norm = false;  // x
  EXPECT_FALSE(freezes_norm(model));
  model.size = "n";
  model.freeze_norm = true;
  EXPECT_TRUE(freezes_norm(model));
  model.freeze_norm.reset();
  model.freeze_backbone = true;
  EXPECT_TRUE(freezes_norm(model));
}

TEST(Config, ThreadsShareTheNode) {
  Config config;
  config.data.workers = 2;
  EXPECT_EQ(compute_threads(config, 16, 2), 6);
  EXPECT_EQ(compute_threads(config, 16, 1), 14);
  EXPECT_EQ(compute_threads(config, 2, 2), 1);
  EXPECT_EQ(compute_threads(config, 1, 4), 1);
  config.data.workers = 0;
  EXPECT_EQ(compute_threads(config, 2, 1), 2);
  config.run.threads = 3;
  EXPECT_EQ(compute_threads(config, 2, 2), 3);
}

TEST(Config, HashFollowsTheValuesAlone) {
  const std::string one = "[optim]\nlr = 0.1\nbeta1 = 0.5\n" + kData, other = kData + "[optim]\nbeta1 = 5e-1\nlr = 1e-1  # same\n";
  const Config a = parse_config(one, "a"), b = parse_config(other, "b");
  EXPECT_EQ(config_hash(a), config_hash(b));
  Config c = a;
  c.optim.lr = std::nextafter(0.1, 1.0);
  EXPECT_NE(config_hash(a), config_hash(c));
  c = a;
  c.model.freeze_norm = false;  // what auto means for n, yet another configuration
  EXPECT_NE(config_hash(a), config_hash(c));
  EXPECT_EQ(config_hash(Config{}), config_hash(Config{}));
}

TEST(Config, DifferencesNameTheKeys) {
  Config a, b;
  EXPECT_TRUE(config_differences(a, b).empty());
  b.optim.lr = 2e-4;
  b.data.image_size = {320, 480};
  EXPECT_EQ(config_differences(a, b), (std::vector<std::string>{"data.image_size: 640 and [320, 480]", "optim.lr: 1e-4 and 2e-4"}));
}

}  // namespace
}  // namespace dfine
