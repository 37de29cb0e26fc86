#include "metrics/coco_json.h"

#include <gmock/gmock.h>

#include <array>
#include <fstream>

#include "support/python.h"
#include "support/raises.h"

namespace dfine {
using enum ErrorCode;
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CocoJson : public ::testing::Test {
 protected:
  std::string write(const std::string& text) {
    const std::string path = folder_ / "file.json";
    std::ofstream(path) << text;
    return path;
  }
  std::vector<Detection> detections(const std::string& text) {
    return read_coco_detections(write(text));
  }
  GroundTruth truth(const std::string& text) { return read_coco_ground_truth(write(text)); }

  Caught detections_error(const std::string& text) {
    return catch_error([&] { detections(text); });
  }
  Caught truth_error(const std::string& text) {
    return catch_error([&] { truth(text); });
  }

  TemporaryFolder folder_;
};

TEST_F(CocoJson, ReadsDetections) {
  const auto list = detections(R"([
    {"image_id": 42, "category_id": 18, "bbox": [258.15, 41.29, 348.26, 243.78], "score": 0.236,
     "segmentation": {"size": [1, 2], "counts": "]}"}},
    {"score": 1, "bbox": [-1, 0, 2.5e1, 3], "extra": [[1, 2], {"score": 7}], "category_id": 1.0,
     "image_id": 4503599627370496}])");
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].image_id, 42);
  EXPECT_EQ(list[0].category_id, 18);
  EXPECT_THAT(list[0].xywh, ElementsAre(258.15, 41.29, 348.26, 243.78));
  EXPECT_EQ(list[0].score, 0.236);
  EXPECT_EQ(list[1].image_id, 4503599627370496);
  EXPECT_EQ(list[1].category_id, 1);
  EXPECT_THAT(list[1].xywh, ElementsAre(-1, 0, 25, 3));
  EXPECT_EQ(list[1].score, 1);
  EXPECT_THAT(detections("[]\n"), IsEmpty());
}

TEST_F(CocoJson, DetectionErrorsNameFileRecordFieldAndValue) {
  const std::string good =
      R"({"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5})";
  const auto second = [&](const std::string& record) {
    return detections_error("[" + good + ", " + record + "]");
  };
  EXPECT_TRUE(second(R"({"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]})")
                  .is(kRecordInvalid, "score", "record 1", "file.json"));
  EXPECT_TRUE(
      second(R"({"image_id": "a.jpg", "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5})")
          .is(kRecordInvalid, "image_id", "\"a.jpg\""));
  EXPECT_TRUE(second(R"({"image_id": 1.5, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5})")
                  .is(kRecordInvalid, "image_id", "1.5"));
  EXPECT_TRUE(second(R"({"image_id": 1, "category_id": null, "bbox": [1, 2, 3, 4], "score": 0.5})")
                  .is(kRecordInvalid, "category_id", "null"));
  EXPECT_TRUE(second(R"({"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": null})")
                  .is(kRecordInvalid, "score", "null"));
  for (const std::string key : {"image_id", "category_id"}) {
    const std::string other = key == "image_id" ? "category_id" : "image_id";
    const auto with_id = [&](const std::string& id) {
      return second("{\"" + key + "\": " + id + ", \"" + other +
                    R"(": 1, "bbox": [1, 2, 3, 4], "score": 0.5})");
    };
    EXPECT_TRUE(with_id("16045690984833335023")
                    .is(kRecordInvalid, key, "16045690984833335023", "9223372036854775807"));
    EXPECT_TRUE(with_id("1e18").is(kRecordInvalid, key, "1e18"));
  }
  EXPECT_TRUE(second(R"({"image_id": 1, "category_id": 1, "bbox": [1, 2, 3], "score": 0.5})")
                  .is(kRecordInvalid, "bbox", "3", "4"));
  EXPECT_TRUE(second(R"({"image_id": 1, "category_id": 1, "bbox": [1, 2, NaN, 4], "score": 0.5})")
                  .is(kRecordInvalid, "bbox", "NaN"));
  EXPECT_TRUE(second(R"({"image_id": 1, "category_id": 1, "bbox": 5, "score": 0.5})")
                  .is(kRecordInvalid, "bbox", "5"));
  EXPECT_TRUE(second("[]").is(kRecordInvalid, "record 1"));
}

TEST_F(CocoJson, AByteOrderMarkIsSkipped) {
  const std::string mark = "\xEF\xBB\xBF";
  EXPECT_EQ(detections(mark +
                       R"([{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}])")
                .size(),
            1U);
  EXPECT_THAT(detections(mark + "[]"), IsEmpty());
  EXPECT_EQ(
      truth(mark +
            R"({"images": [{"id": 7}], "annotations": [], "categories": [{"id": 1, "name": "a"}]})")
          .image_ids.at(0),
      7);
}

