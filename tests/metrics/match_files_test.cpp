// By which image a record counts when image ids and file names disagree.
#include "metrics/match_files.h"

#include <gmock/gmock.h>

#include <fstream>

#include "core/text.h"
#include "support/python.h"
#include "support/raises.h"

namespace dfine {
using enum ErrorCode;
namespace {

using ::testing::ElementsAre;

struct Record {
  int64_t image_id;
  const char* file_name;  // null: none
};

/// A results file with these records, read and matched; the image ids that come out.
struct Matched {
  std::vector<int64_t> ids;
  std::string note;
  Caught error;
};

Matched match(const std::vector<std::pair<int64_t, std::string>>& images,
              const std::vector<Record>& records) {
  const TemporaryFolder folder;
  {
    std::ofstream out(folder / "dt.json");
    for (size_t i = 0; i < records.size(); ++i) {
      out << (i == 0 ? "[" : ",") << R"({"image_id": )" << records[i].image_id
          << R"(, "category_id": 1, "bbox": [0, 0, 1, 1], )";
      if (records[i].file_name != nullptr)
        out << R"("file_name" : ")" << records[i].file_name << (i % 2 == 0 ? R"(" , )" : R"(", )");
      out << R"("score": 0.5})";
    }
    out << "]";
  }
  GroundTruth truth;
  for (const auto& [id, name] : images) {
    truth.image_ids.push_back(id);
    truth.file_names.push_back(name);
  }
  ResultNames names;
  std::vector<Detection> detections = read_coco_detections(folder / "dt.json", &names);
  Matched result;
  result.error = catch_error([&] {
    result.note = match_by_file_name(truth, names.files, detections, "dt.json", "gt.json");
  });
  if (result.error.code) {
    EXPECT_TRUE(result.error.is(kDataMismatch, "dt.json", "gt.json", "--annotations"));
  }
  for (const Detection& detection : detections) result.ids.push_back(detection.image_id);
  return result;
}

TEST(MatchFiles, NothingToSayWhereIdsAndNamesAgree) {
  const auto found = match({{1, "a.jpg"}, {2, "b.jpg"}},
                           {{1, "a.jpg"}, {1, "a.jpg"}, {2, "b.jpg"}, {1, nullptr}, {1, "a.jpg"}});
  EXPECT_THAT(found.ids, ElementsAre(1, 1, 2, 1, 1));
  EXPECT_EQ(found.note, "");
  EXPECT_FALSE(found.error.code);
}

TEST(MatchFiles, WithoutNamesIdsCount) {
  EXPECT_THAT(match({{1, "a.jpg"}, {2, "b.jpg"}}, {{2, nullptr}, {1, nullptr}}).ids,
              ElementsAre(2, 1));
  EXPECT_THAT(match({{1, ""}, {2, ""}}, {{2, "a.jpg"}, {1, "b.jpg"}}).ids, ElementsAre(2, 1));
  EXPECT_THAT(match({}, {{2, nullptr}}).ids, ElementsAre(2));
}

TEST(MatchFiles, OtherIdsGoByName) {
  const auto found = match({{10, "b.jpg"}, {2, "a.jpg"}, {3, "c.jpg"}},
                           {{1, "a.jpg"}, {1, "a.jpg"}, {2, "b.jpg"}, {3, "c.jpg"}, {2, "b.jpg"}});
  EXPECT_THAT(found.ids, ElementsAre(2, 2, 10, 3, 10));
  EXPECT_TRUE(names(found.note, "dt.json", "gt.json", "4 of 5"));
}

// dfine-predict writes names relative to the folder that it was given.
TEST(MatchFiles, NamesMayBeRelativeToAnotherFolder) {
  const auto same =
      match({{1, "images/a.jpg"}, {2, "b.jpg"}}, {{1, "a.jpg"}, {2, "/data/val/b.jpg"}});
  EXPECT_EQ(same.note, "");
  EXPECT_FALSE(same.error.code);
  const auto moved =
      match({{2, "images/a.jpg"}, {1, "./images\\b.jpg"}}, {{1, "a.jpg"}, {2, "images/b.jpg"}});
  EXPECT_FALSE(moved.error.code);
  EXPECT_THAT(moved.ids, ElementsAre(2, 1));
  // xa.jpg ends with a.jpg, but is another file.
  EXPECT_TRUE(
      match({{1, "xa.jpg"}, {2, "y.jpg"}}, {{1, "a.jpg"}}).error.is(kDataMismatch, "\"a.jpg\""));
}

TEST(MatchFiles, OneNameInSeveralFolders) {
  const std::vector<std::pair<int64_t, std::string>> images{
      {5, "d1/a.jpg"}, {6, "d2/a.jpg"}, {7, "b.jpg"}};
  EXPECT_THAT(match(images, {{1, "d1/a.jpg"}, {2, "d2/a.jpg"}, {3, "b.jpg"}}).ids,
              ElementsAre(5, 6, 7));
  EXPECT_FALSE(match(images, {{5, "a.jpg"}, {6, "a.jpg"}})
                   .error.code);  // ids decide: nothing contradicts them
  EXPECT_TRUE(match(images, {{5, "a.jpg"}, {6, "b.jpg"}})
                  .error.is(kDataMismatch, "record 1", "image_id 6", "\"b.jpg\"", "image 6",
                            "\"d2/a.jpg\"", "2 images", "\"a.jpg\"", "record 0"));
  // The very name comes before one that only ends with it.
  EXPECT_THAT(match({{1, "d/a.jpg"}, {2, "a.jpg"}, {3, "c.jpg"}}, {{3, "a.jpg"}, {9, "c.jpg"}}).ids,
              ElementsAre(2, 3));
}

TEST(MatchFiles, WhatCannotBeMatchedIsRefused) {
  EXPECT_TRUE(
      match({{1, "a.jpg"}, {2, "b.jpg"}}, {{1, "a.jpg"}, {2, "c.jpg"}})
          .error.is(kDataMismatch, "record 1", "image_id 2", "\"c.jpg\"", "image 2", "\"b.jpg\""));
  // Some records without a name: nobody knows what their ids mean.
  EXPECT_TRUE(match({{1, "b.jpg"}, {2, "a.jpg"}}, {{1, nullptr}, {1, "a.jpg"}, {2, "b.jpg"}})
                  .error.is(kDataMismatch, "record 1", "record 0"));
  EXPECT_TRUE(match({{1, "b.jpg"}, {2, "a.jpg"}}, {{1, "a.jpg"}, {2, nullptr}})
                  .error.is(kDataMismatch, "record 1"));
  // Two ids for one file, an id that is not there.
  EXPECT_TRUE(match({{1, "a.jpg"}, {2, "b.jpg"}}, {{1, "a.jpg"}, {2, "a.jpg"}})
                  .error.is(kDataMismatch, "1", "2", "\"a.jpg\""));
  EXPECT_TRUE(match({{1, "a.jpg"}}, {{9, "z.jpg"}}).error.is(kDataMismatch, "gt.json", "id 9"));
  EXPECT_THAT(match({{1, "a.jpg"}}, {{9, "a.jpg"}}).ids, ElementsAre(1));
}

TEST(MatchFiles, NamesAreReadAsJson) {
  EXPECT_THAT(
      match({{1, "b.jpg"}, {2, "ü/a\"b.jpg"}}, {{1, R"(\u00fc/a\"b.jpg)"}, {2, "b.jpg"}}).ids,
      ElementsAre(2, 1));
  const TemporaryFolder folder;
  ResultNames names;
  std::ofstream(folder / "a")
      << R"([{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 1, )"
         R"("file_name": null}])";
  EXPECT_EQ(read_coco_detections(folder / "a", &names).size(), 1U);
  EXPECT_TRUE(names.files.empty() && names.categories.empty() && names.unnamed_categories);
  std::ofstream(folder / "a") << R"([
      {"category_name": "d\u00f6g", "image_id": 1, "category_id": 7, "bbox": [0, 0, 1, 1],
       "score": 1},
      {"image_id": 1, "category_id": 2, "bbox": [0, 0, 1, 1], "score": 1, "category_name": "cat"},
      {"image_id": 1, "category_id": 7, "bbox": [0, 0, 1, 1], "score": 1,
       "category_name": "dög"}])";
  names = {};
  read_coco_detections(folder / "a", &names);
  EXPECT_THAT(names.categories, ElementsAre(Category{7, "dög"}, Category{2, "cat"}));
  EXPECT_FALSE(names.unnamed_categories);
  std::ofstream(folder / "a")
      << R"([{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 1, "file_name": 3}])";
  EXPECT_TRUE(raises(
      kRecordInvalid, [&] { read_coco_detections(folder / "a", &names); }, "record 0", "file_name",
      "3"));
}

}  // namespace
}  // namespace dfine
