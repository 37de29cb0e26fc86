// Lets the Python check beside it see labels:
//   label_probe text OUT.png TEXT CAP_HEIGHT WIDTH   the text alone, white on black
//   label_probe boxes IN OUT.png NAME...             boxes with these labels on a picture
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "core/error.h"
#include "fonts/system_font.h"
#include "image/decode.h"
#include "image/draw.h"
#include "image/encode.h"
#include "image/stroke_font.h"

namespace {

using dfine::Image;

void write_png(const std::string& path, const Image& image) {
  const std::vector<uint8_t> bytes = dfine::encode_png(image);
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

Image written(const dfine::LabelFont& font, char** arguments) {
  const dfine::TextMask mask =
      font.render(arguments[0], std::atof(arguments[1]), std::atof(arguments[2]));
  Image image(std::max(mask.width, 1), std::max(mask.height, 1));
  for (size_t i = 0; i < mask.coverage.size(); ++i)
    std::fill_n(image.pixels.begin() + static_cast<std::ptrdiff_t>(3 * i), 3, mask.coverage[i]);
  return image;
}

Image with_boxes(const std::string& path, int count, char** names, const dfine::LabelFont* font) {
  std::ifstream in(path, std::ios::binary);
  const std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(in), {}};
  Image image = dfine::decode_image(bytes);
  std::vector<dfine::DrawnBox> boxes;
  for (int i = 0; i < count; ++i) {  // in rows of four
    const double w = image.width / 4.5, h = image.height / 4.5;
    const double x = image.width * (i % 4) / 4.0 + 4, y = image.height * (i / 4) / 4.0 + 8;
    boxes.push_back({x, y, x + w, y + h, i, names[i]});
  }
  draw_boxes(image, boxes, font);
  return image;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 5) return 2;
  const auto font = dfine::system_font();
  std::cout << (font ? "fonts" : "strokes") << '\n';
  if (std::string(argv[1]) == "text") {
    write_png(argv[2], written(font ? *font : dfine::stroke_font(), argv + 3));
  } else {
    write_png(argv[3], with_boxes(argv[2], argc - 4, argv + 4, font.get()));
  }
  return 0;
} catch (const dfine::Error& e) {
  std::cerr << e.what() << '\n';
  return 1;
}
