#include "metrics/summary.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace dfine {
namespace {

const CocoSummary kSummary{.ap = 1.0 / 3,
                           .ap50 = 0.1 + 0.2,
                           .ap75 = 0.25,
                           .ap_small = -1,
                           .ap_medium = 0.5,
                           .ap_large = 1,
                           .ar1 = 0.125,
                           .ar10 = 0.25,
                           .ar100 = 0.75,
                           .ar_small = -1,
                           .ar_medium = 0,
                           .ar_large = 1e-3};
const std::vector<CocoClassSummary> kClasses{
    {.category = {1, "Zellkörper"}, .boxes = 12345, .ap = 0.5, .ap50 = 2.0 / 3},
    {.category = {1000, "b"}, .boxes = 0, .ap = -1, .ap50 = -1}};

TEST(Summary, NamesInOrder) {
  std::vector<std::string_view> names;
  for (const auto& [name, value] : kSummary.metrics()) names.push_back(name);
  EXPECT_THAT(names,
              ::testing::ElementsAre("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large",
                                     "ar1", "ar10", "ar100", "ar_small", "ar_medium", "ar_large"));
}

TEST(Summary, Table) {
  EXPECT_EQ(format_summary(kSummary),
            "Average Precision  IoU 0.50:0.95  area all     detections 100   0.333  ap\n"
            "Average Precision  IoU 0.50       area all     detections 100   0.300  ap50\n"
            "Average Precision  IoU 0.75       area all     detections 100   0.250  ap75\n"
            "Average Precision  IoU 0.50:0.95  area small   detections 100       -  ap_small\n"
            "Average Precision  IoU 0.50:0.95  area medium  detections 100   0.500  ap_medium\n"
            "Average Precision  IoU 0.50:0.95  area large   detections 100   1.000  ap_large\n"
            "Average Recall     IoU 0.50:0.95  area all     detections   1   0.125  ar1\n"
            "Average Recall     IoU 0.50:0.95  area all     detections  10   0.250  ar10\n"
            "Average Recall     IoU 0.50:0.95  area all     detections 100   0.750  ar100\n"
            "Average Recall     IoU 0.50:0.95  area small   detections 100       -  ar_small\n"
            "Average Recall     IoU 0.50:0.95  area medium  detections 100   0.000  ar_medium\n"
            "Average Recall     IoU 0.50:0.95  area large   detections 100   0.001  ar_large\n");
}

TEST(Summary, ClassTableLinesUpWithAnyLetters) {
  EXPECT_EQ(format_classes(kClasses),
            "category id  name           boxes      AP    AP50\n"
            "          1  Zellkörper     12345   0.500   0.667\n"
            "       1000  b                  0       -       -\n");
}

TEST(Summary, JsonReadsBackExactly) {
  const auto json = nlohmann::json::parse(to_json(kSummary, kClasses).dump());
  for (const auto& [name, value] : kSummary.metrics())
    EXPECT_EQ(json.at(std::string(name)).get<double>(), value) << name;
  ASSERT_EQ(json["classes"].size(), 2U);
  EXPECT_EQ(json["classes"][0], (nlohmann::json{{"category_id", 1},
                                                {"name", "Zellkörper"},
                                                {"boxes", 12345},
                                                {"ap", 0.5},
                                                {"ap50", 2.0 / 3}}));
}

}  // namespace
}  // namespace dfine
