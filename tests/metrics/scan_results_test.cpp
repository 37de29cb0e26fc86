// The quick reader of results files: it agrees with the careful one, and leaves to it what it does
// not know.
#include "metrics/scan_results.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "core/random.h"
#include "core/text.h"
#include "support/python.h"

namespace dfine {
namespace {

using ::testing::ElementsAre;

const std::string kRecord =
    R"({"image_id": 1, "category_id": 2, "bbox": [1, 2.5, -3e1, 0.04], "score": 0.5})";

std::optional<std::vector<Detection>> scan(const std::string& text, ResultNames* names = nullptr,
                                           int threads = 2) {
  ThreadPool pool(threads);
  return scan_results(text, names, pool);
}

TEST(ScanResults, ReadsRecords) {
  for (const std::string& text :
       {"[" + kRecord + "]", "\xEF\xBB\xBF \n[ " + kRecord + " ]\n",
        std::string(R"([{"score":0.5,"bbox":[1,2.5,-30,0.04],"image_id":1,"category_id":2}])"),
        std::string(R"([{"id": 7, "segmentation": {"size": [1, 2], "counts": "a\\}, {\"\u00e9"},
          "bbox" : [ 1 , 2.5 , -30.0 , 4E-2 ] , "image_id" : 1 , "none": null, "yes": [true, {}],
          "category_id": 2, "no": [false, [], -1.5], "score": 5e-1 }])")}) {
    const auto list = scan(text);
    ASSERT_TRUE(list) << text;
    ASSERT_EQ(list->size(), 1U);
    const Detection& d = list->front();
    EXPECT_EQ(d.image_id, 1);
    EXPECT_EQ(d.category_id, 2);
    EXPECT_THAT(d.xywh, ElementsAre(1, 2.5, -30, 0.04));
    EXPECT_EQ(d.score, 0.5);
  }
}

TEST(ScanResults, LeavesTheRestToTheCarefulReader) {
  const auto with = [](const std::string& member) {
    return R"([{"image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4], "score": 0.5, )" + member +
           "}]";
  };
  EXPECT_TRUE(scan(with(R"("a": 1)")));
  for (const std::string& text :
       {std::string(),
        std::string("[]"),
        std::string("{}"),
        std::string("["),
        kRecord,
        "[" + kRecord,
        "[" + kRecord + "]]",
        "[" + kRecord + ",]",
        "[" + kRecord + kRecord + "]",
        "[" + kRecord + ", 1]",
        "[" + kRecord + "}, {]",
        "[" + kRecord + "] 1",
        "[" + kRecord.substr(1) + "]",
        with(R"("a": )"),
        with(R"("a" 1)"),
        with(R"("a": tru)"),
        with(R"("a": [1,])"),
        with(R"("a": {"b"})"),
        with(R"("a": "\x")"),
        with(R"("a": "\u12g4")"),
        with("\"a\": \"\n\""),
        with("\"a\": \"\xFF\""),
        with(R"("a": 01)"),
        with(R"("a": [}])"),
        with(R"("image_id": "1")"),
        with(R"("image_id": 1.0)"),
        with(R"("image_id": 01)"),
        with(R"("image_id": 1234567890123456789)"),
        with(R"("score": NaN)"),
        with(R"("score": 1e999)"),
        with(R"("bbox": [1, 2, 3])"),
        with(R"("bbox": [1, 2, 3, 4, 5])"),
        std::string(R"([{"image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4]}])"),
        std::string(R"([{"category_id": 2, "bbox": [1, 2, 3, 4], "score": 1}])"),
        std::string(R"([{"image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4], "score": 1)")}) {
    EXPECT_FALSE(scan(text)) << text;
  }
  ResultNames names;
  EXPECT_TRUE(scan(with(R"("file_name": "é.jpg")"), &names));
  EXPECT_FALSE(scan(with(R"("file_name": "a\u0062")"), &names));
  EXPECT_FALSE(scan(with(R"("category_name": null)"), &names));
}

/// Long enough for several pieces. Strings that look like the end of a record stand in some.
std::string long_list(size_t records, const std::string& member) {
  std::string text = "[";
  for (size_t i = 0; i < records; ++i) {
    text += str_cat(i > 0 ? ",\n" : "", R"({"image_id": )", i / 7, R"(, "category_id": )", i % 5,
                    R"(, "bbox": [)", i, ".25, 2, 3, 4", R"(], )", i % 1000 == 0 ? member : "",
                    R"("score": 0.)", i, "}");
  }
  return text + "]";
}

TEST(ScanResults, PiecesMakeOneList) {
  constexpr size_t kRecords = 20'000;
  const auto list = scan(long_list(kRecords, ""));
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), kRecords);
  for (size_t i = 0; i < kRecords; ++i) {
    EXPECT_EQ((*list)[i].image_id, i / 7);
    EXPECT_EQ((*list)[i].category_id, i % 5);
    EXPECT_EQ((*list)[i].xywh[0], static_cast<double>(i) + 0.25);
    EXPECT_EQ((*list)[i].score, std::stod(str_cat("0.", i)));
  }
}

