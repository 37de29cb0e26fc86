#include "hub/url.h"

#include <curl/curl.h>

#include <memory>

namespace dfine::inline hub {
namespace {

struct CloseUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, CloseUrl>;

/// Null where it is no address.
Url parsed(const std::string& text) {
  Url url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return nullptr;
  return url;
}

/// Empty where the address has no such part.
std::string part(const Url& url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (!url || curl_url_get(url.get(), which, &text, flags) != CURLUE_OK) return {};
  std::string result(text);
  curl_free(text);
  return result;
}

bool is_loopback_host(const std::string& host) {
  return host == "localhost" || host == "[::1]" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

}  // namespace

bool is_loopback(const std::string& url) {
  return is_loopback_host(part(parsed(url), CURLUPART_HOST));
}

bool is_allowed(const std::string& url) {
  const Url parts = parsed(url);
  if (!parts || !part(parts, CURLUPART_USER).empty() || !part(parts, CURLUPART_PASSWORD).empty())
    return false;
  const std::string scheme = part(parts, CURLUPART_SCHEME);
  return scheme == "https" || (scheme == "http" && is_loopback_host(part(parts, CURLUPART_HOST)));
}

bool same_origin(const std::string& a, const std::string& b) {
  const Url first = parsed(a), second = parsed(b);
  if (!first || !second) return false;
  const auto same = [&](CURLUPart which) {
    const std::string value = part(first, which, CURLU_DEFAULT_PORT);
    return !value.empty() && value == part(second, which, CURLU_DEFAULT_PORT);
  };
  return same(CURLUPART_SCHEME) && same(CURLUPART_HOST) && same(CURLUPART_PORT);
}

std::string redirected(const std::string& base, const std::string& location) {
  const Url url = parsed(base);
  // libcurl reads what is set over an address as relative to that.
  if (!url || curl_url_set(url.get(), CURLUPART_URL, location.c_str(), 0) != CURLUE_OK) return {};
  return part(url, CURLUPART_URL);
}

std::string without_secrets(const std::string& text) {
  const Url url = parsed(text);
  if (!url) return "(no address)";
  for (const CURLUPart secret :
       {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT})
    curl_url_set(url.get(), secret, nullptr, 0);
  return part(url, CURLUPART_URL);
}

std::string host_of(const std::string& text) {
  const Url url = parsed(text);
  const std::string port = part(url, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
  return part(url, CURLUPART_HOST) + (port.empty() ? "" : ":" + port);
}

}  // namespace dfine::inline hub
