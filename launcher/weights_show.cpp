#include <algorithm>
#include <cctype>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>

#include "classes/class_names.h"
#include "core/printable.h"
#include "core/text.h"
#include "hub/digest.h"
#include "hub/local_weights.h"
#include "weights/hf_config.h"
#include "weights/tensor_file.h"
#include "weights/weights.h"
#include "weights_commands.h"

namespace dfine {
namespace {

/// What the Hub's cache calls the file: its SHA-256. Empty where `file` is not in a cache.
std::string announced_checksum(const std::filesystem::path& file) {
  std::error_code failed;
  const auto content = std::filesystem::canonical(file, failed);
  constexpr size_t kSha256Digits = 64;
  const std::string name = content.filename().string();
  return !failed && content.parent_path().filename() == "blobs" && name.size() == kSha256Digits
             ? name
             : "";
}

void show(const std::string& value) {
  const std::string path = local_weights("PATH", value);
  const std::string file = weights_file(path);
  const ModelDescription description = describe_weights(path);
  std::string size = architecture_size(description.spec);
  std::ranges::transform(size, size.begin(), [](unsigned char c) { return std::toupper(c); });
  const auto tensors = read_tensor_file(file, TensorData::kShapes);
  int64_t values = 0;
  for (const auto& [name, tensor] : tensors) values += tensor.numel();
  const std::string checksum = sha256_of(file), announced = announced_checksum(file);

  const auto line = [](const char* what, const std::string& text) {
    std::cout << what << ": " << printable(text) << '\n';
  };
  line("file", file);
  line("model", size.empty() ? "D-FINE of no published size" : "D-FINE-" + size);
  line("input", str_cat(description.image_width, "x", description.image_height));
  line("queries", str_cat(description.spec.num_queries));
  line("tensors", str_cat(tensors.size(), ", ", with_commas(values), " values, ",
                          human_bytes(static_cast<double>(std::filesystem::file_size(file)))));
  line("sha256", str_cat(checksum, announced.empty() ? ""
                                   : announced == checksum
                                       ? " (as the Hub announced)"
                                       : " (DAMAGED: the Hub announced " + announced + ")"));
  line("classes", str_cat(description.class_names.size(),
                          names_classes(description.class_names) ? "" : ", without names"));
  if (!names_classes(description.class_names)) return;
  for (size_t label = 0; label < description.class_names.size(); ++label)
    std::cout << "  " << label << "  " << printable(description.class_names[label]) << '\n';
}

}  // namespace

Command add_show(CLI::App& app) {
  const auto path = std::make_shared<std::string>();
  CLI::App* const command =
      app.add_subcommand("show", "describe weights: size, input, tensors, checksum, classes");
  command
      ->add_option("PATH", *path,
                   "checkpoint folder, .safetensors or .pth file, or a model of the Hugging Face "
                   "Hub")
      ->required()
      ->type_name("PATH");
  return [path] { show(*path); };
}

}  // namespace dfine
