#include <set>
#include <string>
#include <utility>

#include "core/text.h"
#include "files/atomic_path.h"
#include "predict/outputs.h"
#include "predict/shortest_number.h"

namespace dfine::inline predict {
namespace fs = std::filesystem;
namespace {

std::string yolo_line(const Prediction& p, const Image& image) {
  const auto [x1, y1, x2, y2] = p.xyxy;
  const auto width = static_cast<float>(image.width), height = static_cast<float>(image.height);
  return str_cat(p.class_index, " ", shortest((x1 + x2) / 2 / width), " ",
                 shortest((y1 + y2) / 2 / height), " ", shortest((x2 - x1) / width), " ",
                 shortest((y2 - y1) / height), " ", shortest(p.score), "\n");
}

class YoloOutput : public PredictionOutput {
 public:
  explicit YoloOutput(fs::path folder) : folder_(std::move(folder)) {}

  void add(const std::shared_ptr<const PredictedPicture>& picture) override {
    std::string text;
    for (const Prediction& p : picture->found) text += yolo_line(p, picture->image);
    const fs::path name = name_of(picture->info);
    write_file_atomically(folder_ / name, text);
    taken_.insert(name);
  }

  void finish() override {}
  fs::path place() const override { return folder_; }

 private:
  fs::path name_of(const PictureInfo& info) const {
    fs::path name = info.name;
    if (info.frame) name += str_cat("_", info.frame->index, ".frame");
    fs::path usual = name;
    usual.replace_extension(".txt");
    if (!taken_.contains(usual)) return usual;
    do name += ".txt";
    while (taken_.contains(name));
    return name;
  }

  const fs::path folder_;
  std::set<fs::path> taken_;
};

}  // namespace

std::unique_ptr<PredictionOutput> yolo_output(fs::path folder) {
  return std::make_unique<YoloOutput>(std::move(folder));
}

}  // namespace dfine::inline predict
