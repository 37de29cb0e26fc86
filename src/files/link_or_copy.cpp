#include "files/link_or_copy.h"

#include <system_error>

#include "core/text.h"
#include "files/file_error.h"

namespace dfine::inline files {

void link_or_copy(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code failed;
  std::filesystem::create_hard_link(from, to, failed);
  if (failed) std::filesystem::copy_file(from, to, failed);
  if (failed) throw_file_error(str_cat("copy ", from.string(), " to"), to, failed.value());
}

}  // namespace dfine::inline files
