#include "train/run/validation_table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>
#include <string>
#include <vector>

namespace dfine {
namespace {

/// The table's rows, as words.
std::vector<std::vector<std::string>> words(const std::string& table) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    std::istringstream in(line);
    auto& row = rows.emplace_back();
    for (std::string word; in >> word;) row.push_back(word);
  }
  return rows;
}

TEST(ValidationTable, ShowsTheChangeOfTheBetterWeights) {
  const ValidationRecord ema{.weights = WeightsKind::kEma,
                             .epoch = 7,
                             .step = 80,
                             .metrics = {{"val_loss", 2.5}, {"ap", 0.25}, {"ap_small", -1}}};
  const ValidationRecord raw{.weights = WeightsKind::kRaw,
                             .epoch = 7,
                             .step = 80,
                             .metrics = {{"val_loss", NAN}, {"ap", 0.125}, {"ap_small", -1}}};
  const ValidationRecord before{.weights = WeightsKind::kRaw,
                                .epoch = 3,
                                .step = 40,
                                .metrics = {{"val_loss", 2.25}, {"ap", 0.5}, {"ap_small", 0.1}}};
  const auto rows = words(validation_table({ema, raw}, before));
  ASSERT_EQ(rows.size(), 5U);
  const std::string none = "-";
  EXPECT_EQ(rows[1], (std::vector<std::string>{"EMA", "0.2500", none, none, none, none, none, none,
                                               "2.5000"}));
  EXPECT_EQ(rows[2][2], "0.1250");
  EXPECT_EQ(rows[2].back(), none);
  EXPECT_EQ(rows[3][2], "3");
  EXPECT_EQ(rows[4], (std::vector<std::string>{"change", "-0.2500", none, none, none, none, none,
                                               none, "+0.2500"}));
  EXPECT_EQ(words(validation_table({raw}, std::nullopt)).size(), 2U);
}

}  // namespace
}  // namespace dfine
