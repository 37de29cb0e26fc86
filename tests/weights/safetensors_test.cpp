#include "weights/safetensors.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/python.h"
#include "support/raises.h"

namespace dfine {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;

std::string file_with(const TemporaryFolder& folder, const std::string& json, size_t data_bytes) {
  const std::string path = folder / "made.safetensors";
  std::ofstream out(path, std::ios::binary);
  const uint64_t length = json.size();
  out.write(reinterpret_cast<const char*>(&length), sizeof length);
  out << json << std::string(data_bytes, '\1');
  return path;
}

Caught error_of(const std::string& path) {
  return catch_error([&] { read_safetensors(path); });
}

void expect_error(ErrorCode code, const TemporaryFolder& folder, const std::string& json,
                  size_t data_bytes, const std::vector<std::string>& values) {
  const std::string path = file_with(folder, json, data_bytes);
  EXPECT_TRUE(error_of(path).is(code, path));
  EXPECT_TRUE(error_of(path).is(code, values));
}

std::map<std::string, Tensor> one_of_each() {
  const auto range = at::arange(6).reshape({2, 3});
  return {{"double", range.to(at::kDouble) / 7},
          {"float", range.to(at::kFloat) / 7},
          {"half", range.to(at::kHalf) / 7},
          {"bfloat16", range.to(at::kBFloat16) / 7},
          {"long", range - 3},
          {"int", (range - 3).to(at::kInt)},
          {"byte", range.to(at::kByte) + 250},
          {"bool", range > 2},
          {"scalar", at::full({}, 4.5f)},
          {"empty", at::zeros({0, 4})},
          {"model.ümlaut \"quoted\"", at::zeros({1})}};
}

TEST(Safetensors, ComesBackAsWritten) {
  const TemporaryFolder folder;
  const auto tensors = one_of_each();
  write_safetensors(folder / "a.safetensors", tensors, {{"format", "pt"}, {"note", "x"}});
  const auto back = read_safetensors(folder / "a.safetensors");
  ASSERT_EQ(back.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    ASSERT_EQ(back.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(back.at(name), tensor)) << name;
  }
  EXPECT_EQ(read_safetensors_metadata(folder / "a.safetensors"),
            (std::map<std::string, std::string>{{"format", "pt"}, {"note", "x"}}));
}

TEST(Safetensors, StridedTensorsAreWrittenInRowOrder) {
  const TemporaryFolder folder;
  const Tensor base = at::arange(24, at::kFloat).reshape({2, 3, 2, 2});
  write_safetensors(
      folder / "a.safetensors",
      {{"nhwc", base.contiguous(at::MemoryFormat::ChannelsLast)}, {"t", base[0][0].t()}});
  const auto back = read_safetensors(folder / "a.safetensors");
  EXPECT_TRUE(at::equal(back.at("nhwc"), base));
  EXPECT_TRUE(back.at("nhwc").is_contiguous());
  EXPECT_TRUE(at::equal(back.at("t"), base[0][0].t()));
}

TEST(Safetensors, ReplacesAFileAndLeavesNothingAside) {
  const TemporaryFolder folder;
  write_safetensors(folder / "a.safetensors", {{"x", at::zeros({2})}});
  write_safetensors(folder / "a.safetensors", {{"x", at::full({3}, 2.f)}});
  EXPECT_EQ(read_safetensors(folder / "a.safetensors").at("x").numel(), 3);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / ""), fs::directory_iterator()), 1);
}

TEST(Safetensors, RefusesWhatItCannotWrite) {
  const TemporaryFolder folder;
  EXPECT_THROW(
      write_safetensors(folder / "a.safetensors", {{"x", at::zeros({2}, at::kComplexFloat)}}),
      Error);
  EXPECT_THROW(write_safetensors(folder / "a.safetensors", {{"x", Tensor()}}), Error);
  EXPECT_FALSE(fs::exists(folder / "a.safetensors"));
  std::ofstream(folder / "file") << "no folder";
  EXPECT_THROW(write_safetensors(folder / "file/a.safetensors", {{"x", at::zeros({2})}}), Error);
}

