#pragma once
// A run folder as the page takes it.
#include <filesystem>
#include <nlohmann/json_fwd.hpp>

namespace dfine::inline run_report {

/// What can be read of the folder. What is missing or damaged stands under "problems".
nlohmann::ordered_json run_json(const std::filesystem::path& folder);

}  // namespace dfine::inline run_report
