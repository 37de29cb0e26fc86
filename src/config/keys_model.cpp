// The keys of [model].
#include <string>
#include <utility>
#include <vector>

#include "config/by_size.h"
#include "config/kinds.h"

namespace dfine::inline config {
namespace {

/// The published sizes.
Kind<std::string> sizes() {
  std::vector<std::pair<std::string, std::string>> names;
  for (const ModelVariant& variant : model_variants()) {
    const std::string name(variant.name);
    names.emplace_back(name, name);
  }
  return choice(std::move(names));
}

}  // namespace

void keys(Table<ModelConfig>& v) {
  using C = ModelConfig;
  v("size", &C::size, sizes(),
    str_cat("Size of the D-FINE model. Million parameters at 80 classes: ",
            by_size(&ModelVariant::million_parameters), "."));
  v("weights", &C::weights, text(),
    "Weights to start from. A value that starts with . / or ~, or names something that exists, is "
    "a "
    "path. It may be a folder with config.json and model.safetensors, a single .safetensors file, "
    "or "
    "a .pth file of the official code. Anything else is a model of the Hugging Face Hub, "
    "ORG/NAME[@REVISION], or a short name for one (dfine-weights list). It is fetched once, into "
    "the "
    "Hub's own cache. Empty: random weights. Class heads: see model.class_heads. Any other "
    "mismatch "
    "is an error.");
  v("backbone_weights", &C::backbone_weights, text(),
    str_cat("ImageNet weights of the backbone HGNetv2, for training without model.weights. Files: "
            "the official PPHGNetV2_B*_stage1.pth, timm's model of the same network, or a Hugging "
            "Face folder of HGNetV2. Their classifier is skipped. Not read where model.weights "
            "is set. Empty: none. Networks: ",
            by_size(&ModelVariant::backbone), "."));
  v("num_queries", &C::num_queries, or_auto_once_0(whole(1, 10000)),
    "Object queries per image. auto: as in the config.json of the weights, else 300 (official).");
  v("num_denoising", &C::num_denoising, whole(0, 1000),
    "Approximate number of denoising queries per image, positive and negative each. 0: no "
    "denoising (official: 100).");
  v("max_denoising_queries", &C::max_denoising_queries, whole(0, 20000),
    "Limit of denoising queries per image, positive and negative ones together; at least 2 x "
    "model.num_denoising. Without a limit every image of the global batch has twice as many as "
    "the most crowded image has boxes. With N, an image with more than N / 2 boxes has denoising "
    "queries for N / 2 of them, chosen at random in each step. The loss of the normal queries "
    "still counts all boxes. 0: no limit (official).");
  v("class_heads", &C::class_heads,
    choice<ClassHeads>({{"by_name", ClassHeads::kByName},
                        {"by_index", ClassHeads::kByIndex},
                        {"new", ClassHeads::kNew}}),
    "Which class rows of model.weights are used. by_name: those of classes with the same name; "
    "all others are newly initialised. Weights without class names keep their rows if they have "
    "as many classes; otherwise all are newly initialised. by_index: all rows in their order. "
    "new: none.");
  v("freeze", &C::freeze, patterns(),
    "Regular expressions (ECMAScript). Parameters in whose published name one of them is found "
    "are frozen, for example 'model.backbone.*'. Batch norms frozen whole keep their statistics.");
  v("freeze_backbone", &C::freeze_backbone, flag(),
    "Freeze the backbone. Results are usually much worse on images unlike those of the weights; "
    "a warning says so.");
  v("freeze_norm", &C::freeze_norm, or_auto(flag()),
    str_cat("Freeze the backbone's batch norms (weights and statistics). auto: as in the official "
            "models: ",
            by_size(&ModelVariant::freeze_norm), "."));
  v("freeze_stem", &C::freeze_stem, flag(),
    "Freeze the backbone's stem (official: for the sizes whose norms are frozen).");
  v("allow_random_frozen", &C::allow_random_frozen, flag(),
    "Train with a frozen stem, frozen norms or a frozen backbone although neither model.weights "
    "nor model.backbone_weights is set: they keep their random values. false: an error.");
}

}  // namespace dfine::inline config
