#pragma once
#include <filesystem>
#include <memory>
#include <vector>

#include "predict/input_images.h"
#include "predict/picture_source.h"
#include "video/video_reader.h"

namespace dfine::inline predict {

/// Whether the file is a video, by its name or its first bytes. False where it cannot be opened.
bool is_video(const std::filesystem::path& file);

struct InputVideo {
  std::filesystem::path path;
  std::string name;             // file_name in the results
  std::filesystem::path drawn;  // the video that is written; empty: none
  VideoInfo info;
};

/// Opens each once. Those that cannot be opened are added to `unreadable`; throws the first Error
/// if none can.
std::vector<InputVideo> open_videos(const std::vector<ImageFile>& files,
                                    std::vector<FileNote>& unreadable);

/// The frames of one video after the other, decoded on `threads`. Their ids are 1, 2, ... through
/// all videos. A video with damage gives one picture more at its end, with a problem that names the
/// frames.
std::unique_ptr<PictureSource> video_source(std::vector<InputVideo> videos, int threads);

}  // namespace dfine::inline predict
