// The keys of [data].
#include <optional>
#include <vector>

#include "config/by_size.h"
#include "config/kinds.h"

namespace dfine::inline config {
namespace {

/// One side of a square, or [height, width].
Kind<ImageSize> image_size() {
  return {.allowed = "a number, or [height, width]; divisible by 32, from 32 to 4096",
          .read = [](const ConfigValue& value) -> std::optional<ImageSize> {
            std::vector<int64_t> sides;
            if (const auto* side = std::get_if<int64_t>(&value)) sides = {*side, *side};
            if (const auto* pair = std::get_if<std::vector<int64_t>>(&value)) sides = *pair;
            if (sides.size() != 2) return std::nullopt;
            for (const int64_t side : sides)
              if (side < 32 || side > 4096 || side % 32 != 0) return std::nullopt;
            return ImageSize{sides[0], sides[1]};
          },
          .write = [](const ImageSize& size) -> ConfigValue {
            if (size.height == size.width) return size.height;
            return std::vector<int64_t>{size.height, size.width};
          }};
}

}  // namespace

void keys(Table<DataConfig>& v) {
  using C = DataConfig;
  v("train", &C::train, text(), "Training pack: a folder that dfine-pack wrote. Must be set.");
  v("val", &C::val, text(),
    "Validation pack: a folder that dfine-pack wrote. Must be set unless validate.every_epochs "
    "is 0.");
  v("image_size", &C::image_size, image_size(),
    "Network input in pixels. Images are resized to it; the aspect ratio is not kept "
    "(official: 640).");
  v("batch_size", &C::batch_size, whole(1, 4096), "Training images per rank and batch.");
  v("workers", &C::workers, whole(0, 256),
    "Threads per rank that read, decode and augment. 0: the training thread does it, for "
    "debugging.");
  v("shuffle", &C::shuffle, flag(), "Use a new order of the training images in each epoch.");
  v("augment", &C::augment,
    choice<Augment>(
        {{"dfine", Augment::kDfine}, {"flip", Augment::kFlip}, {"none", Augment::kNone}}),
    "dfine: all of [augment], by default the official augmentation. flip: only its horizontal "
    "flip. none: nothing.");
  v("multiscale", &C::multiscale, flag(),
    "Use another input size in each step, from 0.75 to 1.25 times data.image_size in steps of "
    "32, the same on all ranks. It stops at train.stage2_epoch. Memory use is that of the "
    "largest size (official: on, except for n).");
  v("multiscale_repeat", &C::multiscale_repeat, or_auto_once_0(whole(1, 1000)),
    str_cat("How many times data.image_size is in the list that the size of each step is drawn "
            "from. auto: as in the official recipe of model.size: ",
            by_size(&ModelVariant::multiscale_repeat), "."));
  v("max_images", &C::max_images, whole(0),
    "Use only the first N images of each pack, for debugging. 0: all.");
  v("on_corrupt", &C::on_corrupt,
    choice<OnCorrupt>({{"error", OnCorrupt::kError}, {"skip", OnCorrupt::kSkip}}),
    "What to do with a damaged training image. error: stop the run. skip: warn, and use the next "
    "image in the epoch's order instead. A damaged validation image always stops the run.");
  v("max_corrupt", &C::max_corrupt, whole(0),
    "Limit of different damaged images that data.on_corrupt = \"skip\" skips, on all ranks "
    "together. One more stops the run.");
  v("read_ahead", &C::read_ahead, whole(0, 1000),
    "Number of batches after those being loaded whose image files the kernel is asked to "
    "prefetch. Useful on network file systems. 0: none.");
  v("cache_dir", &C::cache_dir, text(),
    "Folder on a disk of the node. The packs are copied to it at the start, once per node, and "
    "read from there. A complete earlier copy is used again. Empty: no copy.");
  v("preview", &C::preview, whole(0),
    "Draw the first N training batches, with boxes and class names, into run.dir/preview. 0: "
    "none. dfine_ddp --preview N does it and ends.");
}

}  // namespace dfine::inline config
