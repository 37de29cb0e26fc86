#include "hub/cache.h"

#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

#include "core/text.h"
#include "files/atomic_path.h"
#include "files/file_error.h"
#include "files/link_or_copy.h"
#include "files/process_id.h"

namespace dfine::inline hub {
namespace fs = std::filesystem;
namespace {

std::string folder_name(const std::string& repository) {
  const size_t slash = repository.find('/');
  return str_cat("models--", repository.substr(0, slash), "--", repository.substr(slash + 1));
}

/// Follows links: one to nothing does not count.
bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

void make_folder(const fs::path& folder) {
  MadeFolders made(folder);
  made.keep();
}

}  // namespace

HubCache::HubCache(fs::path cache, const std::string& repository)
    : cache_(std::move(cache)), folder_(cache_ / folder_name(repository)) {}

fs::path HubCache::snapshot(const std::string& commit) const {
  return folder_ / "snapshots" / commit;
}

fs::path HubCache::blob(const std::string& etag) const {
  return folder_ / "blobs" / etag;
}

fs::path HubCache::lock(const std::string& etag) const {
  return cache_ / ".locks" / folder_.filename() / (etag + ".lock");
}

std::optional<std::string> HubCache::commit_of(const std::string& revision) const {
  if (is_commit(revision)) return revision;
  std::ifstream file(folder_ / "refs" / revision);
  std::string commit;
  file >> commit;
  return is_commit(commit) ? std::optional(commit) : std::nullopt;
}

HubCache::Content HubCache::content(const std::string& commit) const {
  const fs::path folder = snapshot(commit);
  if (!is_file(folder / kConfigFile) || !is_file(folder / kWeightsFile)) return Content::kNone;
  return is_file(folder / kPreprocessorFile) ||
                 is_file(folder_ / ".no_exist" / commit / kPreprocessorFile)
             ? Content::kComplete
             : Content::kNoPreprocessor;
}

void HubCache::add_to_snapshot(const std::string& commit, const std::string& file,
                               const std::string& etag) const {
  const fs::path place = snapshot(commit) / file;
  if (is_file(place)) return;
  make_folder(place.parent_path());
  // Under another name first: there may be a broken link at the place.
  const fs::path temporary = snapshot(commit) / str_cat(".", file, ".", random_token());
  const fs::path target = fs::path("..") / ".." / "blobs" / etag;
  if (::symlink(target.c_str(), temporary.c_str()) != 0) {
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
      throw_file_error("create", place, errno);
    link_or_copy(blob(etag), temporary);
  }
  if (::rename(temporary.c_str(), place.c_str()) != 0) {
    const int code = errno;
    ::unlink(temporary.c_str());
    throw_file_error("create", place, code);
  }
}

void HubCache::set_missing(const std::string& commit, const std::string& file) const {
  const fs::path place = folder_ / ".no_exist" / commit / file;
  if (!is_file(place)) write_file_atomically(place, "");
}

void HubCache::set_commit(const std::string& revision, const std::string& commit) const {
  if (is_commit(revision) || commit_of(revision) == commit) return;
  write_file_atomically(folder_ / "refs" / revision, commit);
}

void HubCache::tag() const {
  const fs::path place = cache_ / "CACHEDIR.TAG";
  if (is_file(place)) return;
  write_file_atomically(
      place,
      "Signature: 8a477f597d28d172789f06886806bc55\n"
      "# This folder is a cache of the Hugging Face Hub: its files can be fetched "
      "again.\n");
}

}  // namespace dfine::inline hub
