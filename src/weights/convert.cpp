#include "weights/convert.h"

#include <filesystem>
#include <map>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "core/printable.h"
#include "core/text.h"
#include "files/atomic_path.h"
#include "model/dfine.h"
#include "weights/batch_counters.h"
#include "weights/dfine_tensors.h"
#include "weights/hf_config.h"
#include "weights/official_state.h"
#include "weights/pth.h"
#include "weights/safetensors.h"
#include "weights/weights.h"

namespace dfine::inline weights {
using enum ErrorCode;
namespace fs = std::filesystem;
namespace {

constexpr const char* kDenoisingEmbed = "model.denoising_class_embed.weight";

void require_new(const fs::path& out, WeightsLayout layout) {
  if (layout == WeightsLayout::kOfficial && out.extension() != ".pth")
    throw UsageError(str_cat(printable(out), " does not end in .pth"),
                     "the official layout is one .pth file");
  if (layout == WeightsLayout::kHub && is_tensor_file(out.string()))
    throw UsageError(str_cat(printable(out), " ends like a file"), "the hub layout is a folder");
  const bool folder = layout == WeightsLayout::kHub && fs::is_directory(out) && fs::is_empty(out);
  if (fs::exists(out) && !folder)
    throw Error(kFileExists, str_cat(printable(out), " exists already"),
                "Name another place, or remove it.");
}

/// The tensors of a complete model, by published name; batch counters of the backbone too where
/// there are any.
std::map<std::string, Tensor> complete_tensors(const std::string& in,
                                               ModelDescription& description) {
  std::map<std::string, Tensor> tensors;
  const std::string file = weights_file(in);
  const auto given = read_dfine_tensors(file);
  for (const auto& [name, tensor] : given) {
    const std::string published = published_name(name);
    if (is_backbone_counter(published) || published == kDenoisingEmbed)
      tensors.emplace(published, tensor);
  }
  // Such a model was made without it: it is not to get a random one.
  if (!tensors.contains(kDenoisingEmbed)) description.spec.num_denoising = 0;
  const DFine model(description.spec);
  const auto own = named_tensors(model);
  load_weights(in, own);
  for (const auto& [name, tensor] : own) tensors.insert_or_assign(name, tensor.detach());
  if (file.ends_with(".safetensors"))
    if (const auto text = read_safetensors_metadata(file); text.contains(kBackboneBatches))
      add_counters(text.at(kBackboneBatches), tensors);
  return tensors;
}

/// `tensors` are those of complete_tensors().
void write_hub(const fs::path& out, ModelDescription description,
               std::map<std::string, Tensor> tensors) {
  name_known_classes(description);
  AtomicFolder folder(out);
  write_hf_config(folder.path().string(), description);
  std::map<std::string, std::string> text{{"format", "pt"}};
  if (const std::string counters = counters_text(tensors); !counters.empty())
    text.emplace(kBackboneBatches, counters);
  std::erase_if(tensors, [](const auto& item) { return is_backbone_counter(item.first); });
  write_safetensors((folder.path() / "model.safetensors").string(), tensors, text);
  folder.commit_new();
}

void write_official(const std::string& out, const ModelDescription& description,
                    const std::map<std::string, Tensor>& tensors) {
  if (description.spec.num_denoising == 0)
    log::warn(
        "the model has no denoising: give the official code DFINETransformer.num_denoising: "
        "0");
  const PthValue::Dict state = to_pth(to_official(tensors, description));
  // Its trainer resumes both; its tools prefer the EMA. The tensors are stored once.
  write_pth(out, {{"model", state}, {"ema", PthValue::Dict{{"module", state}}}});
}

}  // namespace

void convert_weights(const std::string& in, const std::string& out, WeightsLayout layout) {
  require_new(out, layout);
  ModelDescription description = describe_weights(in);
  auto tensors = complete_tensors(in, description);
  const ErrorContext at("while writing ", out);
  if (layout == WeightsLayout::kHub) {
    write_hub(out, std::move(description), std::move(tensors));
  } else {
    write_official(out, description, tensors);
  }
}

}  // namespace dfine::inline weights
