#include "weights/hf_config.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <type_traits>
#include <utility>

#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "core/text.h"
#include "files/atomic_path.h"

namespace dfine::inline weights {
using enum ErrorCode;
namespace {

using Json = nlohmann::ordered_json;
using Numbers = std::vector<int64_t>;

const char* const kCategoryIds = "dfine_category_ids";

// ---- ModelSpec -> JSON

template <class Field>
Numbers of_stages(const BackboneSpec& backbone, Field field) {
  Numbers values;
  for (const StageSpec& stage : backbone.stages) values.push_back(stage.*field);
  return values;
}

Json backbone_json(const BackboneSpec& backbone) {
  Json json;
  json["model_type"] = "hgnet_v2";
  json["num_channels"] = 3;
  json["stem_channels"] = {3, backbone.stem_mid, backbone.stem_out};
  json["stem_strides"] = {2, 1, 1, 2, 1};
  json["stage_in_channels"] = of_stages(backbone, &StageSpec::in);
  json["stage_mid_channels"] = of_stages(backbone, &StageSpec::mid);
  json["stage_out_channels"] = json["hidden_sizes"] = of_stages(backbone, &StageSpec::out);
  json["stage_num_blocks"] = of_stages(backbone, &StageSpec::blocks);
  json["stage_numb_of_layers"] = of_stages(backbone, &StageSpec::layers);
  json["stage_kernel_size"] = of_stages(backbone, &StageSpec::kernel);
  for (const StageSpec& stage : backbone.stages) {
    json["stage_downsample"].push_back(stage.downsample);
    json["stage_downsample_strides"].push_back(2);
    json["stage_light_block"].push_back(stage.light);
  }
  for (auto i = static_cast<size_t>(backbone.first_output); i < backbone.stages.size(); ++i) {
    json["out_features"].push_back(str_cat("stage", i + 1));
    json["out_indices"].push_back(i + 1);
  }
  json["use_learnable_affine_block"] = backbone.affine_blocks;
  return json;
}

/// Settings of DFineConfig that this model has built in.
const Json& fixed_settings() {
  static const Json settings{{"activation_function", "silu"},
                             {"encoder_activation_function", "gelu"},
                             {"decoder_activation_function", "relu"},
                             {"decoder_method", "default"},
                             {"decoder_offset_scale", 0.5},
                             {"top_prob_values", 4},
                             {"lqe_hidden_dim", 64},
                             {"lqe_layers", 2},
                             {"layer_scale", 1.0},
                             {"eval_idx", -1},
                             {"normalize_before", false},
                             {"learn_initial_query", false},
                             {"with_box_refine", true},
                             {"layer_norm_eps", 1e-5},
                             {"batch_norm_eps", 1e-5}};
  return settings;
}

Json architecture_json(const ModelSpec& spec) {
  Json json;
  json["backbone_config"] = backbone_json(spec.backbone);
  json["encoder_in_channels"] = spec.backbone_channels();
  json["feat_strides"] = spec.strides();
  json["encoder_hidden_dim"] = spec.encoder_dim;
  json["encoder_ffn_dim"] = spec.encoder_ffn_dim;
  json["encoder_layers"] = spec.encoder_layers;
  json["encoder_attention_heads"] = json["decoder_attention_heads"] = spec.num_heads;
  json["encode_proj_layers"] = {spec.num_levels() - 1};
  json["positional_encoding_temperature"] = spec.position_temperature;
  json["hidden_expansion"] = spec.expansion;
  json["depth_mult"] = spec.depth_mult;
  json["d_model"] = spec.decoder_dim;
  json["decoder_in_channels"] = Numbers(spec.num_points.size(), spec.encoder_dim);
  json["decoder_ffn_dim"] = spec.decoder_ffn_dim;
  json["decoder_layers"] = spec.decoder_layers;
  json["decoder_n_points"] = spec.num_points;
  json["num_feature_levels"] = spec.num_levels();
  json["max_num_bins"] = spec.reg_max;
  json["reg_scale"] = spec.reg_scale;
  json["up"] = spec.up;
  json.update(fixed_settings());
  return json;
}

Json config_json(const ModelDescription& description) {
  const ModelSpec& spec = description.spec;
  Json json{{"architectures", {"DFineForObjectDetection"}},
            {"model_type", "d_fine"},
            {"dtype", "float32"}};
  json.update(architecture_json(spec));
  // transformers counts in whole numbers here.
  json["positional_encoding_temperature"] = static_cast<int64_t>(spec.position_temperature);
  json["num_queries"] = spec.num_queries;
  json["num_denoising"] = spec.num_denoising;
  json["id2label"] = json["label2id"] = Json::object();
  for (size_t label = 0; label < description.class_names.size(); ++label) {
    json["id2label"][std::to_string(label)] = description.class_names[label];
    json["label2id"][description.class_names[label]] = label;
  }
  if (!description.category_ids.empty()) json[kCategoryIds] = description.category_ids;
  return json;
}

Json preprocessor_json(const ModelDescription& description) {
  return {{"image_processor_type", "RTDetrImageProcessor"},
          {"do_resize", true},
          {"size", {{"height", description.image_height}, {"width", description.image_width}}},
          {"resample", 2},  // bilinear
          {"do_rescale", true},
          {"rescale_factor", 1.0 / 255},
          {"do_normalize", false},
          {"image_mean", {0.485, 0.456, 0.406}},
          {"image_std", {0.229, 0.224, 0.225}},
          {"do_pad", false},
          {"do_convert_annotations", true},
          {"format", "coco_detection"}};
}

// ---- JSON -> ModelSpec

Json read_json(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(read_error_code(errno), str_cat("cannot read ", path));
  Json json;
  try {
    json = Json::parse(in);
  } catch (const Json::exception& e) {
    throw Error(kFormatInvalid, str_cat(path, " is not JSON: ", e.what()));
  }
  if (!json.is_object()) throw Error(kFormatInvalid, str_cat(path, " is not a JSON object"));
  return json;
}

/// Whether reading `json` as T keeps its value: the library cuts fractions off whole numbers.
template <class T>
bool holds(const Json& json) {
  if constexpr (std::is_same_v<T, int64_t>) return json.is_number_integer();
  if constexpr (std::is_same_v<T, Numbers>)
    return std::all_of(json.begin(), json.end(), holds<int64_t>);
  return true;
}

/// The value of `key`, or transformers' default where it is absent.
template <class T>
T field(const Json& json, const char* key, T fallback) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return fallback;
  try {
    if (holds<T>(*found)) return found->get<T>();
  } catch (const Json::exception&) {  // said below
  }
  throw Error(kFormatInvalid,
              str_cat(key, " has the value ", found->dump(), ", which is of a wrong type"));
}

void require(bool ok, const char* key, const Json& json) {
  if (!ok)
    throw Error(kWeightsUnsupported,
                str_cat(key, " = ", json.value(key, Json()).dump(), " is not supported"),
                "Only the architecture of D-FINE with HGNetv2 is.");
}

/// Far beyond every published model, and far below what exhausts a machine before an error could be
/// seen.
constexpr int64_t kMaxChannels = 8192, kMaxRepeats = 100;

/// Refuses `key` unless all the numbers it stands for are in a range.
void require_within(const Json& json, const char* key, const Numbers& numbers, int64_t least,
                    int64_t most) {
  if (std::all_of(numbers.begin(), numbers.end(),
                  [&](int64_t x) { return least <= x && x <= most; }))
    return;
  throw Error(kWeightsUnsupported,
              str_cat(key, " = ", json.value(key, Json()).dump(), " is not supported"),
              str_cat("expected: from ", least, " to ", most));
}

int64_t first_output(const Json& json, size_t stages) {
  Numbers indices = field<Numbers>(json, "out_indices", {});
  for (const std::string& name : field<std::vector<std::string>>(json, "out_features", {})) {
    if (indices.size() == stages || json.contains("out_indices")) break;
    if (!name.starts_with("stage") || name.size() != 6) require(false, "out_features", json);
    indices.push_back(name[5] - '0');
  }
  if (indices.empty()) indices = {2, 3, 4};  // DFineConfig's default backbone
  for (size_t i = 0; i < indices.size(); ++i)
    require(indices[i] == static_cast<int64_t>(stages - indices.size() + i + 1), "out_indices",
            json);
  return indices.front() - 1;
}

BackboneSpec read_backbone(const Json& json) {
  const ErrorContext at("in backbone_config");
  require(field<std::string>(json, "model_type", "hgnet_v2") == "hgnet_v2", "model_type", json);
  require(field<Numbers>(json, "stem_strides", {2, 1, 1, 2, 1}) == Numbers({2, 1, 1, 2, 1}),
          "stem_strides", json);
  const Numbers stem = field<Numbers>(json, "stem_channels", {3, 32, 48});
  require(stem.size() == 3 && stem[0] == 3, "stem_channels", json);
  const Numbers in = field<Numbers>(json, "stage_in_channels", {48, 128, 512, 1024});
  const Numbers mid = field<Numbers>(json, "stage_mid_channels", {48, 96, 192, 384});
  const Numbers out = field<Numbers>(json, "stage_out_channels", {128, 512, 1024, 2048});
  const Numbers blocks = field<Numbers>(json, "stage_num_blocks", {1, 1, 3, 1});
  const Numbers layers = field<Numbers>(json, "stage_numb_of_layers", {6, 6, 6, 6});
  const Numbers kernel = field<Numbers>(json, "stage_kernel_size", {3, 3, 5, 5});
  const auto downsample =
      field<std::vector<bool>>(json, "stage_downsample", {false, true, true, true});
  const auto light =
      field<std::vector<bool>>(json, "stage_light_block", {false, false, true, true});
  const size_t stages = in.size();
  require(stages > 0 && stages < 9, "stage_in_channels", json);
  require(
      field<Numbers>(json, "stage_downsample_strides", Numbers(stages, 2)) == Numbers(stages, 2),
      "stage_downsample_strides", json);
  for (const auto& [key, size] : {std::pair{"stage_mid_channels", mid.size()},
                                  {"stage_out_channels", out.size()},
                                  {"stage_num_blocks", blocks.size()},
                                  {"stage_numb_of_layers", layers.size()},
                                  {"stage_kernel_size", kernel.size()},
                                  {"stage_downsample", downsample.size()},
                                  {"stage_light_block", light.size()}})
    require(size == stages, key, json);
  require_within(json, "stem_channels", stem, 1, kMaxChannels);
  for (const auto& [key, channels] : {std::pair{"stage_in_channels", &in},
                                      {"stage_mid_channels", &mid},
                                      {"stage_out_channels", &out}})
    require_within(json, key, *channels, 1, kMaxChannels);
  require_within(json, "stage_num_blocks", blocks, 1, kMaxRepeats);
  require_within(json, "stage_numb_of_layers", layers, 1, kMaxRepeats);
  for (const int64_t size : kernel)
    require(size > 0 && size % 2 == 1 && size < 16, "stage_kernel_size", json);
  BackboneSpec spec{stem[1],
                    stem[2],
                    {},
                    first_output(json, stages),
                    field(json, "use_learnable_affine_block", false)};
  for (size_t i = 0; i < stages; ++i)
    spec.stages.push_back(
        {in[i], mid[i], out[i], blocks[i], layers[i], downsample[i], light[i], kernel[i]});
  return spec;
}

Numbers read_points(const Json& json, int64_t levels) {
  const auto found = json.find("decoder_n_points");
  if (found != json.end() && found->is_array()) return field<Numbers>(json, "decoder_n_points", {});
  return Numbers(static_cast<size_t>(levels), field<int64_t>(json, "decoder_n_points", 4));
}

/// The numbers that memory and time grow with.
void require_usual_size(const Json& json, const ModelSpec& spec) {
  for (const auto& [key, channels] : {std::pair{"encoder_hidden_dim", spec.encoder_dim},
                                      {"encoder_ffn_dim", spec.encoder_ffn_dim},
                                      {"d_model", spec.decoder_dim},
                                      {"decoder_ffn_dim", spec.decoder_ffn_dim},
                                      {"max_num_bins", spec.reg_max}})
    require_within(json, key, {channels}, 1, kMaxChannels);
  for (const auto& [key, repeats] : {std::pair{"encoder_layers", spec.encoder_layers},
                                     {"decoder_layers", spec.decoder_layers},
                                     {"decoder_attention_heads", spec.num_heads}})
    require_within(json, key, {repeats}, 1, kMaxRepeats);
  require_within(json, "decoder_n_points", spec.num_points, 1, kMaxRepeats);
  require_within(json, "num_queries", {spec.num_queries}, 1, 10000);
  require_within(json, "num_denoising", {spec.num_denoising}, 0, 1000);
  require(spec.expansion > 0 && spec.expansion <= 10, "hidden_expansion", json);
  require(spec.depth_mult > 0 && spec.depth_mult <= 10, "depth_mult", json);
}

ModelSpec read_architecture(const Json& json) {
  require(field<std::string>(json, "model_type", "") == "d_fine", "model_type", json);
  for (const auto& [key, value] : fixed_settings().items())
    require(json.value(key, value) == value, key.c_str(), json);
  const int64_t levels = field<int64_t>(json, "num_feature_levels", 3);
  require(levels > 0 && levels < 9, "num_feature_levels", json);
  ModelSpec spec{.backbone = read_backbone(json.value("backbone_config", Json::object())),
                 .encoder_dim = field<int64_t>(json, "encoder_hidden_dim", 256),
                 .encoder_ffn_dim = field<int64_t>(json, "encoder_ffn_dim", 1024),
                 .encoder_layers = field<int64_t>(json, "encoder_layers", 1),
                 .expansion = field(json, "hidden_expansion", 1.0),
                 .depth_mult = field(json, "depth_mult", 1.0),
                 .position_temperature = field(json, "positional_encoding_temperature", 10000.0),
                 .decoder_dim = field<int64_t>(json, "d_model", 256),
                 .decoder_ffn_dim = field<int64_t>(json, "decoder_ffn_dim", 1024),
                 .decoder_layers = field<int64_t>(json, "decoder_layers", 6),
                 .num_points = read_points(json, levels),
                 .num_heads = field<int64_t>(json, "decoder_attention_heads", 8),
                 .num_queries = field<int64_t>(json, "num_queries", 300),
                 .num_classes = 0,
                 .reg_max = field<int64_t>(json, "max_num_bins", 32),
                 .reg_scale = field(json, "reg_scale", 4.0),
                 .up = field(json, "up", 0.5),
                 .num_denoising = field<int64_t>(json, "num_denoising", 100)};
  require(static_cast<int64_t>(spec.num_points.size()) == levels, "decoder_n_points", json);
  require_usual_size(json, spec);
  // Stated twice in the file; what the rest implies is the only supported value.
  const Json implied = architecture_json(spec);
  const Json defaults{{"encoder_in_channels", {512, 1024, 2048}},
                      {"feat_strides", {8, 16, 32}},
                      {"encode_proj_layers", {2}},
                      {"decoder_in_channels", {256, 256, 256}},
                      {"encoder_attention_heads", 8}};
  for (const auto& [key, value] : defaults.items())
    require(json.value(key, value) == implied[key], key.c_str(), json);
  return spec;
}

std::vector<std::string> read_class_names(const Json& json) {
  const auto found = json.find("id2label");
  if (found == json.end()) return {};
  std::vector<std::string> names(found->size());
  for (size_t label = 0; label < names.size(); ++label) {
    const auto name = found->find(std::to_string(label));
    if (name == found->end() || !name->is_string())
      throw Error(kClassMismatch, str_cat("id2label has ", names.size(),
                                          " entries, but no text for label ", label));
    names[label] = name->get<std::string>();
  }
  return names;
}

/// Of config.json.
ModelDescription read_config(const std::string& file) {
  const ErrorContext at("while reading ", file);
  const Json json = read_json(file);
  ModelDescription read{read_architecture(json), read_class_names(json),
                        field<Numbers>(json, kCategoryIds, {})};
  if (read.class_names.empty())  // as transformers calls them
    for (size_t label = 0; label < read.category_ids.size(); ++label)
      read.class_names.push_back(str_cat("LABEL_", label));
  read.spec.num_classes = static_cast<int64_t>(read.class_names.size());
  if (const std::set<int64_t> ids(read.category_ids.begin(), read.category_ids.end());
      ids.size() < read.category_ids.size())
    throw Error(kRecordInvalid, str_cat(kCategoryIds, " has an id twice"),
                "give each class the id that the dataset has for it");
  if (!read.category_ids.empty() && read.category_ids.size() != read.class_names.size())
    throw Error(
        kClassMismatch,
        str_cat(kCategoryIds, " has ", read.category_ids.size(), " entries for ",
                read.class_names.size(), " classes"),
        str_cat("another program has changed the classes after training. Correct ", kCategoryIds,
                " (the dataset's id of each class, in order), or remove it, and classes are "
                "numbered from 0"));
  return read;
}

void read_preprocessor(const Json& json, ModelDescription& description) {
  require(!field(json, "do_normalize", false), "do_normalize", json);
  require(field(json, "do_resize", true), "do_resize", json);
  require(field(json, "do_rescale", true), "do_rescale", json);
  require(!field(json, "do_pad", false), "do_pad", json);
  require(field<int64_t>(json, "resample", 2) == 2, "resample", json);
  if (!json.contains("size")) return;  // 640x640, as RTDetrImageProcessor's default
  const Json& size = json.at("size");
  const auto side = [&](const char* key) -> int64_t {
    const bool given = size.is_object() && size.contains(key) && size.at(key).is_number_integer();
    const auto pixels = given ? size.at(key).get<int64_t>() : 0;
    if (pixels >= 32 && pixels <= 4096 && pixels % 32 == 0) return pixels;
    throw Error(kWeightsUnsupported,
                str_cat("size = ", size.dump(), " is not supported: ", key,
                        given ? str_cat(" = ", pixels) : " is not a whole number"),
                "Sizes have height and width, from 32 to 4096 and divisible by 32.");
  };
  description.image_height = side("height");
  description.image_width = side("width");
}

}  // namespace

