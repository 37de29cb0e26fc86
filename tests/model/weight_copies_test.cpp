// Against at::autocast, which casts every weight itself.
#include "model/weight_copies.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

#include "model/dfine.h"
#include "model/full_precision.h"
#include "small_spec.h"

namespace dfine {
namespace {

class CpuAutocast {
 public:
  CpuAutocast() {
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::set_autocast_enabled(at::kCPU, true);
  }
  ~CpuAutocast() {
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, false);
  }
};

Tensor images() {
  return at::rand({2, 3, 96, 64}, at::make_generator<at::CPUGeneratorImpl>(1), at::kFloat);
}

/// Outputs and gradients of one pass in bfloat16.
std::map<std::string, Tensor> pass(DFine& model, WeightCopies* copies) {
  ModelOutput output;
  {
    const CpuAutocast autocast;
    std::optional<WeightCopies::Use> use;
    if (copies) use.emplace(*copies, at::kBFloat16);
    output = model.forward(images());
  }
  (output.decoder.logits.sum() + output.decoder.corners.square().sum() + output.enc.boxes.sum())
      .backward();
  std::map<std::string, Tensor> found{{"logits", output.decoder.logits.detach()},
                                      {"corners", output.decoder.corners.detach()}};
  for (const auto& item : model.named_parameters()) {
    if (!item.value().grad().defined()) continue;
    found[item.key()] = item.value().grad();
    item.value().mutable_grad().reset();
  }
  return found;
}

void expect_equal(const std::map<std::string, Tensor>& mine,
                  const std::map<std::string, Tensor>& reference) {
  ASSERT_EQ(mine.size(), reference.size());
  for (const auto& [name, tensor] : reference) EXPECT_TRUE(mine.at(name).equal(tensor)) << name;
}

TEST(WeightCopies, EqualAutocastBitForBitAlsoAfterWeightsHaveChanged) {
  DFine model(small_spec(), 3), twin(small_spec(), 3);
  WeightCopies copies;
  for (int step = 0; step < 3; ++step) {
    expect_equal(pass(model, &copies), pass(twin, nullptr));
    const at::NoGradGuard no_grad;
    for (DFine* each : {&model, &twin})
      for (Tensor& parameter : each->parameters())
        if (parameter.requires_grad()) parameter.mul_(1.25);
  }
}

TEST(WeightCopies, AreUsedWhereAutocastIsOnAlone) {
  const Tensor weight = at::full({2, 2}, 1 + 0x1p-12).requires_grad_();
  WeightCopies copies;
  EXPECT_TRUE(autocast_weight(weight).is_same(weight));
  const CpuAutocast autocast;
  EXPECT_TRUE(autocast_weight(weight).is_same(weight));
  {
    const WeightCopies::Use use(copies, at::kBFloat16);
    EXPECT_EQ(autocast_weight(weight).scalar_type(), at::kBFloat16);
    EXPECT_TRUE(autocast_weight(weight).requires_grad());
    EXPECT_TRUE(autocast_weight(weight).is_same(autocast_weight(weight)));
    {
      const at::NoGradGuard no_grad;
      EXPECT_FALSE(autocast_weight(weight).requires_grad());
    }
    const FullPrecision full(at::kCPU);
    EXPECT_TRUE(autocast_weight(weight).is_same(weight));
  }
  EXPECT_TRUE(autocast_weight(weight).is_same(weight));
}

}  // namespace
}  // namespace dfine
