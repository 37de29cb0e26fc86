#include "loss/linear_sum_assignment.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline loss {
using enum ErrorCode;
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr size_t kNone = static_cast<size_t>(-1);

/// Grows an assignment of `rows` <= `columns` row by row; after each row it is optimal for the rows
/// so far.
class PathSolver {
 public:
  PathSolver(std::span<const double> cost, size_t rows, size_t columns)
      : cost_(cost),
        columns_(columns),
        u_(rows),
        v_(columns),
        column_of_(rows, kNone),
        row_of_(columns, kNone),
        distance_(columns),
        previous_(columns),
        reached_(columns) {}

  const std::vector<size_t>& solve() {
    for (size_t row = 0; row < u_.size(); ++row) assign(row);
    return column_of_;
  }

 private:
  void assign(size_t start) {
    distance_.assign(columns_, kInfinity);
    reached_.assign(columns_, false);
    size_t row = start, column = kNone;
    double length = 0;
    do {
      column = relax(row, length);
      length = distance_[column];
      reached_[column] = true;
      row = row_of_[column];
    } while (row != kNone);
    update_potentials(start, length);
    augment(start, column);
  }

  /// Extends the search from `row`, `length` away, and returns the nearest column not reached yet.
  size_t relax(size_t row, double length) {
    const double* cost = cost_.data() + row * columns_;
    const double offset = length - u_[row];
    size_t nearest = kNone;
    double shortest = kInfinity;
    for (size_t j = 0; j < columns_; ++j) {
      if (reached_[j]) continue;
      const double through = offset + cost[j] - v_[j];
      if (through < distance_[j]) {
        distance_[j] = through;
        previous_[j] = row;
      }
      if (distance_[j] < shortest || (distance_[j] == shortest && nearest != kNone &&
                                      row_of_[nearest] != kNone && row_of_[j] == kNone)) {
        shortest = distance_[j];
        nearest = j;
      }
    }
    if (nearest == kNone)
      throw Error(kInternal, "assignment: no pairing avoids the forbidden (infinite) costs");
    return nearest;
  }

  /// Keeps reduced costs non-negative, and zero on assigned pairs.
  void update_potentials(size_t start, double length) {
    u_[start] += length;
    for (size_t j = 0; j < columns_; ++j) {
      if (!reached_[j]) continue;
      const double slack = length - distance_[j];
      if (row_of_[j] != kNone) u_[row_of_[j]] += slack;
      v_[j] -= slack;
    }
  }

  void augment(size_t start, size_t column) {
    size_t row = kNone;
    do {
      row = previous_[column];
      row_of_[column] = row;
      std::swap(column_of_[row], column);
    } while (row != start);
  }

  std::span<const double> cost_;
  size_t columns_;
  std::vector<double> u_, v_;  // potentials of rows and columns
  std::vector<size_t> column_of_, row_of_;
  std::vector<double> distance_;  // of each column in the running search
  std::vector<size_t> previous_;  // row from which it was reached
  std::vector<char> reached_;
};

}  // namespace

std::vector<int64_t> linear_sum_assignment(std::span<const double> cost, int64_t rows,
                                           int64_t columns) {
  const auto n = static_cast<size_t>(rows), m = static_cast<size_t>(columns);
  if (rows < 0 || columns < 0 || cost.size() != n * m) {
    throw Error(kInternal,
                str_cat("assignment: ", cost.size(), " costs given for ", rows, " x ", columns));
  }
  for (size_t i = 0; i < cost.size(); ++i) {
    if (std::isnan(cost[i]) || cost[i] == -kInfinity)
      throw Error(kNotFinite, str_cat("assignment: cost [", i / m, ", ", i % m, "] is ", cost[i]));
  }
  std::vector<int64_t> result(n, -1);
  if (n <= m) {
    PathSolver solver(cost, n, m);
    const auto& column_of = solver.solve();
    for (size_t r = 0; r < n; ++r) result[r] = static_cast<int64_t>(column_of[r]);
  } else {
    std::vector<double> transposed(cost.size());
    for (size_t r = 0; r < n; ++r) {
      for (size_t c = 0; c < m; ++c) transposed[c * n + r] = cost[r * m + c];
    }
    PathSolver solver(transposed, m, n);
    const auto& row_of = solver.solve();
    for (size_t c = 0; c < m; ++c) result[row_of[c]] = static_cast<int64_t>(c);
  }
  return result;
}

}  // namespace dfine::inline loss