ClassList class_list(std::string owner, const ModelDescription& model) {
  return {.owner = std::move(owner), .names = model.class_names, .ids = model.category_ids};
}

void write_hf_config(const std::string& folder, const ModelDescription& description) {
  const auto classes = static_cast<size_t>(description.spec.num_classes);
  if (description.class_names.size() != classes)
    throw Error(kClassMismatch, str_cat("the model has ", classes, " classes, but ",
                                        description.class_names.size(), " class names were given"));
  if (!description.category_ids.empty() && description.category_ids.size() != classes)
    throw Error(kClassMismatch,
                str_cat("the model has ", classes, " classes, but ",
                        description.category_ids.size(), " category ids were given"));
  const std::filesystem::path path(folder);
  write_file_atomically(path / "config.json", config_json(description).dump(2) + "\n");
  write_file_atomically(path / "preprocessor_config.json",
                        preprocessor_json(description).dump(2) + "\n");
}

ModelDescription read_hf_config(const std::string& folder) {
  const std::filesystem::path path(folder);
  ModelDescription description = read_config((path / "config.json").string());
  const std::string preprocessor = (path / "preprocessor_config.json").string();
  if (std::filesystem::exists(preprocessor)) {
    const ErrorContext at("while reading ", preprocessor);
    read_preprocessor(read_json(preprocessor), description);
  }
  return description;
}

std::string architecture_size(const ModelSpec& spec) {
  for (const ModelVariant& variant : model_variants())
    if (architecture_json(spec) == architecture_json(model_spec(variant.size, spec.num_classes)))
      return std::string(variant.name);
  return {};
}

}  // namespace dfine::inline weights
