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

// Worked out by hand. AP of the cat is 51/101 (recall 1/2), that of the dog 1/2: at its score the
// false one is in the first image.
TEST(Details, Text) {
  const Scene scene = cats_and_dogs();
  EXPECT_EQ(format_details(analyse(scene.truth, scene.detections, without_intervals())),
            R"(Score threshold with the best F1, at IoU 0.50
class                         boxes  threshold   95 % interval  precision  recall     F1     ECE
(all, one threshold)              3        0.6               -      0.667   0.667  0.667   0.125
cat                               2        0.8               -      1.000   0.500  0.667   0.125
Zellkörper mit einem se...        1      0.625               -      0.500   1.000  0.667   0.125

Most frequent confusions, of detections with a score of at least 0.6
class                       taken for                     count    part of the class
cat                         Zellkörper mit einem se...        1               50.0 %

What errors cost: AP that correcting one kind would add to 0.502 (TIDE, IoU 0.50)
kind                    AP     count
classification       0.498         1  a box of another class, IoU 0.5 and more
localisation         0.000         0  a box of the class, IoU 0.1 to 0.5
both                 0.000         0  wrong class and IoU 0.1 to 0.5
duplicate            0.000         0  a second detection of a box that was found
background           0.000         1  no box with an IoU above 0.1
missed               0.000         0  a box with neither a detection nor one of the first two errors
false positives      0.250         -  if no false one had a higher score
false negatives      0.248         -  if every box were found
)");
}

TEST(Details, MissedBoxesAndTheBackgroundAreConfusionsToo) {
  const Scene scene = cats_and_dogs();
  AnalysisOptions options;
  options.confusion_threshold = 0.7;
  const std::string missed = format_details(analyse(scene.truth, scene.detections, options));
  EXPECT_NE(missed.find("\ncat                         (missed)                          1"
                        "               50.0 %\n"),
            std::string::npos)
      << missed;
  options.confusion_threshold = 0;
  const std::string all = format_details(analyse(scene.truth, scene.detections, options));
  EXPECT_NE(all.find("\n(background)                cat                               1"
                     "                    -\n"),
            std::string::npos)
      << all;
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
