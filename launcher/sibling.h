#pragma once

namespace dfine {

/// Replaces this process by the program `name` in the folder of the running one, with the same
/// arguments. Throws Error where it is not there; `hint` says what else can be done.
[[noreturn]] void become_sibling(const char* name, char** argv, const char* hint);

}  // namespace dfine
