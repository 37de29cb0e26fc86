// Lets the Python checks beside it see what the video layer makes of a file:
//   video_probe read FILE OUT   frames as raw RGB to OUT. Printed are one line with size, rate and
//                               estimate of the length, one per frame with its time, the damage.
//   video_probe copy FILE OUT   the frames written again
// An Error ends it with its code on stdout, and its text on stderr.
#include <fstream>
#include <iostream>
#include <string>

#include "core/error.h"
#include "video/video_reader.h"
#include "video/video_writer.h"

int main(int argc, char** argv) try {
  if (argc != 4) return 2;
  dfine::VideoReader reader(argv[2], 2);
  const dfine::VideoInfo& info = reader.info();
  if (std::string(argv[1]) == "copy") {
    dfine::VideoWriter writer(argv[3], info, 2);
    while (const auto frame = reader.read()) writer.write(frame->image, frame->time);
    writer.finish();
    return 0;
  }
  std::cout << "video " << info.width << ' ' << info.height << ' ' << info.frame_rate.num << ' '
            << info.frame_rate.den << ' ' << info.frames << '\n';
  std::ofstream out(argv[3], std::ios::binary);
  while (const auto frame = reader.read()) {
    out.write(reinterpret_cast<const char*>(frame->image.pixels.data()),
              static_cast<std::streamsize>(frame->image.pixels.size()));
    std::cout << "frame " << frame->index << ' ' << frame->seconds << '\n';
  }
  for (const std::string& damage : reader.damage()) std::cout << "damage " << damage << '\n';
  return 0;
} catch (const dfine::Error& e) {
  std::cout << "error " << dfine::to_string(e.code()) << '\n';
  std::cerr << e.what() << '\n';
  return 1;
}
