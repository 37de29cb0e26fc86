#include <algorithm>
#include <iomanip>
#include <iostream>
#include <string>

#include "hub/cache.h"
#include "hub/published_models.h"
#include "hub/settings.h"
#include "weights_commands.h"

namespace dfine {
namespace {

bool is_cached(const HubSettings& settings, const std::string& repository) {
  const HubCache cache(settings.cache, repository);
  const auto commit = cache.commit_of("main");
  return commit && cache.content(*commit) != HubCache::Content::kNone;
}

void list() {
  const HubSettings settings = hub_settings();
  size_t wide = 0;
  for (const PublishedModel& model : published_models())
    wide = std::max(wide, std::string(model.repository).size());
  for (const PublishedModel& model : published_models()) {
    const bool cached = is_cached(settings, model.repository) || is_cached(settings, model.older);
    std::cout << std::left << std::setw(18) << model.short_name
              << std::setw(static_cast<int>(wide) + 2) << model.repository << std::setw(36)
              << model.trained_on << (cached ? "in the cache" : "") << '\n';
  }
  std::cout << "cache: " << settings.cache.string() << '\n';
}

}  // namespace

Command add_list(CLI::App& app) {
  app.add_subcommand("list",
                     "names of the published models: short name, name on the Hugging Face Hub, "
                     "what it was trained on, whether the cache has it");
  return list;
}

}  // namespace dfine
