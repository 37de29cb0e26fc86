#include "config/keys.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "config/augment_keys.h"
#include "config/key_builders.h"
#include "config/recipe_keys.h"
#include "core/error.h"
#include "core/text.h"

namespace dfine::inline config {
namespace {

ConfigKey image_size() {
  const std::string allowed = "a number, or [height, width]; divisible by 32, from 32 to 4096";
  return {"data.image_size",
          allowed,
          "Network input in pixels. Images are resized to it; the aspect ratio is not kept "
          "(official: 640).",
          false,
          [=](Config& config, const ConfigValue& value) {
            std::vector<int64_t> sides;
            if (const auto* side = std::get_if<int64_t>(&value)) sides = {*side, *side};
            if (const auto* pair = std::get_if<std::vector<int64_t>>(&value)) sides = *pair;
            if (sides.size() != 2) refuse(value, allowed);
            for (const int64_t side : sides)
              if (side < 32 || side > 4096 || side % 32 != 0) refuse(value, allowed);
            config.data.image_size = {sides[0], sides[1]};
          },
          [](const Config& config) -> ConfigValue {
            const auto [height, width] = config.data.image_size;
            if (height == width) return height;
            return std::vector<int64_t>{height, width};
          }};
}

std::vector<std::pair<std::string, std::string>> sizes() {
  return {{"n", "n"}, {"s", "s"}, {"m", "m"}, {"l", "l"}, {"x", "x"}};
}

std::vector<ConfigKey> run_keys() {
  const auto part = &Config::run;
  return {
      text("run.dir", part, &RunConfig::dir,
           "Run folder: metrics.jsonl, checkpoints/last, "
           "checkpoints/best. Created if missing."),
      text("run.resume", part, &RunConfig::resume,
           "Where to continue: none, auto (run.dir/checkpoints/last if there is one), or the path "
           "of a checkpoint folder. --resume on the command line overrides it."),
      integer("run.seed", part, &RunConfig::seed, 0, kNoLimit,
              "Random seed for initial weights, data order, augmentation and denoising. The random "
              "numbers are the same for any number of ranks."),
      choice<RunConfig, DeviceChoice>(
          "run.device", part, &RunConfig::device,
          {{"auto", DeviceChoice::kAuto},
           {"cpu", DeviceChoice::kCpu},
           {"cuda", DeviceChoice::kCuda}},
          "Device to compute on. auto: CUDA if the program is built for it and the node has a GPU "
          "for every rank."),
      integer("run.threads", part, &RunConfig::threads, 0, 4096,
              "Compute threads per rank. 0: the node's cores divided by its ranks, minus "
              "data.workers, at least 1."),
      choice<RunConfig, Precision>(
          "run.precision", part, &RunConfig::precision,
          {{"auto", Precision::kAuto},
           {"fp32", Precision::kFp32},
           {"bf16", Precision::kBf16},
           {"fp16", Precision::kFp16}},
          "Number format of forward and backward; loss, matching, weights and validation stay "
          "fp32. "
          "fp16 scales the loss against underflow. auto: bf16 on GPUs, fp32 on CPUs (official: "
          "fp16)."),
      flag("run.deterministic", part, &RunConfig::deterministic,
           "Use deterministic algorithms: bitwise-identical results for the same number of ranks "
           "and threads. CPU only; refused on GPUs."),
      flag("run.detect_anomaly", part, &RunConfig::detect_anomaly,
           "Stop at the operation whose gradient is NaN and print its forward trace. Training is "
           "several times slower."),
      integer("run.log_every", part, &RunConfig::log_every, 1, kNoLimit,
              "Steps between progress lines if the output is not a terminal. metrics.jsonl has "
              "every step."),
  };
}

std::vector<ConfigKey> model_keys() {
  const auto part = &Config::model;
  return {
      choice<ModelConfig, std::string>("model.size", part, &ModelConfig::size, sizes(),
                                       "Size of the D-FINE model: 3.8, 10.3, 19.6, 31.2 or 62.6 "
                                       "million parameters at 80 classes."),
      text("model.weights", part, &ModelConfig::weights,
           "Weights to start from: a Hugging Face folder (config.json and model.safetensors) or a "
           "single .safetensors file. Empty: random weights. Class heads: see model.class_heads. "
           "Any other mismatch is an error."),
      integer("model.num_queries", part, &ModelConfig::num_queries, 0, 10000,
              "Object queries per image. 0: as in the config.json of the weights, else 300 "
              "(official)."),
      integer(
          "model.num_denoising", part, &ModelConfig::num_denoising, 0, 1000,
          "Approximate number of denoising queries per image, positive and negative each. 0: no "
          "denoising (official: 100)."),
      integer("model.max_denoising_queries", part, &ModelConfig::max_denoising_queries, 0, 20000,
              "Limit of denoising queries per image, positive and negative ones together; at least "
              "2 x model.num_denoising. Without a limit every image of the global batch has twice "
              "as many as the most crowded image has boxes. With N, an image with more than N / 2 "
              "boxes has denoising queries for N / 2 of them, chosen at random in each step. The "
              "loss of the normal queries still counts all boxes. 0: no limit (official)."),
      choice<ModelConfig, ClassHeads>(
          "model.class_heads", part, &ModelConfig::class_heads,
          {{"by_name", ClassHeads::kByName},
           {"by_index", ClassHeads::kByIndex},
           {"new", ClassHeads::kNew}},
          "Which class rows of model.weights are used. by_name: those of classes with the same "
          "name; all others are newly initialised. Weights without class names keep their rows if "
          "they have as many classes; otherwise all are newly initialised. by_index: all rows in "
          "their order. new: none."),
      pattern_list(
          "model.freeze", part, &ModelConfig::freeze,
          "Regular expressions (ECMAScript). Parameters in whose published name one of them is "
          "found are frozen, for example 'model.backbone.*'. Batch norms frozen whole keep their "
          "statistics."),
      flag("model.freeze_backbone", part, &ModelConfig::freeze_backbone,
           "Freeze the backbone. Results are usually much worse on images unlike those of the "
           "weights; a warning says so."),
      flag_or_auto(
          "model.freeze_norm", part, &ModelConfig::freeze_norm,
          "Freeze the backbone's batch norms (weights and statistics). auto: as in the official "
          "models, false for n, s, m and true for l, x."),
      flag("model.freeze_stem", part, &ModelConfig::freeze_stem,
           "Freeze the backbone's stem (as "
           "the official recipes of l and x "
           "do)."),
  };
}

std::vector<ConfigKey> data_keys() {
  const auto part = &Config::data;
  return {
      text("data.train", part, &DataConfig::train,
           "Training pack: a folder that dfine-pack wrote. "
           "Must be set."),
      text("data.val", part, &DataConfig::val,
           "Validation pack: a folder that dfine-pack wrote. Must be set unless "
           "validate.every_epochs is 0."),
      image_size(),
      integer("data.batch_size", part, &DataConfig::batch_size, 1, 4096,
              "Training images per rank "
              "and batch."),
      integer("data.workers", part, &DataConfig::workers, 0, 256,
              "Threads per rank that read, decode and augment. 0: the training thread does it, for "
              "debugging."),
      flag("data.shuffle", part, &DataConfig::shuffle,
           "Use a new order of the training images in "
           "each epoch."),
      choice<DataConfig, Augment>(
          "data.augment", part, &DataConfig::augment,
          {{"dfine", Augment::kDfine}, {"flip", Augment::kFlip}, {"none", Augment::kNone}},
          "dfine: all of [augment], by default the official augmentation. "
          "flip: only its horizontal flip. none: nothing."),
      flag(
          "data.multiscale", part, &DataConfig::multiscale,
          "Use another input size in each step, from 0.75 to 1.25 times data.image_size in steps "
          "of 32, the same on all ranks. It stops at train.stage2_epoch. Memory use is that of the "
          "largest size (official: on, except for n)."),
      integer("data.multiscale_repeat", part, &DataConfig::multiscale_repeat, 0, 1000,
              "How many times data.image_size is in the list that the size of each step is drawn "
              "from. 0: as in the official recipe of model.size: n and s 20, m 6, l 4, x 3."),
      integer("data.max_images", part, &DataConfig::max_images, 0, kNoLimit,
              "Use only the first N images of each pack, for debugging. 0: all."),
      choice<DataConfig, OnCorrupt>(
          "data.on_corrupt", part, &DataConfig::on_corrupt,
          {{"error", OnCorrupt::kError}, {"skip", OnCorrupt::kSkip}},
          "What to do with a damaged training image. error: stop the run. skip: warn, and use the "
          "next image in the epoch's order instead. A damaged validation image always stops the "
          "run."),
      integer(
          "data.max_corrupt", part, &DataConfig::max_corrupt, 0, kNoLimit,
          "Limit of different damaged images that data.on_corrupt = \"skip\" skips, on all ranks "
          "together. One more stops the run."),
      integer("data.read_ahead", part, &DataConfig::read_ahead, 0, 1000,
              "Number of batches after those being loaded whose image files the kernel is asked to "
              "prefetch. Useful on network file systems. 0: none."),
      text("data.cache_dir", part, &DataConfig::cache_dir,
           "Folder on a disk of the node. The packs are copied to it at the start, once per node, "
           "and read from there. A complete earlier copy is used again. Empty: no copy."),
      integer(
          "data.preview", part, &DataConfig::preview, 0, kNoLimit,
          "Draw the first N training batches, with boxes and class names, into run.dir/preview. "
          "0: none. dfine_ddp --preview N does it and ends."),
  };
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += str_cat('\\', c);
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      constexpr std::array<char, 17> kHex{"0123456789ABCDEF"};
      out += str_cat("\\u00", kHex[static_cast<unsigned char>(c) >> 4], kHex[c & 15]);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string shortest(double value) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  std::string out(buffer.data(), end);
  const size_t exponent = out.find('e');
  if (exponent != std::string::npos && out[exponent + 2] == '0')
    out.erase(exponent + 2, 1);  // 1e-4, as people write it
  if (out.find_first_of(".en") == std::string::npos) out += ".0";
  return out;
}

}  // namespace

std::string to_toml(const ConfigValue& value) {
  struct Writer {
    std::string operator()(bool x) const { return x ? "true" : "false"; }
    std::string operator()(int64_t x) const { return std::to_string(x); }
    std::string operator()(double x) const { return shortest(x); }
    std::string operator()(const std::string& x) const { return quoted(x); }
    std::string operator()(const std::vector<int64_t>& list) const {
      std::string out = "[";
      for (const int64_t x : list) out += str_cat(out.size() > 1 ? ", " : "", x);
      return out + "]";
    }
    std::string operator()(const std::vector<double>& list) const {
      std::string out = "[";
      for (const double x : list) out += str_cat(out.size() > 1 ? ", " : "", shortest(x));
      return out + "]";
    }
    std::string operator()(const std::vector<std::string>& list) const {
      std::string out = "[";
      for (const std::string& x : list) out += str_cat(out.size() > 1 ? ", " : "", quoted(x));
      return out + "]";
    }
  };
  return std::visit(Writer{}, value);
}

std::vector<ConfigKey> config_keys() {
  std::vector<ConfigKey> all;
  for (const auto& part : {run_keys(), model_keys(), data_keys(), augment_keys(), recipe_keys()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::vector<ConfigConflict> config_conflicts(const Config& config) {
  std::vector<ConfigConflict> found;
  const auto add = [&](const char* key, std::string message) {
    found.push_back({key, std::move(message)});
  };
  if (config.run.dir.empty()) add("run.dir", "run.dir is empty: name a folder for the run");
  if (config.run.resume.empty())
    add("run.resume", "run.resume is empty: use none, auto or the path of a checkpoint folder");
  if (config.data.train.empty())
    found.push_back(
        {"data.train", "data.train is not set: name a folder that dfine-pack wrote", true});
  if (config.data.val.empty() && config.validate.every_epochs > 0)
    found.push_back({"data.val",
                     "data.val is not set: name a folder that dfine-pack wrote, or set "
                     "validate.every_epochs = 0",
                     true});
  if (config.model.freeze_backbone && config.optim.backbone_lr > 0)
    add("optim.backbone_lr",
        "optim.backbone_lr is set, but model.freeze_backbone = true leaves nothing to train there: "
        "take one away");
  if (config.model.freeze_backbone && config.model.freeze_norm == false)
    add("model.freeze_norm",
        "model.freeze_norm = false, but model.freeze_backbone = true freezes the norms too: take "
        "one away");
  const int64_t denoising = config.model.num_denoising,
                most_denoising = config.model.max_denoising_queries;
  if (most_denoising > 0 && most_denoising < 2 * denoising)
    add("model.max_denoising_queries",
        str_cat("model.max_denoising_queries = ", most_denoising, " is less than the ",
                2 * denoising, " queries that model.num_denoising = ", denoising,
                " makes for any image: raise it to at least ", 2 * denoising,
                ", or lower model.num_denoising"));
  for (auto& conflict : recipe_conflicts(config)) found.push_back(std::move(conflict));
  if (config.data.multiscale &&
      std::max(config.data.image_size.height, config.data.image_size.width) < 64)
    add("data.multiscale",
        "data.multiscale needs a data.image_size of at least 64: 0.75 times less leaves no side "
        "divisible by 32");
  if (config.data.max_images > 0 && config.data.max_images < config.data.batch_size)
    add("data.max_images",
        str_cat("data.max_images = ", config.data.max_images,
                " does not fill one batch of data.batch_size = ", config.data.batch_size));
  return found;
}

}  // namespace dfine::inline config
