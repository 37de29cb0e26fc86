// Any bytes as a manifest: an Error, or a manifest that agrees with itself and whose text reads
// back the same.
#include "data/shards/manifest.h"

#include <cstdlib>

#include "core/error.h"
#include "memory_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const dfine::fuzz::MemoryFolder folder;
  const auto read = [](std::string_view text) {
    folder.put(dfine::kManifestName, text);
    return dfine::read_manifest(folder.path());
  };
  try {
    const dfine::Manifest manifest = read({reinterpret_cast<const char*>(data), size});
    const dfine::Manifest again = read(dfine::manifest_text(manifest));
    if (again.categories != manifest.categories || again.shards != manifest.shards) std::abort();
  } catch (const dfine::Error&) {
  }
  return 0;
}
