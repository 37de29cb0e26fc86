// Runs the network on tensors of a file and writes what came out, for checks written against a
// Python reference.
//
//   model_tool forward --size n --classes 80 --weights w.safetensors --batch in.safetensors
//              --out out.safetensors [--train] [--double] [--prepared] [--queries 300]
//              [--freeze-norm true|false] [--threads N]
//   model_tool init --size n --classes 80 --seed 0 --out w.safetensors
//   model_tool count --size n --classes 80
//
// in: images [B, 3, H, W]; with denoising also dn_labels int64 [B, N], dn_boxes_unact [B, N, 4] and
// dn_meta int64 [2] = (groups, max_boxes). out: HEAD.logits, .boxes, .corners, .ref_points for the
// heads last, aux_i, pre, enc, dn_i, dn_pre. In training also grad.NAME for every parameter. These
// are the gradients of the sum of all outputs times the weights of in's HEAD.logits etc., where it
// has them.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "core/error.h"
#include "core/text.h"
#include "model/dfine.h"
#include "model/freezing.h"
#include "weights/safetensors.h"

namespace dfine {
namespace {

using Tensors = std::map<std::string, Tensor>;

Tensors state_of(const DFine& model) {
  Tensors state;
  for (const auto& item : model.named_parameters())
    state.emplace(item.key(), item.value().detach());
  for (const auto& item : model.named_buffers()) state.emplace(item.key(), item.value());
  return state;
}

/// Names and shapes must agree exactly.
void load(DFine& model, const Tensors& given) {
  at::NoGradGuard no_grad;
  Tensors own = state_of(model);
  for (const auto& [name, tensor] : given) {
    const auto found = own.find(name);
    if (found == own.end())
      throw Error(ErrorCode::kInternal, str_cat("the model has no tensor ", name));
    if (found->second.sizes() != tensor.sizes())
      throw Error(ErrorCode::kInternal,
                  str_cat(name, ": ", found->second.sizes(), " here, ", tensor.sizes(), " given"));
    found->second.copy_(tensor);
    own.erase(found);
  }
  if (!own.empty())
    throw Error(ErrorCode::kInternal,
                str_cat("the weights lack ", own.begin()->first, " and ", own.size() - 1, " more"));
}

/// By head: last, aux_0, ..., pre, enc, dn_0, ..., dn_pre.
Tensors heads_of(const ModelOutput& output) {
  Tensors out;
  const Heads& heads = output.decoder;
  const int64_t layers = heads.corners.defined() ? heads.corners.size(0) : 1,
                denoising = output.dn.num_queries(), queries = heads.logits.size(2);
  const auto put = [&](const std::string& name, int64_t head, int64_t first, int64_t count) {
    const auto part = [&](const Tensor& t) { return t.select(0, head).narrow(1, first, count); };
    out[name + ".logits"] = part(heads.logits);
    out[name + ".boxes"] = part(heads.boxes);
    if (head >= layers || !heads.corners.defined()) return;
    out[name + ".corners"] = part(heads.corners);
    out[name + ".ref_points"] = heads.ref_points.narrow(1, first, count);
  };
  for (int64_t i = 0; i < heads.logits.size(0); ++i) {
    const bool pre = i == layers;
    put(pre               ? "pre"
        : i + 1 == layers ? "last"
                          : str_cat("aux_", i),
        i, denoising, queries - denoising);
    if (denoising > 0) put(pre ? "dn_pre" : str_cat("dn_", i), i, 0, denoising);
  }
  if (output.enc.logits.defined()) {
    out["enc.logits"] = output.enc.logits;
    out["enc.boxes"] = output.enc.boxes;
  }
  return out;
}

struct Options {
  std::string size = "n", weights, batch, out;
  int64_t classes = 80, queries = 300, denoising = 100;
  uint64_t seed = 0;
  bool train = false, wide = false, prepared = false;
  std::string freeze_norm;
  int threads = 1;
};

ModelSpec spec_of(const Options& options) {
  ModelSpec spec = model_spec(model_variant(options.size).size, options.classes);
  spec.num_queries = options.queries;
  spec.num_denoising = options.denoising;
  return spec;
}

bool freezes_norms(const Options& options) {
  return options.freeze_norm.empty() ? model_variant(options.size).freeze_norm
                                     : options.freeze_norm == "true";
}

void forward(const Options& options) {
  DFine model(spec_of(options), options.seed);
  freeze(model, {.backbone_norms = freezes_norms(options)});
  load(model, read_safetensors(options.weights));
  const auto type = options.wide ? at::kDouble : at::kFloat;
  model.to(type);
  model.train(options.train);
  if (options.prepared) model.prepare_for_inference();
  Tensors in = read_safetensors(options.batch);
  std::optional<DenoisingQueries> denoising;
  if (in.contains("dn_labels")) {
    const Tensor& meta = in.at("dn_meta");
    denoising =
        DenoisingQueries{in.at("dn_labels").to(at::kLong), in.at("dn_boxes_unact").to(type), {}};
    denoising->meta.groups = meta[0].item<int64_t>();
    denoising->meta.max_boxes = meta[1].item<int64_t>();
  }
  at::AutoGradMode grad(options.train);
  Tensors out =
      heads_of(model.forward(in.at("images").to(type), denoising ? &*denoising : nullptr));
  if (options.train) {
    Tensor sum = at::zeros({}, type);
    for (const auto& [name, tensor] : out) {
      if (in.contains(name) && tensor.requires_grad())
        sum = sum + (tensor * in.at(name).to(type)).sum();
    }
    if (sum.requires_grad()) {
      sum.backward();
      for (const auto& item : model.named_parameters()) {
        if (item.value().grad().defined()) out["grad." + item.key()] = item.value().grad();
      }
    }
    for (const auto& item : model.named_buffers()) out["buffer." + item.key()] = item.value();
  }
  for (auto& item : out) item.second = item.second.detach();
  write_safetensors(options.out, out);
}

}  // namespace
}  // namespace dfine

int main(int argc, char** argv) {
  using namespace dfine;
  Options options;
  CLI::App app{"Runs the network for checks against a Python reference"};
  app.require_subcommand(1);
  const auto add = [&](const char* name) {
    CLI::App* sub = app.add_subcommand(name);
    sub->add_option("--size", options.size);
    sub->add_option("--classes", options.classes);
    sub->add_option("--queries", options.queries);
    sub->add_option("--denoising", options.denoising);
    sub->add_option("--seed", options.seed);
    sub->add_option("--freeze-norm", options.freeze_norm);
    sub->add_option("--threads", options.threads);
    sub->add_option("--out", options.out);
    sub->add_option("--weights", options.weights);
    sub->add_option("--batch", options.batch);
    sub->add_flag("--train", options.train);
    sub->add_flag("--double", options.wide);
    sub->add_flag("--prepared", options.prepared, "DFine::prepare_for_inference");
    return sub;
  };
  const auto* run = add("forward");
  const auto* init = add("init");
  const auto* count = add("count");
  CLI11_PARSE(app, argc, argv);
  try {
    at::set_num_threads(options.threads);
    if (*run) forward(options);
    if (*init) write_safetensors(options.out, state_of(DFine(spec_of(options), options.seed)));
    if (*count) {
      DFine model(spec_of(options), options.seed);
      freeze(model, {.backbone_norms = freezes_norms(options)});
      std::cout << count_parameters(model) << " " << count_parameters(model, true) << "\n";
    }
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
  return 0;
}
