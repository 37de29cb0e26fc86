#include "data/coco/read_coco.h"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>

#include "support/python.h"
#include "support/raises.h"

namespace dfine {
using enum ErrorCode;
namespace {

class CocoFile : public testing::Test {
 protected:
  AnnotationSet read(const std::string& text) {
    std::ofstream(folder_ / "a.json", std::ios::binary) << text;
    return read_coco(folder_ / "a.json");
  }
  /// A file with these lists' contents.
  AnnotationSet read(const std::string& categories, const std::string& images,
                     const std::string& annotations) {
    return read(R"({"info": {"x": [1, {"images": 3}]}, "categories": [)" + categories +
                R"(], "images": [)" + images + R"(], "annotations": [)" + annotations + "]}");
  }
  /// The Error that reading gives; it names the file and has a hint.
  Caught failure(const std::string& text) {
    Caught caught = catch_error([&] { read(text); });
    EXPECT_TRUE(names(caught.text, "a.json", "hint"));
    return caught;
  }
  static void expect_problem(const AnnotationSet& coco, size_t i,
                             const std::vector<std::string>& values, int64_t image) {
    ASSERT_LT(i, coco.problems.size());
    EXPECT_TRUE(names(coco.problems[i].message, values));
    EXPECT_EQ(coco.problems[i].code, kRecordInvalid);
    EXPECT_EQ(coco.problems[i].image, image) << coco.problems[i].message;
  }

