#include "hub/cache.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "support/files.h"

namespace dfine {
namespace {

namespace fs = std::filesystem;

const std::string kCommit(40, 'a'), kOther(40, 'b'), kEtag(64, 'c');

TEST(HubCache, HasTheDocumentedPaths) {
  const HubCache cache("/c", "julien-c/EsperBERTo-small");
  EXPECT_EQ(cache.folder(), "/c/models--julien-c--EsperBERTo-small");
  EXPECT_EQ(cache.snapshot(kCommit), cache.folder() / "snapshots" / kCommit);
  EXPECT_EQ(cache.blob(kEtag), cache.folder() / "blobs" / kEtag);
  EXPECT_EQ(cache.lock(kEtag), "/c/.locks/models--julien-c--EsperBERTo-small/" + kEtag + ".lock");
}

TEST(HubCache, ReferencesNameCommits) {
  const TemporaryFolder folder;
  const HubCache cache(folder / "hub", "a/b");
  EXPECT_FALSE(cache.commit_of("main"));
  EXPECT_EQ(cache.commit_of(kCommit), kCommit);
  cache.set_commit("refs/pr/1", kCommit);
  EXPECT_EQ(cache.commit_of("refs/pr/1"), kCommit);
  cache.set_commit("refs/pr/1", kOther);
  EXPECT_EQ(read_file(cache.folder() / "refs/refs/pr/1"), kOther);
  cache.set_commit(kCommit, kCommit);
  EXPECT_FALSE(fs::exists(cache.folder() / "refs" / kCommit));
  write_file(cache.folder() / "refs/broken", "<html>");
  EXPECT_FALSE(cache.commit_of("broken"));
}

TEST(HubCache, ContentIsWhatCanBeRead) {
  const TemporaryFolder folder;
  const HubCache cache(folder / "hub", "a/b");
  fs::create_directories(cache.folder() / "blobs");
  write_file(cache.blob(kEtag), "x");
  cache.add_to_snapshot(kCommit, kConfigFile, kEtag);
  EXPECT_EQ(cache.content(kCommit), HubCache::Content::kNone);
  EXPECT_EQ(fs::read_symlink(cache.snapshot(kCommit) / kConfigFile), "../../blobs/" + kEtag);
  // A link to nothing, as a cache that was copied in part has: it is replaced.
  fs::create_symlink("../../blobs/none", cache.snapshot(kCommit) / kWeightsFile);
  EXPECT_EQ(cache.content(kCommit), HubCache::Content::kNone);
  cache.add_to_snapshot(kCommit, kWeightsFile, kEtag);
  EXPECT_EQ(read_file(cache.snapshot(kCommit) / kWeightsFile), "x");
  EXPECT_EQ(cache.content(kCommit), HubCache::Content::kNoPreprocessor);
  cache.set_missing(kCommit, kPreprocessorFile);
  EXPECT_EQ(cache.content(kCommit), HubCache::Content::kComplete);
  EXPECT_EQ(read_file(cache.folder() / ".no_exist" / kCommit / kPreprocessorFile), "");
}

}  // namespace
}  // namespace dfine
