#include "analysis/confusion.h"

#include <gtest/gtest.h>

#include "analysis/scene.h"

namespace dfine {
namespace {

std::vector<int64_t> confusions(const Scene& scene, double threshold) {
  ThreadPool pool(0);
  const Inputs in = make_inputs(scene.truth, scene.detections);
  const Matches matches = match_detections(in, {}, pool);
  return confusion_matrix(in, matches, claim_boxes(in, ImageLists(in), matches, {}, pool),
                          threshold)
      .counts;
}

using Cells = std::vector<int64_t>;  // rows cat, dog, background; columns cat, dog, missed

TEST(Confusion, RowsAreWhatIsThere) {
  Scene scene;
  scene.box(1, {0, 0, 10, 10});
  scene.box(1, {20, 0, 10, 10});
  scene.box(2, {40, 0, 10, 10});
  scene.box(2, {60, 0, 10, 10});
  scene.detect(1, {0, 0, 10, 10}, 0.9);
  scene.detect(2, {0, 0, 10, 10}, 0.8);   // the cat is taken
  scene.detect(2, {20, 0, 10, 10}, 0.7);  // a cat taken for a dog
  scene.detect(2, {40, 0, 10, 10}, 0.6);
  scene.detect(1, {80, 0, 10, 10}, 0.5);
  scene.detect(2, {60, 0, 10, 10}, 0.1);
  EXPECT_EQ(confusions(scene, 0.5), (Cells{1, 1, 0, 0, 1, 1, 1, 1, 0}));
  EXPECT_EQ(confusions(scene, 0), (Cells{1, 1, 0, 0, 2, 0, 1, 1, 0}));
  EXPECT_EQ(confusions(scene, 1), (Cells{0, 0, 2, 0, 0, 2, 0, 0, 0}));
}

// The higher IoU wins over the class, the class over the order in the file.
TEST(Confusion, WhichBoxIsTaken) {
  Scene nearer;
  nearer.box(1, {0, 0, 10, 10});
  nearer.box(2, {1, 0, 10, 10});
  nearer.detect(1, {1, 0, 10, 10}, 0.9);
  EXPECT_EQ(confusions(nearer, 0), (Cells{0, 0, 1, 1, 0, 0, 0, 0, 0}));

  Scene equal;
  equal.box(1, {0, 0, 10, 10});
  equal.box(2, {0, 0, 10, 10});
  equal.box(2, {0, 0, 10, 10});
  equal.detect(2, {0, 0, 10, 10}, 0.9);
  EXPECT_EQ(confusions(equal, 0), (Cells{0, 0, 1, 0, 1, 1, 0, 0, 0}));
}

TEST(Confusion, CrowdsOfAnyClassExcuse) {
  Scene scene;
  scene.box(2, {0, 0, 100, 100}, true);
  scene.detect(1, {0, 0, 10, 10}, 0.9);
  scene.detect(1, {95, 0, 10, 10}, 0.9);
  scene.detect(1, {96, 0, 10, 10}, 0.9);
  EXPECT_EQ(confusions(scene, 0), (Cells{0, 0, 0, 0, 0, 0, 1, 0, 0}));
}

}  // namespace
}  // namespace dfine
