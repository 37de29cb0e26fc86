// A build without FFmpeg's libraries.
#include <gtest/gtest.h>

#include "support/raises.h"
#include "video/video_reader.h"
#include "video/video_writer.h"

namespace dfine {
namespace {

TEST(WithoutFfmpeg, RefusesVideosAndNamesTheOptionOfTheSetup) {
  EXPECT_TRUE(raises(
      ErrorCode::kImageUnsupported, [] { VideoReader("clip.mp4", 1); }, "clip.mp4", "--video"));
  EXPECT_TRUE(raises(
      ErrorCode::kImageUnsupported, [] { VideoWriter("out.mp4", {}, 1); }, "out.mp4", "--video"));
}

}  // namespace
}  // namespace dfine
