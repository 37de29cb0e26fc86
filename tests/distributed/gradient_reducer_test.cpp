#include "distributed/gradient_reducer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "distributed/sync_batch_norm.h"
#include "rank_main.h"
#include "support/raises.h"

namespace dfine {
namespace {

using test::group;

// Integers, so that sums are exact in any order: the mean over 1, 2 or 4 ranks is exact, too.
Tensor integers(std::vector<int64_t> sizes, int64_t seed) {
  int64_t count = 1;
  for (const int64_t s : sizes) count *= s;
  const Tensor pattern = ((at::arange(7) * (seed + 3)).remainder(7) - 3).to(at::kFloat);
  return pattern.repeat({count / 7 + 1}).slice(0, 0, count).reshape(sizes);
}

Tensor mean_over_ranks(const Tensor& tensor) {
  return group().all_gather(tensor).sum(0) / group().size();
}

// 32 MiB of parameters: several buckets.
std::vector<Tensor> parameters() {
  std::vector<Tensor> list;
  for (const auto& sizes : std::vector<std::vector<int64_t>>{
           {3, 5}, {1024, 1024}, {7}, {2048, 2048}, {3072, 1024}, {11, 2}}) {
    list.push_back(integers(sizes, static_cast<int64_t>(list.size())).requires_grad_());
  }
  return list;
}

// Its gradient with respect to parameter i is `scale` * integers(i + 10 * scale).
Tensor loss_of(const std::vector<Tensor>& list, int64_t scale, size_t skipped = SIZE_MAX) {
  Tensor loss = at::zeros({});
  for (size_t i = 0; i < list.size(); ++i) {
    if (i != skipped)
      loss =
          loss +
          (list[i] * integers(list[i].sizes().vec(), static_cast<int64_t>(i) + 10 * scale)).sum() *
              scale;
  }
  return loss;
}

Tensor gradient_of(const Tensor& parameter, size_t i, int64_t scale) {
  return integers(parameter.sizes().vec(), static_cast<int64_t>(i) + 10 * scale) * scale;
}

TEST(GradientReducer, GradientsAreTheMeanOfTheLocalOnes) {
  const auto list = parameters();
  GradientReducer reducer(list, group());
  for (int64_t step = 0; step < 4; ++step) {
    const int64_t scale = group().rank() + 1 + step;
    const Tensor loss = loss_of(list, scale);
    reducer.backward(loss);
    for (size_t i = 0; i < list.size(); ++i) {
      EXPECT_TRUE(list[i].grad().equal(mean_over_ranks(gradient_of(list[i], i, scale))))
          << "step " << step << ", parameter " << i;
    }
    for (const Tensor& parameter : list) {  // both ways to start afresh
      if (step % 2 == 0) {
        parameter.mutable_grad().reset();
      } else {
        parameter.mutable_grad().zero_();
      }
    }
  }
}

// Multiples of 1/4 below 64: bfloat16 has them all.
TEST(GradientReducer, CompressedMeansOfShortNumbersAreExact) {
  const auto list = parameters();
  GradientReducer reducer(list, group(), at::kBFloat16);
  for (int64_t step = 0; step < 2; ++step) {
    const int64_t scale = group().rank() + 1 + step;
    reducer.backward(loss_of(list, scale));
    for (size_t i = 0; i < list.size(); ++i) {
      EXPECT_EQ(list[i].grad().scalar_type(), at::kFloat);
      EXPECT_TRUE(list[i].grad().equal(mean_over_ranks(gradient_of(list[i], i, scale))))
          << "step " << step << ", parameter " << i;
      list[i].mutable_grad().reset();
    }
  }
}

// bfloat16 has 8 bits of mantissa: 1 + 2^-9 becomes 1, on all ranks.
TEST(GradientReducer, CompressedGradientsAreRounded) {
  const Tensor weight = at::zeros({5}).requires_grad_();
  GradientReducer reducer({weight}, group(), at::kBFloat16);
  reducer.backward((weight * (1 + 0x1p-9)).sum());
  EXPECT_TRUE(weight.grad().equal(at::full({5}, group().is_single() ? 1 + 0x1p-9 : 1.0)));
}

TEST(GradientReducer, AccumulatedGradientsAreReducedOnce) {
  const auto list = parameters();
  GradientReducer reducer(list, group());
  for (int step = 0; step < 2; ++step) {
    std::vector<Tensor> expected(list.size());
    for (int64_t part = 1; part <= 3; ++part) {
      const int64_t scale = group().rank() + part;
      const Tensor loss = loss_of(list, scale);
      if (part == 3) {
        reducer.backward(loss);
      } else {
        loss.backward();
      }
      for (size_t i = 0; i < list.size(); ++i) {
        const Tensor gradient = gradient_of(list[i], i, scale);
        expected[i] = part == 1 ? gradient : expected[i] + gradient;
      }
    }
    for (size_t i = 0; i < list.size(); ++i) {
      EXPECT_TRUE(list[i].grad().equal(mean_over_ranks(expected[i])))
          << "step " << step << ", parameter " << i;
      list[i].mutable_grad().reset();
    }
  }
}

TEST(GradientReducer, ParameterWithoutGradientIsAnError) {
  if (group().is_single()) GTEST_SKIP() << "alone, backward() is that of the loss";
  const auto list = parameters();
  GradientReducer reducer(list, group());
  reducer.backward(loss_of(list, 1));
  EXPECT_TRUE(raises(ErrorCode::kInternal, [&] { reducer.backward(loss_of(list, 1, 4)); }));
}

TEST(GradientReducer, ChannelsLastWeightsKeepTheirLayout) {
  Tensor weight =
      integers({8, 4, 3, 3}, 1).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
  GradientReducer reducer({weight}, group());
  const Tensor factor = integers({8, 4, 3, 3}, 5 + group().rank());
  const Tensor loss = (weight * factor).sum();
  reducer.backward(loss);
  EXPECT_TRUE(weight.grad().equal(mean_over_ranks(factor)));
  EXPECT_TRUE(weight.grad().is_contiguous(at::MemoryFormat::ChannelsLast));
}

// A small network of convolutions and batch norms. The ranks' graphs differ in `use_extra`, as they
// do in a step in which one rank has no boxes.
struct Network {
  std::vector<Tensor> weights;
  Tensor mean = at::zeros({6}, at::kDouble), var = at::ones({6}, at::kDouble);

