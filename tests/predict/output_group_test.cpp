#include "predict/output_group.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "support/raises.h"

namespace dfine {
namespace {

/// What the outputs of a group did, in order.
struct Disk {
  int room = 0;      // of an output that fails without it
  int pictures = 0;  // that can be removed
  bool pictures_fail = false;
  std::vector<std::string> done;
};

class NeedsRoom : public PredictionOutput {
 public:
  explicit NeedsRoom(Disk& disk) : disk_(disk) {}
  ~NeedsRoom() override { disk_.done.emplace_back("destroyed"); }
  void add(const std::shared_ptr<const PredictedPicture>& picture) override {
    if (disk_.room == 0) throw Error(ErrorCode::kDiskFull, "no room");
    --disk_.room;
    disk_.done.push_back(picture->info.name);
  }
  void finish() override { disk_.done.emplace_back("finished"); }
  std::filesystem::path place() const override { return "results"; }

 private:
  Disk& disk_;
};

class Pictures : public PredictionOutput {
 public:
  explicit Pictures(Disk& disk) : disk_(disk) {}
  void add(const std::shared_ptr<const PredictedPicture>&) override {}
  void finish() override {
    disk_.done.emplace_back("pictures");
    if (disk_.pictures_fail) throw Error(ErrorCode::kDiskFull, "no room for pictures");
  }
  bool make_room() override {
    if (disk_.pictures == 0) return false;
    --disk_.pictures;
    ++disk_.room;
    return true;
  }

 private:
  Disk& disk_;
};

void predict_two(OutputGroup& group) {
  for (const char* name : {"a", "b"}) {
    PredictedPicture picture;
    picture.info.name = name;
    group.add(std::make_shared<PredictedPicture>(picture));
  }
  group.finish();
}

OutputGroup group_on(Disk& disk) {
  std::vector<std::unique_ptr<PredictionOutput>> outputs;
  outputs.push_back(std::make_unique<NeedsRoom>(disk));
  outputs.push_back(std::make_unique<Pictures>(disk));
  return OutputGroup(std::move(outputs));
}

TEST(OutputGroup, APictureMakesRoomForResults) {
  Disk disk{.room = 1, .pictures = 3, .done = {}};
  OutputGroup group = group_on(disk);
  predict_two(group);
  EXPECT_EQ(disk.done, (std::vector<std::string>{"a", "b", "finished", "pictures"}));
  EXPECT_EQ(disk.pictures, 2);
  EXPECT_TRUE(group.failures().empty());
  EXPECT_EQ(group.places(), (std::vector<std::filesystem::path>{"results"}));
}

TEST(OutputGroup, OneThatFailsLeavesTheOthersAlone) {
  Disk disk{.room = 1, .pictures = 0, .done = {}};
  OutputGroup group = group_on(disk);
  predict_two(group);
  EXPECT_EQ(disk.done, (std::vector<std::string>{"a", "destroyed", "pictures"}));
  ASSERT_EQ(group.failures().size(), 1);
  EXPECT_EQ(group.failures().front().code(), ErrorCode::kDiskFull);
  EXPECT_TRUE(group.places().empty());
}

TEST(OutputGroup, AnOutputMakesNoRoomForItself) {
  Disk disk{.room = 2, .pictures = 3, .pictures_fail = true, .done = {}};
  OutputGroup group = group_on(disk);
  predict_two(group);
  EXPECT_EQ(disk.pictures, 3);
  EXPECT_EQ(group.failures().size(), 1);
}

}  // namespace
}  // namespace dfine
