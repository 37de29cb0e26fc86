#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace dfine::inline run_report {

/// `<script type=application/json id=ID>`: data that a script of the page reads. Whatever the
/// strings hold, they cannot end the element; bytes that are no UTF-8 become U+FFFD.
std::string json_element(const std::string& id, const nlohmann::ordered_json& json);

}  // namespace dfine::inline run_report
