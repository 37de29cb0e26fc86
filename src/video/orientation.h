#pragma once
#include "video/ffmpeg.h"

namespace dfine::inline video {

/// How the stream's frames are turned for display, as an EXIF orientation (1 to 8). 1 where nothing
/// is noted, and for angles that are no multiple of 90 degrees.
int display_orientation(const AVStream& stream);

}  // namespace dfine::inline video
