#include "weights/backbone_weights.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "core/printable.h"
#include "core/text.h"
#include "variants/variants.h"
#include "weights/folder_manifest.h"
#include "weights/official_names.h"
#include "weights/tensor_file.h"
#include "weights/weights.h"

namespace dfine::inline weights {
using enum ErrorCode;
namespace {

using Tensors = std::map<std::string, Tensor>;

constexpr std::string_view kBackbone = "model.backbone.";
constexpr std::string_view kInside = "model.backbone.model.";

/// Beginnings of the classifier's names: timm's, then transformers' and the official code's.
constexpr std::string_view kClassifier[] = {"head.", "fc.", "classifier.", "last_conv."};

bool is_batch_counter(std::string_view name) {
  return name.ends_with(".num_batches_tracked");
}

bool begins(std::string_view name, std::string_view with) {
  return name.starts_with(with);
}

int64_t channels(const Tensors& tensors, const std::string& name) {
  const auto found = tensors.find(std::string(kInside) + name);
  return found == tensors.end() || found->second.dim() == 0 ? 0 : found->second.size(0);
}

/// Whether the tensors have the widths and the depth of such a backbone.
bool is_like(const Tensors& tensors, const BackboneWidths& widths) {
  if (channels(tensors, "embedder.stem1.convolution.weight") != widths.stem_mid ||
      channels(tensors, "embedder.stem4.convolution.weight") != widths.stem_out)
    return false;
  for (size_t stage = 0; stage < widths.out.size(); ++stage) {
    const auto block = [&](int64_t index) {
      return str_cat("encoder.stages.", stage, ".blocks.", index,
                     ".aggregation.1.convolution.weight");
    };
    if (channels(tensors, block(widths.blocks[stage] - 1)) != widths.out[stage] ||
        channels(tensors, block(widths.blocks[stage])) != 0)
      return false;
  }
  return true;
}

/// The name of their network, "HGNetv2-B4"; empty: of none that D-FINE has.
std::string network_of(const Tensors& tensors) {
  for (const ModelVariant& variant : model_variants())
    if (is_like(tensors, *variant.backbone)) return str_cat("HGNetv2-", variant.backbone->name);
  return {};
}

/// The sizes of D-FINE with this network.
std::string sizes_with(const std::string& network) {
  std::vector<std::string> sizes;
  for (const ModelVariant& variant : model_variants())
    if (network == str_cat("HGNetv2-", variant.backbone->name)) sizes.emplace_back(variant.name);
  return listed(sizes);
}

Tensors backbone_of(const Tensors& model) {
  Tensors backbone;
  for (const auto& [name, tensor] : model)
    if (begins(name, kBackbone)) backbone.emplace(name, tensor);
  return backbone;
}

/// By published name, without classifier and batch counters.
Tensors read_backbone(const std::string& file) {
  Tensors given;
  for (const auto& [name, tensor] : read_tensor_file(file)) {
    const std::string published = published_backbone_name(name);
    if (!published.empty() && !is_batch_counter(published)) given.emplace(published, tensor);
  }
  return given;
}

std::vector<std::string> mismatches(const Tensors& given, const Tensors& own) {
  std::vector<std::string> problems;
  for (const auto& [name, mine] : own) {
    const auto found = given.find(name);
    if (is_batch_counter(name)) continue;
    if (found == given.end()) {
      problems.push_back(str_cat(name, ": missing, the backbone needs ", mine.sizes()));
    } else if (found->second.sizes() != mine.sizes()) {
      problems.push_back(
          str_cat(name, ": shape ", found->second.sizes(), ", the backbone needs ", mine.sizes()));
    } else if (found->second.scalar_type() != mine.scalar_type()) {
      problems.push_back(str_cat(name, ": type ", found->second.dtype().name(),
                                 ", the backbone needs ", mine.dtype().name()));
    }
  }
  for (const auto& [name, tensor] : given)
    if (!own.contains(name)) problems.push_back(str_cat(name, ": the backbone has no such tensor"));
  return problems;
}

[[noreturn]] void refuse(const std::string& file, const Tensors& given, const Tensors& own,
                         const std::vector<std::string>& problems) {
  const std::string theirs = network_of(given), mine = network_of(own);
  std::string text = str_cat("the backbone weights ", printable(file), " do not fit the backbone");
  if (!mine.empty()) text += " " + mine;
  text += str_cat(", ", problems.size(), " of its tensors:");
  for (const std::string& problem : problems) text += "\n  " + printable(problem);
  throw Error(kWeightsMismatch, text,
              theirs.empty() || theirs == mine
                  ? "Give weights of this network, as timm or the official code have them."
                  : str_cat("These are weights of ", theirs, ", the backbone of D-FINE-",
                            sizes_with(theirs), ". Set model.size, or give others."));
}

}  // namespace

std::string published_backbone_name(const std::string& name) {
  constexpr std::string_view kWrapper = "hgnet_v2.";
  const std::string bare = begins(name, kWrapper) ? name.substr(kWrapper.size()) : name;
  if (std::ranges::any_of(kClassifier, [&](auto with) { return begins(bare, with); })) return {};
  if (begins(bare, "stem.") || begins(bare, "stages."))
    return published_names("backbone." + bare).front();
  if (begins(bare, "embedder.") || begins(bare, "encoder.stages."))
    return std::string(kInside) + bare;
  return name;
}

void load_backbone_weights(const std::string& path, const Tensors& model) {
  const at::NoGradGuard no_grad;
  const std::string file = weights_file(path);
  verify_if_listed(file);
  const Tensors given = read_backbone(file), own = backbone_of(model);
  const auto detector = std::ranges::find_if(given, [](const auto& item) {
    return begins(item.first, "model.decoder.") || begins(item.first, "decoder.");
  });
  if (detector != given.end())
    throw Error(kWeightsUnsupported,
                str_cat(printable(file), " holds weights of a whole detector, not of a backbone"),
                "If they are those of D-FINE, give them as model.weights.");
  const auto problems = mismatches(given, own);
  if (!problems.empty()) refuse(file, given, own, problems);
  for (const auto& [name, tensor] : given) own.at(name).copy_(tensor);
  log::info(str_cat("backbone: ", given.size(), " tensors from ", printable(file)));
}

}  // namespace dfine::inline weights
