// Any bytes as a manifest: an Error, or a manifest that agrees with itself and whose text reads back the same.
#include "data/manifest.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "core/error.h"

namespace {

/// A folder in memory for this process, removed at its end.
class Folder {
 public:
  Folder() : path_("/dev/shm/dfine-fuzz-" + std::to_string(::getpid())) { std::filesystem::create_directory(path_); }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  dfine::Manifest read(const std::string& text) const {
    std::ofstream(path_ / dfine::kManifestName, std::ios::binary) << text;
    return dfine::read_manifest(path_);
  }

 private:
  const std::filesystem::path path_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Folder folder;
  try {
    const dfine::Manifest manifest = folder.read(std::string(reinterpret_cast<const char*>(data), size));
    const std::string text = dfine::manifest_text(manifest);
    const dfine::Manifest again = folder.read(text);
    if (again.categories != manifest.categories || again.shards != manifest.shards) std::abort();
  } catch (const dfine::Error&) {
  }
  return 0;
}
