#pragma once
// The models that the Hub has of D-FINE's authors, and short names for them.
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace dfine::inline hub {

struct PublishedModel {
  const char* short_name;  // dfine-s-obj365
  const char* repository;  // ustc-community/dfine-small-obj365
  const char* older;       // the repository's name until 2025: ustc-community/dfine_s_obj365
  char size;               // n s m l x
  const char* trained_on;
};

/// Each size from small to large, by what it was trained on.
std::span<const PublishedModel> published_models();

/// The model of this short name; `_` counts as `-`, `small` as `s`. Null: none has it.
const PublishedModel* find_short_name(const std::string& name);

/// The model whose repository had this name. Null: none had.
const PublishedModel* find_older_name(const std::string& repository);

/// Short names that `name` may have meant.
std::vector<std::string> similar_short_names(const std::string& name);

}  // namespace dfine::inline hub
