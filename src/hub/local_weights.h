#pragma once
#include <optional>
#include <string>

#include "hub/fetch.h"
#include "hub/model_name.h"
#include "hub/settings.h"

namespace dfine::inline hub {

/// The model that a value which is no path means: a short name or ORG/NAME, with @REVISION or
/// without. Nothing where it means none.
std::optional<ModelName> model_name_of(const std::string& value);

/// The snapshot that the cache has of a model, which may be older than the Hub's.
std::optional<Snapshot> cached_model(const ModelName& model, const HubSettings& settings);

/// The path of the weights that `value` means. A value that starts with `.`, `/` or `~`, or names
/// an existing folder or file, is a path. Anything else is a model on the Hugging Face Hub:
/// ORG/NAME[@REVISION], or a short name (hub/published_models.h).
///
/// A model that the cache has is used without asking the Hub. Any other is fetched, with progress
/// on stderr. The log says which commit it is. `setting` stands in errors: "model.weights". Throws
/// Error; that of a missing one names both readings.
std::string local_weights(const std::string& setting, const std::string& value);

}  // namespace dfine::inline hub
