#include "model/freezing.h"

#include <algorithm>
#include <iomanip>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <utility>

#include "core/error.h"
#include "core/split.h"
#include "core/text.h"
#include "model/batch_norm.h"

namespace dfine::inline model {
using enum ErrorCode;
namespace {

using Path = std::vector<std::string>;  // a name's parts between the dots

bool is_constant(const std::string& name) {
  return name == "model.decoder.up" || name == "model.decoder.reg_scale";
}

std::regex compiled(const std::string& pattern) {
  try {
    return std::regex(pattern);
  } catch (const std::regex_error& e) {
    throw Error(kBadValue,
                str_cat("model.freeze: \"", pattern, "\" is not a regular expression: ", e.what()),
                "in TOML, write a backslash twice");
  }
}

bool learns(const BatchNorm2d& norm) {
  const auto parameters = norm.parameters();
  return std::any_of(parameters.begin(), parameters.end(),
                     [](const Tensor& p) { return p.requires_grad(); });
}

std::vector<BatchNorm2d*> learning_norms(const DFine& model) {
  std::vector<BatchNorm2d*> norms;
  for (const auto& module : model.modules(/*include_self=*/false)) {
    auto* norm = dynamic_cast<BatchNorm2d*>(module.get());
    if (norm != nullptr && learns(*norm)) norms.push_back(norm);
  }
  return norms;
}

void freeze_backbone(DFine& model, const FreezeOptions& options) {
  for (auto& item : model.named_parameters()) {
    if ((options.backbone && item.key().starts_with("model.backbone.")) ||
        (options.stem && item.key().starts_with("model.backbone.model.embedder.")))
      item.value().requires_grad_(false);
  }
  if (!options.backbone && !options.backbone_norms) return;
  for (const auto& item : model.named_modules({}, /*include_self=*/false)) {
    auto* norm = dynamic_cast<BatchNorm2d*>(item.value().get());
    if (norm != nullptr && item.key().starts_with("model.backbone.")) norm->freeze();
  }
}

bool is_number(const std::string& part) {
  return !part.empty() &&
         std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
}

struct Part {
  std::string name;
  int64_t size = 0;
  bool frozen = false;
};

std::vector<Part> freezable(const DFine& model) {
  std::vector<Part> parts;
  for (const auto& item : model.named_parameters())
    if (!is_constant(item.key()))
      parts.push_back({item.key(), item.value().numel(), !item.value().requires_grad()});
  return parts;
}

/// The shortest beginning of `name` under which nothing learns.
Path frozen_root(const std::string& name, const std::set<std::string>& learning) {
  Path root;
  for (const std::string& part : split(name, '.')) {
    root.push_back(part);
    std::string prefix;
    for (const std::string& p : root) prefix += p + ".";
    const auto next = learning.lower_bound(prefix);
    if (next == learning.end() || !next->starts_with(prefix)) break;
  }
  return root;
}

struct Line {
  Path name;
  std::vector<std::pair<int64_t, int64_t>> ranges;  // by place in the name, of its numbers
  int64_t tensors = 0, parameters = 0;
};

std::string range_name(const Line& line) {
  std::string text;
  for (size_t i = 0; i < line.name.size(); ++i) {
    if (i > 0) text += ".";
    const auto [low, high] = line.ranges[i];
    if (!is_number(line.name[i])) {
      text += line.name[i];
    } else {
      text += low == high ? std::to_string(low) : str_cat(low, "-", high);
    }
  }
  return text;
}

/// Joins the roots that differ in numbers alone.
std::map<Path, Line> by_kind(const std::vector<Part>& parts,
                             const std::set<std::string>& learning) {
  std::map<Path, Line> lines;
  for (const Part& part : parts) {
    if (!part.frozen) continue;
    const Path root = frozen_root(part.name, learning);
    Path kind = root;
    for (std::string& p : kind)
      if (is_number(p)) p = "0";
    Line& line = lines[kind];
    line.name = kind;
    line.ranges.resize(root.size(), {INT64_MAX, 0});
    for (size_t i = 0; i < root.size(); ++i) {
      if (!is_number(root[i])) continue;
      const int64_t number = std::stoll(root[i]);
      line.ranges[i] = {std::min(line.ranges[i].first, number),
                        std::max(line.ranges[i].second, number)};
    }
    ++line.tensors;
    line.parameters += part.size;
  }
  return lines;
}

}  // namespace

void freeze(DFine& model, const FreezeOptions& options) {
  freeze_backbone(model, options);
  const std::vector<BatchNorm2d*> norms = learning_norms(model);
  for (const std::string& pattern : options.patterns) {
    const std::regex regex = compiled(pattern);
    bool found = false;
    for (auto& item : model.named_parameters()) {
      if (!std::regex_search(item.key(), regex)) continue;
      found = true;
      item.value().requires_grad_(false);
    }
    if (!found) {
      throw Error(kBadValue,
                  str_cat("model.freeze: no parameter's name contains \"", pattern, "\""),
                  "names are those of the published files, such as "
                  "\"model.backbone.model.embedder.stem1.convolution.weight\", "
                  "\"model.encoder.fpn_blocks.0.conv1.conv.weight\" or "
                  "\"model.decoder.class_embed.0.bias\"");
    }
  }
  for (BatchNorm2d* norm : norms)
    if (!learns(*norm)) norm->freeze();
  if (count_parameters(model, /*trainable_only=*/true) == 0)
    throw Error(kBadValue, "model.freeze leaves nothing to learn", "remove a pattern");
}

std::string describe_frozen(const DFine& model) {
  const std::vector<Part> parts = freezable(model);
  std::set<std::string> learning;
  for (const Part& part : parts)
    if (!part.frozen) learning.insert(part.name);
  size_t width = 0;
  std::vector<std::pair<std::string, Line>> lines;
  for (const auto& [kind, line] : by_kind(parts, learning)) {
    lines.emplace_back(range_name(line), line);
    width = std::max(width, lines.back().first.size());
  }
  std::ostringstream out;
  for (const auto& [name, line] : lines) {
    out << (out.tellp() > 0 ? "\n" : "") << "  " << std::left << std::setw(static_cast<int>(width))
        << name << std::right << std::setw(16) << counted(line.tensors, "tensor") << std::setw(26)
        << counted(line.parameters, "parameter");
  }
  return out.str();
}

}  // namespace dfine::inline model
