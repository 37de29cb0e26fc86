#include "classes/class_names.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <nlohmann/json.hpp>

#include "core/text.h"
#include "support/python.h"

namespace dfine {
namespace {

using Names = std::vector<std::string>;
using Rows = std::vector<int64_t>;

/// tests/golden/class_heads.json: the official tables, torchvision's COCO names.
nlohmann::json official() {
  std::ifstream in(source_file("tests/golden/class_heads.json"));
  return nlohmann::json::parse(in);
}

uint64_t checksum(const Names& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : "\n") + name;
  return ::crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
}

Names unnamed(size_t classes) {
  Names names;
  for (size_t i = 0; i < classes; ++i)
    names.push_back(str_cat("LABEL_", i));  // as transformers calls them
  return names;
}

TEST(ClassNames, ListsAreThePublishedOnes) {
  EXPECT_EQ(coco_class_names().size(), 80U);
  EXPECT_EQ(checksum(coco_class_names()), official().at("coco").at("crc32").get<uint64_t>());
  EXPECT_EQ(objects365_class_names().size(), 365U);
  EXPECT_EQ(checksum(objects365_class_names()),
            official().at("objects365").at("crc32").get<uint64_t>());
}

// map_class_weights between Objects365's head, of 366 rows, and COCO's.
TEST(ClassNames, PairsAsTheOfficialTable) {
  const Names objects365 = known_class_names(unnamed(366));
  ASSERT_EQ(objects365.size(), 366U);
  EXPECT_EQ(match_class_names(coco_class_names(), objects365),
            official().at("coco_rows").get<Rows>());
  EXPECT_EQ(match_class_names(objects365, coco_class_names()),
            official().at("objects365_rows").get<Rows>());
}

// The annotation files' spelling and the correct one, in either direction.
TEST(ClassNames, OfficialMisspellings) {
  for (const auto& pair : official().at("objects365").at("spellings")) {
    const Names wrong{pair[0]}, right{pair[1]};
    EXPECT_EQ(match_class_names(wrong, right), Rows{0}) << pair;
    EXPECT_EQ(match_class_names(right, wrong), Rows{0}) << pair;
  }
}

TEST(ClassNames, WhatCountsOfAName) {
  const Names known{"dining table", "Cell Phone", "hot-dog", "TV"};
  EXPECT_EQ(match_class_names(
                {"Dining_Table", "cellphone", "HOT DOG", "tv", "dining", "pottedplant"}, known),
            (Rows{0, 1, 2, 3, kNoClass, kNoClass}));
  EXPECT_EQ(match_class_names(
                {"aeroplane", "motorbike", "sofa", "diningtable", "pottedplant", "tvmonitor"},
                coco_class_names()),
            (Rows{4, 3, 57, 60, 58, 62}));  // PASCAL VOC's names for COCO's classes
}

TEST(ClassNames, TheNearestSpellingFirst) {
  const Names known{"CAT", "cat", "Monitor/TV", "tv", "t-v"};
  EXPECT_EQ(match_class_names({"cat", "Cat", "tv", "TV", "moniter/tv"}, known),
            (Rows{1, 0, 3, 3, 2}));
  EXPECT_EQ(match_class_names({"cat", "cat"}, known),
            (Rows{1, 1}));  // two classes of the data may share rows
  EXPECT_EQ(match_class_names({""}, {"", "x"}),
            Rows{kNoClass});  // a row without a name has none to match
}

TEST(ClassNames, KnownOnlyWhereTheyAre) {
  EXPECT_EQ(known_class_names({"LABEL_0", "cat"}), (Names{"LABEL_0", "cat"}));
  EXPECT_EQ(known_class_names(unnamed(80)), coco_class_names());
  EXPECT_EQ(known_class_names(unnamed(365)), objects365_class_names());
  EXPECT_EQ(known_class_names(unnamed(366)).front(), "");
  EXPECT_EQ(known_class_names(unnamed(366)).at(1), "Person");
  EXPECT_TRUE(known_class_names(unnamed(3)).empty());
  EXPECT_TRUE(known_class_names({}).empty());
}

}  // namespace
}  // namespace dfine
