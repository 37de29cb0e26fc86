#include "train/tools/preview.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "data/shards/dataset.h"
#include "files/atomic_path.h"
#include "image/draw.h"
#include "image/encode.h"
#include "input/loader.h"
#include "input/multiscale.h"

namespace dfine::inline tools {
namespace {

constexpr int64_t kSheet = 16;  // images of one picture, at most

/// Image `i` of the batch with its boxes; `pixels`: uint8 [B, H, W, 3]; `first_box`: place of its
/// first box among the batch's.
Image draw_sample(const Tensor& pixels, const Targets& targets, int64_t i, int64_t first_box,
                  const std::vector<Category>& categories) {
  Image image(static_cast<int>(pixels.size(2)), static_cast<int>(pixels.size(1)));
  const Tensor mine = pixels[i].contiguous();
  std::copy_n(mine.const_data_ptr<uint8_t>(), image.pixels.size(), image.pixels.data());
  std::vector<DrawnBox> boxes;
  for (int64_t b = first_box; b < first_box + targets.counts[static_cast<size_t>(i)]; ++b) {
    const float* box = targets.boxes.const_data_ptr<float>() + 4 * b;
    const int64_t label = targets.labels.const_data_ptr<int64_t>()[b];
    boxes.push_back({.x1 = (box[0] - box[2] / 2) * image.width,
                     .y1 = (box[1] - box[3] / 2) * image.height,
                     .x2 = (box[0] + box[2] / 2) * image.width,
                     .y2 = (box[1] + box[3] / 2) * image.height,
                     .label = static_cast<int>(label),
                     .text = categories[static_cast<size_t>(label)].name});
  }
  draw_boxes(image, boxes);
  return image;
}

/// The images beside and below each other, as near to a square as it goes.
Image tile(const std::vector<Image>& images) {
  const auto columns = static_cast<int>(std::ceil(std::sqrt(static_cast<double>(images.size()))));
  const int rows = (static_cast<int>(images.size()) + columns - 1) / columns;
  Image sheet(columns * images[0].width, rows * images[0].height);
  std::ranges::fill(sheet.pixels, uint8_t{0});
  for (size_t i = 0; i < images.size(); ++i) {
    const int left = static_cast<int>(i) % columns * images[i].width,
              top = static_cast<int>(i) / columns * images[i].height;
    for (int y = 0; y < images[i].height; ++y) {
      std::copy_n(images[i].row(y), images[i].row_bytes(),
                  sheet.row(top + y) + static_cast<size_t>(left) * 3);
    }
  }
  return sheet;
}

Image draw_sheet(const Batch& batch, ImageSize size, const std::vector<Category>& categories) {
  const Tensor pixels = to_model_input(batch.images, at::kCPU, at::kFloat, size)
                            .mul_(255)
                            .round_()
                            .to(at::kByte)
                            .permute({0, 2, 3, 1});
  std::vector<Image> images;
  int64_t first_box = 0;
  for (int64_t i = 0; i < pixels.size(0); ++i) {
    images.push_back(draw_sample(pixels, batch.targets, i, first_box, categories));
    first_box += batch.targets.counts[static_cast<size_t>(i)];
  }
  return tile(images);
}

std::string two_digits(int64_t number) {
  return str_cat(number < 10 ? "0" : "", number);
}

}  // namespace

void write_preview(const PackedDataset& dataset, const FeedOptions& feed, int64_t batches,
                   const std::filesystem::path& folder) {
  const int64_t global_batch = feed.order.global_batch();
  TrainingOrderOptions one_rank = feed.order;  // a global batch as one
  one_rank.batch_size = global_batch;
  one_rank.micro_batches = one_rank.ranks = 1;
  batches = std::min(batches, feed.order.num_images / global_batch);
  const SampleOrder whole = training_order(one_rank, 0, batches);
  const int64_t sheets = (global_batch + kSheet - 1) / kSheet;  // of a batch
  LoaderOptions options = feed.loader;
  options.pin_memory = false;  // nothing goes to a GPU
  SampleOrder order = whole;
  order.num_batches = batches * sheets;
  order.batch = [&](int64_t i) {
    const auto all = whole.batch(i / sheets);
    const auto first = all.begin() + i % sheets * kSheet;
    return std::vector<Sample>(first, first + std::min(kSheet, all.end() - first));
  };
  Loader loader(dataset, options, order);
  const MultiScaleSampler sizes(feed.sizes);
  for (int64_t i = 0; i < batches * sheets; ++i) {
    const int64_t batch = i / sheets;
    const auto jpeg =
        encode_jpeg(draw_sheet(loader.next(), sizes.at(0, batch), dataset.categories()));
    write_file_atomically(
        folder / str_cat("batch-", two_digits(batch), "-", two_digits(i % sheets), ".jpg"),
        {reinterpret_cast<const char*>(jpeg.data()), jpeg.size()});
  }
  log::info(str_cat("the first training batches are drawn in ", folder.string()));
}

}  // namespace dfine::inline tools
