#include "hub/settings.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>

#include "core/error.h"
#include "core/text.h"
#include "hub/model_name.h"
#include "hub/url.h"

namespace dfine::inline hub {
namespace fs = std::filesystem;
namespace {

/// Empty where it is not set.
std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

bool is_true(std::string value) {
  std::ranges::transform(value, value.begin(), [](unsigned char c) { return std::toupper(c); });
  return value == "1" || value == "ON" || value == "YES" || value == "TRUE";
}

std::string trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return std::string(text);
}

/// Of the Hub's files: HF_HOME.
fs::path hub_home() {
  if (const std::string home = variable("HF_HOME"); !home.empty()) return expanded_path(home);
  if (const std::string cache = variable("XDG_CACHE_HOME"); !cache.empty())
    return expanded_path(cache) / "huggingface";
  const std::string home = variable("HOME");
  if (home.empty())
    throw UsageError("there is no folder for models: neither HF_HOME nor HOME is set",
                     "set HF_HOME to a folder that you may write to");
  return fs::path(home) / ".cache" / "huggingface";
}

fs::path cache_folder() {
  for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"})  // the second: its older name
    if (const std::string cache = variable(name); !cache.empty()) return expanded_path(cache);
  return hub_home() / "hub";
}

std::string token_in_file() {
  const std::string named = variable("HF_TOKEN_PATH");
  std::ifstream file(named.empty() ? hub_home() / "token" : expanded_path(named));
  return trimmed(std::string(std::istreambuf_iterator<char>(file), {}));
}

std::string read_token() {
  if (is_true(variable("HF_HUB_DISABLE_IMPLICIT_TOKEN"))) return {};
  std::string token = trimmed(variable("HF_TOKEN"));
  if (token.empty()) token = trimmed(variable("HUGGING_FACE_HUB_TOKEN"));
  if (token.empty()) token = token_in_file();
  // It becomes a line of a request: nothing may end that line.
  if (!std::ranges::all_of(token, [](char c) { return c > ' ' && c < 127; }))
    throw UsageError("the Hugging Face token has characters that no token has",
                     "set HF_TOKEN to the token alone, or correct the token file");
  return token;
}

std::string read_endpoint(const std::string& by_default) {
  std::string endpoint = trimmed(variable("HF_ENDPOINT"));
  while (endpoint.ends_with('/')) endpoint.pop_back();
  if (endpoint.empty()) return by_default;
  if (!is_allowed(endpoint))
    throw UsageError(str_cat("HF_ENDPOINT = ", without_secrets(endpoint), " cannot be used"),
                     "give a https:// address; plain http:// is for this machine alone, such as "
                     "http://127.0.0.1:8000");
  return endpoint;
}

std::chrono::seconds read_seconds(const char* name, std::chrono::seconds by_default) {
  const std::string text = variable(name);
  const long value = std::strtol(text.c_str(), nullptr, 10);
  return value > 0 ? std::chrono::seconds(std::min(value, 86400L)) : by_default;
}

/// The names by which other programs know them.
std::string certificates_file() {
  for (const char* name : {"CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"})
    if (std::string file = variable(name); !file.empty()) return file;
  return {};
}

}  // namespace

HubSettings hub_settings() {
  HubSettings settings;
  settings.cache = fs::absolute(cache_folder()).lexically_normal();
  settings.endpoint = read_endpoint(settings.endpoint);
  settings.token = read_token();
  settings.offline =
      is_true(variable("HF_HUB_OFFLINE")) || is_true(variable("TRANSFORMERS_OFFLINE"));
  settings.connect_timeout = read_seconds("HF_HUB_ETAG_TIMEOUT", settings.connect_timeout);
  settings.silence_timeout = read_seconds("HF_HUB_DOWNLOAD_TIMEOUT", settings.silence_timeout);
  settings.certificates = certificates_file();
  return settings;
}

}  // namespace dfine::inline hub
