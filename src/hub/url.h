#pragma once
// What has to be known about an address before a request or a token goes to it.
#include <string>

namespace dfine::inline hub {

/// Whether a request may go there: https://, or plain http:// to this very machine (localhost,
/// 127.0.0.0/8, ::1). User names and passwords in an address are refused.
bool is_allowed(const std::string& url);

/// Whether it is this very machine.
bool is_loopback(const std::string& url);

/// Whether both have the same scheme, host and port: what is secret may go from one to the other.
bool same_origin(const std::string& a, const std::string& b);

/// The address that the header `location` of an answer from `base` means. Empty where it means
/// none.
std::string redirected(const std::string& base, const std::string& location);

/// For messages: without query, user name and password. Signed addresses have their signature in
/// the query.
std::string without_secrets(const std::string& url);

/// The host, with a port that is not the usual one.
std::string host_of(const std::string& url);

}  // namespace dfine::inline hub
