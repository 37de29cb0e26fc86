#pragma once
// The few HDF5 operations a shard needs. The library's own header stays in hdf5_file.cpp.
//
// Files are written so that the same content gives the same bytes. They have no time stamps,
// little-endian types, contiguous datasets, and object headers of the 1.8 form, which carry
// checksums. File locking is off (network file systems often lack it).
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "data/string_arena.h"

namespace dfine::inline shards {

enum class Scalar { kU8, kU32, kU64, kI32, kI64, kF32, kF64 };

template <class T>
constexpr Scalar scalar_of() {
  if constexpr (std::is_same_v<T, uint8_t>) return Scalar::kU8;
  if constexpr (std::is_same_v<T, uint32_t>) return Scalar::kU32;
  if constexpr (std::is_same_v<T, uint64_t>) return Scalar::kU64;
  if constexpr (std::is_same_v<T, int32_t>) return Scalar::kI32;
  if constexpr (std::is_same_v<T, int64_t>) return Scalar::kI64;
  if constexpr (std::is_same_v<T, float>) return Scalar::kF32;
  if constexpr (std::is_same_v<T, double>) return Scalar::kF64;
}

/// Writes one file. Errors (disk full, ...) name the file and the dataset.
class Hdf5Writer {
 public:
  explicit Hdf5Writer(std::filesystem::path path);
  ~Hdf5Writer();
  Hdf5Writer(const Hdf5Writer&) = delete;
  Hdf5Writer& operator=(const Hdf5Writer&) = delete;

  void group(const char* name);
  /// Shape [n], or [n / columns, columns] for columns > 1.
  template <class T>
  void write(const char* name, const std::vector<T>& values, int columns = 1) {
    write_dataset(name, scalar_of<T>(), values.data(), values.size(), columns);
  }
  /// Fixed-length UTF-8 strings, padded with zero bytes to the longest.
  void write_strings(const char* name, const StringArena& values);
  template <class T>
  void attribute(const char* name, T value) {
    write_attribute(name, scalar_of<T>(), &value, 1, true);
  }
  template <class T>
  void attribute(const char* name, const std::vector<T>& values) {
    write_attribute(name, scalar_of<T>(), values.data(), values.size(), false);
  }
  /// Variable-length UTF-8 strings.
  void attribute(const char* name, const std::vector<std::string>& values);

  /// A contiguous uint8 dataset of `size` bytes, to be filled in pieces by write_bytes(). Returns
  /// where it begins in the file.
  uint64_t reserve_bytes(const char* name, uint64_t size);
  void write_bytes(uint64_t offset, std::span<const uint8_t> bytes);

  /// Writes out everything; only then is the file complete.
  void close();

 private:
  void write_dataset(const char* name, Scalar type, const void* values, size_t count, int columns);
  void write_attribute(const char* name, Scalar type, const void* values, size_t count,
                       bool single);
  [[noreturn]] void fail(const std::string& what) const;

  std::filesystem::path path_;
  int64_t file_ = -1, bytes_ = -1;  // hid_t
  uint64_t bytes_size_ = 0;
};

/// Reads one file. Wrong types and shapes are errors that name the dataset.
class Hdf5Reader {
 public:
  explicit Hdf5Reader(std::filesystem::path path);
  ~Hdf5Reader();
  Hdf5Reader(const Hdf5Reader&) = delete;
  Hdf5Reader& operator=(const Hdf5Reader&) = delete;

  template <class T>
  void read(const char* name, std::vector<T>& values, int columns = 1) const {
    values.resize(dataset_size(name, scalar_of<T>(), columns));
    read_dataset(name, scalar_of<T>(), values.data(), values.size());
  }
  StringArena read_strings(const char* name) const;
  template <class T>
  T attribute(const char* name) const {
    T value{};
    read_attribute(name, scalar_of<T>(), &value, 1, true);
    return value;
  }
  template <class T>
  std::vector<T> attribute_list(const char* name) const {
    std::vector<T> values(attribute_size(name));
    read_attribute(name, scalar_of<T>(), values.data(), values.size(), false);
    return values;
  }
  std::vector<std::string> attribute_strings(const char* name) const;

  struct Region {
    uint64_t offset = 0, size = 0;  // bytes from the start of the file
  };
  /// Where the values of a contiguous dataset lie, so that they can be read without the library.
  /// Type and shape as read() wants them.
  template <class T>
  Region region(const char* name, int columns = 1) const {
    return region_of(name, dataset_size(name, scalar_of<T>(), columns) * sizeof(T));
  }
  /// The same of fixed-length strings, `length` bytes each.
  struct StringRegion : Region {
    size_t length = 0;
  };
  StringRegion string_region(const char* name) const;

 private:
  size_t dataset_size(const char* name, Scalar type, int columns) const;
  void read_dataset(const char* name, Scalar type, void* values, size_t count) const;
  Region region_of(const char* name, uint64_t size) const;
  size_t attribute_size(const char* name) const;
  void read_attribute(const char* name, Scalar type, void* values, size_t count, bool single) const;
  [[noreturn]] void fail(const std::string& what) const;

  std::filesystem::path path_;
  uint64_t file_size_ = 0;
  int64_t file_ = -1;  // hid_t
};

}  // namespace dfine::inline shards
