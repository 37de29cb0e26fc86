#include "analysis/error_kinds.h"

#include <gtest/gtest.h>

#include "analysis/scene.h"

namespace dfine {
namespace {

ErrorKinds errors_of(const Scene& scene) {
  ThreadPool pool(0);
  const Inputs in = make_inputs(scene.truth, scene.detections);
  return error_kinds(in, ImageLists(in), pool);
}

void expect_only(const ErrorKinds& errors, ErrorKind kind) {
  for (size_t i = 0; i < kErrorKinds; ++i) {
    EXPECT_EQ(errors.kinds[i].count, static_cast<ErrorKind>(i) == kind ? 1 : 0)
        << name_of(static_cast<ErrorKind>(i));
  }
}

// One cat, which is found with the lower score. So AP is 1/2, and 1 without the error.
Scene found_second() {
  Scene scene;
  scene.box(1, {0, 0, 10, 10});
  scene.detect(1, {0, 0, 10, 10}, 0.5);
  return scene;
}

TEST(ErrorKinds, Background) {
  Scene scene = found_second();
  scene.detect(1, {50, 0, 10, 10}, 0.9);
  const ErrorKinds errors = errors_of(scene);
  expect_only(errors, ErrorKind::kBackground);
  EXPECT_DOUBLE_EQ(errors.ap, 0.5);
  EXPECT_DOUBLE_EQ(errors.of(ErrorKind::kBackground).ap, 0.5);
  EXPECT_DOUBLE_EQ(errors.false_positives, 0.5);
  EXPECT_DOUBLE_EQ(errors.false_negatives, 0);
}

TEST(ErrorKinds, Duplicate) {
  Scene scene = found_second();
  scene.detect(1, {0, 0, 10, 9}, 0.4);
  expect_only(errors_of(scene), ErrorKind::kDuplicate);
}

TEST(ErrorKinds, Localisation) {
  Scene scene = found_second();
  scene.box(1, {50, 0, 10, 10});
  scene.detect(1, {50, 0, 10, 4}, 0.9);
  const ErrorKinds errors = errors_of(scene);
  expect_only(errors, ErrorKind::kLocalisation);
  // Precision 1/2 up to a recall of 1/2: 51 of 101 points.
  EXPECT_DOUBLE_EQ(errors.ap, 51 / 202.0);
  EXPECT_DOUBLE_EQ(errors.of(ErrorKind::kLocalisation).ap, 1 - 51 / 202.0);
}

TEST(ErrorKinds, Classification) {
  Scene scene = found_second();
  scene.box(2, {50, 0, 10, 10});
  scene.detect(1, {50, 0, 10, 10}, 0.9);
  const ErrorKinds errors = errors_of(scene);
  expect_only(errors, ErrorKind::kClassification);
  EXPECT_DOUBLE_EQ(errors.ap, 0.25);
  EXPECT_DOUBLE_EQ(errors.of(ErrorKind::kClassification).ap, 0.75);
}

TEST(ErrorKinds, Both) {
  Scene scene = found_second();
  scene.box(2, {50, 0, 10, 10});
  scene.detect(1, {50, 0, 10, 4}, 0.9);
  const ErrorKinds errors = errors_of(scene);
  EXPECT_EQ(errors.of(ErrorKind::kBoth).count, 1);
  EXPECT_DOUBLE_EQ(errors.of(ErrorKind::kBoth).ap, 0.25);
  // The dog has no detection at all. Without it its class is not in the mean.
  EXPECT_EQ(errors.of(ErrorKind::kMissed).count, 1);
  EXPECT_DOUBLE_EQ(errors.of(ErrorKind::kMissed).ap, 0.25);
}

TEST(ErrorKinds, Nothing) {
  const ErrorKinds errors = errors_of({});
  EXPECT_EQ(errors.ap, 0);
  EXPECT_EQ(errors.false_negatives, 0);
}

}  // namespace
}  // namespace dfine
