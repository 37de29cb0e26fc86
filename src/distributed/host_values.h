#pragma once
// Which values can go from one rank to others, and how. Numbers, enums and structs of them go as
// they lie in memory: all ranks run the same program on the same kind of machine. Strings and
// vectors go with their length before them.
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ranges>
#include <span>
#include <type_traits>
#include <vector>

namespace dfine::inline distributed {

/// A value without pointers, as far as types can tell.
template <class T>
concept FlatValue =
    std::is_trivially_copyable_v<T> && !std::is_pointer_v<T> && !std::ranges::range<T>;

/// std::string, or a vector of flat values.
template <class T>
concept FlatList = std::ranges::contiguous_range<T> && FlatValue<std::ranges::range_value_t<T>> &&
                   requires(T& list) { list.resize(size_t{1}); };

/// Gives `value` the content that `root` has: broadcast(bytes) does so for bytes.
template <class T, class Broadcast>
void broadcast_value(T& value, const Broadcast& broadcast) {
  if constexpr (FlatValue<T>) {
    broadcast(std::as_writable_bytes(std::span(&value, 1)));
  } else {
    uint64_t size = value.size();
    broadcast_value(size, broadcast);
    value.resize(size);
    if constexpr (FlatList<T>) {
      broadcast(std::as_writable_bytes(std::span(value)));
    } else {
      for (auto& item : value) broadcast_value(item, broadcast);
    }
  }
}

/// The list whose memory held `bytes`.
template <FlatList T>
T list_from_bytes(const std::vector<std::byte>& bytes) {
  T list;
  list.resize(bytes.size() / sizeof(std::ranges::range_value_t<T>));
  if (!bytes.empty()) std::memcpy(list.data(), bytes.data(), bytes.size());
  return list;
}

}  // namespace dfine::inline distributed
