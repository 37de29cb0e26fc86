#include "weights/weights.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>

#include <filesystem>
#include <regex>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "weights/checkpoint_link.h"
#include "weights/checkpoints_in.h"
#include "weights/class_heads.h"
#include "weights/dfine_tensors.h"
#include "weights/folder_manifest.h"
#include "weights/tensor_file.h"

namespace dfine::inline weights {
using enum ErrorCode;
namespace fs = std::filesystem;
namespace {

constexpr const char* kModelFile = "model.safetensors";

bool is_batch_counter(const std::string& name) {
  return name.ends_with(".num_batches_tracked");
}

std::map<std::string, Tensor> read_published(const std::string& file,
                                             std::vector<std::string>& problems) {
  std::map<std::string, Tensor> given;
  std::map<std::string, std::string> spelled;  // by published name, as the file has it
  for (auto& [name, tensor] : read_dfine_tensors(file)) {
    const std::string published = published_name(name);
    const auto [place, is_new] = given.emplace(published, tensor);
    if (is_new) {
      spelled[published] = name;
    } else if (!at::equal(place->second, tensor)) {
      problems.push_back(str_cat(name, ": differs from ", spelled[published],
                                 ", another name of the same tensor"));
    }
  }
  return given;
}

/// What fits the model's tensors, by name; everything else goes to `problems`. With `rows`, class
/// heads fit if they have as many rows as it says.
std::map<std::string, Tensor> fitting(const std::map<std::string, Tensor>& given,
                                      const std::map<std::string, Tensor>& model,
                                      const ClassHeadRemap* rows,
                                      std::vector<std::string>& problems) {
  std::map<std::string, Tensor> fit;
  for (const auto& [name, mine] : model) {
    const auto found = given.find(name);
    if (found == given.end()) {
      if (is_batch_counter(name)) continue;
      if (is_denoising_embed(name)) {
        log::info(str_cat("weights: ", name, " is not in the file and stays new"));
      } else {
        problems.push_back(str_cat(name, ": missing, the model needs ", mine.sizes()));
      }
      continue;
    }
    Tensor theirs = found->second;
    if (theirs.is_floating_point() && mine.is_floating_point())
      theirs = theirs.to(mine.scalar_type());  // half precision too, as PyTorch's load_state_dict
    const auto same_rows = [&] {
      return has_rows_for(name, theirs.sizes(), rows->given) &&
             has_rows_for(name, mine.sizes(), static_cast<int64_t>(rows->rows.size())) &&
             theirs.dim() == mine.dim() && theirs.sizes().slice(1) == mine.sizes().slice(1);
    };
    if (theirs.scalar_type() != mine.scalar_type()) {
      problems.push_back(str_cat(name, ": type ", theirs.dtype().name(), ", the model needs ",
                                 mine.dtype().name()));
    } else if (rows && is_class_head(name) ? same_rows() : theirs.sizes() == mine.sizes()) {
      fit.emplace(name, theirs);
    } else {
      problems.push_back(
          str_cat(name, ": shape ", theirs.sizes(), ", the model needs ", mine.sizes()));
    }
  }
  for (const auto& [name, tensor] : given)
    if (!model.contains(name) && !is_batch_counter(name) && !is_denoising_embed(name))
      problems.push_back(str_cat(name, ": the model has no such tensor"));
  return fit;
}

/// For a folder without weights: the checkpoints in it, if it is that of a run.
std::string where_weights_are(const fs::path& folder) {
  const std::string found = checkpoints_in(folder, kModelFile, {"best", "last"});
  if (!found.empty()) return str_cat("It holds checkpoints: give ", found, ".");
  return str_cat("Expected a folder with config.json and ", kModelFile,
                 ", for example RUN_DIR/checkpoints/best.");
}

void load(const std::string& path, const std::map<std::string, Tensor>& model,
          const ClassHeadRemap* rows) {
  const at::NoGradGuard no_grad;
  const std::string file = weights_file(path);
  verify_if_listed(file);
  std::vector<std::string> problems;
  const auto given = read_published(file, problems);
  const auto fit = fitting(given, model, rows, problems);
  if (!problems.empty()) {
    std::string text = str_cat("the weights ", file, " do not fit the model, ", problems.size(),
                               " of its tensors:");
    constexpr size_t kShown = 20;
    for (size_t i = 0; i < std::min(problems.size(), kShown); ++i) text += "\n  " + problems[i];
    if (problems.size() > kShown) text += str_cat("\n  and ", problems.size() - kShown, " more");
    throw Error(kWeightsMismatch, text, "Is model.size the size of these weights?");
  }
  for (const auto& [name, from] : fit) {
    const Tensor to = model.at(name);
    if (rows && is_class_head(name)) {
      copy_class_rows(name, to, from, *rows);
    } else {
      to.copy_(from);
    }
  }
}

}  // namespace

std::map<std::string, Tensor> named_tensors(const torch::nn::Module& module) {
  std::map<std::string, Tensor> tensors;
  for (const auto& item : module.named_parameters()) tensors.emplace(item.key(), item.value());
  for (const auto& item : module.named_buffers()) tensors.emplace(item.key(), item.value());
  return tensors;
}

std::string published_name(const std::string& name) {
  static const std::regex top(R"(^(class_embed|bbox_embed)\.)"), output(R"(\.o_proj\.)"),
      attention(R"(encoder\.aifi\.)"), first(R"((layers\.\d+)\.mlp\.layers\.0\.)"),
      second(R"((layers\.\d+)\.mlp\.layers\.1\.)");
  std::string result = std::regex_replace(name, top, "model.decoder.$1.");
  result = std::regex_replace(result, output, ".out_proj.");
  result = std::regex_replace(result, attention, "encoder.encoder.");
  result = std::regex_replace(result, first, "$1.fc1.");
  return std::regex_replace(result, second, "$1.fc2.");
}

std::string tied_name(const std::string& published) {
  constexpr std::string_view kDecoder = "model.decoder.";
  if (!published.starts_with(kDecoder)) return {};
  std::string name = published.substr(kDecoder.size());
  return name.starts_with("class_embed.") || name.starts_with("bbox_embed.") ? name : "";
}

std::string weights_file(const std::string& given) {
  const std::string path = follow_link_file(given).string();
  if (fs::is_directory(path)) {
    const std::string file = (fs::path(path) / kModelFile).string();
    if (!fs::exists(file))
      throw Error(kFileMissing, str_cat("the folder ", path, " has no ", kModelFile),
                  where_weights_are(path));
    return file;
  }
  if (!fs::exists(path))
    throw Error(kFileMissing, str_cat("there are no weights at ", path),
                "Relative paths start at the current directory.");
  if (!is_tensor_file(path))
    throw Error(kFormatInvalid,
                str_cat("weights are a folder, a .safetensors or a .pth file, not ", path),
                "Convert other formats with transformers first.");
  return path;
}

void load_weights(const std::string& path, const std::map<std::string, Tensor>& model) {
  load(path, model, nullptr);
}

void load_weights(const std::string& path, const std::map<std::string, Tensor>& model,
                  const ClassHeadRemap& rows) {
  load(path, model, &rows);
}

}  // namespace dfine::inline weights
