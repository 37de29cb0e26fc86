#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dfine::inline data {

/// Many short strings in one block of memory, so that a million file names cost their letters and 8
/// bytes each.
class StringArena {
 public:
  void add(std::string_view name) {
    letters_ += name;
    ends_.push_back(letters_.size());
  }
  size_t size() const { return ends_.size(); }
  /// Valid until the next add().
  std::string_view operator[](size_t i) const {
    const size_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::string_view(letters_).substr(begin, ends_[i] - begin);
  }

 private:
  std::string letters_;
  std::vector<uint64_t> ends_;
};

}  // namespace dfine::inline data
