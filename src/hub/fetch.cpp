#include "hub/fetch.h"

#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>

#include "core/error.h"
#include "core/log.h"
#include "core/stop_request.h"
#include "core/text.h"
#include "files/atomic_path.h"
#include "files/file_lock.h"
#include "hub/blob.h"
#include "hub/cache.h"
#include "hub/http.h"
#include "hub/remote_file.h"
#include "hub/url.h"

namespace dfine::inline hub {
using enum ErrorCode;
namespace fs = std::filesystem;
namespace {

/// What to do where there is no network: which files to bring, and where to put them.
std::string fetch_elsewhere(const ModelName& model, const HubSettings& settings) {
  std::string text = str_cat(
      "compute nodes often have no network. Run `dfine-weights fetch ", to_text(model),
      "` on a machine that has one and the same cache (", settings.cache.string(),
      "; HF_HOME or HF_HUB_CACHE name another). Or fetch these files elsewhere, put them into one "
      "folder, and give that folder as a path, such as ./weights:");
  for (const char* file : {kConfigFile, kPreprocessorFile, kWeightsFile})
    text += str_cat("\n  ", file_url(settings, model, file));
  return text;
}

void make_folder(const fs::path& folder) {
  MadeFolders made(folder);
  made.keep();
}

/// Fetches one model; holds what that takes.
class ModelFetch {
 public:
  ModelFetch(const ModelName& model, const HubSettings& settings)
      : model_(model),
        settings_(settings),
        cache_(settings.cache, model.repository),
        client_(settings, check_) {}

  Snapshot run() {
    const RemoteFile config =
        required(model_, kConfigFile, "`dfine-weights list` has the published D-FINE models");
    ModelName at_commit = model_;
    at_commit.revision = config.commit;  // a push meanwhile must not mix two commits
    const RemoteFile weights =
        required(at_commit, kWeightsFile,
                 "open the model with transformers, save it with save_pretrained(), and give that "
                 "folder as a path");
    const auto preprocessor = look_up(client_, settings_, at_commit, kPreprocessorFile, check_);

    fetch(config);
    require_dfine(cache_.blob(config.etag));
    if (preprocessor) {
      fetch(*preprocessor);
      read_json(cache_.blob(preprocessor->etag), kPreprocessorFile);
    }
    fetch(weights);
    // The weights last: a snapshot that has them has all.
    cache_.add_to_snapshot(config.commit, kConfigFile, config.etag);
    if (preprocessor) {
      cache_.add_to_snapshot(config.commit, kPreprocessorFile, preprocessor->etag);
    } else {
      cache_.set_missing(config.commit, kPreprocessorFile);
    }
    cache_.add_to_snapshot(config.commit, kWeightsFile, weights.etag);
    cache_.set_commit(model_.revision, config.commit);
    return {.folder = cache_.snapshot(config.commit), .commit = config.commit};
  }

 private:
  RemoteFile required(const ModelName& model, const char* file, const char* hint) {
    auto found = look_up(client_, settings_, model, file, check_);
    if (found) return *found;
    throw Error(kWeightsUnsupported, str_cat(to_text(model_), " has no ", file), hint);
  }

  void fetch(const RemoteFile& file) {
    const fs::path blob = cache_.blob(file.etag), lock = cache_.lock(file.etag);
    std::error_code ignored;
    if (fs::exists(blob, ignored)) return;
    make_folder(blob.parent_path());
    make_folder(lock.parent_path());
    cache_.tag();
    const FileLock held(
        lock, str_cat("waiting for another process to fetch ", file.name, " of ", to_text(model_)),
        "", FileLock::Unsupported::kGoOn);
    if (!fs::exists(blob, ignored)) fetch_blob(client_, file, blob, check_);
  }

  nlohmann::json read_json(const fs::path& path, const char* name) const {
    std::ifstream file(path, std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (json.is_object()) return json;
    const size_t first = text.find_first_not_of(" \t\r\n");
    const bool html = first != std::string::npos && text[first] == '<';
    throw Error(kFormatInvalid,
                str_cat(name, " of ", to_text(model_), " is ",
                        html ? "a page of HTML" : "not a JSON object"),
                str_cat("look at ", file_url(settings_, model_, name),
                        ": is it a login page, or is the repository broken?"));
  }

  /// A D-FINE model, or its backbone alone: transformers' or timm's.
  void require_dfine(const fs::path& config) const {
    const nlohmann::json json = read_json(config, kConfigFile);
    const auto text = [&](const char* key) {
      const auto found = json.find(key);
      return found != json.end() && found->is_string() ? found->get<std::string>() : "";
    };
    const std::string type = text("model_type");
    if (type == "d_fine" || type == "hgnet_v2" || text("architecture").starts_with("hgnetv2_"))
      return;
    throw Error(
        kWeightsUnsupported,
        str_cat(to_text(model_), " is no D-FINE model: its config.json ",
                type.empty() ? "names no model_type" : str_cat("has the model_type ", type)),
        "`dfine-weights list` has the published D-FINE models");
  }

  const std::function<void()> check_ = end_if_stop_requested;
  const ModelName& model_;
  const HubSettings& settings_;
  HubCache cache_;
  HttpClient client_;
};

}  // namespace

Snapshot fetch_model(const ModelName& model, const HubSettings& settings) {
  if (settings.offline)
    throw Error(kNetworkFailed,
                str_cat(to_text(model), " is not in the cache, and HF_HUB_OFFLINE is set"),
                "unset HF_HUB_OFFLINE to fetch it here\n" + fetch_elsewhere(model, settings));
  try {
    return ModelFetch(model, settings).run();
  } catch (const Error& e) {
    switch (e.code()) {
      case kNetworkFailed:
        throw Error(
            kNetworkFailed, str_cat("cannot fetch ", to_text(model), ": ", e.message()),
            str_cat(e.hint().empty() ? "" : e.hint() + "\n", fetch_elsewhere(model, settings)));
      case kDiskFull:
      case kWriteFailed:
      case kFileExists:
        throw Error(e.code(),
                    str_cat("cannot keep ", to_text(model), " in the cache ",
                            settings.cache.string(), ": ", e.message()),
                    str_cat(e.hint().empty() ? "" : e.hint() + ". Or ",
                            "set HF_HOME (or HF_HUB_CACHE) to a folder with room that you may "
                            "write to"));
      default:
        throw;
    }
  }
}

}  // namespace dfine::inline hub
