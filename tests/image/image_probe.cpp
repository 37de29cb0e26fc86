// Lets the Python checks beside it see what the image layer makes of a file:
//   image_probe info FILE                         format, width, height, channels on one line
//   image_probe decode FILE OUT                   raw RGB, [height, width, 3]
//   image_probe png FILE OUT, image_probe jpeg FILE OUT   written again by the encoders
//   image_probe resize FILE OUT WIDTH HEIGHT      the same, resized
//   image_probe chw FILE OUT WIDTH HEIGHT FLIP    planar, [3, height, width]; FLIP 0 or 1
// Several commands may follow one another, as one process for many files is faster.
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "image/decode.h"
#include "image/encode.h"
#include "image/resize.h"

namespace {

using dfine::Image;

std::vector<uint8_t> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw dfine::Error(dfine::ErrorCode::kInternal, "cannot open " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::string& path, const std::vector<uint8_t>& bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  if (!out) throw dfine::Error(dfine::ErrorCode::kInternal, "cannot write " + path);
}

void run(std::span<char*>& arguments) {
  const auto next = [&]() -> std::string {
    if (arguments.empty()) throw dfine::UsageError("too few arguments");
    std::string value = arguments.front();
    arguments = arguments.subspan(1);
    return value;
  };
  const std::string command = next();
  const std::vector<uint8_t> file = read_file(next());
  if (command == "info") {
    dfine::check_complete(file);
    const dfine::ImageInfo info = dfine::probe_image(file);
    std::cout << dfine::format_name(info.format) << ' ' << info.width << ' ' << info.height << ' '
              << info.channels << '\n';
    return;
  }
  const std::string out = next();
  const Image image = dfine::decode_image(file);
  if (command == "decode") return write_file(out, image.pixels);
  if (command == "png") return write_file(out, dfine::encode_png(image));
  if (command == "jpeg") return write_file(out, dfine::encode_jpeg(image));
  const int width = std::stoi(next()), height = std::stoi(next());
  if (command == "resize")
    return write_file(out, dfine::resize_antialias(image, width, height).pixels);
  if (command != "chw") throw dfine::UsageError("unknown command " + command);
  std::vector<uint8_t> planes(static_cast<size_t>(width) * static_cast<size_t>(height) * 3);
  dfine::resize_antialias_chw(image, width, height, next() == "1", planes.data());
  write_file(out, planes);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::span<char*> arguments(argv + 1, static_cast<size_t>(argc - 1));
    while (!arguments.empty()) run(arguments);
  } catch (const dfine::UsageError& e) {
    std::cerr << e.what() << '\n';
    return 2;
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
