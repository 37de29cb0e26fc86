#include "predict/class_choice.h"

#include <gtest/gtest.h>

#include "support/raises.h"

namespace dfine {
namespace {

const std::vector<std::string> kNames{"person", "hair drier", "3", "cat"};

TEST(ClassChoice, TakesNamesAndNumbers) {
  EXPECT_EQ(choose_classes({"cat", "Hair_Drier"}, kNames), (std::vector<int64_t>{1, 3}));
  EXPECT_EQ(choose_classes({"0", "1", "person"}, kNames), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(choose_classes({"3"}, kNames), (std::vector<int64_t>{2}));  // a name comes first
  EXPECT_TRUE(choose_classes({}, kNames).empty());
}

TEST(ClassChoice, NamesWhatMayBeMeant) {
  EXPECT_TRUE(raises(
      ErrorCode::kUsage, [] { choose_classes({"cat", "persn"}, kNames); }, "persn", "person"));
  EXPECT_TRUE(raises(
      ErrorCode::kUsage, [] { choose_classes({"zebra"}, kNames); }, "zebra", "person", "cat"));
  for (const char* number : {"4", "-1", "1.5", ""})
    EXPECT_TRUE(raises(ErrorCode::kUsage, [&] { choose_classes({number}, kNames); }, number));
}

}  // namespace
}  // namespace dfine
