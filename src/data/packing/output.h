#pragma once
#include <filesystem>
#include <string_view>

namespace dfine::inline packing {

/// Is this the name of a file that dfine-pack writes into a pack?
bool is_pack_file(std::string_view name);

/// Throws Error unless a pack may be written there. It may where nothing or an empty folder is, or,
/// with `overwrite`, a folder that holds packs and nothing else.
void check_output(const std::filesystem::path& output, bool overwrite);

/// Throws Error where the output is a symbolic link, which a finished folder cannot take the place
/// of without loss of either.
void refuse_link(const std::filesystem::path& output);

}  // namespace dfine::inline packing
