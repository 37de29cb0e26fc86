#include "learner/parameter_groups.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "model/freezing.h"
#include "support/raises.h"
#include "variants/model_spec.h"

namespace dfine {
namespace {

nlohmann::json official_groups() {
  std::ifstream in(std::string(std::getenv("DFINE_SOURCE_DIR")) +
                   "/tests/golden/parameter_groups.json");
  return nlohmann::json::parse(in).at("sizes");
}

uint64_t sum_of_crcs(const std::vector<std::string>& names) {
  uint64_t sum = 0;
  for (const std::string& name : names)
    sum += ::crc32(0, reinterpret_cast<const Bytef*>(name.data()), static_cast<uInt>(name.size()));
  return sum;
}

/// The official recipe of one size: tests/golden/parameter_groups.json, made by the official code.
class OfficialGroups : public testing::TestWithParam<const char*> {};

TEST_P(OfficialGroups, SameTensorsInEachGroup) {
  const std::string size = GetParam();
  const bool large = size == "l" || size == "x";
  const auto expected = official_groups().at(size);
  DFine model(model_spec(model_variant(size).size, 80));
  freeze(model, {.backbone_norms = large, .stem = large});

  OptimizerOptions options;
  options.backbone_lr = expected[0].at("lr");
  options.lr = expected[2].at("lr");
  options.weight_decay = expected[2].at("weight_decay");
  options.no_decay = {large ? R"(^(en|de)coder\.norm)" : R"(^(en|de)coder\.(norm|bias))"};
  const auto groups = parameter_groups(model, options);

  ASSERT_EQ(groups.size(), expected.size());
  for (size_t g = 0; g < groups.size(); ++g) {
    EXPECT_EQ(groups[g].hyper.lr, expected[g].at("lr").get<double>());
    EXPECT_EQ(groups[g].hyper.weight_decay, expected[g].at("weight_decay").get<double>());
    EXPECT_EQ(groups[g].names.size(), expected[g].at("tensors").get<size_t>());
    EXPECT_EQ(sum_of_crcs(groups[g].names), expected[g].at("names").get<uint64_t>());
    int64_t elements = 0;
    for (const Tensor& parameter : groups[g].parameters) elements += parameter.numel();
    EXPECT_EQ(elements, expected[g].at("parameters").get<int64_t>());
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, OfficialGroups, testing::Values("n", "s", "m", "l", "x"),
                         [](const auto& size) { return size.param; });

TEST(ParameterGroups, EverythingInOneByDefault) {
  const DFine model(model_spec(model_variant("n").size, 3));
  const auto groups = parameter_groups(model, {});
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0].hyper.weight_decay, 1e-4);
}

TEST(ParameterGroups, NormsOfTheBackboneCanBeLeftOutOfDecay) {
  const DFine model(model_spec(model_variant("n").size, 3));
  OptimizerOptions options;
  options.backbone_lr = 5e-5;
  options.no_decay = {"norm"};
  const auto groups = parameter_groups(model, options);
  ASSERT_EQ(groups.size(), 4U);
  EXPECT_EQ(groups[0].hyper.lr, 5e-5);
  EXPECT_EQ(groups[0].hyper.weight_decay, 0);
  for (const std::string& name : groups[0].names)
    EXPECT_NE(name.find("normalization"), std::string::npos) << name;
  EXPECT_NE(describe_groups(groups).find("5e-05"), std::string::npos) << describe_groups(groups);
}

TEST(ParameterGroups, APatternThatIsFoundNowhereIsAnError) {
  const DFine model(model_spec(model_variant("n").size, 3));
  OptimizerOptions options;
  options.no_decay = {"norm", "batchnorm"};
  EXPECT_TRUE(raises(
      ErrorCode::kBadValue, [&] { parameter_groups(model, options); }, "optim.no_decay",
      "\"batchnorm\""));
}

}  // namespace
}  // namespace dfine
