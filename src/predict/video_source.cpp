#include "predict/video_source.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "files/lower_extension.h"
#include "image/file_kind.h"

namespace dfine::inline predict {
namespace {

/// "frame 17 (0.68 s): ...; and 3 more".
std::string damage_text(const std::vector<std::string>& damage) {
  constexpr size_t kShown = 3;
  std::string text;
  for (size_t i = 0; i < std::min(damage.size(), kShown); ++i)
    text += str_cat(i > 0 ? "; " : "", damage[i]);
  if (damage.size() > kShown) text += str_cat("; and ", damage.size() - kShown, " more");
  return text;
}

class VideoSource : public PictureSource {
 public:
  VideoSource(std::vector<InputVideo> videos, int threads)
      : videos_(std::move(videos)), threads_(threads) {}

  std::optional<Decode> next() override {
    while (current_ < videos_.size()) {
      try {
        if (!reader_) reader_.emplace(videos_[current_].path, threads_);
        if (auto frame = reader_->read()) return picture(std::move(*frame));
        const std::string problem = damage_text(reader_->damage());
        end_video();
        if (!problem.empty()) return failed(problem, ErrorCode::kImageDamaged);
      } catch (const Error& e) {
        end_video();
        return failed(e.message(), e.code());
      }
    }
    return std::nullopt;
  }

  std::optional<int64_t> size() const override {
    int64_t frames = 0;
    for (const InputVideo& video : videos_) {
      if (video.info.frames == 0) return std::nullopt;
      frames += video.info.frames;
    }
    return frames;
  }

 private:
  void end_video() {
    reader_.reset();
    ++current_;
  }

  Decode picture(VideoFrame frame) {
    const InputVideo& video = videos_[current_];
    auto made = std::make_shared<Picture>(Picture{.info = {.id = ++last_id_,
                                                           .name = video.name,
                                                           .source = video.path,
                                                           .drawn = video.drawn,
                                                           .frame = FramePosition{}},
                                                  .image = std::move(frame.image)});
    made->info.frame = {.index = frame.index, .seconds = frame.seconds};
    return [made] { return std::move(*made); };  // called once
  }

  /// For the video before the current one.
  Decode failed(const std::string& problem, ErrorCode code) const {
    const InputVideo& video = videos_[current_ - 1];
    return [info = PictureInfo{.name = video.name, .source = video.path, .drawn = {}}, problem,
            code] { return Picture{.info = info, .image = {}, .problem = problem, .code = code}; };
  }

  const std::vector<InputVideo> videos_;
  const int threads_;
  size_t current_ = 0;
  std::optional<VideoReader> reader_;  // of the current one
  int64_t last_id_ = 0;
};

}  // namespace

bool is_video(const std::filesystem::path& file) {
  constexpr std::array kExtensions{".mp4", ".m4v",  ".mkv", ".mov",  ".avi", ".webm", ".mpg",
                                   ".ts",  ".mpeg", ".mts", ".m2ts", ".wmv", ".flv",  ".3gp"};
  if (std::ranges::find(kExtensions, lower_extension(file)) != kExtensions.end()) return true;
  std::ifstream in(file, std::ios::binary);
  const auto kind = file_kind(in);
  return kind && kind->name.ends_with(" video");
}

std::vector<InputVideo> open_videos(const std::vector<ImageFile>& files,
                                    std::vector<FileNote>& unreadable) {
  std::vector<InputVideo> videos;
  std::optional<Error> first;
  for (const ImageFile& file : files) {
    try {
      videos.push_back({file.path, file.name, {}, VideoReader(file.path, 1).info()});
    } catch (const Error& e) {
      unreadable.push_back({file.path, e.message(), e.code()});
      if (!first) first = e;
    }
  }
  if (videos.empty() && first) throw *first;
  return videos;
}

std::unique_ptr<PictureSource> video_source(std::vector<InputVideo> videos, int threads) {
  return std::make_unique<VideoSource>(std::move(videos), threads);
}

}  // namespace dfine::inline predict
