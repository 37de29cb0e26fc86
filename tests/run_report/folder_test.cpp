// What is read of a run folder; the pages themselves are tested in a browser (run_test.py).
#include <gtest/gtest.h>

#include <cmath>

#include "run_report/config_file.h"
#include "run_report/curves.h"

namespace dfine {
namespace {

TEST(Curves, KeepsEachStepOfAShortRun) {
  Curves curves;
  for (int64_t step = 1; step <= 3; ++step) {
    curves.begin_step(step, 0);
    curves.add("loss", 10.0 * static_cast<double>(step));
  }
  EXPECT_EQ(curves.steps_per_bucket(), 1);
  ASSERT_EQ(curves.all().at("loss").buckets.size(), 3U);
  EXPECT_EQ(curves.all().at("loss").buckets[1].mean(), 20);
}

TEST(Curves, MergesBucketsOfALongRunWithoutLosingAPeak) {
  Curves curves;
  constexpr int64_t kSteps = 2'000'000;
  for (int64_t step = 1; step <= kSteps; ++step) {
    curves.begin_step(step, 0);
    curves.add("loss", step == 1'234'567 ? 500 : static_cast<double>(step % 2));
  }
  const auto& buckets = curves.all().at("loss").buckets;
  EXPECT_LE(buckets.size(), static_cast<size_t>(Curves::kMostBuckets));
  EXPECT_GT(buckets.size(), static_cast<size_t>(Curves::kMostBuckets) / 2 - 1);
  int64_t count = 0;
  double sum = 0, most = 0;
  for (const CurvePoint& point : buckets) {
    count += point.count;
    sum += point.sum;
    most = std::max(most, point.most);
  }
  EXPECT_EQ(count, kSteps);
  EXPECT_EQ(sum, kSteps / 2 + 500 - 1);  // the peak stands in the place of a 1
  EXPECT_EQ(most, 500);
  EXPECT_EQ(curves.last_step(buckets.size() - 1), kSteps);
}

TEST(Curves, CountsWhatIsNotFiniteAndTakesFarSteps) {
  Curves curves;
  curves.begin_step(INT64_MAX, 0);
  curves.add("loss", std::nan(""));
  curves.add("loss", INFINITY);
  EXPECT_EQ(curves.all().at("loss").not_finite, 2);
  EXPECT_TRUE(curves.all().at("loss").buckets.empty());
  curves.begin_step(1, 0);  // a step that was done again
  curves.add("loss", 4);
  EXPECT_EQ(curves.all().at("loss").buckets[0].mean(), 4);
}

TEST(ConfigEntries, TablesValuesAndDefaults) {
  const auto entries = config_entries(
      "extends = \"a.toml\"\n[optim]\n# Learning rate. The rate\n# of the groups.\n"
      "# Allowed: number > 0. Default: 0.0008.\nlr = 0.1\n\n# lonely\n\nx = \"a = b # c\"\n"
      "not a key\n");
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].key, "extends");
  EXPECT_EQ(entries[1].key, "optim.lr");
  EXPECT_EQ(entries[1].by_default, "0.0008");
  EXPECT_EQ(entries[1].description, "Learning rate. The rate of the groups.");
  EXPECT_TRUE(entries[1].changed());
  EXPECT_EQ(entries[2].description, "");
  EXPECT_FALSE(entries[2].changed());
  EXPECT_EQ(config_text(entries, "optim.x"), "a = b # c");
  EXPECT_EQ(config_text(entries, "optim.y"), "");
}

}  // namespace
}  // namespace dfine