  TemporaryFolder folder_;
};

TEST_F(CocoFile, TextThatFailsBeforeItsFirstObjectIsAnError) {
  // Control characters and bytes that are no UTF-8 (found by fuzzing).
  EXPECT_TRUE(failure(std::string("{\"images\": \"\0\x7f\"}", 16)).is(kFormatInvalid, "JSON"));
  EXPECT_TRUE(failure("{\"images\xfc\x7f\": []}").is(kFormatInvalid, "UTF-8", "byte 8", "line 1"));
}

const std::string kCategories =
    R"({"id": 90, "name": "z"}, {"supercategory": "s", "id": 7, "name": "a\u00e9"}, )"
    R"({"id": -3, "name": "b"})";
const std::string kImages = R"({"id": 5, "file_name": "five.jpg", "width": 64, "height": 32}, )"
                            R"({"file_name": "d/two.jpg", "id": 2})";

TEST_F(CocoFile, RecordsAreRelatedInWhateverOrderTheyStand) {
  const AnnotationSet coco =
      read(kCategories, kImages,
           R"({"id": 1, "image_id": 2, "category_id": 7, "bbox": [1, 2.5, 3e1, 4.0], "area": 17.25,
          "iscrowd": 1},
         {"id": 3, "segmentation": [[1, 2, 3]], "bbox": [0, 0, 2, 3], "category_id": 90,
          "image_id": 5},
         {"id": 2.0, "image_id": 2, "category_id": -3, "bbox": [9, 9, 0, 0], "area": 0,
          "iscrowd": false})");
  EXPECT_TRUE(coco.problems.empty());
  EXPECT_EQ(coco.categories, (std::vector<Category>{{-3, "b"}, {7, "a\u00e9"}, {90, "z"}}));
  ASSERT_EQ(coco.images.size(), 2U);
  EXPECT_EQ(coco.images[0].file_name, "five.jpg");
  EXPECT_EQ(coco.images[0].width, 64);
  EXPECT_EQ(coco.images[1].file_name, "d/two.jpg");
  EXPECT_EQ(coco.images[1].height, -1);
  ASSERT_EQ(coco.annotations_of(0).size(), 1U);
  const CocoAnnotation& lone = coco.annotations_of(0)[0];
  EXPECT_EQ(lone.id, 3);
  EXPECT_EQ(lone.label, 2);
  EXPECT_EQ(lone.area, 6);
  EXPECT_FALSE(lone.area_given);
  EXPECT_FALSE(lone.iscrowd);
  ASSERT_EQ(coco.annotations_of(1).size(), 2U);
  const CocoAnnotation& first = coco.annotations_of(1)[0];
  EXPECT_EQ(first.id, 1);
  EXPECT_EQ(first.bbox, (std::array<double, 4>{1, 2.5, 30, 4}));
  EXPECT_EQ(first.area, 17.25);
  EXPECT_EQ(first.label, 1);
  EXPECT_TRUE(first.iscrowd);
  EXPECT_EQ(coco.annotations_of(1)[1].id, 2);
  EXPECT_EQ(coco.annotations_of(1)[1].label, 0);
}

TEST_F(CocoFile, BadNumbersAreReportedWithTheirRecord) {
  const auto with = [&](const std::string& annotation) {
    return read(kCategories, kImages, annotation);
  };
  for (const auto& [bbox, what] : std::vector<std::pair<std::string, std::vector<std::string>>>{
           {"[NaN, 1, 2, 3]", {"bbox", "NaN"}},
           {"[1, 1, 2, -Infinity]", {"bbox", "Infinity"}},
           {"[1, 1, Infinity, 2]", {"bbox", "Infinity"}},
           {"[1, 1, 1e999, 2]", {"bbox", "1e999"}},
           {"[1, 1, \"2\", 2]", {"bbox", "\"2\""}},
           {"[1, 2, 1e200, 1e200]", {"bbox"}},
           {"[1, 2, -1e200, 1e200]", {"bbox"}},
           {"[1, 1, null, 2]", {"bbox", "null"}},
           {"[1, 1, [3], 2]", {"bbox", "list"}},
           {"[1, 1, true, 2]", {"bbox", "true"}},
           {"[1]", {"1", "4"}},
           {"[1, 1, 2]", {"3", "4"}},
           {"[]", {"0", "4"}},
           {"[1, 2, 3, 4, 5]", {"5", "4"}},
           {"{\"x\": [1]}", {"bbox", "object"}},
           {"null", {"bbox", "null"}}}) {
    const AnnotationSet coco =
        with(R"({"id": 1, "image_id": 5, "category_id": 7, "bbox": )" + bbox +
             R"(}, {"id": 2, "image_id": 2, "category_id": 7, "bbox": [1, 2, 3, 4]})");
    ASSERT_EQ(coco.problems.size(), 1U) << bbox;
    expect_problem(coco, 0, what, 0);
    expect_problem(coco, 0, {"annotation 1", "image 5 (\"five.jpg\")"}, 0);
    EXPECT_EQ(coco.annotations_of(1)[0].bbox[3], 4) << "the next record is read soundly";
  }
  const std::string good = R"("id": 1, "image_id": 5, "category_id": 7, "bbox": [1, 2, 3, 4])";
  expect_problem(with("{" + good + R"(, "area": NaN})"), 0, {"area", "NaN"}, 0);
  expect_problem(with("{" + good + R"(, "iscrowd": 2})"), 0, {"iscrowd", "2"}, 0);
  expect_problem(with("{" + good + R"(, "bbox": [1, 2, 3, 5]})"), 0, {"bbox", "twice"}, 0);
  expect_problem(with(R"({"id": 1.5, "image_id": 5, "category_id": 7, "bbox": [1, 2, 3, 4]})"), 0,
                 {"id", "1.5"}, 0);
  expect_problem(with(R"({"id": 1, "image_id": "5", "category_id": 7, "bbox": [1, 2, 3, 4]})"), 0,
                 {"annotation 1", "image_id", "\"5\""}, -1);
  expect_problem(with(R"({"id": 1, "image_id": 5, "category_id": 7})"), 0, {"bbox"}, 0);
  EXPECT_TRUE(
      with(R"({"id": 1, "image_id": 5, "category_id": 7, "bbox": [1, 2, 1e200, 1e200], "area": 4})")
          .problems.empty());
  EXPECT_TRUE(with("{" + good + R"(, "area": null, "iscrowd": null})").problems.empty());
}

TEST_F(CocoFile, UnknownAndRepeatedIdsAreReported) {
  const std::string box = R"(, "bbox": [1, 2, 3, 4]})";
  AnnotationSet coco =
      read(kCategories, kImages, R"({"id": 1, "image_id": 6, "category_id": 7)" + box);
  ASSERT_EQ(coco.problems.size(), 1U);
  expect_problem(coco, 0, {"annotation 1", "image_id 6"}, CocoProblem::kNoImage);
  EXPECT_TRUE(coco.annotations.empty());

  coco = read(kCategories, kImages, R"({"id": 1, "image_id": 2, "category_id": 8)" + box);
  expect_problem(coco, 0, {"annotation 1", "image 2 (\"d/two.jpg\")", "category_id 8"}, 1);

  coco = read(kCategories, kImages,
              R"({"id": 1, "image_id": 2, "category_id": 7)" + box +
                  R"(, {"id": 1, "image_id": 5, "category_id": 7)" + box);
  ASSERT_EQ(coco.problems.size(), 2U) << "both images are concerned";
  expect_problem(coco, 0, {"annotation 1", "image 5 (\"five.jpg\")", "id", "image 2"}, 1);
  expect_problem(coco, 1, {"annotation 1", "image 5"}, 0);

  coco = read(kCategories, kImages + R"(, {"id": 5, "file_name": "again.jpg"})", "");
  ASSERT_EQ(coco.problems.size(), 2U);
  expect_problem(coco, 0, {"image 5 (\"again.jpg\")", "id", "images[0] (\"five.jpg\")"}, 0);
  expect_problem(coco, 1, {"image 5"}, 2);
}

TEST_F(CocoFile, UnusableImageRecordsAreReported) {
  expect_problem(read(kCategories, R"({"id": 1})", ""), 0, {"image 1 (\"\")", "file_name"}, 0);
  expect_problem(read(kCategories, R"({"file_name": "a"})", ""), 0, {"images[0] (\"a\")", "id"}, 0);
  expect_problem(read(kCategories, R"({"id": 1, "file_name": 3})", ""), 0, {"file_name", "3"}, 0);
  expect_problem(read(kCategories, R"({"id": 1, "file_name": null})", ""), 0, {"file_name", "null"},
                 0);
  expect_problem(
      read(kCategories, R"({"id": 1, "file_name": "a\u0000\u001bb"}, {"id": 1, "file_name": "c"})",
           ""),
      1, {"image 1 (\"c\")"}, 1);
  expect_problem(read(kCategories, R"({"id": 1, "file_name": "a\u0000\u001bb", "width": []})", ""),
                 0, {"image 1 (\"a\\x00\\x1bb\")"}, 0);
  expect_problem(read(kCategories, R"({"id": 1, "file_name": "a", "width": 0, "height": 4})", ""),
                 0, {"width", "0"}, 0);
  expect_problem(read(kCategories, R"({"id": 1, "file_name": "a", "width": 10000000000})", ""), 0,
                 {"width", "10000000000"}, 0);
}

// The range of 64-bit integers, and of those that a double holds exactly (IEEE 754: 53 bits).
TEST_F(CocoFile, IntegersAtTheLimits) {
  const auto id_of = [&](const std::string& id) {
    const AnnotationSet coco = read(kCategories, R"({"file_name": "a", "id": )" + id + "}", "");
    EXPECT_TRUE(coco.problems.empty()) << coco.problems[0].message;
    return coco.images.at(0).id;
  };
  EXPECT_EQ(id_of("9223372036854775807"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(id_of("-9223372036854775808"), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(id_of("9007199254740992.0"), int64_t{1} << 53);
  EXPECT_EQ(id_of("1.7e1"), 17);
  EXPECT_EQ(id_of("-0.0"), 0);

  const std::string up = "9223372036854775807", rounded, none;  // limits in the message
  for (const auto& [id, limit] : std::vector<std::pair<std::string, std::string>>{
           {"9223372036854775808", up},
           {"16045690984833335023", up},
           {"18446744073709551615", up},
           {"329800735698586629295641978511506172918", up},
           {"-9223372036854775809", "-9223372036854775808"},
           {"1e18", rounded},
           {"9007199254740994.0", rounded},
           {"1.2345678901234567e+18", rounded},
           {"1e999", none}}) {
    const auto with = [&](const std::string& key) {
      std::vector<std::string> values{key + " holds " + id};
      if (!limit.empty()) values.push_back(limit);
      return values;
    };
    expect_problem(read(kCategories, R"({"file_name": "a", "id": )" + id + "}", ""), 0, with("id"),
                   0);
    const std::string box = R"(, "bbox": [1, 2, 3, 4]})";
    expect_problem(
        read(kCategories, kImages, R"({"image_id": 5, "category_id": 7, "id": )" + id + box), 0,
        with("id"), 0);
    expect_problem(
        read(kCategories, kImages, R"({"id": 1, "category_id": 7, "image_id": )" + id + box), 0,
        with("image_id"), -1);
    expect_problem(
        read(kCategories, kImages, R"({"id": 1, "image_id": 5, "category_id": )" + id + box), 0,
        with("category_id"), 0);
    expect_problem(read(kCategories, kImages,
                        R"({"id": 1, "image_id": 5, "category_id": 7, "iscrowd": )" + id + box),
                   0, with("iscrowd"), 0);
    const std::string category =
        R"({"images": [], "annotations": [], "categories": [{"name": "a", "id": )" + id + "}]}";
    EXPECT_TRUE(failure(category).is(kRecordInvalid, with("id")));
  }
}

TEST_F(CocoFile, NullCountsAsAbsent) {
  const AnnotationSet coco =
      read(kCategories, R"({"id": 5, "file_name": "a", "width": null, "height": null})",
           R"({"id": 1, "image_id": 5, "category_id": 7, "bbox": [1, 2, 3, 4], "area": null, )"
           R"("iscrowd": null})");
  EXPECT_TRUE(coco.problems.empty());
  EXPECT_EQ(coco.images[0].width, -1);
  EXPECT_EQ(coco.images[0].height, -1);
  EXPECT_EQ(coco.annotations[0].area, 12);
  EXPECT_FALSE(coco.annotations[0].area_given);
  EXPECT_FALSE(coco.annotations[0].iscrowd);
  // Where a value is needed, the message says null.
  expect_problem(read(kCategories, R"({"id": null, "file_name": "a"})", ""), 0, {"id", "null"}, 0);
  expect_problem(read(kCategories, kImages,
                      R"({"id": 1, "image_id": 5, "category_id": null, "bbox": [1, 2, 3, 4]})"),
                 0, {"category_id", "null"}, 0);
  EXPECT_TRUE(failure(R"({"images": [], "annotations": null, "categories": []})")
                  .is(kFormatInvalid, "\"annotations\"", "null"));
  EXPECT_TRUE(
      failure(R"({"images": [], "annotations": [], "categories": [{"id": 1, "name": null}]})")
          .is(kRecordInvalid, "name", "null"));
}

TEST_F(CocoFile, FilesThatAreNoSuchFileAreErrors) {
  EXPECT_TRUE(failure("").is(kFormatInvalid, "JSON"));
  EXPECT_TRUE(failure("[]").is(kFormatInvalid, "JSON"));
  EXPECT_TRUE(failure(R"({"images": [], "annotations": []})").is(kFormatInvalid, "\"categories\""));
  EXPECT_TRUE(failure(R"({"images": [], "categories": []})").is(kFormatInvalid, "\"annotations\""));
  EXPECT_TRUE(failure(R"({"images": 3})").is(kFormatInvalid, "\"images\""));
  EXPECT_TRUE(failure(R"({"images": [3]})").is(kFormatInvalid, "images[0]"));
  EXPECT_TRUE(failure(R"({"images": [], "images": []})").is(kFormatInvalid, "\"images\"", "twice"));
  const auto lists = [](const std::string& categories) {
    return R"({"images": [], "annotations": [], "categories": [)" + categories + "]}";
  };
  EXPECT_TRUE(failure(lists("")).is(kDatasetTooSmall, "categories"));
  EXPECT_TRUE(failure(lists(R"({"id": 1})")).is(kRecordInvalid, "name"));
  EXPECT_TRUE(failure(lists(R"({"id": "x", "name": "x"})")).is(kRecordInvalid, "categories[0]"));
  EXPECT_TRUE(failure(lists(R"({"id": 4, "name": "x"}, {"id": 4, "name": "y"})"))
                  .is(kRecordInvalid, "categories", "id 4"));
  EXPECT_TRUE(raises(kFileMissing, [&] { read_coco(folder_ / "none.json"); }, "none.json"));
  EXPECT_TRUE(raises(kFileUnreadable, [&] { read_coco(folder_ / ""); }, folder_ / ""));
}

TEST_F(CocoFile, BrokenJsonNamesThePlace) {
  EXPECT_TRUE(failure("{\n\"images\": [],\n\"annotations\": [{\"id\" 3}], \"categories\": []}")
                  .is(kFormatInvalid, "line 3"));
  EXPECT_TRUE(
      failure(R"({"images": [], "categories": [], "annotations": []} {})").is(kFormatInvalid));
  EXPECT_TRUE(failure("{\"images\": [], \"categories\": [], \"annotations\": [], \"x\": \"\xff\"}")
                  .is(kFormatInvalid, "UTF-8"));
}

// Every prefix of a sound file is broken, and none is taken for sound or crashes.
TEST_F(CocoFile, EveryTruncationIsAnError) {
  const std::string sound =
      R"({"categories": [{"id": 1, "name": "a"}],
    "images": [{"id": 1, "file_name": "a\"}", "width": 4, "height": 4}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4],
                     "segmentation": {"counts": [1, {}]}}]})";
  EXPECT_EQ(read(sound).annotations.size(), 1U);
  for (size_t length = 0; length < sound.size(); ++length)
    EXPECT_THROW(read(sound.substr(0, length)), Error) << sound.substr(0, length);
}

TEST(ThrowProblems, NamesTenAndCountsTheRest) {
  std::vector<CocoProblem> problems;
  for (int i = 0; i < 13; ++i) problems.push_back({"p" + std::to_string(i), 0});
  const ErrorContext at("while packing out");
  problems.front().code = kImageDamaged;
  const Caught caught = catch_error([&] { throw_problems("f.json", problems, "do this"); });
  for (int i = 0; i < 10; ++i)
    EXPECT_TRUE(caught.is(kImageDamaged, "f.json", "p" + std::to_string(i), "3", "do this"));
  EXPECT_FALSE(names(caught.text, "p10"));
}

}  // namespace
}  // namespace dfine
