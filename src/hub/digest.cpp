#include "hub/digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "files/byte_file.h"

namespace dfine::inline hub {
namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

void require(bool done) {
  if (!done) throw Error(ErrorCode::kInternal, "libcrypto cannot compute a checksum");
}

/// Of `prefix` and what is in the file.
std::string digest_of(const EVP_MD* kind, std::string_view prefix, const ByteFile& file) {
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  require(context && EVP_DigestInit_ex(context.get(), kind, nullptr) == 1);
  require(EVP_DigestUpdate(context.get(), prefix.data(), prefix.size()) == 1);
  constexpr uint64_t kPiece = uint64_t{1} << 20;
  const uint64_t size = file.size();
  std::vector<uint8_t> bytes;
  for (uint64_t at = 0; at < size; at += bytes.size()) {
    file.read(at, std::min(kPiece, size - at), bytes);
    require(EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1);
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  require(EVP_DigestFinal_ex(context.get(), digest.data(), &length) == 1);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < length; ++i) {
    text += kDigits[digest[i] / 16];
    text += kDigits[digest[i] % 16];
  }
  return text;
}

}  // namespace

std::string sha256_of(const std::filesystem::path& path) {
  return digest_of(EVP_sha256(), "", ByteFile(path));
}

std::string git_blob_id(const std::filesystem::path& path) {
  const ByteFile file(path);
  return digest_of(EVP_sha1(), str_cat("blob ", file.size(), '\0'), file);
}

}  // namespace dfine::inline hub
