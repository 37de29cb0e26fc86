#pragma once
// The ranks that train together, as the layers above see them.
#include <cstdint>
#include <vector>

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include "tensor.h"

namespace dfine {

/// A value; copies share the process group. Default-constructed: one rank alone, where every operation is the identity.
class Group {
 public:
  Group() = default;
  explicit Group(c10::intrusive_ptr<c10d::ProcessGroup> process_group);

  int rank() const { return rank_; }
  int size() const { return size_; }
  bool alone() const { return size_ == 1; }
  const c10::intrusive_ptr<c10d::ProcessGroup>& process_group() const { return process_group_; }  // null when alone

  /// In-place sum (or maximum) over the ranks; blocks until done. Any dense CPU or CUDA tensor of the group's device type.
  void all_reduce_sum(Tensor& tensor) const;
  void all_reduce_max(Tensor& tensor) const;
  /// Host values summed (maximised) over the ranks, exactly the same on all of them.
  std::vector<double> sum(std::vector<double> values) const;
  std::vector<int64_t> max(std::vector<int64_t> values) const;
  void broadcast(Tensor& tensor, int root) const;
  void barrier() const;

 private:
  c10::intrusive_ptr<c10d::ProcessGroup> process_group_;
  int rank_ = 0, size_ = 1;
};

}  // namespace dfine
