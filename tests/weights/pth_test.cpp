#include "weights/pth.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "support/python.h"
#include "support/raises.h"

namespace dfine {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;

/// Every kind of value; the Python test below builds the same.
PthValue::Dict example() {
  const Tensor range = at::arange(24, at::kFloat).reshape({2, 3, 2, 2});
  return {{"epoch", 3},
          {"negative", -1},
          {"large", std::numeric_limits<int64_t>::max()},
          {"val_loss", 1.0 / 3},
          {"nan", std::numeric_limits<double>::quiet_NaN()},
          {"flag", true},
          {"off", false},
          {"none", {}},
          {"text", "ümlaut \"q\"\n"},
          {"betas", PthValue::List{0.9, 0.999}},
          {"mixed", PthValue::List{1, "a", PthValue::List{}, PthValue::Dict{}}},
          {"state", PthValue::Dict{{int64_t{0}, PthValue::Dict{{"step", at::full({}, 7.f)}}},
                                   {int64_t{11}, "x"}}},
          {"tensors", PthValue::Dict{{"float", range},
                                     {"nhwc", range.contiguous(at::MemoryFormat::ChannelsLast)},
                                     {"view", range[1]},
                                     {"double", range.to(at::kDouble)},
                                     {"half", range.to(at::kHalf)},
                                     {"bfloat16", range.to(at::kBFloat16)},
                                     {"long", range.to(at::kLong)},
                                     {"int", range.to(at::kInt)},
                                     {"byte", range.to(at::kByte)},
                                     {"bool", range > 3},
                                     {"empty", at::zeros({0, 4})},
                                     {"parameter", at::full({2}, 1.5f).set_requires_grad(true)}}}};
}

void expect_equal(const PthValue& a, const PthValue& b, const std::string& where) {
  ASSERT_EQ(a.variant().index(), b.variant().index()) << where;
  if (a.is_tensor()) {
    EXPECT_EQ(a.as_tensor().scalar_type(), b.as_tensor().scalar_type()) << where;
    EXPECT_TRUE(at::equal(a.as_tensor(), b.as_tensor())) << where;
  } else if (const auto* list = std::get_if<PthValue::List>(&a.variant())) {
    ASSERT_EQ(list->size(), b.as_list().size()) << where;
    for (size_t i = 0; i < list->size(); ++i)
      expect_equal((*list)[i], b.as_list()[i], where + "[]");
  } else if (const auto* dict = std::get_if<PthValue::Dict>(&a.variant())) {
    ASSERT_EQ(dict->size(), b.as_dict().size()) << where;
    for (const auto& [key, value] : *dict) {
      const auto found = b.as_dict().find(key);
      ASSERT_NE(found, b.as_dict().end()) << where;
      const auto* name = std::get_if<std::string>(&key);
      expect_equal(value, found->second,
                   where + "." + (name ? *name : std::to_string(std::get<int64_t>(key))));
    }
  } else if (const auto* number = std::get_if<double>(&a.variant())) {
    EXPECT_TRUE(*number == b.as_double() || (std::isnan(*number) && std::isnan(b.as_double())))
        << where;
  } else {
    std::visit(
        [&](const auto& x) {
          using T = std::decay_t<decltype(x)>;
          if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, int64_t> ||
                        std::is_same_v<T, std::string>) {
            EXPECT_EQ(x, std::get<T>(b.variant())) << where;
          }
        },
        a.variant());
  }
}

Caught error_of(const std::string& path) {
  return catch_error([&] { read_pth(path); });
}

TEST(Pth, ComesBackAsWritten) {
  const TemporaryFolder folder;
  write_pth(folder / "a.pth", example());
  expect_equal(example(), read_pth(folder / "a.pth"), "");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / ""), fs::directory_iterator()), 1);
}

