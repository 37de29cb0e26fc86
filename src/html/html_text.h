#pragma once
#include <string>
#include <string_view>

namespace dfine::inline html {

/// Text that a browser shows as it is: markup characters escaped, control characters and bytes that
/// are no UTF-8 as U+FFFD.
std::string html_text(std::string_view text);

}  // namespace dfine::inline html
