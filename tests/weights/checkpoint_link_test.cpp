#include "weights/checkpoint_link.h"

#include <ATen/ops/full.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "support/child_process.h"
#include "support/files.h"
#include "support/raises.h"
#include "support/refused_calls.h"
#include "weights/folder_manifest.h"
#include "weights/hf_config.h"
#include "weights/safetensors.h"
#include "weights/weights.h"

namespace dfine {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;

class CheckpointLinkTest : public testing::TestWithParam<bool> {
 protected:
  CheckpointLinkTest() {
    for (const char* name : {"step-00000001", "step-00000002-val"})
      fs::create_directory(folder_ / name);
  }
  /// As a symbolic link, or as a file with one line where the kernel refuses those.
  void link(const std::string& name) const {
    if (GetParam()) return write_checkpoint_link(link_, name);
    ChildProcess child([&] {
      if (!refuse_calls({SYS_symlink, SYS_symlinkat}, EPERM)) return kSkipped;
      write_checkpoint_link(link_, name);
      return 0;
    });
    const int code = child.wait();
    if (code == kSkipped) GTEST_SKIP() << "seccomp is not allowed here";
    ASSERT_EQ(code, 0);
  }

  const TemporaryFolder folder_;
  const fs::path link_ = folder_ / "last";
};

INSTANTIATE_TEST_SUITE_P(Forms, CheckpointLinkTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "Symlink" : "File"; });

TEST_P(CheckpointLinkTest, IsWrittenReadAndReplaced) {
  EXPECT_EQ(read_checkpoint_link(link_), "");  // there is none
  link("step-00000001");
  if (IsSkipped()) return;
  EXPECT_EQ(fs::is_symlink(link_), GetParam());
  EXPECT_EQ(read_checkpoint_link(link_), "step-00000001");
  EXPECT_TRUE(fs::equivalent(follow_link_file(link_), folder_ / "step-00000001"));
  link("step-00000002-val");
  EXPECT_EQ(read_checkpoint_link(link_), "step-00000002-val");
  EXPECT_TRUE(fs::equivalent(follow_link_file(link_), folder_ / "step-00000002-val"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / ""), fs::directory_iterator()), 3);
}

// The run folder has moved to a file system that has symbolic links.
TEST(CheckpointLink, ASymlinkReplacesALinkFile) {
  const TemporaryFolder folder;
  for (const char* name : {"step-00000001", "step-00000002"}) fs::create_directory(folder / name);
  write_file(folder / "last", "step-00000001\n");
  write_checkpoint_link(folder / "last", "step-00000002");
  EXPECT_TRUE(fs::is_symlink(folder / "last"));
  EXPECT_EQ(read_checkpoint_link(folder / "last"), "step-00000002");
}

TEST_P(CheckpointLinkTest, AFolderIsNotReplaced) {
  fs::create_directory(link_);
  write_file(link_ / "file", "x");
  EXPECT_TRUE(
      raises(kFileExists, [&] { write_checkpoint_link(link_, "step-00000001"); }, link_.string()));
  EXPECT_EQ(read_file(link_ / "file"), "x");
}

/// Tensors that tell their size and classes, as those of a D-FINE-N of three classes do.
std::map<std::string, Tensor> small_weights(float value) {
  return {
      {"model.backbone.model.embedder.stem4.convolution.weight", at::full({16, 16, 1, 1}, value)},
      {"model.decoder.layers.0.fc1.weight", at::full({512, 128}, value)},
      {"model.enc_score_head.bias", at::full({3}, value)}};
}

TEST_P(CheckpointLinkTest, WeightsAreReadThroughIt) {
  for (const auto& [name, value] :
       {std::pair{"step-00000001", 1.f}, std::pair{"step-00000002-val", 2.f}}) {
    write_hf_config(folder_ / name, {.spec = model_spec(ModelSize::kN, 3),
                                     .class_names = {"a", "b", name},
                                     .category_ids = {1, 2, 3}});
    write_safetensors(folder_ / (std::string(name) + "/model.safetensors"), small_weights(value));
  }
  for (const auto& [name, value] :
       {std::pair{"step-00000001", 1.f}, std::pair{"step-00000002-val", 2.f}}) {
    link(name);
    if (IsSkipped()) return;
    EXPECT_TRUE(fs::equivalent(weights_file(link_.string()),
                               folder_ / (std::string(name) + "/model.safetensors")));
    EXPECT_EQ(describe_weights(link_.string()).class_names.at(2), name);
    auto model = small_weights(0);
    load_weights(link_.string(), model);
    EXPECT_EQ(model.at("model.enc_score_head.bias").sum().item<float>(), 3 * value);
  }
}

TEST(FollowLinkFile, OtherPathsStayAsTheyAre) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "step-00000001");
  const auto unchanged = [&](const std::string& name, const std::string& content) {
    write_file(folder / name, content);
    EXPECT_EQ(follow_link_file(folder / name), fs::path(folder / name)) << content;
    EXPECT_EQ(read_checkpoint_link(folder / name), "") << content;
  };
  unchanged("a", "");
  unchanged("a", "\n");
  unchanged("a", "step-00000002\n");            // there is no such folder
  unchanged("a", "./step-00000001\n");          // elsewhere is not looked
  unchanged("a", folder / "step-00000001");     // nor there
  unchanged("a", "step-00000001\nand more\n");  // more than a line
  unchanged("a", "step-00000001\n\n");
  unchanged("a", std::string(300, 'a') + "\n");  // no name is so long
  // A file of weights is not taken for a link.
  write_safetensors(folder / "w.safetensors", {{"a", at::full({3}, 1.f)}});
  EXPECT_EQ(follow_link_file(folder / "w.safetensors"), fs::path(folder / "w.safetensors"));
  EXPECT_EQ(weights_file(folder / "w.safetensors"), folder / "w.safetensors");
  for (const std::string& path : {folder / "nowhere", folder / "step-00000001", std::string()}) {
    EXPECT_EQ(follow_link_file(path), fs::path(path));
    EXPECT_EQ(read_checkpoint_link(path), "");
  }
  // One without the end of its line is one too.
  write_file(folder / "a", "step-00000001");
  EXPECT_EQ(read_checkpoint_link(folder / "a"), "step-00000001");
}

TEST(CheckpointFolder, DamagedWeightsAreNamed) {
  const TemporaryFolder folder;
  write_hf_config(folder / "", {.spec = model_spec(ModelSize::kN, 3),
                                .class_names = {"a", "b", "c"},
                                .category_ids = {1, 2, 3}});
  const std::string file = folder / "model.safetensors";
  write_safetensors(file, small_weights(1));
  write_folder_manifest(folder / "", "{}");
  auto model = small_weights(0);
  load_weights(folder / "", model);
  std::string bytes = read_file(file);
  bytes[bytes.size() - 1] ^= 1;  // of a tensor: nothing else would tell
  write_file(file, bytes);
  for (const std::string& path : {folder / "", file}) {
    auto untouched = small_weights(0);
    EXPECT_TRUE(raises(kFileDamaged, [&] { load_weights(path, untouched); }, file));
    EXPECT_EQ(untouched.at("model.enc_score_head.bias").sum().item<float>(), 0);
  }
  std::string config = read_file(folder / "config.json");
  config[config.find("\"a\"") + 1] = 'x';  // another class
  write_file(folder / "config.json", config);
  EXPECT_TRUE(raises(kFileDamaged, [&] { describe_weights(folder / ""); }, "config.json"));
}

}  // namespace
}  // namespace dfine
