#pragma once
#include <filesystem>
#include <functional>

#include "hub/http.h"
#include "hub/remote_file.h"

namespace dfine::inline hub {

/// Fetches the content of `file` to `blob`, which then appears whole, with the size and checksum
/// that the Hub announced. Until then it is beside it as ETAG.PROCESS.incomplete: a broken transfer
/// resumes there, also one that another process left.
///
/// Throws Error: network_failed, file_damaged (other bytes than announced, twice), disk_full,
/// write_failed. What was fetched stays for the next attempt, unless it is wrong or the disk full.
void fetch_blob(HttpClient& client, const RemoteFile& file, const std::filesystem::path& blob,
                const std::function<void()>& check);

}  // namespace dfine::inline hub
