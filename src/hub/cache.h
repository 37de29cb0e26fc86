#pragma once
// The Hub's cache on disk, as https://huggingface.co/docs/hub/local-cache describes it for
// implementations in all languages. huggingface_hub, and so transformers, reads and writes the same
// one. In a folder CACHE/models--ORG--NAME it has
// - refs/REVISION: the commit of a branch or tag;
// - snapshots/COMMIT/FILE: a link to ../../blobs/ETAG;
// - blobs/ETAG: content, named by its SHA-256 or git's SHA-1;
// - .no_exist/COMMIT/FILE: empty, and says that the repository has no such file.
// CACHE/.locks/models--ORG--NAME/ETAG.lock is held while a blob is being fetched.
#include <filesystem>
#include <optional>
#include <string>

#include "hub/model_name.h"

namespace dfine::inline hub {

inline constexpr const char* kConfigFile = "config.json";
inline constexpr const char* kPreprocessorFile = "preprocessor_config.json";
inline constexpr const char* kWeightsFile = "model.safetensors";

class HubCache {
 public:
  /// Of one repository; touches nothing.
  HubCache(std::filesystem::path cache, const std::string& repository);

  /// The folder of all of the repository.
  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path snapshot(const std::string& commit) const;
  std::filesystem::path blob(const std::string& etag) const;
  std::filesystem::path lock(const std::string& etag) const;

  /// The commit that the cache knows for a revision. Nothing where it knows none.
  std::optional<std::string> commit_of(const std::string& revision) const;

  enum class Content {
    kNone,            // config.json or model.safetensors is missing
    kNoPreprocessor,  // preprocessor_config.json alone is, and nothing says that there is none
    kComplete
  };
  Content content(const std::string& commit) const;

  // What follows throws Error where the cache cannot be written.

  /// Gives the blob its name in the snapshot: as a link, or as a file where the file system has no
  /// links.
  void add_to_snapshot(const std::string& commit, const std::string& file,
                       const std::string& etag) const;
  void set_missing(const std::string& commit, const std::string& file) const;
  void set_commit(const std::string& revision, const std::string& commit) const;
  /// Marks the cache for programs that make backups (https://bford.info/cachedir).
  void tag() const;

 private:
  std::filesystem::path cache_, folder_;
};

}  // namespace dfine::inline hub
