#include "hub/http.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <exception>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "dfine_version.h"
#include "hub/url.h"

namespace dfine::inline hub {
namespace {

constexpr int kMostRedirects = 8;

void start_curl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK)
    throw Error(ErrorCode::kInternal,
                str_cat("libcurl does not start: ", curl_easy_strerror(code)));
}

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// Whether the connection stood before this went wrong.
bool had_connection(CURLcode code, CURL* curl) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CONNECT_ERROR:
      return false;
    default: {
      curl_off_t connected = 0;  // microseconds until the connection stood
      curl_easy_getinfo(curl, CURLINFO_PRETRANSFER_TIME_T, &connected);
      return connected > 0;
    }
  }
}

/// One request: what libcurl calls back. An exception must not pass through libcurl, which is C.
struct Exchange {
  HttpAnswer answer;
  const TakeBody* take = nullptr;
  const std::function<void()>* check = nullptr;
  CURL* curl = nullptr;
  std::exception_ptr thrown;

  template <class Call>
  bool guarded(Call&& call) {
    try {
      call();
      return true;
    } catch (...) {
      thrown = std::current_exception();
      return false;
    }
  }

  void take_field(std::string_view line) {
    if (line.starts_with("HTTP/")) {  // a new answer: before it was that of a proxy, or 1xx
      answer.fields.clear();
      return;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    std::string name(line.substr(0, colon));
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && std::isspace(static_cast<unsigned char>(value.front())))
      value.remove_prefix(1);
    while (!value.empty() && std::isspace(static_cast<unsigned char>(value.back())))
      value.remove_suffix(1);
    answer.fields[name] = value;
  }

  static size_t on_field(char* data, size_t size, size_t count, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    const bool ok =
        exchange.guarded([&] { exchange.take_field(std::string_view(data, size * count)); });
    return ok ? size * count : 0;
  }

  static size_t on_body(char* data, size_t size, size_t count, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    const bool ok = exchange.guarded([&] {
      curl_easy_getinfo(exchange.curl, CURLINFO_RESPONSE_CODE, &exchange.answer.status);
      if (exchange.take != nullptr && exchange.answer.status / 100 == 2)
        (*exchange.take)(exchange.answer, std::string_view(data, size * count));
    });
    return ok ? size * count : 0;
  }

  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto& exchange = *static_cast<Exchange*>(self);
    return exchange.guarded([&] { (*exchange.check)(); }) ? 0 : 1;
  }
};

}  // namespace

std::string HttpAnswer::field(const std::string& name) const {
  const auto found = fields.find(name);
  return found != fields.end() ? found->second : "";
}

struct HttpClient::Handle {
  CURL* curl;
  curl_slist* fields = nullptr;

  Handle() : curl((start_curl(), curl_easy_init())) {
    if (curl == nullptr) throw Error(ErrorCode::kInternal, "libcurl does not start");
  }
  ~Handle() {
    curl_slist_free_all(fields);
    curl_easy_cleanup(curl);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  void set_fields(const std::string& token) {
    curl_slist_free_all(std::exchange(fields, nullptr));
    // Without compression sizes and ranges are those of the file.
    fields = curl_slist_append(fields, "Accept-Encoding: identity");
    if (!token.empty())
      fields = curl_slist_append(fields, str_cat("Authorization: Bearer ", token).c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
  }
};

HttpClient::HttpClient(const HubSettings& settings, std::function<void()> check)
    : settings_(settings), check_(std::move(check)), handle_(std::make_unique<Handle>()) {}

HttpClient::~HttpClient() = default;

HttpAnswer HttpClient::request(const std::string& url, bool head, uint64_t from,
                               const TakeBody& take) {
  if (!is_allowed(url))
    throw Error(ErrorCode::kNetworkFailed,
                str_cat("a redirect to ", without_secrets(url), ", which is not https://"),
                "nothing was fetched from there: is there a proxy or a login page between?");
  CURL* const curl = handle_->curl;
  curl_easy_reset(curl);  // keeps connections
  Exchange exchange;
  exchange.answer.url = url;
  exchange.take = take ? &take : nullptr;
  exchange.check = &check_;
  exchange.curl = curl;
  char reason[CURL_ERROR_SIZE] = "";
  handle_->set_fields(same_origin(url, settings_.endpoint) ? settings_.token : "");
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_NOBODY, head ? 1L : 0L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "dfine/" DFINE_VERSION);
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_NETRC, CURL_NETRC_IGNORED);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT,
                   static_cast<long>(settings_.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
                   static_cast<long>(settings_.silence_timeout.count()));
  if (is_loopback(url)) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  if (!settings_.certificates.empty())
    curl_easy_setopt(curl, CURLOPT_CAINFO, settings_.certificates.c_str());
  if (from > 0) curl_easy_setopt(curl, CURLOPT_RANGE, str_cat(from, "-").c_str());
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &Exchange::on_field);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Exchange::on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &Exchange::on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &exchange);

  const CURLcode code = curl_easy_perform(curl);
  if (exchange.thrown) std::rethrow_exception(exchange.thrown);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &exchange.answer.status);
  if (code != CURLE_OK && !(head && exchange.answer.status > 0))
    throw NoAnswer(reason[0] != '\0' ? reason : curl_easy_strerror(code),
                   had_connection(code, curl));
  if (is_redirect(exchange.answer.status))
    exchange.answer.location = redirected(url, exchange.answer.field("location"));
  return std::move(exchange.answer);
}

HttpAnswer HttpClient::head(const std::string& url) {
  HttpAnswer answer = request(url, true, 0, nullptr);
  for (int i = 0; !answer.location.empty() && same_origin(answer.url, answer.location); ++i) {
    if (i == kMostRedirects)
      throw Error(ErrorCode::kNetworkFailed, str_cat(without_secrets(url), " redirects in circles"),
                  "is there a proxy or a login page between?");
    HttpAnswer next = request(answer.location, true, 0, nullptr);
    // What the Hub says of the file may stand in any of the answers. The last one counts.
    for (const char* own : {"etag", "content-length", "location"}) answer.fields.erase(own);
    next.fields.merge(answer.fields);
    answer = std::move(next);
  }
  return answer;
}

HttpAnswer HttpClient::get(const std::string& url, uint64_t from, const TakeBody& take) {
  HttpAnswer answer = request(url, false, from, take);
  for (int i = 0; !answer.location.empty(); ++i) {
    if (i == kMostRedirects)
      throw Error(ErrorCode::kNetworkFailed, str_cat(without_secrets(url), " redirects in circles"),
                  "is there a proxy or a login page between?");
    answer = request(answer.location, false, from, take);
  }
  return answer;
}

}  // namespace dfine::inline hub
