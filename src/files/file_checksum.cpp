#include "files/file_checksum.h"

#include <algorithm>
#include <vector>

#include "core/crc32c.h"
#include "files/byte_file.h"

namespace dfine::inline files {

FileChecksum file_checksum(const std::filesystem::path& path) {
  constexpr uint64_t kPiece = uint64_t{4} << 20;  // bytes
  const ByteFile file(path);
  FileChecksum sum{.size = file.size()};
  std::vector<uint8_t> bytes;
  for (uint64_t done = 0; done < sum.size; done += bytes.size()) {
    file.read(done, std::min(kPiece, sum.size - done), bytes);
    sum.crc32c = crc32c(bytes, sum.crc32c);
  }
  return sum;
}

}  // namespace dfine::inline files
