#include "weights/folder_manifest.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "core/crc32c.h"
#include "support/files.h"
#include "support/raises.h"

namespace dfine {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

class FolderManifestTest : public testing::Test {
 protected:
  FolderManifestTest() {
    write_file(folder_ / "a.txt", "123456789");
    write_file(folder_ / "b.bin", std::string("\0\xff\n", 3));
    write_file(folder_ / "empty", "");
  }
  void write(const std::string& content = "{}") const {
    write_folder_manifest(folder_ / "", content);
  }
  FolderManifest read() const { return read_folder_manifest(folder_ / "").value(); }
  Caught reading() const {
    return catch_error([&] { read_folder_manifest(folder_ / ""); });
  }
  Caught verifying(const char* name) const {
    return catch_error([&] { verify_file(folder_ / "", name, read()); });
  }

  const TemporaryFolder folder_;
  const std::string manifest_ = folder_ / "manifest.json";
};

TEST_F(FolderManifestTest, ListsTheFilesAndKeepsTheRest) {
  write(R"({"run": {"step": 7, "loss": 0.1, "none": null}, "note": "\u00e9\n"})");
  const FolderManifest manifest = read();
  ASSERT_EQ(manifest.files.size(), 3U);
  // The check value of CRC-32C.
  EXPECT_EQ(manifest.files.at("a.txt"), (FileChecksum{.size = 9, .crc32c = 0xE3069283}));
  EXPECT_EQ(manifest.files.at("b.bin").size, 3U);
  EXPECT_EQ(manifest.files.at("empty"), (FileChecksum{.size = 0, .crc32c = 0}));
  EXPECT_EQ(Json::parse(manifest.content),
            Json::parse(R"({"run": {"step": 7, "loss": 0.1, "none": null}, "note": "\u00e9\n"})"));
  verify_files(folder_ / "", manifest);
  // Written once more, it does not list itself.
  write();
  EXPECT_EQ(read().files.size(), 3U);
  EXPECT_EQ(read().content, "{}");
}

TEST_F(FolderManifestTest, KnownFilesAreNotRead) {
  const FileChecksum known{.size = 5, .crc32c = 0x12345678};
  write_folder_manifest(folder_ / "", "{}", {{"a.txt", known}, {"not-there", known}});
  const FolderManifest manifest = read();
  EXPECT_EQ(manifest.files.at("a.txt"), known);
  EXPECT_EQ(manifest.files.size(), 3U);
}

TEST_F(FolderManifestTest, AFolderMayHaveNone) {
  EXPECT_FALSE(read_folder_manifest(folder_ / ""));
  EXPECT_FALSE(read_folder_manifest(folder_ / "nowhere"));
  verify_if_listed(folder_ / "a.txt");  // nothing to compare with
}

TEST_F(FolderManifestTest, ADamagedFileIsNamed) {
  write();
  EXPECT_FALSE(verifying("a.txt").code);
  write_file(folder_ / "a.txt", "123456780");
  EXPECT_TRUE(verifying("a.txt").is(kFileDamaged, folder_ / "a.txt", "manifest.json"));
  EXPECT_TRUE(raises(kFileDamaged, [&] { verify_files(folder_ / "", read()); }, folder_ / "a.txt"));
  EXPECT_TRUE(
      raises(kFileDamaged, [&] { verify_if_listed(folder_ / "a.txt"); }, folder_ / "a.txt"));
  write_file(folder_ / "a.txt", "12345678");
  EXPECT_TRUE(verifying("a.txt").is(kFileDamaged, folder_ / "a.txt", "8 bytes", "9 were written"));
  fs::remove(folder_ / "a.txt");
  EXPECT_TRUE(verifying("a.txt").is(kFileMissing, folder_ / "a.txt"));
  EXPECT_FALSE(verifying("b.bin").code);
}

TEST_F(FolderManifestTest, AFileThatIsNotListed) {
  write();
  write_file(folder_ / "new", "x");
  EXPECT_TRUE(verifying("new").is(kFileDamaged, "new", "manifest.json"));
  verify_files(folder_ / "", read());
  verify_if_listed(folder_ / "new");
}

TEST_F(FolderManifestTest, EveryByteCounts) {
  write(R"({"run": {"step": 7, "text": "words"}})");
  const std::string text = read_file(manifest_);
  for (size_t offset = 0; offset < text.size(); ++offset) {
    for (const int bit : {0, 5}) {
      std::string changed = text;
      changed[offset] = static_cast<char>(changed[offset] ^ (1 << bit));
      write_file(manifest_, changed);
      const Caught error = reading();
      EXPECT_TRUE(error.code == kFileDamaged || error.code == kFormatInvalid)
          << "byte " << offset << ": " << error.text;
      EXPECT_TRUE(names(error.text, manifest_)) << offset;
    }
    write_file(manifest_, text.substr(0, offset));
    EXPECT_TRUE(reading().code) << offset;
  }
  for (const std::string& added : {text + " ", " " + text, text + text}) {
    write_file(manifest_, added);
    EXPECT_TRUE(reading().is(kFileDamaged, manifest_));
  }
  write_file(manifest_, text);
  EXPECT_FALSE(reading().code);
}

/// With the checksum that belongs to it.
std::string sealed(Json manifest) {
  manifest.erase("crc32c");
  manifest["crc32c"] = checksum_text(crc32c(manifest.dump(2)));
  return manifest.dump(2) + "\n";
}

TEST_F(FolderManifestTest, OfAnotherVersionOrKind) {
  write();
  const Json sound = Json::parse(read_file(manifest_));
  write_file(manifest_, sealed(sound));
  EXPECT_FALSE(reading().code);  // sealed() is right
  Json later = sound;
  later["format_version"] = 3;
  write_file(manifest_, sealed(later));
  EXPECT_TRUE(reading().is(kVersionMismatch, manifest_, "3", "2"));
  Json other = sound;
  other["format"] = "a-pack";
  write_file(manifest_, sealed(other));
  EXPECT_TRUE(reading().is(kFormatInvalid, manifest_, "dfine-checkpoint"));
  Json lacking = sound;
  lacking.erase("files");
  write_file(manifest_, sealed(lacking));
  EXPECT_TRUE(reading().is(kFileDamaged, manifest_, "files"));
  for (const char* text : {"[]", "7", "null", "{}"}) {
    write_file(manifest_, text);
    EXPECT_TRUE(reading().code == kFileDamaged || reading().code == kFormatInvalid) << text;
  }
}

}  // namespace
}  // namespace dfine
