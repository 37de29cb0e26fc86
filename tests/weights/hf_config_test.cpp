#include "weights/hf_config.h"

#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/text.h"
#include "support/python.h"
#include "support/raises.h"
#include "weights/safetensors.h"

namespace dfine {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kSizes{"n", "s", "m", "l", "x"};

ModelDescription description_of(const std::string& size) {
  ModelDescription description{
      model_spec(model_variant(size).size, 3), {"red cell", "white cell", "platelet"}, {7, 1, 90}};
  description.image_height = 320;
  description.image_width = 480;
  return description;
}

std::string with_config(const TemporaryFolder& folder, const std::string& text) {
  std::ofstream(folder / "config.json") << text;
  return folder / "";
}

Caught error_of(const std::string& folder) {
  return catch_error([&] { read_hf_config(folder); });
}

TEST(HfConfig, ComesBackAsWritten) {
  for (const std::string& size : kSizes) {
    const TemporaryFolder folder;
    ModelDescription written = description_of(size);
    written.spec.num_queries = 123;
    written.spec.num_denoising = 0;
    write_hf_config(folder / "", written);
    const ModelDescription read = read_hf_config(folder / "");
    EXPECT_EQ(architecture_size(read.spec), size);
    EXPECT_EQ(read.spec.num_classes, 3);
    EXPECT_EQ(read.spec.num_queries, 123);
    EXPECT_EQ(read.spec.num_denoising, 0);
    EXPECT_EQ(read.class_names, written.class_names);
    EXPECT_EQ(read.category_ids, written.category_ids);
    EXPECT_EQ(read.image_height, 320);
    EXPECT_EQ(read.image_width, 480);
  }
}

// transformers omits what equals its defaults; those are the settings of L but for the
// sampling points.
TEST(HfConfig, AbsentKeysHaveTransformersDefaults) {
  const TemporaryFolder folder;
  const ModelDescription read = read_hf_config(
      with_config(folder, R"({"model_type": "d_fine", "decoder_n_points": [3, 6, 3]})"));
  EXPECT_EQ(architecture_size(read.spec), "l");
  EXPECT_EQ(read.spec.num_queries, 300);
  EXPECT_EQ(read.spec.num_classes, 0);
  EXPECT_TRUE(read.class_names.empty());
  EXPECT_EQ(read.image_height, 640);
}

TEST(HfConfig, WhatTheModelCannotDoIsRefused) {
  const TemporaryFolder folder;
  const auto reading = [&](const std::string& entries) {
    return error_of(with_config(
        folder, "{\"model_type\": \"d_fine\", \"decoder_n_points\": [3, 6, 3]" + entries + "}"));
  };
  const auto expect = [&](const std::string& entries, const std::string& value,
                          ErrorCode code = kWeightsUnsupported) {
    EXPECT_TRUE(reading(entries).is(code, value, "config.json"));
  };
  EXPECT_FALSE(reading("").code);
  expect(R"(, "decoder_method": "discrete")", "decoder_method = \"discrete\"");
  expect(R"(, "layer_scale": 2)", "layer_scale = 2");
  expect(R"(, "encoder_attention_heads": 4)", "encoder_attention_heads = 4");
  expect(R"(, "feat_strides": [8, 16])", "feat_strides = [8,16]");
  expect(R"(, "d_model": "wide")", "\"wide\"", kFormatInvalid);
  expect(R"(, "num_feature_levels": 2)", "decoder_n_points");
  expect(R"(, "backbone_config": {"model_type": "resnet"})", "model_type = \"resnet\"");
  expect(R"(, "backbone_config": {"out_features": ["stage2", "stage4"]})", "out_indices");
  expect(R"(, "backbone_config": {"stage_num_blocks": [1, 1]})", "stage_num_blocks");
  expect(R"(, "id2label": {"0": "a", "2": "b"})", "label 1", kClassMismatch);
  expect(R"(, "id2label": {"0": "a"}, "dfine_category_ids": [1, 2])", "dfine_category_ids",
         kClassMismatch);
  expect(R"(, "id2label": {"0": "a", "1": "b"}, "dfine_category_ids": [1, 1])",
         "dfine_category_ids", kRecordInvalid);
  EXPECT_TRUE(error_of(with_config(folder, R"({"model_type": "rt_detr"})"))
                  .is(kWeightsUnsupported, "model_type = \"rt_detr\""));
  EXPECT_TRUE(error_of(with_config(folder, "{")).is(kFormatInvalid, "JSON"));
  EXPECT_TRUE(error_of(folder / "none").is(kFileMissing, "config.json"));
  with_config(folder, R"({"model_type": "d_fine", "decoder_n_points": [3, 6, 3]})");
  std::ofstream(folder / "preprocessor_config.json") << R"({"do_normalize": true})";
  EXPECT_TRUE(error_of(folder / "").is(kWeightsUnsupported, "do_normalize = true"));
}

// Sizes beyond every published model: they would run out of memory, or without end.
TEST(HfConfig, NumbersOutOfRangeAreNamed) {
  const TemporaryFolder folder;
  const auto expect = [&](const std::string& entry, const std::string& part,
                          ErrorCode code = kWeightsUnsupported) {
    const Caught caught = error_of(with_config(
        folder, "{\"model_type\": \"d_fine\", \"decoder_n_points\": [3, 6, 3], " + entry + "}"));
    EXPECT_TRUE(caught.is(code, part, "config.json"));
  };
  expect(R"("decoder_layers": 1000000000)", "decoder_layers = 1000000000");
  expect(R"("decoder_layers": 0)", "decoder_layers = 0");
  expect(R"("decoder_layers": 2.5)", "2.5", kFormatInvalid);
  expect(R"("decoder_layers": 1e300)", "1e+300", kFormatInvalid);
  expect(R"("encoder_layers": -1)", "encoder_layers = -1");
  expect(R"("decoder_attention_heads": 0)", "decoder_attention_heads = 0");
  expect(R"("num_queries": 18446744073709551615)", "num_queries = 18446744073709551615");
  expect(R"("num_denoising": -5)", "num_denoising = -5");
  expect(R"("max_num_bins": 0)", "max_num_bins = 0");
  expect(R"("depth_mult": 1e9)", "depth_mult = 1000000000.0");
  expect(R"("hidden_expansion": -1)", "hidden_expansion = -1");
  for (const char* key : {"encoder_hidden_dim", "encoder_ffn_dim", "d_model", "decoder_ffn_dim"})
    expect(str_cat('"', key, "\": 1000000000"), str_cat(key, " = 1000000000"));
  const auto expect_backbone = [&](const std::string& key, const std::string& value) {
    expect(str_cat("\"backbone_config\": {\"", key, "\": ", value, "}"),
           str_cat(key, " = ", value));
  };
  expect_backbone("stem_channels", "[3,0,48]");
  expect_backbone("stage_in_channels", "[48,128,512,100000]");
  expect_backbone("stage_mid_channels", "[-48,96,192,384]");
  expect_backbone("stage_out_channels", "[0,512,1024,2048]");
  expect_backbone("stage_num_blocks", "[1,1,3000000,1]");
  expect_backbone("stage_numb_of_layers", "[6,6,6,-6]");
  expect_backbone("stage_kernel_size", "[3,3,4,5]");
  with_config(folder, R"({"model_type": "d_fine", "decoder_n_points": 1000000})");
  EXPECT_TRUE(error_of(folder / "").is(kWeightsUnsupported, "decoder_n_points = 1000000"));
}

TEST(HfConfig, TheImageSizeHasBothSides) {
  const TemporaryFolder folder;
  with_config(folder, R"({"model_type": "d_fine", "decoder_n_points": [3, 6, 3]})");
  const auto with_size = [&](const std::string& size) {
    std::ofstream(folder / "preprocessor_config.json") << "{\"size\": " << size << "}";
    return error_of(folder / "");
  };
  EXPECT_FALSE(with_size(R"({"height": 320, "width": 4096})").code);
  for (const auto& [size, part] : {std::pair{R"({"shortest_edge":800})", "height"},
                                   {R"({"height":640})", "width"},
                                   {R"({"height":640,"width":"640"})", "width"},
                                   {R"({"height":-32,"width":640})", "height = -32"},
                                   {R"({"height":0,"width":640})", "height = 0"},
                                   {R"({"height":640,"width":650})", "width = 650"},
                                   {R"({"height":640,"width":3200000})", "width = 3200000"},
                                   {"640", "height"}}) {
    EXPECT_TRUE(with_size(size).is(kWeightsUnsupported, std::string("size = ") + size,
                                   std::string(part), "preprocessor_config.json"));
  }
  std::ofstream(folder / "preprocessor_config.json") << "[]";
  EXPECT_TRUE(error_of(folder / "").is(kFormatInvalid, "JSON"));
}

TEST(HfConfig, RefusesToWriteWithoutNames) {
  const TemporaryFolder folder;
  ModelDescription description = description_of("n");
  description.class_names.pop_back();
  EXPECT_THROW(write_hf_config(folder / "", description), Error);
  description = description_of("n");
  description.category_ids.pop_back();
  EXPECT_THROW(write_hf_config(folder / "", description), Error);
  EXPECT_FALSE(fs::exists(folder / "config.json"));
}

TEST(ArchitectureSize, LooksAtTheArchitectureAlone) {
  ModelSpec spec = model_spec(ModelSize::kM, 7);
  spec.num_queries = 10;
  EXPECT_EQ(architecture_size(spec), "m");
  spec.decoder_layers = 5;
  EXPECT_EQ(architecture_size(spec), "");
}

std::map<std::string, Tensor> telling_tensors(int64_t stem, int64_t width, int64_t classes) {
  return {{"model.backbone.model.embedder.stem4.convolution.weight", at::zeros({stem, 4, 1, 1})},
          {"model.decoder.layers.0.fc1.weight", at::zeros({5, width})},
          {"model.enc_score_head.bias", at::zeros({classes})}};
}

TEST(DescribeWeights, ALoneFileTellsItsSize) {
  const TemporaryFolder folder;
  // Stem and decoder channels of the official yml files.
  for (const auto& [size, stem, width] :
       {std::tuple{"n", 16, 128}, {"s", 16, 256}, {"m", 32, 256}, {"l", 48, 256}, {"x", 64, 256}}) {
    write_safetensors(folder / "a.safetensors", telling_tensors(stem, width, 4));
    const ModelDescription description = describe_weights(folder / "a.safetensors");
    EXPECT_EQ(architecture_size(description.spec), size);
    EXPECT_EQ(description.spec.num_classes, 4);
    EXPECT_EQ(description.spec.num_queries, 300);
    EXPECT_EQ(description.class_names,
              (std::vector<std::string>{"LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3"}));
    EXPECT_TRUE(description.category_ids.empty());
  }
  write_safetensors(folder / "a.safetensors", telling_tensors(17, 256, 4));
  EXPECT_THROW(describe_weights(folder / "a.safetensors"), Error);
  write_safetensors(folder / "a.safetensors", {{"x", at::zeros({1})}});
  EXPECT_THROW(describe_weights(folder / "a.safetensors"), Error);
}

TEST(DescribeWeights, ClassesOfAFolderMustAgree) {
  const TemporaryFolder folder;
  write_hf_config(folder / "", description_of("n"));
  write_safetensors(folder / "model.safetensors", telling_tensors(16, 128, 3));
  EXPECT_EQ(describe_weights(folder / "").class_names[2], "platelet");
  write_safetensors(folder / "model.safetensors", telling_tensors(16, 128, 80));
  EXPECT_THROW(describe_weights(folder / ""), Error);
}

TEST(HfConfigPython, TransformersReadsTheSameAndWritesWhatWeRead) {
  const TemporaryFolder folder;
  for (const std::string& size : kSizes) {
    fs::create_directory(folder / size);
    write_hf_config(folder / size, description_of(size));
  }
  run_python_file_or_skip(source_file("tests/weights/hf_config_check.py"), {folder / ""});
  if (IsSkipped()) return;
  for (const std::string& size : kSizes) {
    const ModelDescription read = read_hf_config(folder / ("theirs-" + size));
    EXPECT_EQ(architecture_size(read.spec), size);
    EXPECT_EQ(read.class_names, description_of(size).class_names);
  }
}

}  // namespace
}  // namespace dfine
