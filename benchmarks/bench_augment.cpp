// The augmentation alone, one thread, for bench_augment.py:
//   bench_augment COCO.json FOLDER SIDE PASSES [SETTING ...]     e.g. augment.flip=1
// Decodes the images of the annotation file once, then augments each PASSES times to SIDE x SIDE
// with other draws each time. Prints the CPU microseconds of an image for bare decoding, copying
// (the augmentation spoils its input), and augmenting without that copy.
#include <time.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "augment/augmenter.h"
#include "config/load.h"
#include "core/error.h"
#include "image/decode.h"

namespace {

using namespace dfine;

struct Loaded {
  std::vector<uint8_t> file;
  AugmentSource source;
};

std::vector<uint8_t> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(ErrorCode::kInternal, "cannot open " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<Loaded> load(const std::string& annotations, const std::string& folder) {
  std::ifstream in(annotations);
  const nlohmann::json coco = nlohmann::json::parse(in);
  std::vector<Loaded> images;
  std::map<int64_t, size_t> of_id;
  for (const auto& image : coco.at("images")) {
    of_id[image.at("id")] = images.size();
    images.push_back({read_file(folder + "/" + image.at("file_name").get<std::string>()), {}});
    images.back().source.image = decode_image(images.back().file);
  }
  for (const auto& annotation : coco.at("annotations")) {
    const std::array<float, 4> b = annotation.at("bbox");
    images[of_id.at(annotation.at("image_id"))].source.boxes.push_back(
        {{b[0], b[1], b[0] + b[2], b[1] + b[3]}, 0});
  }
  return images;
}

template <class Work>
double microseconds(size_t images, int passes, Work work) {
  const auto cpu_time = [] {  // of this thread: other work on the machine does not count
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) * 1e-3;
  };
  const double begin = cpu_time();
  for (int pass = 0; pass < passes; ++pass)
    for (size_t i = 0; i < images; ++i) work(pass, i);
  return (cpu_time() - begin) / passes / static_cast<double>(images);
}

void run(int argc, char** argv) {
  if (argc < 5) throw UsageError("bench_augment COCO.json FOLDER SIDE PASSES [SETTING ...]");
  const std::vector<Loaded> images = load(argv[1], argv[2]);
  const ImageSize size{std::atoi(argv[3]), std::atoi(argv[3])};
  const int passes = std::atoi(argv[4]);
  std::vector<std::string> settings{"data.train=a", "data.val=b", "data.augment=dfine"};
  settings.insert(settings.end(), argv + 5, argv + argc);
  const Augmenter augmenter(effective_augment(parse_config("", "", settings)), 1, 0);

  Image decoded;
  const double decode = microseconds(images.size(), passes,
                                     [&](int, size_t i) { decode_image(images[i].file, decoded); });

  std::vector<AugmentSource> sources(1);
  const auto copy = [&](AugmentSource& to, size_t i) {
    to.image.reshape(images[i].source.image.width, images[i].source.image.height);
    std::copy(images[i].source.image.pixels.begin(), images[i].source.image.pixels.end(),
              to.image.pixels.begin());
    to.boxes = images[i].source.boxes;
  };
  const double copying =
      microseconds(images.size(), passes, [&](int, size_t i) { copy(sources[0], i); });

  std::vector<uint8_t> planes(static_cast<size_t>(size.height * size.width) * 3);
  std::vector<LabelledBox> boxes;
  AugmentScratch scratch;
  const double both = microseconds(images.size(), passes, [&](int pass, size_t i) {
    const AugmentPlan plan = augmenter.plan({pass, static_cast<int64_t>(i)}, images.size());
    sources.resize(1 + plan.partners.size());
    copy(sources[0], i);
    for (size_t k = 0; k < plan.partners.size(); ++k) copy(sources[k + 1], plan.partners[k]);
    augmenter.apply(plan, sources, size, planes.data(), boxes, scratch);
  });
  std::cout << "decode_us " << decode << "\ncopy_us " << copying << "\naugment_us "
            << both - copying << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