TEST(Safetensors, DamagedFilesAreNamedErrors) {
  const TemporaryFolder folder;
  const std::string good = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                           R"("b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}})";
  EXPECT_FALSE(error_of(file_with(folder, good, 11)).code);
  expect_error(kFileDamaged, folder, good, 10, {"tensor b", "byte 11"});
  expect_error(kFileDamaged, folder, good, 7, {"tensor a", "byte 8"});
  expect_error(kFileDamaged, folder, good, 12, {"12"});
  expect_error(kFileDamaged, folder, good.substr(0, 40), 0, {"JSON"});
  expect_error(kFileDamaged, folder, "[1]", 0, {"JSON object"});
  expect_error(kFileDamaged, folder, R"({"a":{"dtype":"F32","shape":[2]}})", 8, {"tensor a"});
  expect_error(kWeightsUnsupported, folder,
               R"({"a":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]}})", 2, {"F8_E4M3"});
  expect_error(kFileDamaged, folder, R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})",
               8, {"shape", "-2"});
  expect_error(kFileDamaged, folder, R"({"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}})",
               8, {"shape", "2.5"});
  expect_error(kFileDamaged, folder, R"({"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}})", 8,
               {"shape"});
  expect_error(kFileDamaged, folder, R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", 8,
               {"data_offsets"});
  expect_error(kFileDamaged, folder, R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8,
               {"8 bytes"});
  expect_error(kFileDamaged, folder, R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8,
               {"12 bytes"});
  expect_error(kFileDamaged, folder,
               R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", 0,
               {"shape"});
  expect_error(kFileDamaged, folder,
               R"({"a":{"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,8]}})", 8,
               {"shape"});
  expect_error(kFileDamaged, folder,
               R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
               R"("b":{"dtype":"U8","shape":[4],"data_offsets":[3,7]}})",
               7, {"tensor b", "byte 3"});
  expect_error(kFileDamaged, folder,
               R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
               R"("b":{"dtype":"U8","shape":[4],"data_offsets":[5,9]}})",
               9, {"tensor b", "byte 5"});
  expect_error(kFileDamaged, folder,
               R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
               R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
               1, {"twice"});
  expect_error(kFileDamaged, folder, R"({"__metadata__":{"format":1}})", 0,
               {"__metadata__", "format"});
}

TEST(Safetensors, FilesThatAreSomethingElse) {
  const TemporaryFolder folder;
  EXPECT_TRUE(error_of(folder / "absent.safetensors").is(kFileMissing, "absent.safetensors"));
  std::ofstream(folder / "short.safetensors") << "abc";
  EXPECT_TRUE(error_of(folder / "short.safetensors").is(kFileDamaged, "short.safetensors", "3"));
  std::ofstream(folder / "lfs.safetensors")
      << "version https://git-lfs.github.com/spec/v1\noid sha256:0\n";
  EXPECT_TRUE(error_of(folder / "lfs.safetensors").is(kFormatInvalid, "lfs.safetensors"));
  EXPECT_TRUE(error_of(folder / "").is(kFileUnreadable, folder / ""));
}

// The library's own writer and reader, both ways; our file must equal its file byte for byte.
TEST(SafetensorsPython, SameBytesAsTheLibrary) {
  const TemporaryFolder folder;
  const auto tensors = one_of_each();
  write_safetensors(folder / "ours.safetensors", tensors, {{"format", "pt"}});
  run_python_or_skip(R"(
import sys, torch
from safetensors.torch import load_file, save_file
d = sys.argv[1]
r = torch.arange(6).reshape(2, 3)
want = {"double": r.double() / 7, "float": r.float() / 7, "half": r.half() / 7,
        "bfloat16": r.bfloat16() / 7, "long": r - 3, "int": (r - 3).int(),
        "byte": r.byte() + 250, "bool": r > 2, "scalar": torch.tensor(4.5),
        "empty": torch.zeros(0, 4),
        "model.\u00fcmlaut \"quoted\"": torch.zeros(1)}
have = load_file(d + "/ours.safetensors")
assert sorted(have) == sorted(want), sorted(have)
for k, v in want.items():
    assert have[k].dtype == v.dtype and torch.equal(have[k], v), k
save_file(want, d + "/theirs.safetensors", metadata={"format": "pt"})
)",
                     {folder / ""});
  if (IsSkipped()) return;
  EXPECT_EQ(read_file(folder / "ours.safetensors"), read_file(folder / "theirs.safetensors"));
  const auto back = read_safetensors(folder / "theirs.safetensors");
  ASSERT_EQ(back.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) EXPECT_TRUE(at::equal(back.at(name), tensor)) << name;
}

}  // namespace
}  // namespace dfine
