#include <optional>
#include <string>
#include <utility>

#include "files/output_file.h"
#include "predict/outputs.h"
#include "predict/prediction_json.h"

namespace dfine::inline predict {
namespace {

class JsonlOutput : public PredictionOutput {
 public:
  explicit JsonlOutput(std::filesystem::path file) : file_(std::move(file)) {}

  void add(const std::shared_ptr<const PredictedPicture>& picture) override {
    auto record = to_json(picture->info);
    record["width"] = picture->image.width;
    record["height"] = picture->image.height;
    auto& detections = record["detections"] = nlohmann::ordered_json::array();
    for (const Prediction& p : picture->found) add_prediction(detections.emplace_back(), p);
    open();
    out_->append_whole(record.dump() + "\n");
  }

  void finish() override {
    open();  // empty where no picture could be read: an older file must not stay
    out_->close();
  }

  std::filesystem::path place() const override { return file_; }

 private:
  /// Late: a run that fails before its first picture leaves an older file as it is.
  void open() {
    if (!out_) out_.emplace(file_);
  }

  const std::filesystem::path file_;
  std::optional<OutputFile> out_;
};

}  // namespace

std::unique_ptr<PredictionOutput> jsonl_output(std::filesystem::path file) {
  return std::make_unique<JsonlOutput>(std::move(file));
}

}  // namespace dfine::inline predict
