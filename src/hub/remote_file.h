#pragma once
// What the Hub says of one file, before it is fetched.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "hub/http.h"
#include "hub/model_name.h"
#include "hub/settings.h"

namespace dfine::inline hub {

struct RemoteFile {
  std::string name;    // config.json
  std::string url;     // at `commit`
  std::string commit;  // of the repository
  std::string etag;    // 64 hexadecimal digits: SHA-256; 40: git's blob id
  uint64_t size = 0;   // bytes
};

/// https://huggingface.co/ORG/NAME/resolve/REVISION/FILE
std::string file_url(const HubSettings& settings, const ModelName& model, const std::string& file);

/// Asks for commit, checksum and size. Nothing where the repository has no such file. Throws Error:
/// file_missing (no such repository or revision), access_denied, network_failed.
std::optional<RemoteFile> look_up(HttpClient& client, const HubSettings& settings,
                                  const ModelName& model, const std::string& file,
                                  const std::function<void()>& check);

}  // namespace dfine::inline hub
