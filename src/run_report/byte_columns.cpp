#include "run_report/byte_columns.h"

#include <zlib.h>

#include <algorithm>

#include "core/error.h"
#include "html/base64.h"

namespace dfine::inline run_report {

void ByteColumns::add(const std::string& name, std::span<const uint32_t> values) {
  const uint32_t most = values.empty() ? 0 : *std::ranges::max_element(values);
  const int bytes = most > 0xFFFF ? 4 : most > 0xFF ? 2 : 1;
  list_.push_back({name, bytes, values.size()});
  for (int k = 0; k < bytes; ++k)
    for (const uint32_t value : values) bytes_.push_back(static_cast<uint8_t>(value >> (8 * k)));
}

std::string ByteColumns::text() const {
  uLongf size = compressBound(bytes_.size());
  std::vector<uint8_t> out(size);
  if (compress2(out.data(), &size, bytes_.data(), bytes_.size(), Z_DEFAULT_COMPRESSION) != Z_OK)
    throw Error(ErrorCode::kOutOfMemory, "no memory to compress the detections");
  return base64(std::span(out).first(size));
}

}  // namespace dfine::inline run_report
