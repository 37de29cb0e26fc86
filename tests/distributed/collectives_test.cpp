#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstring>
#include <optional>
#include <string>

#include "core/error.h"
#include "distributed/mpi_backend.h"
#include "rank_main.h"

namespace dfine {
namespace {

using test::group;

// The same bits on all ranks?
void expect_same_everywhere(const Tensor& tensor) {
  const Tensor all = group().all_gather(tensor);
  for (int r = 1; r < group().size(); ++r) {
    EXPECT_EQ(std::memcmp(all[r].const_data_ptr(), all[0].const_data_ptr(), tensor.nbytes()), 0)
        << "rank " << r << " differs from rank 0";
  }
}

TEST(Collectives, SumAndMaximumOfEveryType) {
  // Integers that every type holds exactly: element i of rank r is (i % 5) * (r + 1); their sum is
  // (i % 5) * n (n + 1) / 2.
  const int n = group().size();
  // Enough for the ring, in parts of unequal size.
  const Tensor base = at::arange(300001).remainder(5);
  for (const auto type : {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16, at::kLong, at::kInt,
                          at::kShort, at::kChar, at::kByte}) {
    Tensor sum = (base * (group().rank() + 1)).to(type), max = sum.clone();
    group().all_reduce_sum(sum);
    group().all_reduce_max(max);
    EXPECT_TRUE(sum.equal((base * (n * (n + 1) / 2)).to(type))) << type;
    EXPECT_TRUE(max.equal((base * n).to(type))) << type;
  }
  Tensor flag = at::full({3}, group().rank() == n - 1, at::kBool);
  group().all_reduce_sum(flag);
  EXPECT_TRUE(flag.all().item<bool>());
}

// MPI's own check refuses the rank, in the backend's thread. The group works on.
TEST(Collectives, AFailureReachesTheCaller) {
  if (group().is_single()) GTEST_SKIP() << "one rank has nobody to talk to";
  Tensor tensor = at::ones({3});
  EXPECT_THROW(group().broadcast(tensor, /*root=*/99), Error);
  group().all_reduce_sum(tensor);
  EXPECT_TRUE(tensor.eq(group().size()).all().item<bool>());
}

TEST(Collectives, WorksInPlaceOnAnyLayout) {
  Tensor last = at::ones({2, 3, 4, 5}).contiguous(at::MemoryFormat::ChannelsLast);
  const void* memory = last.const_data_ptr();
  group().all_reduce_sum(last);
  EXPECT_EQ(last.const_data_ptr(), memory);
  EXPECT_TRUE(last.eq(group().size()).all().item<bool>());

  Tensor whole = at::zeros({4, 6});
  Tensor column = whole.slice(1, 2, 3);  // with gaps
  column += group().rank() + 1;
  group().broadcast(column, group().size() - 1);
  EXPECT_TRUE(column.eq(group().size()).all().item<bool>());
  EXPECT_EQ(whole.sum().item<float>(), 4.0f * static_cast<float>(group().size()));

  Tensor scalar = at::full({}, 2.0, at::kDouble), empty = at::empty({0});
  group().all_reduce_sum(scalar);
  group().all_reduce_sum(empty);
  EXPECT_EQ(scalar.item<double>(), 2.0 * group().size());
}

TEST(Collectives, ParameterKeepsItsGradientFlag) {
  Tensor parameter = at::full({3}, group().rank() + 1.0).requires_grad_();
  group().broadcast(parameter, 0);
  EXPECT_TRUE(parameter.requires_grad() && parameter.is_leaf());
  EXPECT_TRUE(parameter.eq(1).all().item<bool>());
}

TEST(Collectives, BroadcastsMixedTensorsTogether) {
  const double mine = group().rank() + 1;
  std::vector<Tensor> tensors{
      at::full({7}, mine), at::full({2, 3}, mine, at::kDouble), at::full({}, mine, at::kLong),
      at::full({2, 3, 4, 5}, mine).contiguous(at::MemoryFormat::ChannelsLast),
      at::full({5}, mine, at::kBool)};
  group().broadcast(tensors, group().size() - 1);
  for (const Tensor& tensor : tensors)
    EXPECT_TRUE(
        tensor.eq(tensor.scalar_type() == at::kBool ? 1 : group().size()).all().item<bool>());
}

TEST(Collectives, GathersTensorsByRank) {
  const Tensor all = group().all_gather(at::full({2, 3}, group().rank()).t());
  EXPECT_EQ(all.sizes(), (std::vector<int64_t>{group().size(), 3, 2}));
  for (int r = 0; r < group().size(); ++r) EXPECT_TRUE(all[r].eq(r).all().item<bool>());
}

TEST(Collectives, SumOfFloatsIsTheSameOnAllRanksAndEveryTime) {
  // Magnitudes far apart: the order of additions shows in the last bits.
  for (const int64_t count : {3, 1000, 300001, 3000000}) {
    const Tensor mine = at::sin(at::arange(count, at::kDouble) * (1.7 + group().rank()))
                            .mul(at::exp(at::arange(count).remainder(11)))
                            .to(at::kFloat);
    Tensor first = mine.clone();
    group().all_reduce_sum(first);
    if (!group().is_single()) expect_same_everywhere(first);
    for (int i = 0; i < 5; ++i) {
      Tensor again = mine.clone();
      group().all_reduce_sum(again);
      EXPECT_TRUE(again.equal(first));
    }
    // At most size() roundings of half a unit (2^-24), none of a sum larger than that of the
    // magnitudes.
    const Tensor all = group().all_gather(mine).to(at::kDouble);
    const Tensor bound = all.abs().sum(0) * (group().size() * 0x1p-24);
    EXPECT_TRUE((first.to(at::kDouble) - all.sum(0)).abs().le(bound).all().item<bool>());
  }
}

TEST(Collectives, LongTensorsGoInPieces) {
  if (group().is_single()) GTEST_SKIP() << "needs peers";
  MpiBackend backend(MPI_COMM_WORLD, /*max_count=*/7);
  const int n = backend.getSize();
  Tensor sum = at::arange(100, at::kDouble) + backend.getRank(), mean = sum.clone();
  std::vector<Tensor> list{sum}, mean_list{mean};
  backend.allreduce(list, {})->wait();
  EXPECT_TRUE(sum.equal(at::arange(100, at::kDouble) * n + n * (n - 1) / 2));
  c10d::AllreduceOptions average;
  average.reduceOp = c10d::ReduceOp::AVG;
  backend.allreduce(mean_list, average)->wait();
  EXPECT_TRUE(mean.equal(sum / n));

  Tensor input = at::arange(20, at::kInt) + 100 * backend.getRank(),
         output = at::empty({n, 20}, at::kInt);
  backend.all_gather_single(output, input, {})->wait();
  for (int r = 0; r < n; ++r) EXPECT_TRUE(output[r].equal(at::arange(20, at::kInt) + 100 * r));
  std::vector<Tensor> inputs{input};
  std::vector<std::vector<Tensor>> outputs(1);
  for (int r = 0; r < n; ++r) outputs[0].push_back(at::empty({20}, at::kInt));
  backend.allgather(outputs, inputs, {})->wait();
  EXPECT_TRUE(outputs[0].back().equal(output[n - 1]));

  std::vector<Tensor> broadcast{at::arange(50) * backend.getRank()};
  backend.broadcast(broadcast, {})->wait();
  EXPECT_TRUE(broadcast[0].eq(0).all().item<bool>());
  backend.barrier({})->wait();
}

TEST(Collectives, UnsupportedTensorsAreRefusedByName) {
  if (group().is_single()) GTEST_SKIP() << "needs peers";
  Tensor complex = at::zeros({2}, at::kComplexFloat);
  try {
    group().all_reduce_sum(complex);
    FAIL();
  } catch (const std::exception& e) {
    EXPECT_NE(std::string(e.what()).find("ComplexFloat"), std::string::npos) << e.what();
  }
}

TEST(Collectives, HostValues) {
  const int n = group().size(), r = group().rank();
  EXPECT_EQ(group().sum({1.0 + r, 0.5}), (std::vector<double>{n * (n + 1) / 2.0, 0.5 * n}));
  EXPECT_EQ(group().max({int64_t{1} << 60, -r}), (std::vector<int64_t>{int64_t{1} << 60, 0}));
  EXPECT_TRUE(group().sum({}).empty());
  EXPECT_EQ(group().broadcast(r == n - 1 ? std::string("a\0b", 3) : std::string("something longer"),
                              n - 1),
            std::string("a\0b", 3));
  group().barrier();
}

TEST(Collectives, TypedHostValues) {
  struct Numbers {
    double value = 0;
    int64_t step = 0;
  };
  const int n = group().size(), r = group().rank(), root = n - 1;
  const bool here = r == root;
  const auto best = group().broadcast(
      here ? std::optional(Numbers{.value = 0.1, .step = int64_t{1} << 60}) : std::nullopt, root);
  ASSERT_TRUE(best);
  EXPECT_EQ(best->value, 0.1);
  EXPECT_EQ(best->step, int64_t{1} << 60);
  EXPECT_FALSE(group().broadcast(here ? std::nullopt : std::optional(1.5), root));
  const std::vector<std::string> names{"", "b", std::string(100000, 'c')};
  EXPECT_EQ(group().broadcast(here ? names : std::vector<std::string>{"x"}, root), names);
  EXPECT_EQ(group().broadcast(std::vector<int64_t>(here ? 3 : 0, 7), root),
            std::vector<int64_t>(3, 7));
  EXPECT_EQ(group().sum<int64_t>({(int64_t{1} << 60) / n, 1}),
            (std::vector<int64_t>{(int64_t{1} << 60) / n * n, n}));
  const auto texts = group().gather(std::string(static_cast<size_t>(r), 'a'), root);
  ASSERT_EQ(texts.size(), here ? static_cast<size_t>(n) : 0U);
  for (size_t k = 0; k < texts.size(); ++k) EXPECT_EQ(texts[k], std::string(k, 'a'));
}

TEST(Collectives, GathersBytesOfAnyLength) {
  const int n = group().size(), root = n - 1;
  for (const size_t unit : {size_t{0}, size_t{1}, size_t{3} << 20}) {
    std::vector<std::byte> mine(unit * static_cast<size_t>(group().rank()));
    for (size_t i = 0; i < mine.size(); ++i)
      mine[i] = static_cast<std::byte>(i * 7 + static_cast<size_t>(group().rank()));
    const auto all = group().gather(mine, root);
    if (group().rank() != root) {
      EXPECT_TRUE(all.empty());
      continue;
    }
    ASSERT_EQ(all.size(), static_cast<size_t>(n));
    for (size_t r = 0; r < all.size(); ++r) {
      ASSERT_EQ(all[r].size(), unit * r);
      for (size_t i = 0; i < all[r].size(); i += 997)
        ASSERT_EQ(all[r][i], static_cast<std::byte>(i * 7 + r));
    }
  }
}

}  // namespace
}  // namespace dfine
