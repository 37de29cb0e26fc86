#include "run_report/page_json.h"

#include <nlohmann/json.hpp>

namespace dfine::inline run_report {

std::string json_element(const std::string& id, const nlohmann::ordered_json& json) {
  const std::string text =
      json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  std::string out = "<script type=application/json id=" + id + ">";
  out.reserve(out.size() + text.size() + 16);
  for (const char letter : text) {
    // "</script" and "<!--" have a meaning in a script element; JSON needs no '<' but in strings.
    if (letter == '<')
      out += "\\u003c";
    else
      out += letter;
  }
  return out + "</script>\n";
}

}  // namespace dfine::inline run_report
