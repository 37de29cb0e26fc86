#include "weights/class_heads.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <cmath>

#include "classes/class_names.h"
#include "core/text.h"
#include "support/python.h"
#include "support/raises.h"
#include "weights/safetensors.h"
#include "weights/weights.h"

namespace dfine {
using enum ErrorCode;
namespace {

using Names = std::vector<std::string>;
using Tensors = std::map<std::string, Tensor>;

constexpr int64_t kDim = 4;
const Names kWeights{"LABEL_0", "LABEL_1", "LABEL_2"}, kBlood{"RBC", "WBC", "Platelets"};

/// Class heads of `classes` classes: element j of row i is start + 100 * i + j.
Tensors heads(int64_t classes, double start) {
  const auto rows = [&](int64_t count) {
    return (start + 100 * at::arange(count, at::kFloat).unsqueeze(1) + at::arange(kDim, at::kFloat))
        .contiguous();
  };
  Tensors heads{{"model.enc_score_head.weight", rows(classes)},
                {"model.decoder.class_embed.0.weight", rows(classes)},
                {"model.decoder.class_embed.5.weight", rows(classes)},
                {"model.denoising_class_embed.weight", rows(classes + 1)}};
  for (const char* head :
       {"model.enc_score_head", "model.decoder.class_embed.0", "model.decoder.class_embed.5"})
    heads.emplace(str_cat(head, ".bias"), rows(classes).select(1, 0).contiguous());
  return heads;
}

/// Loads weights with heads(given, 0.5) into heads(wanted, 10000) and compares each row with its
/// source.
void expect_rows(const ClassHeadRemap& rows, const std::vector<int64_t>& expected) {
  const TemporaryFolder folder;
  const auto wanted = static_cast<int64_t>(expected.size());
  const Tensors theirs = heads(rows.given, 0.5), before = heads(wanted, 10000),
                model = heads(wanted, 10000);
  write_safetensors(folder / "w.safetensors", theirs);
  EXPECT_EQ(rows.rows, expected);
  load_weights(folder / "w.safetensors", model, rows);
  for (const auto& [name, mine] : model) {
    for (int64_t i = 0; i < wanted; ++i) {
      const int64_t from = expected[static_cast<size_t>(i)];
      if (from != kNoClass) {
        EXPECT_TRUE(at::equal(mine[i], theirs.at(name)[from])) << name << " " << i;
      } else if (mine.dim() == 1) {
        EXPECT_FLOAT_EQ(mine[i].item<float>(), static_cast<float>(-std::log(99.0)))
            << name << " " << i;  // sigmoid: 0.01
      } else {
        EXPECT_TRUE(at::equal(mine[i], before.at(name)[i]))
            << name << " " << i;  // as the model was initialised
      }
    }
  }
  const char* denoising = "model.denoising_class_embed.weight";
  EXPECT_TRUE(at::equal(model.at(denoising)[wanted], theirs.at(denoising)[rows.given]));  // padding
}

TEST(ClassHeads, RowsOfTheSameName) {
  expect_rows(class_rows(ClassHeads::kByName, {"tv", "platelet", "Person", "dog"},
                         {"person", "cat", "dog", "TV"}),
              {3, kNoClass, 0, 2});
}

TEST(ClassHeads, AsManyClassesInAnotherOrder) {
  const ClassHeadRemap rows = class_rows(ClassHeads::kByName, {"b", "c", "a"}, {"a", "b", "c"});
  EXPECT_EQ(rows.warning, "");
  expect_rows(rows, {1, 2, 0});
}

TEST(ClassHeads, TheSameClassesAreTheFileAsItIs) {
  const ClassHeadRemap rows = class_rows(ClassHeads::kByName, kBlood, kBlood);
  expect_rows(rows, {0, 1, 2});
  EXPECT_TRUE(names(rows.report, "3 of 3"));
}

TEST(ClassHeads, TwoClassesOfOneName) {
  expect_rows(class_rows(ClassHeads::kByName, {"Cat", "cat", "new"}, {"cat", "dog"}),
              {0, 0, kNoClass});
}

TEST(ClassHeads, NoneKnown) {
  const ClassHeadRemap rows = class_rows(ClassHeads::kByName, kBlood, {"cat", "dog"});
  EXPECT_EQ(rows.warning, "");
  expect_rows(rows, {kNoClass, kNoClass, kNoClass});
  // As many classes under other names are perhaps the same ones.
  EXPECT_TRUE(
      names(class_rows(ClassHeads::kByName, kBlood, {"red", "white", "plt"}).warning, "by_index"));
}

TEST(ClassHeads, CocosClassesFromObjects365) {
  Names unnamed;
  for (int i = 0; i < 366; ++i) unnamed.push_back(str_cat("LABEL_", i));
  expect_rows(class_rows(ClassHeads::kByName, {"person", "tv", "platelet"}, unnamed),
              {1, 38, kNoClass});
}

TEST(ClassHeads, WeightsThatNameNoClasses) {
  const ClassHeadRemap rows = class_rows(ClassHeads::kByName, kBlood, kWeights);
  EXPECT_TRUE(names(rows.warning, "3 classes"));
  expect_rows(rows, {0, 1, 2});
  expect_rows(class_rows(ClassHeads::kByName, {"RBC", "WBC"}, kWeights), {kNoClass, kNoClass});
}

TEST(ClassHeads, ByIndexAndNew) {
  expect_rows(class_rows(ClassHeads::kByIndex, kBlood, {"b", "a", "c"}), {0, 1, 2});
  expect_rows(class_rows(ClassHeads::kNew, kBlood, kBlood), {kNoClass, kNoClass, kNoClass});
  EXPECT_TRUE(raises(
      kClassMismatch, [] { class_rows(ClassHeads::kByIndex, kBlood, {"a"}); }, "model.class_heads",
      "1 classes", "3"));
}

TEST(ClassHeads, TheTable) {
  const std::string report =
      class_rows(ClassHeads::kByName, {"person", "tv", "platelet"}, {"Monitor/TV", "Person"})
          .report;
  EXPECT_TRUE(names(report, "2 of 3"));
  EXPECT_TRUE(report.ends_with("\n  person    Person\n  tv        Monitor/TV\n  platelet  new"))
      << report;
}

TEST(ClassHeads, ALongTableIsCut) {
  Names wanted(coco_class_names());
  wanted.push_back("platelet");
  const std::string report = class_rows(ClassHeads::kByName, wanted, coco_class_names()).report;
  EXPECT_EQ(std::count(report.begin(), report.end(), '\n'), 41);
  EXPECT_TRUE(names(report, "41 more", "40", "1 new"));
}

TEST(ClassHeads, OtherMismatchesAreErrors) {
  const TemporaryFolder folder;
  Tensors given = heads(3, 0);
  given["model.denoising_class_embed.weight"] = at::full({3, kDim}, 0.0);  // no padding row
  given["model.enc_score_head.weight"] = at::full({3, kDim + 1}, 0.0);     // another width
  given["model.decoder.class_embed.0.bias"] = at::full({4}, 0.0);  // other classes than the rest
  given["model.decoder.class_embed.5.bias"] = at::zeros({3}, at::kLong);
  write_safetensors(folder / "w.safetensors", given);
  const Tensors model = heads(2, 7);
  const auto load = [&] {
    load_weights(folder / "w.safetensors", model,
                 class_rows(ClassHeads::kByName, {"a", "b"}, {"b", "c", "d"}));
  };
  EXPECT_TRUE(raises(kWeightsMismatch, load, "w.safetensors", "4",
                     "denoising_class_embed.weight: shape [3, 4]",
                     "enc_score_head.weight: shape [3, 5]", "class_embed.0.bias: shape [4]",
                     "class_embed.5.bias: type long"));
  for (const auto& [name, tensor] : heads(2, 7))
    EXPECT_TRUE(at::equal(model.at(name), tensor)) << name;
}

}  // namespace
}  // namespace dfine
