#include "predict/outputs.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/files.h"

namespace dfine {
namespace {
namespace fs = std::filesystem;
using Json = nlohmann::json;

/// 40 x 20 pixels, box (4, 2) to (12, 18): centre (8, 10), size (8, 16).
std::shared_ptr<const PredictedPicture> picture(const std::string& name, const std::string& label) {
  auto made = std::make_shared<PredictedPicture>();
  made->info = {.id = 7, .name = name, .source = name, .drawn = {}};
  made->image = Image(40, 20);
  made->found = {
      {.category_id = 5, .label = label, .class_index = 2, .xyxy = {4, 2, 12, 18}, .score = 0.75F}};
  return made;
}

std::shared_ptr<const PredictedPicture> frame(int64_t index) {
  auto made = std::make_shared<PredictedPicture>(*picture("clip.mp4", "cat"));
  made->info.frame = {.index = index, .seconds = 0.5};
  return made;
}

TEST(Outputs, CsvQuotesAsRfc4180Says) {
  const TemporaryFolder folder;
  const auto csv = csv_output(folder / "p.csv");
  csv->add(picture("a.jpg", "cat"));
  csv->add(picture("b, \"c\".jpg", "two\nlines"));
  csv->add(picture("gr\xfc\xdf.jpg", "cat"));
  EXPECT_FALSE(fs::exists(folder / "p.csv"));
  csv->finish();
  EXPECT_EQ(read_file(folder / "p.csv"),
            "file,class,score,x1,y1,x2,y2\r\n"
            "a.jpg,cat,0.75,4,2,12,18\r\n"
            "\"b, \"\"c\"\".jpg\",\"two\nlines\",0.75,4,2,12,18\r\n"
            "gr\\xfc\\xdf.jpg,cat,0.75,4,2,12,18\r\n");
}

TEST(Outputs, YoloHasFractionsOfTheImage) {
  const TemporaryFolder folder;
  const auto yolo = yolo_output(folder / "labels");
  for (const char* name : {"a.jpg", "a.png", "sub/b", "a.png.jpg"}) yolo->add(picture(name, "cat"));
  yolo->add(frame(17));
  auto none = std::make_shared<PredictedPicture>(*picture("none.jpg", ""));
  none->found.clear();
  yolo->add(none);
  yolo->finish();
  for (const char* name : {"a.txt", "a.png.txt", "sub/b.txt", "a.png.jpg.txt", "clip.mp4_17.txt"})
    EXPECT_EQ(read_file(folder / "labels" + ("/" + std::string(name))), "2 0.2 0.5 0.2 0.8 0.75\n")
        << name;
  EXPECT_TRUE(fs::exists(folder / "labels/none.txt"));
  EXPECT_EQ(read_file(folder / "labels/none.txt"), "");
}

TEST(Outputs, JsonLinesAreThereAtOnce) {
  const TemporaryFolder folder;
  const auto lines = jsonl_output(folder / "p.jsonl");
  EXPECT_FALSE(fs::exists(folder / "p.jsonl"));
  lines->add(picture("a.jpg", "cat"));
  EXPECT_EQ(Json::parse(read_file(folder / "p.jsonl")), Json::parse(R"({
    "image_id": 7, "file_name": "a.jpg", "width": 40, "height": 20,
    "detections": [{"category_id": 5, "category_name": "cat", "bbox": [4, 2, 8, 16],
                    "score": 0.75}]})"));
  lines->add(frame(3));
  lines->finish();
  std::istringstream text(read_file(folder / "p.jsonl"));
  std::string line;
  std::getline(text, line);
  std::getline(text, line);
  EXPECT_EQ(Json::parse(line)["frame_index"], 3);
  EXPECT_EQ(Json::parse(line)["time"], 0.5);
}

TEST(Outputs, CocoAppearsAtTheEnd) {
  const TemporaryFolder folder;
  {
    const auto coco = coco_output(folder / "p.json");
    coco->add(picture("a.jpg", "cat"));
  }
  EXPECT_TRUE(fs::is_empty(folder / ""));
  const auto coco = coco_output(folder / "p.json");
  coco->add(picture("a.jpg", "cat"));
  coco->add(frame(3));
  coco->finish();
  EXPECT_EQ(Json::parse(read_file(folder / "p.json")), Json::parse(R"([
    {"image_id": 7, "file_name": "a.jpg", "category_id": 5, "category_name": "cat",
     "bbox": [4, 2, 8, 16], "score": 0.75},
    {"image_id": 7, "file_name": "clip.mp4", "frame_index": 3, "time": 0.5, "category_id": 5,
     "category_name": "cat", "bbox": [4, 2, 8, 16], "score": 0.75}])"));
  const auto empty = coco_output(folder / "empty.json");
  empty->finish();
  EXPECT_EQ(Json::parse(read_file(folder / "empty.json")), Json::array());
}

}  // namespace
}  // namespace dfine
