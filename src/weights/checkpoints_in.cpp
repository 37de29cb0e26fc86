#include "weights/checkpoints_in.h"

#include <system_error>
#include <vector>

#include "core/nearest.h"

namespace dfine::inline weights {

std::string checkpoints_in(const std::filesystem::path& folder, const std::string& file,
                           std::initializer_list<const char*> names) {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const std::filesystem::path& checkpoints : {folder / "checkpoints", folder}) {
    for (const char* name : names) {
      const std::filesystem::path checkpoint = checkpoints / name;
      if (std::filesystem::exists(checkpoint / file, ignored)) found.push_back(checkpoint.string());
    }
  }
  return joined_by_or(found);
}

}  // namespace dfine::inline weights
