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
const std::vector<CocoClassSummary> kClasses{{.category = {1, "Zellkörper"},
                                              .boxes = 12345,
                                              .ap = 0.5,
                                              .ap50 = 2.0 / 3,
                                              .ap75 = 0.25,
                                              .ar = 0.75,
                                              .images = 678,
                                              .detections = 1234567},
                                             {.category = {1000, "b"}}};

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
            "category id  name          images     boxes  detections"
            "      AP    AP50    AP75   AR100\n"
            "          1  Zellkörper       678     12345     1234567"
            "   0.500   0.667   0.250   0.750\n"
            "       1000  b                  0         0           0"
            "       -       -       -       -\n");
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
                                                {"ap50", 2.0 / 3},
                                                {"ap75", 0.25},
                                                {"ar", 0.75},
                                                {"images", 678},
                                                {"detections", 1234567}}));
}

/// One box, found with an IoU of 0.6 by the second of two detections.
CocoEvaluation evaluation(const CocoParams& params) {
  const GroundTruth truth{.image_ids = {1},
                          .categories = {{7, "a"}},
                          .boxes = {{.image_id = 1,
                                     .category_id = 7,
                                     .annotation_id = 1,
                                     .xywh = {0, 0, 10, 10},
                                     .area = 100,
                                     .iscrowd = false}}};
  const std::vector<Detection> detections{{1, 7, {50, 50, 10, 10}, 0.9},
                                          {1, 7, {0, 0, 10, 6}, 0.8}};
  return evaluate_coco(truth, detections, 1, params);
}

TEST(Summary, OtherSettingsOtherRows) {
  CocoParams params;
  params.ious = {0.6, 0.3, 0.625};
  params.limits = {1, 500};
  EXPECT_EQ(format_metrics(list_metrics(evaluation(params))),
            "Average Precision  IoU 0.30:0.625 area all     detections 500   0.333  ap\n"
            "Average Precision  IoU 0.30       area all     detections 500   0.500  ap30\n"
            "Average Precision  IoU 0.50       area all     detections 500       -  ap50\n"
            "Average Precision  IoU 0.60       area all     detections 500   0.500  ap60\n"
            "Average Precision  IoU 0.625      area all     detections 500   0.000  ap62.5\n"
            "Average Precision  IoU 0.75       area all     detections 500       -  ap75\n"
            "Average Precision  IoU 0.30:0.625 area small   detections 500   0.333  ap_small\n"
            "Average Precision  IoU 0.30:0.625 area medium  detections 500       -  ap_medium\n"
            "Average Precision  IoU 0.30:0.625 area large   detections 500       -  ap_large\n"
            "Average Recall     IoU 0.30:0.625 area all     detections   1   0.000  ar1\n"
            "Average Recall     IoU 0.30:0.625 area all     detections 500   0.667  ar500\n"
            "Average Recall     IoU 0.30:0.625 area small   detections 500   0.667  ar_small\n"
            "Average Recall     IoU 0.30:0.625 area medium  detections 500       -  ar_medium\n"
            "Average Recall     IoU 0.30:0.625 area large   detections 500       -  ar_large\n");
  const CocoSummary summary = summarize(evaluation(params));
  EXPECT_EQ(summary.ar1, 0);
  EXPECT_EQ(summary.ar10, -1) << "not evaluated";
  EXPECT_EQ(summary.ap50, -1) << "not evaluated";

  const CocoEvaluation e = evaluation(params);
  const auto json =
      nlohmann::json::parse(to_json(params, list_metrics(e), summarize_classes(e)).dump());
  EXPECT_EQ(json["ap30"], 0.5);
  EXPECT_EQ(json["max_dets"], (nlohmann::json{1, 500}));
  EXPECT_EQ(json["iou_thresholds"], (nlohmann::json{0.6, 0.3, 0.625}));
  EXPECT_EQ(json["class_agnostic"], false);
}

TEST(Summary, OneThreshold) {
  CocoParams params;
  params.ious = {0.5};
  const auto metrics = list_metrics(evaluation(params));
  EXPECT_EQ(metrics[0].name, "ap");
  EXPECT_EQ(metrics[0].iou, "0.50");
  EXPECT_EQ(metrics[0].value, 0.5);
  EXPECT_EQ(metrics[1].name, "ap50");
  EXPECT_EQ(metrics[1].value, 0.5);
}

}  // namespace
}  // namespace dfine