TEST(Pth, ViewsDoNotCarryTheirWholeStorage) {
  const TemporaryFolder folder;
  write_pth(folder / "a.pth", {{"x", at::zeros({1 << 20})[5]}});
  EXPECT_LT(fs::file_size(folder / "a.pth"), 10'000u);
}

TEST(Pth, ATensorInTwoPlacesIsStoredOnce) {
  const TemporaryFolder folder;
  const Tensor transposed = at::arange(200'000, at::kFloat).reshape({1000, 200}).t();
  write_pth(folder / "a.pth",
            {{"x", transposed},
             {"again", PthValue::Dict{{"x", transposed}, {"y", PthValue::List{transposed}}}}});
  EXPECT_LT(fs::file_size(folder / "a.pth"), 810'000u);
  const PthValue::Dict back = read_pth(folder / "a.pth");
  EXPECT_TRUE(at::equal(back.at("x").as_tensor(), transposed));
  EXPECT_TRUE(at::equal(back.at("again").at("y").as_list()[0].as_tensor(), transposed));
}

TEST(Pth, AccessorsNameWhatIsWrong) {
  const PthValue value =
      PthValue::Dict{{"a", 1}, {"b", PthValue::Dict{{int64_t{3}, at::zeros({1})}}}};
  EXPECT_TRUE(raises(kFileDamaged, [&] { value.at("c"); }, "entry c"));
  EXPECT_TRUE(raises(kFormatInvalid, [&] { value.at("a").at("c"); }, "dict", "int"));
  EXPECT_TRUE(raises(kFormatInvalid, [&] { value.at("a").as_string(); }, "text", "int"));
  EXPECT_TRUE(raises(kFormatInvalid, [&] { to_tensors(value); }, "entry a"));
  EXPECT_TRUE(raises(kFormatInvalid, [&] { to_tensors(value.at("b")); }, "key 3"));
  EXPECT_EQ(value.at("a").as_double(), 1.0);
  EXPECT_FALSE(value.contains("c"));
}

TEST(Pth, DamagedFilesAreErrors) {
  const TemporaryFolder folder;
  EXPECT_TRUE(error_of(folder / "none.pth").is(kFileMissing, "none.pth"));
  write_pth(folder / "a.pth", example());
  const auto size = fs::file_size(folder / "a.pth");
  for (const auto left : {size - 1, size - 100, size / 2, size / 10, uintmax_t{10}, uintmax_t{0}}) {
    write_pth(folder / "b.pth", example());
    fs::resize_file(folder / "b.pth", left);
    EXPECT_TRUE(error_of(folder / "b.pth").is(kFileDamaged, "b.pth")) << left;
  }
  std::ofstream(folder / "text.pth") << std::string(5000, 'x');
  EXPECT_TRUE(error_of(folder / "text.pth").is(kFileDamaged, "text.pth"));
}

// A pickle that claims more elements than its record has bytes must not be believed.
TEST(Pth, TensorsMustLieWithinTheirBytes) {
  const TemporaryFolder folder;
  write_pth(folder / "a.pth", {{"x", at::zeros({200})}});
  std::fstream file(folder / "a.pth", std::ios::in | std::ios::out | std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(file), {});
  size_t changed = 0;  // BININT1 200: the number of elements and the shape
  for (size_t i = bytes.find("cpu"); i + 1 < bytes.find("byteorder"); ++i)
    if (bytes[i] == 'K' && static_cast<unsigned char>(bytes[i + 1]) == 200)
      bytes[i + 1] = static_cast<char>(201), ++changed;
  ASSERT_EQ(changed, 2u);
  file.clear();
  file.seekp(0);
  file << bytes;
  file.close();
  EXPECT_TRUE(error_of(folder / "a.pth").is(kFileDamaged, "a.pth", "800 bytes"));
}

// torch.load(weights_only=True) of our file, and our reading of what torch.save made of the same
// content.
TEST(PthPython, BothWays) {
  const TemporaryFolder folder;
  write_pth(folder / "ours.pth", example());
  run_python_or_skip(R"(
import math, sys, torch
d = sys.argv[1]
have = torch.load(d + "ours.pth", weights_only=True)
r = torch.arange(24, dtype=torch.float32).reshape(2, 3, 2, 2)
want = dict(epoch=3, negative=-1, large=2**63 - 1, val_loss=1/3, nan=math.nan,
            flag=True, off=False, none=None, text="\u00fcmlaut \"q\"\n",
            betas=[0.9, 0.999], mixed=[1, "a", [], {}],
            state={0: {"step": torch.tensor(7.0)}, 11: "x"},
            tensors=dict(float=r, nhwc=r.contiguous(memory_format=torch.channels_last),
                         view=r[1], double=r.double(), half=r.half(),
                         bfloat16=r.bfloat16(), long=r.long(), int=r.int(), byte=r.byte(),
                         bool=r > 3, empty=torch.zeros(0, 4),
                         parameter=torch.full((2,), 1.5)))
def same(a, b, where):
    assert type(a) is type(b), (where, type(a), type(b))
    if isinstance(a, dict):
        assert set(a) == set(b), (where, a.keys(), b.keys())
        for k in a: same(a[k], b[k], f"{where}.{k}")
    elif isinstance(a, list):
        assert len(a) == len(b), where
        for x, y in zip(a, b): same(x, y, where)
    elif torch.is_tensor(a):
        assert a.dtype == b.dtype and torch.equal(a, b), where
    else:
        assert a == b or (a != a and b != b), where
same(have, want, "")
want["betas"] = (0.9, 0.999)  # as PyTorch's optimizers have it
torch.save(want, d + "theirs.pth")
)",
                     {folder / ""});
  if (IsSkipped()) return;
  expect_equal(example(), read_pth(folder / "theirs.pth"), "");
}

}  // namespace
}  // namespace dfine
