#pragma once
// How a value of `model.weights` or `--weights` is read: as a path, or as a model on the Hub.
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace dfine::inline hub {

/// A model on the Hugging Face Hub, at one revision.
struct ModelName {
  std::string repository;         // ORG/NAME
  std::string revision = "main";  // branch, tag or commit

  bool operator==(const ModelName&) const = default;
};

/// "ORG/NAME", with "@REVISION" unless that is main.
std::string to_text(const ModelName& name);

/// Reads ORG/NAME[@REVISION], with what the Hub allows in names. Nothing where `text` has another
/// form.
std::optional<ModelName> parse_model_name(std::string_view text);

/// 40 hexadecimal digits in lower case.
bool is_commit(std::string_view revision);

/// Whether the value is a path: it starts with `.`, `/` or `~`, or names an existing folder or
/// file.
bool is_path(const std::string& value);

/// The path, with the user's home folder for a leading `~/`.
std::filesystem::path expanded_path(const std::string& value);

}  // namespace dfine::inline hub
