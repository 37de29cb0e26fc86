#include "analysis/details.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "analysis/scene.h"

namespace dfine {
namespace {

Scene cats_and_dogs() {
  Scene scene;
  scene.truth.categories[1].name = "Zellkörper mit einem sehr langen Namen\n";
  scene.box(1, {0, 0, 10, 10});
  scene.box(1, {20, 0, 10, 10});
  scene.box(2, {40, 0, 10, 10}, false, 2);
  scene.detect(1, {0, 0, 10, 10}, 0.875);
  scene.detect(2, {20, 0, 10, 10}, 0.625);
  scene.detect(2, {40, 0, 10, 10}, 0.625, 2);
  scene.detect(1, {70, 0, 10, 10}, 0.125, 2);
  return scene;
}

AnalysisOptions without_intervals() {
  AnalysisOptions options;
  options.bootstrap.resamples = 0;
  return options;
}

TEST(Details, Text) {
  const Scene scene = cats_and_dogs();
  EXPECT_EQ(format_details(analyse(scene.truth, scene.detections, without_intervals())),
            "Score threshold with the best F1, at IoU 0.50\n"
            "class                         boxes  threshold   95 % interval  precision  recall     "
            "F1     "
            "ECE\n");
}

TEST(Details, JsonReadsBackExactly) {
  Scene scene = cats_and_dogs();
  scene.detections[0].score = 1.0 / 3;
  const Details details = analyse(scene.truth, scene.detections);
  const auto json = nlohmann::json::parse(to_json(details).dump());
  for (const auto& row : json.at("confusion").at("counts")) EXPECT_EQ(row.size(), 3U);
  const auto& best = json.at("overall").at("best");
  EXPECT_EQ(best.at("threshold").get<double>(), details.pooled.best->threshold);
  EXPECT_EQ(best.at("low").get<double>(), details.pooled.interval->low);
  EXPECT_EQ(json.at("errors").at("ap").get<double>(), details.errors.ap);
  EXPECT_EQ(json.at("thresholds").at(7).get<double>(), 0.07);
}

TEST(Details, WithoutAnything) {
  const GroundTruth nothing{.image_ids = {}, .categories = {}, .boxes = {}};
  const Details details = analyse(nothing, {});
  EXPECT_TRUE(to_json(details).at("overall").at("best").is_null());
  EXPECT_TRUE(to_json(details).at("overall").at("calibration").at("ece").is_null());
  EXPECT_TRUE(to_json(best_thresholds(nothing, {})).at("overall").is_null());
  EXPECT_FALSE(format_details(details).empty());
}

}  // namespace
}  // namespace dfine
