#pragma once
// Arrays that stay in a file. Their pages are the page cache's own, shared by all processes of a
// node, and cost a process no memory of its own.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "files/byte_file.h"

namespace dfine::inline files {

/// The bytes [begin, end) of a file, mapped for reading. The file must not be cut short meanwhile:
/// reading past its end then ends the process by SIGBUS.
class MappedFile {
 public:
  MappedFile() = default;
  /// Throws Error where the file system cannot map files.
  MappedFile(const ByteFile& file, uint64_t begin, uint64_t end);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  /// `size` bytes from place `offset` of the file, within what is mapped.
  std::span<const uint8_t> bytes(uint64_t offset, uint64_t size) const {
    return {first_ + (offset - first_offset_), size};
  }

 private:
  uint8_t* first_ = nullptr;
  uint64_t first_offset_ = 0, length_ = 0;  // of the whole pages
};

/// Little-endian numbers at any address: HDF5 aligns nothing.
template <class T>
class MappedArray {
 public:
  MappedArray() = default;
  explicit MappedArray(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  size_t size() const { return bytes_.size() / sizeof(T); }
  T operator[](size_t i) const {
    static_assert(std::endian::native == std::endian::little, "shards are little-endian");
    T value;
    std::memcpy(&value, bytes_.data() + i * sizeof(T), sizeof(T));
    return value;
  }

 private:
  std::span<const uint8_t> bytes_;
};

/// Texts of a fixed length, padded with zero bytes.
class MappedStrings {
 public:
  MappedStrings() = default;
  MappedStrings(std::span<const uint8_t> bytes, size_t length) : bytes_(bytes), length_(length) {}

  std::string_view operator[](size_t i) const {
    const auto* text = reinterpret_cast<const char*>(bytes_.data()) + i * length_;
    return {text, ::strnlen(text, length_)};
  }

 private:
  std::span<const uint8_t> bytes_;
  size_t length_ = 1;
};

}  // namespace dfine::inline files
