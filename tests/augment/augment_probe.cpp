// Lets the Python checks beside it see the augmentation. Reads a JSON list of jobs from standard
// input and writes one JSON line for each on standard output. Pixels go to the job's file "out".
// Images are raw RGB files, [height, width, 3].
//   {"op": "colours", IMAGE, "brightness": 1.1, "contrast": null, "contrast_first": false,
//    "saturation": ..., "hue": ..., "out": FILE}
//   {"op": "rotate", IMAGE, "turns": 1, "out": FILE}
//   {"op": "sample", "set": ["augment.flip=1", ...], "seed": 1, "epoch": 0, "position": 5,
//    "sources": [{IMAGE, BOXES}, ...], "size": [h, w], "out": FILE}
//      prints the boxes and all draws. With "out": null it prints the random numbers alone.
//   {"op": "draws", "set": [...], "seed": 1, "count": 10000, "width": w, "height": h, BOXES}
//      prints the random numbers of N positions
// IMAGE is "image": FILE, "width": w, "height": h.
// BOXES is "boxes": [[x1, y1, x2, y2, label], ...].
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "augment/augmenter.h"
#include "config/load.h"
#include "core/error.h"
#include "image/photometric.h"
#include "image/rotate.h"

namespace {

using namespace dfine;
using nlohmann::json;

Image read_image(const json& job) {
  Image image(job.at("width"), job.at("height"));
  std::ifstream in(job.at("image").get<std::string>(), std::ios::binary);
  in.read(reinterpret_cast<char*>(image.pixels.data()),
          static_cast<std::streamsize>(image.pixels.size()));
  if (!in) throw Error(ErrorCode::kInternal, "cannot read " + job.at("image").get<std::string>());
  return image;
}

void write_bytes(const json& job, const std::vector<uint8_t>& bytes) {
  std::ofstream out(job.at("out").get<std::string>(), std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  if (!out) throw Error(ErrorCode::kInternal, "cannot write " + job.at("out").get<std::string>());
}

std::vector<LabelledBox> read_boxes(const json& job) {
  std::vector<LabelledBox> boxes;
  for (const json& box : job.at("boxes"))
    boxes.push_back({{box[0], box[1], box[2], box[3]}, box[4]});
  return boxes;
}

template <class T>
json shown(const std::optional<T>& value) {
  return value ? json(*value) : json();
}

json shown(const Window& window) {
  return {window.left, window.top, window.width, window.height};
}

/// All draws of one image, as Augmenter makes them.
json draws(const AugmentConfig& config, uint64_t seed, const SampleKey& key, uint32_t member,
           int width, int height, const std::vector<LabelledBox>& boxes, bool in_mosaic) {
  const auto random = [&](AugmentOp op) { return augment_random(seed, key, op, member); };
  const ColourDraw colours = draw_colours(config, random(AugmentOp::kPhotometric));
  const Photometric& how = colours.distortion;
  Window canvas{0, 0, width, height};
  std::optional<Window> crop;
  if (!in_mosaic) {
    canvas = draw_zoom_out(config, random(AugmentOp::kZoomOut), width, height);
    crop = draw_iou_crop(config, random(AugmentOp::kIouCrop), canvas, boxes);
  }
  return {{"brightness", shown(how.brightness)},
          {"contrast", shown(how.contrast)},
          {"contrast_first", how.contrast_first},
          {"saturation", shown(how.saturation)},
          {"hue", shown(how.hue)},
          {"channels", colours.channels},
          {"canvas", in_mosaic ? json() : shown(canvas)},
          {"crop", crop ? shown(*crop) : json()},
          {"turns", draw_rotation(config, random(AugmentOp::kRotate))},
          {"flip", draw_flip(config, random(AugmentOp::kFlip))}};
}

json shown(const MosaicDraw& draw) {
  return {{"degrees", draw.degrees},
          {"scale", draw.scale},
          {"shift", {draw.shift_x, draw.shift_y}},
          {"partners", draw.partners}};
}

AugmentConfig read_config(const json& job) {
  auto settings = job.at("set").get<std::vector<std::string>>();
  settings.insert(settings.begin(), {"data.train=a", "data.val=b", "data.augment=dfine"});
  return effective_augment(parse_config("", "", settings));
}

json run_sample(const json& job) {
  const AugmentConfig config = read_config(job);
  const uint64_t seed = job.at("seed");
  const Augmenter augmenter(config, seed, job.value("stage2_epoch", 0));
  const AugmentPlan plan =
      augmenter.plan({job.at("epoch"), job.at("position")}, job.value("dataset_size", 1000));
  json result{{"partners", plan.partners}, {"members", json::array()}};
  if (plan.mixup) result["mixup"] = plan.mixup->weight;
  if (job.at("out").is_null()) return result;

  std::vector<AugmentSource> sources;
  for (const json& source : job.at("sources"))
    sources.push_back({read_image(source), read_boxes(source)});
  sources.resize(1 + plan.partners.size());
  AugmentScratch scratch;
  size_t first = 0;
  for (uint32_t member = 0; member < (plan.mixup ? 2 : 1); ++member) {
    const auto& mosaic = plan.mosaics[member];
    const AugmentSource& source = sources[first];
    json shown_draws = draws(config, seed, plan.key, member, source.image.width,
                             source.image.height, source.boxes, mosaic.has_value());
    shown_draws["mosaic"] = mosaic ? shown(*mosaic) : json();
    result["members"].push_back(shown_draws);
    first += mosaic ? 4 : 1;
  }

  const ImageSize size{job.at("size")[0], job.at("size")[1]};
  std::vector<uint8_t> planes(static_cast<size_t>(size.height * size.width) * 3);
  std::vector<LabelledBox> boxes;
  augmenter.apply(plan, sources, size, planes.data(), boxes, scratch);
  write_bytes(job, planes);
  result["boxes"] = json::array();
  for (const LabelledBox& box : boxes)
    result["boxes"].push_back({box.xyxy[0], box.xyxy[1], box.xyxy[2], box.xyxy[3], box.label});
  return result;
}

json run_draws(const json& job) {
  const AugmentConfig config = read_config(job);
  const std::vector<LabelledBox> boxes = read_boxes(job);
  json result = json::array();
  for (int64_t position = 0; position < job.at("count"); ++position) {
    const SampleKey key{job.value("epoch", 0), position};
    json one =
        draws(config, job.at("seed"), key, 0, job.at("width"), job.at("height"), boxes, false);
    const auto mosaic =
        draw_mosaic(config, augment_random(job.at("seed"), key, AugmentOp::kMosaic), 10);
    const auto mixup =
        draw_mixup(config, augment_random(job.at("seed"), key, AugmentOp::kMixup), 10);
    one["mosaic"] = mosaic ? shown(*mosaic) : json();
    one["mixup"] = mixup ? json{mixup->weight, mixup->partner} : json();
    result.push_back(one);
  }
  return result;
}

json run(const json& job) {
  const std::string op = job.at("op");
  if (op == "sample") return run_sample(job);
  if (op == "draws") return run_draws(job);
  Image image = read_image(job);
  if (op == "colours") {
    const auto factor = [&](const char* name) {
      return job.at(name).is_null() ? std::nullopt : std::optional<float>(job.at(name));
    };
    distort_colours(image,
                    {factor("brightness"), factor("contrast"), job.at("contrast_first"),
                     factor("saturation"), factor("hue")},
                    {0, 0, image.width, image.height});
    write_bytes(job, image.pixels);
  } else if (op == "rotate") {
    Image turned;
    rotate_quarters(image, {0, 0, image.width, image.height}, job.at("turns"), turned);
    write_bytes(job, turned.pixels);
  } else {
    throw UsageError("unknown op " + op);
  }
  return nullptr;
}

}  // namespace

int main() {
  try {
    for (const json& job : json::parse(std::cin)) std::cout << run(job) << '\n';
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