  Network() {
    for (const auto& sizes : std::vector<std::vector<int64_t>>{
             {6, 3, 3, 3}, {6}, {6}, {6, 6, 3, 3}, {6}, {6}, {4, 6}, {4}}) {
      weights.push_back(
          (integers(sizes, static_cast<int64_t>(weights.size())).to(at::kDouble) * 0.1 + 0.05)
              .requires_grad_());
    }
  }

  Tensor loss(const Tensor& x, bool use_extra, const Communicator& ranks) {
    Tensor h = at::conv2d(x, weights[0], {}, 1, 1);
    h = at::relu(sync_batch_norm(h, weights[1], weights[2], mean, var, 0.1, 1e-5, ranks));
    h = at::conv2d(h, weights[3], {}, 1, 1);
    h = at::relu(sync_batch_norm(h, weights[4], weights[5], mean, var, 0.1, 1e-5, ranks));
    Tensor out = at::matmul(h.mean({2, 3}), weights[6].t());  // [B, 4]
    Tensor total = out.square().sum();
    return use_extra ? total + (out * weights[7]).sum() : total + 0 * weights[7].sum();
  }
};

TEST(GradientReducer, WithBatchNormsEqualsOneRankOnTheJoinedBatch) {
  const int n = group().size(), r = group().rank();
  Network split, joined;
  GradientReducer reducer(split.weights, group());
  for (int step = 0; step < 5; ++step) {
    const Tensor x = at::sin(at::arange(2 * n * 3 * 8 * 8, at::kDouble) * (0.37 + step))
                         .reshape({2 * n, 3, 8, 8});
    Tensor loss = split.loss(x.slice(0, 2 * r, 2 * r + 2), true, group());
    reducer.backward(loss);
    (joined.loss(x, true, Communicator()) / n).backward();
    for (size_t i = 0; i < split.weights.size(); ++i) {
      const Tensor expected = joined.weights[i].grad();
      const double error =
          ((split.weights[i].grad() - expected).abs().max() / expected.abs().max()).item<double>();
      EXPECT_LT(error, 1e-11) << "step " << step << ", parameter " << i;
      split.weights[i].mutable_grad().reset();
      joined.weights[i].mutable_grad().reset();
    }
  }
}

TEST(GradientReducer, RanksWithDifferentGraphsDoNotHang) {
  Network network;
  GradientReducer reducer(network.weights, group());
  const Tensor x = at::sin(at::arange(2 * 3 * 8 * 8, at::kDouble) * (0.37 + group().rank()))
                       .reshape({2, 3, 8, 8});
  for (int step = 0; step < 20; ++step) {
    const Tensor loss = network.loss(x, (step + group().rank()) % 2 == 0, group());
    reducer.backward(loss);
  }
  EXPECT_TRUE(network.weights[0].grad().isfinite().all().item<bool>());
}

}  // namespace
}  // namespace dfine
