#include "predict/input_images.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "predict/path_pattern.h"
#include "support/files.h"
#include "support/raises.h"

namespace dfine {
namespace {
namespace fs = std::filesystem;

class Photos : public testing::Test {
 protected:
  Photos() {
    for (const char* name : {"a.jpg", "b.png", "sub/c.jpg", "sub/deep/d.jpg", "sub/.hidden/e.jpg",
                             ".f.jpg", "[g].jpg", "notes.md"}) {
      fs::create_directories(fs::path(folder / name).parent_path());
      write_file(folder / name, "x");
    }
    fs::create_directory_symlink("..", folder / "sub/deep/up");
  }
  std::vector<std::string> matches(const std::string& pattern) const {
    std::vector<std::string> names;
    for (const fs::path& path : match_pattern(folder / pattern).paths)
      names.push_back(path.lexically_relative(folder / "").string());
    return names;
  }
  std::vector<std::string> collected(const std::string& path) const {
    std::vector<std::string> names;
    for (const ImageFile& file : collect_images({folder / path}).images) names.push_back(file.name);
    return names;
  }
  TemporaryFolder folder;
};

using Names = std::vector<std::string>;

TEST_F(Photos, PatternsFindWhatAShellFinds) {  // bash 5 with globstar, in a folder made so
  EXPECT_EQ(matches("*.jpg"), (Names{"[g].jpg", "a.jpg"}));
  EXPECT_EQ(matches("?.*"), (Names{"a.jpg", "b.png"}));
  EXPECT_EQ(matches("[ab].[!p]*"), (Names{"a.jpg"}));
  EXPECT_EQ(matches(".*.jpg"), (Names{".f.jpg"}));
  EXPECT_EQ(matches("*/*.jpg"), (Names{"sub/c.jpg"}));
  EXPECT_EQ(matches("**/*.jpg"), (Names{"[g].jpg", "a.jpg", "sub/c.jpg", "sub/deep/d.jpg"}));
  EXPECT_EQ(matches("**/deep/*"), (Names{"sub/deep/d.jpg", "sub/deep/up"}));
  EXPECT_EQ(matches("none/*"), Names());
  EXPECT_EQ(match_pattern(folder / "sub/d*p/*.jpg").root, fs::path(folder / "sub"));
}

TEST_F(Photos, ImagesOfAPatternAreNamedFromItsFolder) {
  EXPECT_EQ(collected("sub/**/*.jpg"), (Names{"c.jpg", "deep/d.jpg"}));
  EXPECT_EQ(collected("s*"), (Names{"sub/c.jpg", "sub/deep/d.jpg"}));
  EXPECT_EQ(collected("[g].jpg"), (Names{"[g].jpg"}));  // there is a file of this very name
  const ImageListing found = collect_images({folder / "*"});
  ASSERT_EQ(found.images.size(), 5);
  EXPECT_TRUE(
      raises(ErrorCode::kFileMissing, [&] { collect_images({folder / "*.webp"}); }, "*.webp"));
  EXPECT_TRUE(
      raises(ErrorCode::kDatasetTooSmall, [&] { collect_images({folder / "n*"}); }, "notes.md"));
}

TEST_F(Photos, AListIsRelativeToItsFolder) {
  write_file(folder / "sub/list.txt",
             "# the best\n\n ../a.jpg \r\ndeep/d.jpg\ndeep/up/c.jpg\n" + (folder / "a.jpg") + "\n");
  EXPECT_EQ(collected("sub/list.txt"), (Names{"a.jpg", "deep/d.jpg", "deep/up/c.jpg"}));
  write_file(folder / "sub/list.txt", "c.jpg\n\nnone.jpg\n");
  EXPECT_TRUE(raises(
      ErrorCode::kFileMissing, [&] { collect_images({folder / "sub/list.txt"}); }, "none.jpg",
      "list.txt", "3"));
  write_file(folder / "sub/list.txt", "\n#\n");
  EXPECT_TRUE(raises(
      ErrorCode::kDatasetTooSmall, [&] { collect_images({folder / "sub/list.txt"}); }, "list.txt"));
  write_file(folder / "photo.txt", "\xff\xd8\xff\xe0");  // a JPEG of a misleading name
  EXPECT_EQ(collected("photo.txt"), (Names{"photo.txt"}));
}

}  // namespace
}  // namespace dfine
