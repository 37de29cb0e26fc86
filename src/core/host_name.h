#pragma once
#include <string>

namespace dfine {

/// Of this machine, as gethostname() says; "localhost" where it fails.
std::string host_name();

}  // namespace dfine
