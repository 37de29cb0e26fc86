#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "fonts/system_font.h"
#include "predict/draw_predictions.h"
#include "predict/outputs.h"
#include "video/video_writer.h"

namespace dfine::inline predict {
namespace {

class VideoOutput : public PredictionOutput {
 public:
  VideoOutput(std::map<std::filesystem::path, VideoInfo> videos, int threads)
      : videos_(std::move(videos)), threads_(threads), font_(system_font()) {}

  void add(const std::shared_ptr<const PredictedPicture>& picture) override {
    const PictureInfo& info = picture->info;
    const VideoInfo& video = videos_.at(info.drawn);
    if (info.drawn != file_) {
      finish();
      file_ = info.drawn;
      writer_.emplace(file_, video, threads_);
    }
    Image image = picture->image;
    draw_predictions(image, picture->found, font_.get());
    writer_->write(image,
                   std::llround(info.frame->seconds * video.time_base.den / video.time_base.num));
  }

  void finish() override {
    if (writer_) writer_->finish();
    writer_.reset();
  }

  std::filesystem::path place() const override { return file_; }  // the last one

 private:
  const std::map<std::filesystem::path, VideoInfo> videos_;
  const int threads_;
  const std::unique_ptr<LabelFont> font_;
  std::filesystem::path file_;
  std::optional<VideoWriter> writer_;  // of file_
};

}  // namespace

std::unique_ptr<PredictionOutput> video_output(std::map<std::filesystem::path, VideoInfo> videos,
                                               int threads) {
  return std::make_unique<VideoOutput>(std::move(videos), threads);
}

}  // namespace dfine::inline predict
