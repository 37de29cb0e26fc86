#include "hub/local_weights.h"

#include <filesystem>
#include <optional>

#include "core/error.h"
#include "core/log.h"
#include "core/nearest.h"
#include "core/text.h"
#include "hub/cache.h"
#include "hub/fetch.h"
#include "hub/model_name.h"
#include "hub/published_models.h"
#include "hub/settings.h"

namespace dfine::inline hub {
using enum ErrorCode;
namespace {

std::string as_path(const std::string& value) {
  std::error_code ignored;
  const auto folder = std::filesystem::current_path(ignored);
  return str_cat("As a path: there is no ", value, " in ", folder.string());
}

struct Cached {
  Snapshot snapshot;
  HubCache::Content content;
};

std::optional<Cached> cached(const ModelName& model, const HubSettings& settings) {
  const HubCache cache(settings.cache, model.repository);
  const auto commit = cache.commit_of(model.revision);
  if (!commit) return std::nullopt;
  const auto content = cache.content(*commit);
  if (content == HubCache::Content::kNone) return std::nullopt;
  return Cached{{.folder = cache.snapshot(*commit), .commit = *commit}, content};
}

/// Without preprocessor_config.json the size of the images is unknown. So the Hub is asked for it,
/// where it answers.
Snapshot completed(const Cached& found, const ModelName& model, const HubSettings& settings) {
  if (found.content == HubCache::Content::kComplete) return found.snapshot;
  ModelName same = model;
  same.revision = found.snapshot.commit;
  try {
    return fetch_model(same, settings);
  } catch (const Error& e) {
    if (e.code() == kInterrupted) throw;
    log::local_warn(str_cat("the cache has no ", kPreprocessorFile, " of ", to_text(model),
                            ", so its images are taken to be of 640x640: ", e.message()));
    return found.snapshot;
  }
}

Snapshot find_or_fetch(ModelName model, const HubSettings& settings) {
  if (const auto found = cached(model, settings)) return completed(*found, model, settings);
  if (const PublishedModel* renamed = find_older_name(model.repository)) {
    model.repository = renamed->repository;
    if (const auto found = cached(model, settings)) return completed(*found, model, settings);
  }
  if (!settings.offline)
    log::local_info(
        str_cat(to_text(model), " is not in the cache ", settings.cache.string(), ": fetching it"));
  return fetch_model(model, settings);
}

bool is_file_name(const std::string& value) {
  return value.ends_with(".safetensors") || value.ends_with(".pth") || value.ends_with(".pt") ||
         value.ends_with(".bin");
}

[[noreturn]] void refuse(const std::string& setting, const std::string& value) {
  if (setting == "model.backbone_weights" && is_file_name(value))
    throw Error(kFileMissing, str_cat(setting, " = ", value, ": no such file. ", as_path(value)),
                "docs/training.md (A backbone from ImageNet) says where to get it. Or name timm's, "
                "such as timm/hgnetv2_b0.ssld_stage1_in22k_in1k. Or train without it: set it to "
                "\"\", and expect a lower AP");
  const auto similar = similar_short_names(value);
  throw Error(
      kFileMissing,
      str_cat(setting, " = ", value, ": no weights. ", as_path(value),
              ". As a model of the Hugging Face Hub: it has not the form ORG/NAME[@REVISION], and "
              "is no short name"),
      similar.empty() ? "relative paths start at the current directory; `dfine-weights list` has "
                        "the names"
                      : str_cat("did you mean ", joined_by_or(similar), "?"));
}

}  // namespace

std::optional<ModelName> model_name_of(const std::string& value) {
  const size_t at = value.find('@');
  if (const PublishedModel* model = find_short_name(value.substr(0, at)))
    return parse_model_name(model->repository + (at == std::string::npos ? "" : value.substr(at)));
  return parse_model_name(value);
}

std::optional<Snapshot> cached_model(const ModelName& model, const HubSettings& settings) {
  const auto found = cached(model, settings);
  return found ? std::optional(found->snapshot) : std::nullopt;
}

std::string local_weights(const std::string& setting, const std::string& value) {
  if (value.empty() || is_path(value)) return expanded_path(value).string();
  const auto model = model_name_of(value);
  // No model has such a name: it is a file that is missing.
  if (!model || is_file_name(value)) refuse(setting, value);
  try {
    const Snapshot snapshot = find_or_fetch(*model, hub_settings());
    log::info(str_cat(setting, " = ", value, ": commit ", snapshot.commit, ", ",
                      snapshot.folder.string()));
    return snapshot.folder.string();
  } catch (const Error& e) {
    if (e.code() != kFileMissing && e.code() != kNetworkFailed && e.code() != kAccessDenied) throw;
    throw Error(e.code(),
                str_cat(setting, " = ", value, ": no weights. ", as_path(value),
                        ". As a model of the Hugging Face Hub: ", e.message()),
                e.hint());
  }
}

}  // namespace dfine::inline hub
