#pragma once
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <vector>

namespace dfine::inline packing {

/// Image files whose sizes are not known beforehand, kept in a temporary file until the shard can
/// be laid out. Removes that file at the end.
class ImageSpool {
 public:
  explicit ImageSpool(std::filesystem::path path);
  ~ImageSpool();
  ImageSpool(const ImageSpool&) = delete;
  ImageSpool& operator=(const ImageSpool&) = delete;

  /// Throws Error when the disk is full.
  void add(const std::vector<uint8_t>& bytes);
  uint64_t bytes() const { return bytes_; }
  /// Calls take(i, bytes) for all files in the order in which they were added; call once.
  template <class Take>
  void for_each(Take take) {
    finish_writing();
    std::vector<uint8_t> bytes;
    for (size_t i = 0; i < sizes_.size(); ++i) {
      read_next(sizes_[i], bytes);
      take(i, bytes);
    }
  }

 private:
  void finish_writing();
  void read_next(uint64_t size, std::vector<uint8_t>& bytes);

  std::filesystem::path path_;
  std::ofstream out_;
  std::ifstream in_;
  std::vector<uint64_t> sizes_;
  uint64_t bytes_ = 0;
};

}  // namespace dfine::inline packing
