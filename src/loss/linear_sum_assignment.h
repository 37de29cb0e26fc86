#pragma once
// Rectangular linear sum assignment, exact.
#include <cstdint>
#include <span>
#include <vector>

namespace dfine::inline loss {

/// Assigns min(rows, columns) pairs at the least total cost: result[r] is the column of row r, or
/// -1 (only when rows > columns).
///
/// Shortest augmenting paths with dual potentials (Jonker and Volgenant 1987; rectangular as in
/// Crouse 2016). Each of the k = min(rows, columns) lines of the shorter side needs one Dijkstra
/// search, at worst O(k^2 * max(rows, columns)) in all.
///
/// `cost` is row-major, rows x columns. A cost of +inf forbids a pair. NaN and -inf throw, as does
/// a matrix on which every full assignment uses a forbidden pair. The rules are those of
/// scipy.optimize.linear_sum_assignment. Ties: several assignments may share the least cost, and
/// any of them may be returned; the choice is deterministic. While a path is sought, equally near
/// columns are taken free ones first, then by index, so that a constant matrix gives result[r] = r.
std::vector<int64_t> linear_sum_assignment(std::span<const double> cost, int64_t rows,
                                           int64_t columns);

}  // namespace dfine::inline loss
