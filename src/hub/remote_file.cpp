#include "hub/remote_file.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "core/error.h"
#include "core/text.h"
#include "hub/retries.h"
#include "hub/url.h"

namespace dfine::inline hub {
using enum ErrorCode;
namespace {

/// A revision in an address: `/` would end it there.
std::string escaped(std::string_view revision) {
  std::string text;
  for (const char c : revision) {
    if (c == '/') {
      text += "%2F";
    } else if (c == '+') {
      text += "%2B";
    } else {
      text += c;
    }
  }
  return text;
}

bool is_hexadecimal(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// The text between the quotes of W/"...".
std::string unquoted(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"')
    etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

std::string page(const HubSettings& settings, const ModelName& model) {
  return str_cat(settings.endpoint, "/", model.repository);
}

/// What an answer other than the file means.
[[noreturn]] void refuse(const HttpAnswer& answer, const HubSettings& settings,
                         const ModelName& model, const std::string& file) {
  const std::string code = answer.field("x-error-code"), host = host_of(settings.endpoint);
  const bool has_token = !settings.token.empty();
  if (code == "RevisionNotFound")
    throw Error(
        kFileMissing,
        str_cat(host, " has ", model.repository, ", but no revision ", model.revision),
        str_cat("branches, tags and commits stand at ", page(settings, model), "/tree/main"));
  if (code == "GatedRepo")
    throw Error(kAccessDenied,
                str_cat(model.repository, " is given only to those who accepted its conditions"),
                str_cat("accept them at ", page(settings, model),
                        has_token ? ", with the account of your token"
                                  : ", and set HF_TOKEN to a token of that account"));
  if (answer.status == 401 && has_token &&
      answer.field("x-error-message").find("Invalid credentials") != std::string::npos)
    throw Error(kAccessDenied, str_cat(host, " refuses the Hugging Face token"),
                "make a new one, or unset HF_TOKEN (or remove the token file): published models "
                "need none");
  // The Hub gives 401 for a repository that is not there, so as not to tell which ones are private.
  if (answer.status == 404 || (answer.status == 401 && !has_token) || code == "RepoNotFound")
    throw Error(kFileMissing,
                str_cat(host, " has no model ", model.repository, " that ",
                        has_token ? "your token may read" : "everybody may read"),
                "`dfine-weights list` has the published names; a private model needs HF_TOKEN");
  if (answer.status == 401 || answer.status == 403)
    throw Error(kAccessDenied,
                str_cat(host, " does not give ", file, " of ", model.repository, " (status ",
                        answer.status, ")"),
                has_token ? "does the account of your token have access?"
                          : "set HF_TOKEN to a token that may read it");
  throw Error(kNetworkFailed,
              str_cat(without_secrets(answer.url), " answered with status ", answer.status));
}

uint64_t announced_size(const HttpAnswer& answer) {
  std::string text = answer.field("x-linked-size");
  if (text.empty() && answer.location.empty()) text = answer.field("content-length");
  uint64_t size = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size())
    throw Error(kNetworkFailed, str_cat(without_secrets(answer.url), " does not say its size"),
                "is there a proxy between that changes answers?");
  return size;
}

HttpAnswer ask(HttpClient& client, const std::string& url, const std::function<void()>& check) {
  Retries retries(check);
  for (;;) {
    try {
      HttpAnswer answer = client.head(url);
      if (!may_pass(answer.status)) return answer;
      retries.failed(str_cat(host_of(url), " answered with status ", answer.status),
                     wanted_wait(answer));
    } catch (const NoAnswer& reason) {
      retries.failed(host_of(url), reason);
    }
  }
}

}  // namespace

std::string file_url(const HubSettings& settings, const ModelName& model, const std::string& file) {
  return str_cat(page(settings, model), "/resolve/", escaped(model.revision), "/", file);
}

std::optional<RemoteFile> look_up(HttpClient& client, const HubSettings& settings,
                                  const ModelName& model, const std::string& file,
                                  const std::function<void()>& check) {
  const HttpAnswer answer = ask(client, file_url(settings, model, file), check);
  if (answer.status == 404 && answer.field("x-error-code") == "EntryNotFound") return std::nullopt;
  if (answer.status != 200 && answer.location.empty()) refuse(answer, settings, model, file);

  RemoteFile remote{.name = file, .url = {}, .commit = answer.field("x-repo-commit"), .etag = {}};
  if (!is_commit(remote.commit))
    throw Error(kNetworkFailed,
                str_cat("the answer of ", without_secrets(answer.url),
                        " is not that of a Hugging Face Hub: it names no commit"),
                "is there a proxy or a login page between, or does HF_ENDPOINT name another site?");
  const std::string linked = answer.field("x-linked-etag");
  remote.etag = unquoted(linked.empty() ? answer.field("etag") : linked);
  if ((remote.etag.size() != 64 && remote.etag.size() != 40) || !is_hexadecimal(remote.etag))
    throw Error(kNetworkFailed, str_cat(without_secrets(answer.url), " announces no checksum"),
                "is there a proxy between that changes answers?");
  remote.size = announced_size(answer);
  ModelName at_commit = model;
  at_commit.revision = remote.commit;
  remote.url = file_url(settings, at_commit, file);
  return remote;
}

}  // namespace dfine::inline hub
