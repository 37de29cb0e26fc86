#include "state/weights.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>

#include <cmath>
#include <filesystem>
#include <regex>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "state/safetensors.h"

namespace dfine {
namespace {

const double kPriorBias = -std::log(99.0);  // sigmoid(bias) = 0.01

bool is_batch_counter(const std::string& name) {
  return name.ends_with(".num_batches_tracked");
}

bool is_class_head(const std::string& name) {
  return name.starts_with("model.enc_score_head.") || name.starts_with("model.decoder.class_embed.") ||
         name.starts_with("model.denoising_class_embed.");
}

/// Equal but for the first side, the classes.
bool differs_in_classes_only(at::IntArrayRef a, at::IntArrayRef b) {
  return a.size() == b.size() && !a.empty() && a[0] != b[0] && a.slice(1) == b.slice(1);
}

std::map<std::string, Tensor> read_published(const std::string& file, std::vector<std::string>& problems) {
  std::map<std::string, Tensor> given;
  std::map<std::string, std::string> spelled;  // by published name, as the file has it
  for (auto& [name, tensor] : read_safetensors(file)) {
    const std::string published = published_name(name);
    const auto [place, is_new] = given.emplace(published, tensor);
    if (is_new) {
      spelled[published] = name;
    } else if (!at::equal(place->second, tensor)) {
      problems.push_back(cat(name, ": differs from ", spelled[published], ", another name of the same tensor"));
    }
  }
  return given;
}

struct Plan {
  std::vector<std::pair<Tensor, Tensor>> copies;  // to, from
  std::vector<std::string> anew;                  // class heads of another size
  std::vector<std::string> anew_reasons;
};

Plan compare(const std::map<std::string, Tensor>& given, const std::map<std::string, Tensor>& model, std::vector<std::string>& problems) {
  Plan plan;
  const auto start_anew = [&](const std::string& name, const std::string& why) {
    plan.anew.push_back(name);
    plan.anew_reasons.push_back(why);
  };
  for (const auto& [name, mine] : model) {
    const auto found = given.find(name);
    if (found == given.end()) {
      if (name == "model.denoising_class_embed.weight") {
        start_anew(name, "not in the file");  // a model that was made without denoising
      } else if (!is_batch_counter(name)) {
        problems.push_back(cat(name, ": missing, the model needs ", mine.sizes()));
      }
      continue;
    }
    const Tensor& theirs = found->second;
    if (theirs.scalar_type() != mine.scalar_type()) {
      problems.push_back(cat(name, ": type ", theirs.dtype().name(), ", the model needs ", mine.dtype().name()));
    } else if (theirs.sizes() == mine.sizes()) {
      plan.copies.emplace_back(mine, theirs);
    } else if (is_class_head(name) && differs_in_classes_only(theirs.sizes(), mine.sizes())) {
      start_anew(name, cat("shape ", theirs.sizes(), " in the file, ", mine.sizes(), " in the model"));
    } else {
      problems.push_back(cat(name, ": shape ", theirs.sizes(), ", the model needs ", mine.sizes()));
    }
  }
  for (const auto& [name, tensor] : given)
    if (!model.contains(name) && !is_batch_counter(name)) problems.push_back(cat(name, ": the model has no such tensor"));
  return plan;
}

}  // namespace

std::map<std::string, Tensor> named_tensors(const torch::nn::Module& module) {
  std::map<std::string, Tensor> tensors;
  for (const auto& item : module.named_parameters()) tensors.emplace(item.key(), item.value());
  for (const auto& item : module.named_buffers()) tensors.emplace(item.key(), item.value());
  return tensors;
}

std::string published_name(const std::string& name) {
  static const std::regex top(R"(^(class_embed|bbox_embed)\.)"), output(R"(\.o_proj\.)"), attention(R"(encoder\.aifi\.)"),
      first(R"((layers\.\d+)\.mlp\.layers\.0\.)"), second(R"((layers\.\d+)\.mlp\.layers\.1\.)");
  std::string result = std::regex_replace(name, top, "model.decoder.$1.");
  result = std::regex_replace(result, output, ".out_proj.");
  result = std::regex_replace(result, attention, "encoder.encoder.");
  result = std::regex_replace(result, first, "$1.fc1.");
  return std::regex_replace(result, second, "$1.fc2.");
}

std::string weights_file(const std::string& path) {
  namespace fs = std::filesystem;
  if (fs::is_directory(path)) {
    const std::string file = (fs::path(path) / "model.safetensors").string();
    if (!fs::exists(file))
      throw Error(cat("the folder ", path, " has no model.safetensors"), "Name a folder as save_pretrained writes it.");
    return file;
  }
  if (!fs::exists(path)) throw Error(cat("there are no weights at ", path), "Relative paths start at the current directory.");
  if (!path.ends_with(".safetensors"))
    throw Error(cat("weights are a folder or a .safetensors file, not ", path), "Convert other formats with transformers first.");
  return path;
}

std::vector<std::string> load_weights(const std::string& path, const std::map<std::string, Tensor>& model) {
  const at::NoGradGuard no_grad;
  const std::string file = weights_file(path);
  std::vector<std::string> problems;
  const auto given = read_published(file, problems);
  const Plan plan = compare(given, model, problems);
  if (!problems.empty()) {
    std::string text = cat("the weights ", file, " do not fit the model, ", problems.size(), " of its tensors:");
    for (const std::string& problem : problems) text += "\n  " + problem;
    throw Error(text, "Is model.size the size of these weights?");
  }
  for (const auto& [to, from] : plan.copies) Tensor(to).copy_(from);
  for (size_t i = 0; i < plan.anew.size(); ++i) {
    const std::string& name = plan.anew[i];
    if (name.ends_with(".bias")) Tensor(model.at(name)).fill_(kPriorBias);
    log::info(cat("weights: ", name, " initialised anew: ", plan.anew_reasons[i]));
  }
  return plan.anew;
}

}  // namespace dfine
