#pragma once
#include <optional>
#include <utility>

namespace dfine::inline model {

/// Keeps the last value and the key that it belongs to: for constants of an image size, which are
/// the same in nearly every step. Not thread-safe.
template <class Key, class Value>
class LastValue {
 public:
  /// The value of `key`; `compute` makes it unless the last call had an equal key.
  template <class Compute>
  const Value& get(const Key& key, const Compute& compute) {
    if (!last_ || !(last_->first == key)) last_.emplace(key, compute());
    return last_->second;
  }
  void clear() { last_.reset(); }

 private:
  std::optional<std::pair<Key, Value>> last_;
};

}  // namespace dfine::inline model
