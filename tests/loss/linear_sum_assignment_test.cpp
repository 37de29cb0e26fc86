#include "loss/linear_sum_assignment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <numeric>
#include <sstream>

#include "core/error.h"
#include "core/random.h"
#include "support/python.h"

namespace dfine {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

double total(const std::vector<double>& cost, int64_t columns,
             const std::vector<int64_t>& assigned) {
  double sum = 0;
  for (size_t r = 0; r < assigned.size(); ++r) {
    if (assigned[r] >= 0)
      sum += cost[r * static_cast<size_t>(columns) + static_cast<size_t>(assigned[r])];
  }
  return sum;
}

/// Least cost over all ways, rows <= columns.
double brute_force(const std::vector<double>& cost, size_t rows, size_t columns) {
  std::vector<size_t> order(columns);
  std::iota(order.begin(), order.end(), 0);
  double best = kInf;
  do {
    double sum = 0;
    for (size_t r = 0; r < rows; ++r) sum += cost[r * columns + order[r]];
    best = std::min(best, sum);
  } while (std::ranges::next_permutation(order).found);
  return best;
}

TEST(Assignment, TextbookExample) {
  // Wikipedia, "Hungarian algorithm": cleaning 2 bathroom, 1 floors, 3 windows; least cost 15.
  const std::vector<double> cost{8, 4, 7, 5, 2, 3, 9, 4, 8};
  EXPECT_EQ(linear_sum_assignment(cost, 3, 3), (std::vector<int64_t>{0, 2, 1}));
}

TEST(Assignment, LeastOfAllPermutations) {
  CounterRandom random(1, Stream::kTest, 0);
  for (int trial = 0; trial < 300; ++trial) {
    const size_t rows = 1 + random.below(6), columns = rows + random.below(7 - rows);
    std::vector<double> cost(rows * columns);
    // Every third matrix has few distinct values, so that many assignments tie.
    for (double& c : cost)
      c = trial % 3 == 0 ? static_cast<double>(random.below(3)) : random.uniform_double() * 2 - 1;
    const auto assigned =
        linear_sum_assignment(cost, static_cast<int64_t>(rows), static_cast<int64_t>(columns));
    auto used = assigned;
    std::ranges::sort(used);
    EXPECT_EQ(std::ranges::adjacent_find(used), used.end());
    EXPECT_NEAR(total(cost, static_cast<int64_t>(columns), assigned),
                brute_force(cost, rows, columns), 1e-12);
  }
}

TEST(Assignment, MoreRowsThanColumns) {
  const std::vector<double> cost{5, 9, 1,
                                 8, 4, 2};  // rows 0..2 x columns 0..1: rows 1 and 2 are best
  EXPECT_EQ(linear_sum_assignment(cost, 3, 2), (std::vector<int64_t>{-1, 0, 1}));
}

TEST(Assignment, EmptySides) {
  EXPECT_TRUE(linear_sum_assignment({}, 0, 300).empty());
  EXPECT_EQ(linear_sum_assignment({}, 2, 0), (std::vector<int64_t>{-1, -1}));
}

TEST(Assignment, ConstantCostsAreTakenInOrder) {
  EXPECT_EQ(linear_sum_assignment(std::vector<double>(15, 2.5), 3, 5),
            (std::vector<int64_t>{0, 1, 2}));
}

TEST(Assignment, ForbiddenPairs) {
  EXPECT_EQ(linear_sum_assignment(std::vector<double>{1, kInf, 2, 50}, 2, 2),
            (std::vector<int64_t>{0, 1}));
  EXPECT_THROW(linear_sum_assignment(std::vector<double>{1, kInf, 2, kInf}, 2, 2), Error);
  EXPECT_THROW(linear_sum_assignment(std::vector<double>{kInf, kInf}, 1, 2), Error);
}

TEST(Assignment, RefusesInvalidInput) {
  EXPECT_THROW(linear_sum_assignment(std::vector<double>{1, std::nan("")}, 1, 2), Error);
  EXPECT_THROW(linear_sum_assignment(std::vector<double>{1, -kInf}, 1, 2), Error);
  EXPECT_THROW(linear_sum_assignment(std::vector<double>{1, 2, 3}, 1, 2), Error);
}

TEST(Assignment, EqualsScipy) {
  const TemporaryFolder folder;
  const std::vector<std::pair<int64_t, int64_t>> shapes{
      {60, 300}, {300, 300}, {300, 60}, {1, 300}, {17, 23}};
  CounterRandom random(2, Stream::kTest, 0);
  std::ofstream costs(folder / "costs", std::ios::binary), assigned(folder / "assigned");
  for (const auto& [rows, columns] : shapes) {
    std::vector<double> cost(static_cast<size_t>(rows * columns));
    for (double& c : cost) c = static_cast<double>(random.uniform()) * 10 - 5;
    costs.write(reinterpret_cast<const char*>(cost.data()),
                static_cast<std::streamsize>(cost.size() * sizeof(double)));
    assigned << rows << " " << columns;
    for (const int64_t c : linear_sum_assignment(cost, rows, columns)) assigned << " " << c;
    assigned << "\n";
  }
  costs.close();
  assigned.close();
  run_python_or_skip(R"(
import sys
import numpy as np
from scipy.optimize import linear_sum_assignment
costs = np.fromfile(sys.argv[1], dtype=np.float64)
for line in open(sys.argv[2]):
    rows, columns, *mine = map(int, line.split())
    cost, costs = costs[:rows * columns].reshape(rows, columns), costs[rows * columns:]
    want = np.full(rows, -1)
    r, c = linear_sum_assignment(cost)
    want[r] = c
    assert want.tolist() == mine, (rows, columns)
)",
                     {folder / "costs", folder / "assigned"});
}

}  // namespace
}  // namespace dfine