TEST(ScanResults, WhatLooksLikeAPieceMisleadsNobody) {
  // Where a piece would begin, a string holds a whole record: the list is right, or not read here.
  const std::string bait = str_cat(R"("note": ")", std::string(3'000'000, ' '), R"(}, {", )");
  std::string within = kRecord;
  for (size_t at = 0; (at = within.find('"', at)) != std::string::npos; at += 2)
    within.insert(at, "\\");
  std::string records;
  while (records.size() < 3'000'000) records += within + ", ";
  for (const std::string& member : {bait, R"("note": "}, )" + records + R"(", )"}) {
    const auto list = scan(long_list(900, member));
    EXPECT_TRUE(!list || list->size() == 900);
  }
}

TEST(ScanResults, NamesAcrossPieces) {
  std::string text = "[";
  constexpr size_t kRecords = 20'000;
  for (size_t i = 0; i < kRecords; ++i) {
    const std::string name = i < 10 ? ""
                                    : str_cat(R"("file_name": ")", i / 5000,
                                              R"(.jpg", "category_name": "c)", i % 3, "\", ");
    text += str_cat(i > 0 ? "," : "", R"({"image_id": )", i / 5000, ", ", name,
                    R"("category_id": )", i % 3, R"(, "bbox": [1, 2, 3, 4], "score": 0.5})");
  }
  text += "]";
  ResultNames names;
  ASSERT_TRUE(scan(text, &names));
  ASSERT_EQ(names.files.size(), 5U);
  EXPECT_EQ(names.files[0].first, 0U);
  EXPECT_EQ(names.files[0].file_name, "");
  EXPECT_EQ(names.files[1].first, 10U);
  EXPECT_EQ(names.files[4].first, 15'000U);
  EXPECT_EQ(names.files[4].image_id, 3);
  EXPECT_EQ(names.files[4].file_name, "3.jpg");
  EXPECT_TRUE(names.unnamed_categories);
  EXPECT_THAT(names.categories,
              ElementsAre(Category{1, "c1"}, Category{2, "c2"}, Category{0, "c0"}));

  text.replace(text.rfind("\"c"), 3, "\"d");  // one id, two names
  EXPECT_FALSE(scan(text, &names));
}

TEST(ScanResults, AcceptsNothingThatTheCarefulReaderReadsDifferently) {
  const std::string valid =
      R"({"image_id": 12, "category_id":7,"bbox": [1.25, -2e0, 30, 0.5], "score": 0.875, )"
      R"("file_name": "a.jpg", "category_name": "c", "x": [null, {"y": "\u00e9"}, true]})";
  // An id with a fraction is left to the careful reader, and the list with it.
  const std::string odd =
      R"(, {"image_id": 1.0, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 1}])";
  constexpr std::string_view kBytes = "\"\\{}[],:.-+eE0123456789 \n\ttfnul\x80\xC3/x";
  const TemporaryFolder folder;
  const std::string file = folder / "dt.json";
  CounterRandom random(1, Stream::kTest, 0);
  int accepted = 0;
  for (int i = 0; i < 10'000; ++i) {
    std::string record = valid;
    for (uint64_t changes = random.below(3); changes-- > 0;) {
      const size_t at = random.below(record.size());
      const std::string byte(1, kBytes[random.below(kBytes.size())]);
      switch (random.below(3)) {
        case 0:
          record.replace(at, 1, byte);
          break;
        case 1:
          record.insert(at, byte);
          break;
        default:
          record.erase(at, 1 + random.below(3));
      }
    }
    ResultNames names, careful_names;
    const auto quick = scan("[" + record + "]", &names, 0);
    if (!quick) continue;
    ++accepted;
    std::filesystem::remove(file);  // writing over a file waits for the disk
    std::ofstream(file) << "[" << record << odd;
    const auto careful = read_coco_detections(file, &careful_names, 1);
    ASSERT_EQ(careful.size(), quick->size() + 1) << record;
    for (size_t k = 0; k < quick->size(); ++k) {
      EXPECT_EQ((*quick)[k].image_id, careful[k].image_id) << record;
      EXPECT_EQ((*quick)[k].category_id, careful[k].category_id) << record;
      EXPECT_EQ((*quick)[k].xywh, careful[k].xywh) << record;
      EXPECT_EQ((*quick)[k].score, careful[k].score) << record;
    }
    EXPECT_EQ(names.categories, careful_names.categories) << record;
    ASSERT_EQ(names.files.empty(), careful_names.files.empty()) << record;
    for (size_t k = 0; k < names.files.size(); ++k)
      EXPECT_EQ(names.files[k].file_name, careful_names.files[k].file_name) << record;
  }
  EXPECT_GT(accepted, 4'000);
}

}  // namespace
}  // namespace dfine
