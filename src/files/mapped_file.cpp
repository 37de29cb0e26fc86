#include "files/mapped_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline files {

MappedFile::MappedFile(const ByteFile& file, uint64_t begin, uint64_t end) {
  if (begin >= end) return;
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  first_offset_ = begin / page * page;
  length_ = end - first_offset_;
  void* mapped =
      ::mmap(nullptr, length_, PROT_READ, MAP_SHARED, file.fd_, static_cast<off_t>(first_offset_));
  if (mapped == MAP_FAILED) {
    throw Error(
        ErrorCode::kFileUnreadable,
        str_cat("cannot map ", file.path().string(),
                " into memory: ", std::generic_category().message(errno)),
        "put the pack on another file system, or set data.cache_dir to a folder on a local disk");
  }
  first_ = static_cast<uint8_t*>(mapped);
}

MappedFile::~MappedFile() {
  if (first_ != nullptr) ::munmap(first_, length_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : first_(std::exchange(other.first_, nullptr)),
      first_offset_(other.first_offset_),
      length_(other.length_) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(first_, other.first_);
  std::swap(first_offset_, other.first_offset_);
  std::swap(length_, other.length_);
  return *this;
}

}  // namespace dfine::inline files
