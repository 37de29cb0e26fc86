#include "data/packing/spool.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline packing {
namespace {

[[noreturn]] void fail(const char* action, const std::filesystem::path& path) {
  const int code = errno;
  throw Error(
      write_error_code(code),
      str_cat("cannot ", action, " ", path.string(), ": ", std::generic_category().message(code)),
      code == ENOSPC || code == EDQUOT || code == EFBIG
          ? "free some space there or choose another place"
          : "");
}

}  // namespace

ImageSpool::ImageSpool(std::filesystem::path path)
    : path_(std::move(path)), out_(path_, std::ios::binary) {
  if (!out_) fail("create", path_);
}

ImageSpool::~ImageSpool() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

void ImageSpool::add(const std::vector<uint8_t>& bytes) {
  if (!out_.write(reinterpret_cast<const char*>(bytes.data()),
                  static_cast<std::streamsize>(bytes.size())))
    fail("write", path_);
  sizes_.push_back(bytes.size());
  bytes_ += bytes.size();
}

void ImageSpool::finish_writing() {
  out_.close();
  if (!out_) fail("write", path_);
  in_.open(path_, std::ios::binary);
  if (!in_) fail("read", path_);
}

void ImageSpool::read_next(uint64_t size, std::vector<uint8_t>& bytes) {
  bytes.resize(size);
  if (!in_.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size)))
    fail("read", path_);
}

}  // namespace dfine::inline packing
