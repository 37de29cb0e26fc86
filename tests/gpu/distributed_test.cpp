#include <ATen/ATen.h>

#include <set>
#include <string>

#include "distributed/gpu.h"
#include "distributed/gradient_reducer.h"
#include "gpu_main.h"
#include "joined_batch.h"

namespace dfine {
namespace {

using test::Gpu;
using test::group;

at::TensorOptions on_gpu(at::ScalarType type) {
  return at::TensorOptions().device(group().device()).dtype(type);
}

using Nccl = Gpu;
using GpuSyncBatchNorm = Gpu;
using GpuGradientReducer = Gpu;

TEST_F(Nccl, RanksHaveGpusOfTheirOwn) {
  EXPECT_TRUE(group().device().is_cuda());
  const auto gpus = visible_gpus().uuids;
  EXPECT_EQ(std::set<std::string>(gpus.begin(), gpus.end()).size(), gpus.size());
}

TEST_F(Nccl, Collectives) {
  // Integers that every type holds exactly: element i of rank r is (i % 5) * (r + 1).
  const int n = group().size(), r = group().rank();
  const Tensor base = at::arange(1000).remainder(5);
  for (const auto type :
       {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kByte}) {
    Tensor sum = (base * (r + 1)).to(on_gpu(type)), max = sum.clone(), root = sum.clone();
    group().all_reduce_sum(sum);
    group().all_reduce_max(max);
    group().broadcast(root, n - 1);
    EXPECT_TRUE(sum.cpu().equal((base * (n * (n + 1) / 2)).to(type))) << type;
    EXPECT_TRUE(max.cpu().equal((base * n).to(type))) << type;
    EXPECT_TRUE(root.cpu().equal((base * n).to(type))) << type;
  }
  const Tensor all = group().all_gather(at::full({2, 3}, r, on_gpu(at::kFloat)));
  for (int i = 0; i < n; ++i) EXPECT_TRUE(all[i].eq(i).all().item<bool>());
  std::vector<Tensor> mixed{at::full({7}, r + 1, on_gpu(at::kFloat)),
                            at::full({}, r + 1, on_gpu(at::kLong))};
  group().broadcast(mixed, n - 1);
  for (const Tensor& tensor : mixed) EXPECT_TRUE(tensor.eq(n).all().item<bool>());
  EXPECT_EQ(group().sum({1.0 + r}).front(), n * (n + 1) / 2.0);
}

TEST_F(GpuSyncBatchNorm, NativeKernelsEqualTheMathematicsOnTheCpu) {
  for (const bool channels_last : {false, true}) {
    test::expect_equal_to_joined_batch({.shape = {16, 9, 5}, .channels_last = channels_last}, 1e-10,
                                       group());
    test::expect_equal_to_joined_batch(
        {.shape = {16, 20, 20}, .type = at::kFloat, .channels_last = channels_last}, 1e-5, group());
    test::expect_equal_to_joined_batch(
        {.shape = {16, 20, 20}, .type = at::kHalf, .channels_last = channels_last}, 5e-3, group());
    test::expect_equal_to_joined_batch(
        {.shape = {8, 7, 7}, .type = at::kFloat, .channels_last = channels_last, .unequal = true},
        1e-5, group());
  }
  test::expect_equal_to_joined_batch(
      {.shape = {8, 7, 7}, .type = at::kFloat, .train_weight = false}, 1e-5, group());
}

TEST_F(GpuGradientReducer, GradientsAreTheMeanOfTheLocalOnes) {
  std::vector<Tensor> parameters;
  for (const auto& sizes :
       std::vector<std::vector<int64_t>>{{3, 5}, {2048, 4096}, {7}, {1024, 1024}}) {
    parameters.push_back(at::ones(sizes, on_gpu(at::kFloat)).requires_grad_());
  }
  group().broadcast(parameters, 0);
  GradientReducer reducer(parameters, group());
  const int n = group().size();
  for (int step = 0; step < 3; ++step) {
    // The gradient of parameter i on rank r is 8 (i + 1) (r + 1 + step).
    Tensor loss = at::zeros({}, on_gpu(at::kFloat));
    for (size_t i = 0; i < parameters.size(); ++i) {
      loss = loss +
             parameters[i].sum() * (8.0 * static_cast<double>(i + 1) * (group().rank() + 1 + step));
    }
    reducer.backward(loss);
    for (size_t i = 0; i < parameters.size(); ++i) {
      double sum = 0;
      for (int r = 0; r < n; ++r) sum += 8.0 * static_cast<double>(i + 1) * (r + 1 + step);
      EXPECT_TRUE(
          at::allclose(parameters[i].grad(), at::full_like(parameters[i], sum / n), 1e-6, 0))
          << "step " << step << ", " << i;
      parameters[i].mutable_grad().reset();
    }
  }
}

}  // namespace
}  // namespace dfine
