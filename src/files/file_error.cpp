#include "files/file_error.h"

#include <cerrno>
#include <string>
#include <system_error>

#include "core/error.h"
#include "core/text.h"

namespace dfine::inline files {
namespace {

const char* hint_for(int code) {
  switch (code) {
    case ENOSPC:
    case EDQUOT:
      return "free some space there or choose another place";
    case EFBIG:
      return "raise the limit on file sizes (ulimit -f) or choose another file system";
    case EIO:
      return "the disk or the network file system fails: look at the system's log (dmesg), or "
             "choose another place";
    case EACCES:
    case EPERM:
    case EROFS:
      return "check the folder's owner and permissions, or choose another place";
    case ENOENT:
    case ENOTDIR:
    case EEXIST:
      return "look for a file or a broken link that stands where a folder is needed";
    default:
      return "";
  }
}

}  // namespace

void throw_file_error(std::string_view action, const std::filesystem::path& path, int code) {
  const std::string message =
      str_cat("cannot ", action, " ", path.string(), ": ", std::generic_category().message(code));
  throw Error(write_error_code(code), message, hint_for(code));
}

}  // namespace dfine::inline files
