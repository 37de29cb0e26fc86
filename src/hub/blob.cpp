#include "hub/blob.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "core/error.h"
#include "core/log.h"
#include "core/progress_line.h"
#include "core/text.h"
#include "files/file_error.h"
#include "files/file_sync.h"
#include "files/output_file.h"
#include "files/process_id.h"
#include "hub/digest.h"
#include "hub/retries.h"
#include "hub/url.h"

namespace dfine::inline hub {
using enum ErrorCode;
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kIncomplete = ".incomplete";

/// A part that another process left. The lock of the blob keeps others away, but some network file
/// systems grant a lock to everybody. So only that of a process which is gone, or which has written
/// nothing for a minute.
bool is_left(const fs::path& path, std::string_view owner) {
  const auto process = parse_process_id(owner);
  if (process && is_gone(*process)) return true;
  std::error_code failed;
  const auto changed = fs::last_write_time(path, failed);
  return !failed && fs::file_time_type::clock::now() - changed > std::chrono::minutes(1);
}

/// The part that this process writes: the longest one that was left, under its own name.
fs::path take_part(const fs::path& blob) {
  const std::string prefix = blob.filename().string() + ".";
  std::error_code ignored;
  fs::path longest;
  uint64_t most = 0;
  for (fs::directory_iterator entry(blob.parent_path(), ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(prefix) || !name.ends_with(kIncomplete) ||
        name.size() <= prefix.size() + kIncomplete.size())
      continue;
    const std::string_view owner = std::string_view(name).substr(
        prefix.size(), name.size() - prefix.size() - kIncomplete.size());
    std::error_code failed;
    const uint64_t size = fs::file_size(entry->path(), failed);
    if (!failed && size > most && is_left(entry->path(), owner)) {
      longest = entry->path();
      most = size;
    }
  }
  fs::path own = blob.parent_path() / str_cat(prefix, to_text(this_process()), kIncomplete);
  if (!longest.empty()) fs::rename(longest, own, ignored);  // fails where another was faster
  return own;
}

uint64_t size_of(const fs::path& path) {
  std::error_code failed;
  const uint64_t size = fs::file_size(path, failed);
  return failed ? 0 : size;
}

void check_room(const fs::path& folder, const RemoteFile& file, uint64_t have) {
  std::error_code failed;
  const auto room = fs::space(folder, failed);
  if (failed || file.size <= have || room.available >= file.size - have) return;
  throw Error(kDiskFull,
              str_cat(file.name, " needs ", human_bytes(static_cast<double>(file.size - have)),
                      ", but ", folder.string(), " has only ",
                      human_bytes(static_cast<double>(room.available)), " free"));
}

/// One attempt: appends to `part` what it lacks.
HttpAnswer fetch_rest(HttpClient& client, const RemoteFile& file, const fs::path& part,
                      ProgressLine& line) {
  const uint64_t begin = size_of(part);
  std::optional<OutputFile> out;
  uint64_t have = begin, fetched = 0;
  return client.get(file.url, begin, [&](const HttpAnswer& answer, std::string_view piece) {
    if (!out) {
      // A server that does not know ranges sends the file from its beginning.
      const bool resumes = answer.status == 206;
      out.emplace(part, resumes ? OutputFile::Mode::kAppend : OutputFile::Mode::kTruncate);
      if (!resumes) have = 0;
    }
    have += piece.size();
    fetched += piece.size();
    if (have > file.size)
      throw Error(kFileDamaged, str_cat(without_secrets(answer.url), " sends more than the ",
                                        file.size, " bytes that were announced"));
    out->write(piece);
    line.update(str_cat(file.name, " (", human_bytes(static_cast<double>(file.size)), ")"), fetched,
                fetched + (file.size - have));
  });
}

void remove_part(const fs::path& part) {
  std::error_code ignored;
  fs::remove(part, ignored);
}

void fetch_part(HttpClient& client, const RemoteFile& file, const fs::path& part,
                const std::function<void()>& check) {
  Retries retries(check);
  ProgressLine line("fetched");
  uint64_t furthest = size_of(part);
  if (furthest > 0)
    log::local_info(
        str_cat("resuming ", file.name, " after ", human_bytes(static_cast<double>(furthest))));
  while (size_of(part) != file.size) {
    if (size_of(part) > file.size) remove_part(part);
    HttpAnswer answer;
    std::optional<NoAnswer> broken;
    try {
      answer = fetch_rest(client, file, part, line);
    } catch (const NoAnswer& reason) {
      broken = reason;
    }
    const uint64_t have = size_of(part);
    if (have > furthest) retries.progressed();
    furthest = std::max(furthest, have);
    const std::string host = host_of(broken ? file.url : answer.url);
    if (broken) {
      retries.failed(str_cat(host, ": ", file.name), *broken);
    } else if (answer.status == 416) {  // the part is of something else
      remove_part(part);
      retries.failed(str_cat(host, " refuses to resume ", file.name));
    } else if (may_pass(answer.status)) {
      retries.failed(str_cat(host, " answered with status ", answer.status), wanted_wait(answer));
    } else if (answer.status / 100 != 2) {
      throw Error(kNetworkFailed, str_cat(without_secrets(answer.url), " answered with status ",
                                          answer.status, " for ", file.name));
    } else if (have != file.size) {
      retries.failed(str_cat(host, " sent ", have, " of the ", file.size, " bytes of ", file.name));
    }
  }
}

std::string checksum_of(const fs::path& path, const RemoteFile& file) {
  constexpr size_t kSha256Digits = 64;
  return file.etag.size() == kSha256Digits ? sha256_of(path) : git_blob_id(path);
}

}  // namespace

void fetch_blob(HttpClient& client, const RemoteFile& file, const fs::path& blob,
                const std::function<void()>& check) {
  const fs::path part = take_part(blob);
  check_room(blob.parent_path(), file, size_of(part));
  for (bool again = false;; again = true) {
    try {
      if (file.size == 0) OutputFile(part).close();
      fetch_part(client, file, part, check);
      const std::string found = checksum_of(part, file);
      if (found == file.etag) break;
      throw Error(kFileDamaged,
                  str_cat(file.name, " from ", without_secrets(file.url), " has the checksum ",
                          found, ", but ", file.etag, " was announced"),
                  "the file was removed again: is there a proxy between that changes files? Try "
                  "again later");
    } catch (const Error& e) {
      if (e.code() == kFileDamaged || e.code() == kDiskFull) remove_part(part);
      if (e.code() != kFileDamaged || again) throw;
      log::local_warn(str_cat(e.message(), "; fetching it once more"));
    }
  }
  sync_to_disk(part);
  if (::rename(part.c_str(), blob.c_str()) != 0) throw_file_error("create", blob, errno);
  sync_to_disk(blob.parent_path());
}

}  // namespace dfine::inline hub
