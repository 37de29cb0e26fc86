// By which image a record counts when image ids and file names disagree.
#include "metrics/match_files.h"

#include <gmock/gmock.h>

#include <fstream>

#include "core/error.h"
#include "core/text.h"
#include "python.h"

namespace dfine {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Record {
  int64_t image_id;
  const char* file_name;  // null: none
};

/// A results file with these records, read and matched; the image ids that come out.
struct Matched {
  std::vector<int64_t> ids;
  std::string note, error;
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
  try {
    result.note = match_by_file_name(truth, names.files, detections, "dt.json", "gt.json");
  } catch (const Error& e) {
    result.error = e.message();
    EXPECT_THAT(e.hint(), HasSubstr("--annotations"));
  }
  for (const Detection& detection : detections) result.ids.push_back(detection.image_id);
  return result;
}

TEST(MatchFiles, NothingToSayWhereIdsAndNamesAgree) {
  const auto found = match({{1, "a.jpg"}, {2, "b.jpg"}},
                           {{1, "a.jpg"}, {1, "a.jpg"}, {2, "b.jpg"}, {1, nullptr}, {1, "a.jpg"}});
  EXPECT_THAT(found.ids, ElementsAre(1, 1, 2, 1, 1));
  EXPECT_EQ(found.note + found.error, "");
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
  EXPECT_EQ(found.note,
            "the image ids of dt.json are not those of gt.json: images are matched by file name, "
            "and 4 of 5 records go to another image id");
}

// dfine-predict writes names relative to the folder that it was given.
TEST(MatchFiles, NamesMayBeRelativeToAnotherFolder) {
  const auto same =
      match({{1, "images/a.jpg"}, {2, "b.jpg"}}, {{1, "a.jpg"}, {2, "/data/val/b.jpg"}});
  EXPECT_EQ(same.note + same.error, "");
  const auto moved =
      match({{2, "images/a.jpg"}, {1, "./images\\b.jpg"}}, {{1, "a.jpg"}, {2, "images/b.jpg"}});
  EXPECT_EQ(moved.error, "");
  EXPECT_THAT(moved.ids, ElementsAre(2, 1));
  // xa.jpg ends with a.jpg, but is another file.
  EXPECT_THAT(match({{1, "xa.jpg"}, {2, "y.jpg"}}, {{1, "a.jpg"}}).error,
              HasSubstr("no image there can be \"a.jpg\""));
}

TEST(MatchFiles, OneNameInSeveralFolders) {
  const std::vector<std::pair<int64_t, std::string>> images{
      {5, "d1/a.jpg"}, {6, "d2/a.jpg"}, {7, "b.jpg"}};
  EXPECT_THAT(match(images, {{1, "d1/a.jpg"}, {2, "d2/a.jpg"}, {3, "b.jpg"}}).ids,
              ElementsAre(5, 6, 7));
  EXPECT_EQ(match(images, {{5, "a.jpg"}, {6, "a.jpg"}}).error,
            "");  // ids decide: nothing contradicts them
  EXPECT_THAT(match(images, {{5, "a.jpg"}, {6, "b.jpg"}}).error,
              AllOf(HasSubstr("record 1 (from 0) has image_id 6 and file_name \"b.jpg\", but in "
                              "gt.json image 6 is \"d2/a.jpg\""),
                    HasSubstr("2 images there can be \"a.jpg\" of record 0")));
  // The very name comes before one that only ends with it.
  EXPECT_THAT(match({{1, "d/a.jpg"}, {2, "a.jpg"}, {3, "c.jpg"}}, {{3, "a.jpg"}, {9, "c.jpg"}}).ids,
              ElementsAre(2, 3));
}

TEST(MatchFiles, WhatCannotBeMatchedIsRefused) {
  EXPECT_EQ(match({{1, "a.jpg"}, {2, "b.jpg"}}, {{1, "a.jpg"}, {2, "c.jpg"}}).error,
            "dt.json: record 1 (from 0) has image_id 2 and file_name \"c.jpg\", but in gt.json "
            "image 2 is \"b.jpg\"; images cannot be "
            "matched by file name either: no image there can be \"c.jpg\" of record 1");
  // Some records without a name: nobody knows what their ids mean.
  EXPECT_THAT(match({{1, "b.jpg"}, {2, "a.jpg"}}, {{1, nullptr}, {1, "a.jpg"}, {2, "b.jpg"}}).error,
              AllOf(HasSubstr("record 1 (from 0)"), HasSubstr("record 0 names no file")));
  EXPECT_THAT(match({{1, "b.jpg"}, {2, "a.jpg"}}, {{1, "a.jpg"}, {2, nullptr}}).error,
              HasSubstr("record 1 names no file"));
  // Two ids for one file, an id that is not there.
  EXPECT_THAT(match({{1, "a.jpg"}, {2, "b.jpg"}}, {{1, "a.jpg"}, {2, "a.jpg"}}).error,
              HasSubstr("records of the image ids 1 and 2 both name \"a.jpg\""));
  EXPECT_THAT(match({{1, "a.jpg"}}, {{9, "z.jpg"}}).error,
              HasSubstr("but in gt.json no image has the id 9"));
  EXPECT_THAT(match({{1, "a.jpg"}}, {{9, "a.jpg"}}).ids, ElementsAre(1));
}

TEST(MatchFiles, NamesAreReadAsJson) {
  EXPECT_THAT(
      match({{1, "b.jpg"}, {2, "ü/a\"b.jpg"}}, {{1, R"(\u00fc/a\"b.jpg)"}, {2, "b.jpg"}}).ids,
      ElementsAre(2, 1));
  const TemporaryFolder folder;
  ResultNames names;
  std::ofstream(folder / "a")
      << R"([{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 1, "file_name": null}])";
  EXPECT_EQ(read_coco_detections(folder / "a", &names).size(), 1U);
  EXPECT_TRUE(names.files.empty() && names.categories.empty() && names.unnamed_categories);
  std::ofstream(folder / "a") << R"([
      {"category_name": "d\u00f6g", "image_id": 1, "category_id": 7, "bbox": [0, 0, 1, 1], "score": 1},
      {"image_id": 1, "category_id": 2, "bbox": [0, 0, 1, 1], "score": 1, "category_name": "cat"},
      {"image_id": 1, "category_id": 7, "bbox": [0, 0, 1, 1], "score": 1, "category_name": "dög"}])";
  names = {};
  read_coco_detections(folder / "a", &names);
  EXPECT_THAT(names.categories, ElementsAre(Category{7, "dög"}, Category{2, "cat"}));
  EXPECT_FALSE(names.unnamed_categories);
  std::ofstream(folder / "a")
      << R"([{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 1, "file_name": 3}])";
  try {
    read_coco_detections(folder / "a", &names);
    ADD_FAILURE() << "accepted";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(),
                AllOf(HasSubstr("record 0"), HasSubstr("file_name holds 3, not a string")));
  }
}

}  // namespace
}  // namespace dfine
