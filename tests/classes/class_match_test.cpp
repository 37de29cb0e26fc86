#include "classes/class_match.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "classes/class_names.h"
#include "core/text.h"
#include "support/raises.h"

namespace dfine {
using enum ErrorCode;
namespace {

using ::testing::ElementsAre;

ClassMatch match(const ClassList& given, const ClassList& wanted,
                 MoreClasses more = MoreClasses::kError) {
  return match_class_lists(given, wanted, more, "the hint");
}

Caught error_of(const ClassList& given, const ClassList& wanted,
                MoreClasses more = MoreClasses::kError) {
  return catch_error([&] { match(given, wanted, more); });
}

/// LABEL_0, LABEL_1, ..., as transformers names classes without names.
ClassList nameless(size_t classes) {
  ClassList list{.owner = "weights", .names = {}, .ids = {}};
  for (size_t label = 0; label < classes; ++label) list.names.push_back(str_cat("LABEL_", label));
  return list;
}

TEST(ClassMatch, EqualListsNeedNoWord) {
  const auto found = match({"model", {"cat", "dog"}, {1, 2}}, {"pack", {"cat", "dog"}, {1, 2}});
  EXPECT_THAT(found.place, ElementsAre(0, 1));
  EXPECT_EQ(found.note + found.warning, "");
  EXPECT_EQ(match({"published", {"cat", "dog"}, {}}, {"pack", {"cat", "dog"}, {7, 9}}).note, "");
}

TEST(ClassMatch, SameNamesInAnotherOrderOrWithOtherIds) {
  const auto swapped = match({"model", {"cat", "dog"}, {1, 2}}, {"pack", {"dog", "cat"}, {1, 2}});
  EXPECT_THAT(swapped.place, ElementsAre(1, 0));
  EXPECT_TRUE(names(swapped.note, "pack", "model", "2 of 2", "2 another position"));
  EXPECT_EQ(swapped.warning, "");
  const auto shifted = match({"model", {"cat", "dog"}, {1, 2}}, {"pack", {"cat", "dog"}, {0, 1}});
  EXPECT_THAT(shifted.place, ElementsAre(0, 1));
  EXPECT_TRUE(names(shifted.note, "2 of 2", "id"));
  EXPECT_FALSE(names(shifted.note, "position"));
  const auto published =
      match({"published", {"dog", "cat", "emu"}, {}}, {"pack", {"cat", "dog", "emu"}, {1, 2, 3}});
  EXPECT_THAT(published.place, ElementsAre(1, 0, 2));
  EXPECT_TRUE(names(published.note, "2 of 3", "position"));
  EXPECT_FALSE(names(published.note, "id"));
}

TEST(ClassMatch, OtherSpellingsOfOneNameAreTold) {
  const auto found = match({"model", {"aeroplane", "pottedplant"}, {}},
                           {"pack", {"potted plant", "airplane"}, {1, 2}});
  EXPECT_THAT(found.place, ElementsAre(1, 0));
  EXPECT_TRUE(names(found.note, "\"potted plant\"", "\"pottedplant\""));
}

TEST(ClassMatch, OtherNamesAreAnErrorWithBothLists) {
  EXPECT_TRUE(error_of({"model", {"cat", "dog"}, {1, 2}}, {"pack", {"cat", "cow"}, {1, 2}})
                  .is(kClassMismatch,
                      "\n  model (2 classes): 1 cat, 2 dog\n  pack (2 classes): 1 cat, 2 cow\n"));
  EXPECT_TRUE(error_of({"model", {"cat", "dog"}, {}}, {"pack", {"cat"}, {5}})
                  .is(kClassMismatch, "model (2 classes): cat, dog", "pack (1 class): 5 cat"));
  // Two names that mean one class of the other side.
  EXPECT_TRUE(error_of({"model", {"tv", "cat"}, {}}, {"pack", {"TV", "tvmonitor"}, {1, 2}})
                  .is(kClassMismatch, "the hint"));
}

TEST(ClassMatch, OfLongListsOnlyWhatDiffers) {
  ClassList given{"model", coco_class_names(), coco_category_ids()}, wanted = given;
  wanted.owner = "pack";
  wanted.names[3] = "motor boat";
  wanted.names.erase(wanted.names.begin() + 10);
  wanted.ids.erase(wanted.ids.begin() + 10);
  EXPECT_TRUE(error_of(given, wanted)
                  .is(kClassMismatch, "model (80 classes), 2", "4 motorcycle, 11 fire hydrant\n",
                      "pack (79 classes), 1", "4 motor boat\n"));
  for (auto& name : wanted.names) name = "my " + name;
  const Caught all = error_of(given, wanted);
  EXPECT_TRUE(all.is(kClassMismatch, "80", "1 person, 2 bicycle", "60 more\n", "59 more"));
  EXPECT_FALSE(names(all.text, "toothbrush"));
}

TEST(ClassMatch, OneSideMayHaveMore) {
  const ClassList model{"model", {"cat", "dog"}, {}},
      file{"file", {"animals", "dog", "cat"}, {0, 1, 2}};
  EXPECT_THAT(match(file, model, MoreClasses::kMayBeGiven).place, ElementsAre(2, 1));
  EXPECT_TRUE(error_of(file, model).is(kClassMismatch, "the hint"));
  EXPECT_TRUE(error_of(model, file, MoreClasses::kMayBeGiven).is(kClassMismatch, "the hint"));
}

TEST(ClassMatch, WithoutNamesByPositionAndAWarning) {
  for (const bool swapped : {false, true}) {
    const ClassList pack{"pack", {"cat", "dog"}, {4, 5}};
    const auto found = swapped ? match(pack, nameless(2)) : match(nameless(2), pack);
    EXPECT_THAT(found.place, ElementsAre(0, 1));
    EXPECT_TRUE(names(found.warning, "weights", "pack", "order"));
  }
  EXPECT_TRUE(error_of(nameless(3), {"pack", {"cat", "dog"}, {4, 5}})
                  .is(kClassMismatch, "weights (3 classes)", "pack (2 classes): 4 cat, 5 dog"));
}

TEST(ClassMatch, WithoutNamesByIdWhereBothSidesHaveTheSame) {
  ClassList pack = nameless(3);
  pack.ids = {11, 20, 30};
  const ClassList model{"model", {"dog", "bird", "cat"}, {20, 30, 11}};
  EXPECT_THAT(match(model, pack).place, ElementsAre(2, 0, 1));
  EXPECT_THAT(match(pack, model).place, ElementsAre(1, 2, 0));
  EXPECT_TRUE(names(match(model, pack).warning, "weights", "model", "ids"));
  pack.ids = {11, 20, 31};
  EXPECT_THAT(match(model, pack).place, ElementsAre(0, 1, 2));
}

TEST(ClassMatch, AnotherOrderOfTheSameIdsAndNamesNeedsNoWord) {
  const auto found = match({"model", {"dog", "cat"}, {2, 1}}, {"pack", {"cat", "dog"}, {1, 2}});
  EXPECT_THAT(found.place, ElementsAre(1, 0));
  EXPECT_EQ(found.note + found.warning, "");
}

// known_class_names(): 80 classes without names are COCO's, if that fits.
TEST(ClassMatch, NamelessWeightsOfCoco) {
  ClassList pack{"pack", coco_class_names(), coco_category_ids()};
  std::swap(pack.names[0], pack.names[79]);
  const auto found = match(nameless(80), pack);
  EXPECT_EQ(found.place[0], 79);
  EXPECT_EQ(found.place[79], 0);
  EXPECT_EQ(found.place[5], 5);
  EXPECT_TRUE(names(found.warning, "weights", "80 classes", "COCO"));
  pack.names[4] = "zeppelin";
  const auto other = match(nameless(80), pack);
  EXPECT_EQ(other.place[0], 0);
  EXPECT_TRUE(names(other.warning, "order"));
}

TEST(ClassMatch, RepeatedNamesGoByIdAndName) {
  const ClassList model{"model", {"cell", "cell", "dog"}, {1, 2, 3}};
  EXPECT_THAT(match(model, {"pack", {"cell", "cell", "dog"}, {1, 2, 3}}).place,
              ElementsAre(0, 1, 2));
  EXPECT_THAT(match({"published", model.names, {}}, model).place, ElementsAre(0, 1, 2));
  EXPECT_TRUE(error_of(model, {"pack", {"cell", "cell", "dog"}, {2, 3, 4}})
                  .is(kClassMismatch, "\"cell\"", "model (3 classes): 1 cell, 2 cell, 3 dog"));
  EXPECT_TRUE(
      error_of({"published", {"cell", "dog", "cell"}, {}}, model).is(kClassMismatch, "the hint"));
}

// mscoco_category2name in src/data/dataset/coco_dataset.py of Peterande/D-FINE: some of it.
TEST(ClassNames, CocosCategoryIds) {
  const auto& ids = coco_category_ids();
  ASSERT_EQ(ids.size(), 80U);
  for (const auto& [id, name] : {std::pair{1, "person"},
                                 {11, "fire hydrant"},
                                 {13, "stop sign"},
                                 {22, "elephant"},
                                 {33, "suitcase"},
                                 {44, "bottle"},
                                 {55, "orange"},
                                 {65, "bed"},
                                 {67, "dining table"},
                                 {70, "toilet"},
                                 {82, "refrigerator"},
                                 {84, "book"},
                                 {90, "toothbrush"}}) {
    const auto place = std::find(coco_class_names().begin(), coco_class_names().end(), name) -
                       coco_class_names().begin();
    EXPECT_EQ(ids[static_cast<size_t>(place)], id) << name;
  }
  EXPECT_EQ(std::accumulate(ids.begin(), ids.end(), int64_t{0}),
            3596);  // the sum of that table's ids
}

}  // namespace
}  // namespace dfine
