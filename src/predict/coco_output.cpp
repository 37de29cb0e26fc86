#include <utility>

#include "predict/grown_file.h"
#include "predict/outputs.h"
#include "predict/prediction_json.h"

namespace dfine::inline predict {
namespace {

class CocoOutput : public PredictionOutput {
 public:
  explicit CocoOutput(const std::filesystem::path& file) : file_(file) { file_.append("["); }

  void add(const std::shared_ptr<const PredictedPicture>& picture) override {
    file_.write_pieces();
    const auto about = to_json(picture->info);
    for (const Prediction& p : picture->found) {
      auto record = about;
      add_prediction(record, p);
      if (!std::exchange(first_, false)) file_.append(",\n");
      file_.append(record.dump());
    }
  }

  void finish() override {
    if (!std::exchange(ended_, true)) file_.append("]\n");
    file_.commit();
  }

  std::filesystem::path place() const override { return file_.target(); }

 private:
  GrownFile file_;
  bool first_ = true, ended_ = false;
};

}  // namespace

std::unique_ptr<PredictionOutput> coco_output(const std::filesystem::path& file) {
  return std::make_unique<CocoOutput>(file);
}

}  // namespace dfine::inline predict
