// The official names are those of src/nn/backbone/hgnetv2.py, src/zoo/dfine/hybrid_encoder.py and
// dfine_decoder.py (Peterande/D-FINE 4a1f73a).
#include "weights/official_names.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string_view>

namespace dfine::inline weights {
namespace {

/// Beginnings of names; # is a number, and the same on both sides.
struct Rule {
  std::string_view official, published;
};

/// The first rule that fits counts, in both directions.
constexpr std::array kBeginnings = {
    Rule{"backbone.stem.", "model.backbone.model.embedder."},
    Rule{"backbone.stages.", "model.backbone.model.encoder.stages."},
    Rule{"encoder.input_proj.#.conv.", "model.encoder_input_proj.#.0."},
    Rule{"encoder.input_proj.#.norm.", "model.encoder_input_proj.#.1."},
    Rule{"encoder.downsample_convs.#.0.cv", "model.encoder.downsample_convs.#.conv"},
    Rule{"encoder.fpn_blocks.#.cv1.", "model.encoder.fpn_blocks.#.conv1."},
    Rule{"encoder.fpn_blocks.#.cv2.0.", "model.encoder.fpn_blocks.#.csp_rep1."},
    Rule{"encoder.fpn_blocks.#.cv2.1.", "model.encoder.fpn_blocks.#.conv2."},
    Rule{"encoder.fpn_blocks.#.cv3.0.", "model.encoder.fpn_blocks.#.csp_rep2."},
    Rule{"encoder.fpn_blocks.#.cv3.1.", "model.encoder.fpn_blocks.#.conv3."},
    Rule{"encoder.fpn_blocks.#.cv4.", "model.encoder.fpn_blocks.#.conv4."},
    Rule{"encoder.pan_blocks.#.cv1.", "model.encoder.pan_blocks.#.conv1."},
    Rule{"encoder.pan_blocks.#.cv2.0.", "model.encoder.pan_blocks.#.csp_rep1."},
    Rule{"encoder.pan_blocks.#.cv2.1.", "model.encoder.pan_blocks.#.conv2."},
    Rule{"encoder.pan_blocks.#.cv3.0.", "model.encoder.pan_blocks.#.csp_rep2."},
    Rule{"encoder.pan_blocks.#.cv3.1.", "model.encoder.pan_blocks.#.conv3."},
    Rule{"encoder.pan_blocks.#.cv4.", "model.encoder.pan_blocks.#.conv4."},
    Rule{"encoder.encoder.#.layers.#.linear1.", "model.encoder.encoder.#.layers.#.fc1."},
    Rule{"encoder.encoder.#.layers.#.linear2.", "model.encoder.encoder.#.layers.#.fc2."},
    Rule{"encoder.encoder.#.layers.#.norm1.",
         "model.encoder.encoder.#.layers.#.self_attn_layer_norm."},
    Rule{"encoder.encoder.#.layers.#.norm2.", "model.encoder.encoder.#.layers.#.final_layer_norm."},
    Rule{"encoder.", "model.encoder."},
    Rule{"decoder.input_proj.#.conv.", "model.decoder_input_proj.#.0."},
    Rule{"decoder.input_proj.#.norm.", "model.decoder_input_proj.#.1."},
    Rule{"decoder.dec_score_head.", "model.decoder.class_embed."},
    Rule{"decoder.dec_bbox_head.", "model.decoder.bbox_embed."},
    Rule{"decoder.pre_bbox_head.", "model.decoder.pre_bbox_head."},
    Rule{"decoder.query_pos_head.", "model.decoder.query_pos_head."},
    Rule{"decoder.up", "model.decoder.up"},
    Rule{"decoder.reg_scale", "model.decoder.reg_scale"},
    Rule{"decoder.enc_output.proj.", "model.enc_output.0."},
    Rule{"decoder.enc_output.norm.", "model.enc_output.1."},
    Rule{"decoder.enc_score_head.", "model.enc_score_head."},
    Rule{"decoder.enc_bbox_head.", "model.enc_bbox_head."},
    Rule{"decoder.denoising_class_embed.", "model.denoising_class_embed."},
    Rule{"decoder.decoder.layers.#.cross_attn.", "model.decoder.layers.#.encoder_attn."},
    Rule{"decoder.decoder.layers.#.linear1.", "model.decoder.layers.#.fc1."},
    Rule{"decoder.decoder.layers.#.linear2.", "model.decoder.layers.#.fc2."},
    Rule{"decoder.decoder.layers.#.norm1.", "model.decoder.layers.#.self_attn_layer_norm."},
    Rule{"decoder.decoder.layers.#.norm3.", "model.decoder.layers.#.final_layer_norm."},
    Rule{"decoder.decoder.", "model.decoder."},
};

/// Inside of the backbone.
constexpr std::array kBackboneParts = {
    Rule{".conv.", ".convolution."},
    Rule{".bn.", ".normalization."},
};

constexpr std::array<std::string_view, 3> kProjections{"q_proj.", "k_proj.", "v_proj."};

/// `name` with the beginning `from` written as `to`; nothing if it begins otherwise.
std::optional<std::string> rewrite(std::string_view name, std::string_view from,
                                   std::string_view to) {
  std::array<std::string_view, 2> numbers;
  size_t count = 0, at = 0;
  for (const char c : from) {
    if (c != '#') {
      if (at == name.size() || name[at++] != c) return std::nullopt;
      continue;
    }
    const size_t begin = at;
    while (at < name.size() && std::isdigit(static_cast<unsigned char>(name[at]))) ++at;
    if (at == begin) return std::nullopt;
    numbers[count++] = name.substr(begin, at - begin);
  }
  std::string result;
  count = 0;
  for (const char c : to) {
    if (c == '#') {
      result += numbers[count++];
    } else {
      result += c;
    }
  }
  return result.append(name.substr(at));
}

void replace_part(std::string& name, std::string_view from, std::string_view to) {
  if (const size_t at = name.find(from); at != std::string::npos) name.replace(at, from.size(), to);
}

}  // namespace

bool is_derived_official(const std::string& name) {
  return name == "decoder.anchors" || name == "decoder.valid_mask" ||
         name == "decoder.decoder.up" || name == "decoder.decoder.reg_scale";
}

std::vector<std::string> published_names(const std::string& name) {
  if (is_derived_official(name)) return {};
  std::string published = name;
  for (const Rule& rule : kBeginnings) {
    if (auto found = rewrite(name, rule.official, rule.published)) {
      published = std::move(*found);
      break;
    }
  }
  if (published.starts_with("model.backbone."))
    for (const Rule& part : kBackboneParts) replace_part(published, part.official, part.published);
  const size_t joined = published.find("self_attn.in_proj_");
  if (joined == std::string::npos) return {published};
  std::vector<std::string> names;
  for (const std::string_view projection : kProjections) {
    names.push_back(published);
    replace_part(names.back(), "in_proj_", projection);
  }
  return names;
}

std::string official_name(const std::string& published) {
  std::string name = published;
  for (const std::string_view projection : kProjections) {
    const std::string part = std::string("self_attn.").append(projection);
    replace_part(name, part, "self_attn.in_proj_");
  }
  if (name.starts_with("model.backbone."))
    for (const Rule& part : kBackboneParts) replace_part(name, part.published, part.official);
  for (const Rule& rule : kBeginnings)
    if (auto found = rewrite(name, rule.published, rule.official)) return *found;
  return name;
}

}  // namespace dfine::inline weights