TEST_F(CocoJson, FilesOfOtherKindsAreNamed) {
  for (const auto& [text, what, hint] : std::vector<std::array<std::string, 3>>{
           {"names: [a]\n", "YAML", "--format yolo"},
           {"<annotation/>", "XML", "--format voc"},
           {"\x1f\x8b\x08\x01", "gzip-compressed", "gzip -dc"},
           {"[run]\nseed = 1\n", "TOML", "--config"},
           {"image,score\na,1\n", "CSV", "convert"},
           {std::string("[\0]\0", 4), "UTF-16LE", "iconv"},
           {std::string("\xfe\xff\0[\0]", 6), "UTF-16", "iconv"},
           {"{\"image_id\": 1}\n{\"image_id\": 2}\n", "JSON lines", "JSON list"}}) {
    EXPECT_TRUE(detections_error(text).is(kFormatInvalid, "file.json", what, "hint", hint));
    EXPECT_TRUE(truth_error(text).is(kFormatInvalid, "file.json", what, "hint"));
  }
  EXPECT_TRUE(detections_error("{\"image_id\": 1}").is(kFormatInvalid));
  EXPECT_TRUE(detections_error("[{\"image_id\": 1, \"file_name\": \"\xe9\"}]")
                  .is(kFormatInvalid, "file.json", "UTF-8", "byte 31", "line 1"));
}

TEST_F(CocoJson, BrokenDetectionFiles) {
  EXPECT_TRUE(detections_error(R"({"annotations": []})").is(kFormatInvalid, "file.json"));
  EXPECT_TRUE(detections_error("").is(kFormatInvalid, "file.json", "JSON"));
  EXPECT_TRUE(
      detections_error(R"([{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}, )"
                       R"({"image_id": 2)")
          .is(kFormatInvalid, "JSON"));
  EXPECT_TRUE(detections_error("[] []").is(kFormatInvalid));
  EXPECT_TRUE(catch_error([&] {
                read_coco_detections(folder_ / "absent.json");
              }).is(kFileMissing, "absent.json"));
}

TEST_F(CocoJson, ReadsGroundTruth) {
  const GroundTruth t = truth(R"({
    "annotations": [{"id": 0, "image_id": 5, "category_id": 9, "bbox": [1, 2, 3, 4.5], "area": 7.25,
                     "iscrowd": 1},
                    {"id": 3, "image_id": 99, "category_id": 77, "bbox": [0, 0, 2, 8],
                     "segmentation": [[1, 2, 3]]}],
    "images": [{"id": 5, "file_name": "a.jpg", "width": 10, "height": 10}, {"id": 2}],
    "categories": [{"id": 9, "name": "cat", "supercategory": "animal"}]})");
  EXPECT_THAT(t.image_ids, ElementsAre(5, 2));
  EXPECT_THAT(t.file_names, ElementsAre("a.jpg", ""));
  ASSERT_EQ(t.categories.size(), 1U);
  EXPECT_EQ(t.categories[0].id, 9);
  EXPECT_EQ(t.categories[0].name, "cat");
  ASSERT_EQ(t.boxes.size(), 2U);
  EXPECT_EQ(t.boxes[0].annotation_id, 0);
  EXPECT_EQ(t.boxes[0].image_id, 5);
  EXPECT_EQ(t.boxes[0].category_id, 9);
  EXPECT_THAT(t.boxes[0].xywh, ElementsAre(1, 2, 3, 4.5));
  EXPECT_EQ(t.boxes[0].area, 7.25);
  EXPECT_TRUE(t.boxes[0].iscrowd);
  EXPECT_EQ(t.boxes[1].area, 16) << "w * h where there is none";
  EXPECT_FALSE(t.boxes[1].iscrowd);
  EXPECT_EQ(t.boxes[1].image_id, 99) << "left to the evaluation";
}

TEST_F(CocoJson, GroundTruthErrorsNameFileAndRecord) {
  const auto with = [](const std::string& images, const std::string& annotations) {
    return R"({"images": [)" + images +
           R"(], "categories": [{"id": 1, "name": "a"}], "annotations": [)" + annotations + "]}";
  };
  const std::string good = R"({"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]})";
  EXPECT_TRUE(truth_error(with(R"({"id": 1}, {"width": 3})", good))
                  .is(kRecordInvalid, "file.json", "images[1]", "id"));
  EXPECT_TRUE(
      truth_error(with(R"({"id": 1})", good + R"(, {"id": 2, "image_id": 1, "category_id": 1})"))
          .is(kRecordInvalid, "file.json", "annotations[1]", "bbox"));
  EXPECT_TRUE(truth_error(R"({"images": [], "annotations": []})").is(kFormatInvalid, "categories"));
  EXPECT_TRUE(truth_error("[]").is(kFormatInvalid, "file.json"));
}

}  // namespace
}  // namespace dfine
