#include "optim/adamw.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "core/text.h"
#include "support/python.h"
#include "support/raises.h"
#include "weights/safetensors.h"

namespace dfine {
namespace {

/// Parameters "0", "1", ... of several shapes, one of them channels-last, in two groups: the last
/// has its own learning rate and weight decay.
std::vector<ParameterGroup> make_groups(at::ScalarType type) {
  const auto values = [&](at::IntArrayRef shape, double phase) {
    return at::sin(at::arange(c10::multiply_integers(shape), at::kDouble) * 0.7 + phase)
        .reshape(shape)
        .to(type);
  };
  ParameterGroup first, second;
  first.names = {"0", "1", "2"};
  first.parameters = {values({5}, 0.1),
                      values({4, 3, 2, 2}, 0.2).contiguous(at::MemoryFormat::ChannelsLast),
                      values({2}, 0.3)};
  first.hyper = {.lr = 1e-3, .weight_decay = 1e-2};
  second.names = {"3", "4"};
  second.parameters = {values({70, 3}, 0.4), values({}, 0.5)};
  second.hyper = {.lr = 4e-4, .weight_decay = 0, .beta1 = 0.8, .beta2 = 0.99, .eps = 1e-6};
  return {first, second};
}

std::vector<Tensor> all_parameters(const AdamW& optimizer) {
  std::vector<Tensor> all;
  for (const auto& group : optimizer.groups())
    all.insert(all.end(), group.parameters.begin(), group.parameters.end());
  return all;
}

/// A gradient of any layout; parameter 2 has none in even steps, parameter 4 a zero one in odd
/// steps.
void set_gradients(const std::vector<Tensor>& parameters, int step) {
  for (size_t i = 0; i < parameters.size(); ++i) {
    Tensor parameter = parameters[i];
    if (i == 2 && step % 2 == 0) {
      parameter.mutable_grad().reset();
      continue;
    }
    const Tensor flat = at::sin(at::arange(parameter.numel(), at::kDouble) * 1.3 +
                                static_cast<double>(step * 5 + static_cast<int>(i)));
    parameter.mutable_grad() =
        (flat.reshape(parameter.sizes()) * (i == 4 && step % 2 == 1 ? 0.0 : 1.0))
            .to(parameter.scalar_type());
  }
}

// With a constant gradient g both corrected moments are exact: p <- p (1 - lr wd) - lr g / (|g| +
// eps).
TEST(AdamW, ClosedFormForAConstantGradient) {
  ParameterGroup group{{"p"}, {at::full({3}, 2.0, at::kDouble)}, {.lr = 1e-2, .weight_decay = 0.1}};
  const Tensor parameter = group.parameters[0];
  AdamW optimizer({group});
  double expected = 2.0;
  for (int step = 0; step < 50; ++step) {
    parameter.mutable_grad() = at::full({3}, -0.3, at::kDouble);
    optimizer.step();
    expected = expected * (1 - 1e-2 * 0.1) + 1e-2 * 0.3 / (0.3 + 1e-8);
    ASSERT_NEAR(parameter[1].item<double>(), expected, 1e-12) << step;
  }
}

TEST(AdamW, ParametersWithoutGradientAreLeftAlone) {
  ParameterGroup group{
      {"p", "q"}, {at::full({3}, 2.0), at::full({3}, 2.0)}, {.lr = 1e-2, .weight_decay = 0.1}};
  AdamW optimizer({group});
  group.parameters[0].mutable_grad() = at::zeros({3});
  optimizer.step();
  EXPECT_LT(group.parameters[0][0].item<float>(), 2.0f);  // a zero gradient decays
  EXPECT_EQ(group.parameters[1][0].item<float>(), 2.0f);
  EXPECT_EQ(optimizer.state().moments.size(), 1u);
}

TEST(AdamW, MomentsCanBeAllocatedBeforeTheFirstStep) {
  AdamW optimizer(make_groups(at::kFloat));
  optimizer.allocate_moments();
  const auto parameters = all_parameters(optimizer);
  const auto moments = optimizer.state().moments;
  ASSERT_EQ(moments.size(), parameters.size());
  for (size_t i = 0; i < parameters.size(); ++i) {
    const auto& of_parameter = moments.at(static_cast<int64_t>(i));
    EXPECT_EQ(of_parameter.exp_avg.sizes(), parameters[i].sizes());
    EXPECT_EQ(of_parameter.exp_avg_sq.count_nonzero().item<int64_t>(), 0);
    EXPECT_EQ(of_parameter.step.item<float>(), 0);
  }
}

TEST(AdamW, RateOfOneGroupChanges) {
  AdamW optimizer(make_groups(at::kDouble));
  const auto parameters = all_parameters(optimizer);
  const Tensor first = parameters[0].clone(), last = parameters[3].clone();
  optimizer.set_lr(0, 0.0);
  set_gradients(parameters, 1);
  optimizer.step();
  EXPECT_TRUE(at::equal(parameters[0], first));
  EXPECT_FALSE(at::equal(parameters[3], last));
}

// A depthwise weight in channels_last and its gradient differ in the stride of the dimension of
// size one, which means nothing. A weight in the ordinary layout gets the same numbers.
TEST(AdamW, StrideOfADimensionOfSizeOneMeansNothing) {
  const std::vector<int64_t> shape{4, 1, 3, 3};
  const Tensor plain = at::arange(36, at::kDouble).reshape(shape);
  const Tensor odd = at::empty_strided(shape, {9, 1, 3, 1}, at::kDouble).copy_(plain);
  const auto groups = [](const Tensor& parameter) {
    return std::vector<ParameterGroup>{{.names = {"w"}, .parameters = {parameter}, .hyper = {}}};
  };
  AdamW one(groups(plain.clone())), other(groups(odd));
  for (AdamW* optimizer : {&one, &other}) {
    Tensor parameter = all_parameters(*optimizer)[0];
    for (int step = 0; step < 2; ++step) {
      parameter.mutable_grad() = at::sin(plain + step);
      optimizer->step();
    }
  }
  EXPECT_EQ(odd.strides(), (std::vector<int64_t>{9, 1, 3, 1}));
  EXPECT_TRUE(at::equal(all_parameters(one)[0], odd));
}

TEST(AdamW, ContinuesFromItsStateBitForBit) {
  AdamW whole(make_groups(at::kFloat)), before(make_groups(at::kFloat));
  for (int step = 0; step < 6; ++step) {
    set_gradients(all_parameters(whole), step);
    whole.step();
    if (step >= 3) continue;
    set_gradients(all_parameters(before), step);
    before.step();
  }
  auto groups = make_groups(at::kFloat);
  AdamW after(groups);
  const auto old = all_parameters(before), fresh = all_parameters(after);
  for (size_t i = 0; i < old.size(); ++i) Tensor(fresh[i]).copy_(old[i]);
  after.load(before.state());
  for (int step = 3; step < 6; ++step) {
    set_gradients(fresh, step);
    after.step();
  }
  for (size_t i = 0; i < fresh.size(); ++i)
    EXPECT_TRUE(at::equal(fresh[i], all_parameters(whole)[i])) << i;
}

TEST(AdamW, RefusesStateThatDoesNotFit) {
  AdamW source(make_groups(at::kFloat));
  set_gradients(all_parameters(source), 1);
  source.step();
  const auto refused = [&](const AdamWState& state, const auto&... values) {
    AdamW target(make_groups(at::kFloat));
    EXPECT_TRUE(raises(ErrorCode::kCheckpointMismatch, [&] { target.load(state); }, values...));
  };
  AdamWState state = source.state();
  state.groups.pop_back();
  refused(state, "1 parameter");
  state = source.state();
  state.groups[0].indices.pop_back();
  refused(state, "2 parameters");
  state = source.state();
  state.groups[1].names[0] = "other";
  refused(state, "other", "3");
  state = source.state();
  state.moments[3].exp_avg_sq = at::zeros({2});
  refused(state, "exp_avg_sq", "[2]");
  state = source.state();
  state.moments[3].exp_avg = at::zeros({2});
  refused(state, "exp_avg", "[2]");
  state = source.state();
  state.moments[3].step = at::zeros({2});
  refused(state, "step", "[2]");
  state = source.state();
  state.moments[3].exp_avg = Tensor();
  refused(state, "exp_avg");
}

TEST(AdamW, RefusesParametersItCannotHandle) {
  EXPECT_THROW(
      AdamW({ParameterGroup{{"a", "b"}, {at::zeros({2}), at::zeros({2}, at::kDouble)}, {}}}),
      Error);
  EXPECT_THROW(AdamW({ParameterGroup{{"a"}, {at::zeros({2}, at::kLong)}, {}}}), Error);
  EXPECT_THROW(AdamW({ParameterGroup{{"a"}, {at::zeros({2}), at::zeros({2})}, {}}}), Error);
  EXPECT_THROW(AdamW({ParameterGroup{{"a"}, {at::zeros({2}).expand({3, 2})}, {}}}), Error);
  const Tensor same = at::zeros({2});
  EXPECT_THROW(AdamW({ParameterGroup{{"a", "b"}, {same, same}, {}}}), Error);
}

/// 40 steps: parameters before and after, every gradient, the final moments.
std::map<std::string, Tensor> record_of_training(at::ScalarType type) {
  AdamW optimizer(make_groups(type));
  const auto parameters = all_parameters(optimizer);
  std::map<std::string, Tensor> record;
  for (size_t i = 0; i < parameters.size(); ++i)
    record[str_cat("start.", i)] = parameters[i].clone();
  for (int step = 0; step < 40; ++step) {
    set_gradients(parameters, step);
    for (size_t i = 0; i < parameters.size(); ++i)
      if (parameters[i].grad().defined())
        record[str_cat("grad.", step, ".", i)] = parameters[i].grad();
    optimizer.step();
  }
  for (size_t i = 0; i < parameters.size(); ++i) record[str_cat("end.", i)] = parameters[i];
  for (const auto& [index, moments] : optimizer.state().moments) {
    record[str_cat("step.", index)] = moments.step;
    record[str_cat("exp_avg.", index)] = moments.exp_avg;
    record[str_cat("exp_avg_sq.", index)] = moments.exp_avg_sq;
  }
  return record;
}

// torch.optim.AdamW from the same parameters with the same gradients.
TEST(AdamW, FollowsPyTorch) {
  const TemporaryFolder folder;
  write_safetensors(folder / "double", record_of_training(at::kDouble));
  write_safetensors(folder / "float", record_of_training(at::kFloat));
  run_python_or_skip(R"(
import sys, torch
from safetensors.torch import load_file
for name, tolerance in (("double", 1e-12), ("float", 1e-6)):  # a few roundings of values near 1
    r = load_file(sys.argv[1] + name)
    p = [torch.nn.Parameter(r[f"start.{i}"].clone()) for i in range(5)]
    o = torch.optim.AdamW([dict(params=p[:3], lr=1e-3, weight_decay=1e-2),
                           dict(params=p[3:], lr=4e-4, weight_decay=0.0, betas=(0.8, 0.99),
                                eps=1e-6)], foreach=False)
    for step in range(40):
        for i in range(5):
            g = r.get(f"grad.{step}.{i}")
            p[i].grad = None if g is None else g.clone()
        o.step()
    def near(key, want):
        error = (r[key] - want).abs().max().item()
        assert error <= tolerance, (name, key, error)
    for i in range(5):
        near(f"end.{i}", p[i].detach())
        s = o.state_dict()["state"][i]
        near(f"exp_avg.{i}", s["exp_avg"]); near(f"exp_avg_sq.{i}", s["exp_avg_sq"])
        step = r[f"step.{i}"]
        assert step.item() == s["step"].item() and step.dtype == s["step"].dtype, i
)",
                     {folder / ""});
}

}  // namespace
}  // namespace dfine
