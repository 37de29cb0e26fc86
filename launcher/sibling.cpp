#include "sibling.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "core/error.h"
#include "core/text.h"

namespace dfine {

void become_sibling(const char* name, char** argv, const char* hint) {
  // The real path: programs are often called by a link.
  const std::filesystem::path program =
      std::filesystem::read_symlink("/proc/self/exe").replace_filename(name);
  execv(program.c_str(), argv);
  const int error = errno;
  throw Error(
      read_error_code(error),
      str_cat("cannot start ", program.string(), ": ", std::generic_category().message(error)),
      hint);
}

}  // namespace dfine
