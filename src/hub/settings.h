#pragma once
// Where the Hub is, and where its cache is: the environment variables that huggingface_hub has too.
#include <chrono>
#include <filesystem>
#include <string>

namespace dfine::inline hub {

struct HubSettings {
  std::filesystem::path cache;  // HF_HUB_CACHE; HF_HOME/hub; XDG_CACHE_HOME or ~/.cache, ...
  std::string endpoint = "https://huggingface.co";  // HF_ENDPOINT, without a slash at its end
  std::string token;                                // HF_TOKEN or the token file; empty: none
  bool offline = false;                             // HF_HUB_OFFLINE: nothing is fetched
  std::chrono::seconds connect_timeout{10};         // HF_HUB_ETAG_TIMEOUT
  std::chrono::seconds silence_timeout{10};         // HF_HUB_DOWNLOAD_TIMEOUT: without a byte
  std::string certificates;  // file of trusted certificates; empty: the system's
};

/// Throws UsageError where a variable has a value that cannot be used, or there is no home folder.
/// An endpoint is https://, or plain http:// to this machine.
HubSettings hub_settings();

}  // namespace dfine::inline hub
