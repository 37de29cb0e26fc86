# cmake -DNAME=... -DFILES="a|b" -DSOURCE=x.cpp -DHEADER=x.h -P embed_files.cmake
string(REPLACE "|" ";" _files "${FILES}")
set(_joined ${SOURCE}.text)
file(WRITE ${_joined} "")
foreach(_file IN LISTS _files)
  file(READ ${_file} _text)
  file(APPEND ${_joined} "${_text}\n")
endforeach()
file(SHA256 ${_joined} _sha256)
file(READ ${_joined} _hex HEX)
# Escaped bytes, not a raw string: a text may hold whatever would end one.
string(REGEX REPLACE "(..)" "\\\\x\\1" _bytes "${_hex}")
string(REPEAT "...." 24 _line)
string(REGEX REPLACE "(${_line})" "\\1\"\n\"" _bytes "${_bytes}")
file(WRITE ${SOURCE} "#include \"embedded/${NAME}.h\"

namespace dfine::embedded {

std::string_view ${NAME}() {
  static constexpr char kText[] =
\"${_bytes}\";
  return {kText, sizeof kText - 1};
}

std::string_view ${NAME}_sha256() {
  return \"${_sha256}\";
}

}  // namespace dfine::embedded
")
file(WRITE ${HEADER} "#pragma once
#include <string_view>

namespace dfine::embedded {
std::string_view ${NAME}();
/// 64 hexadecimal digits.
std::string_view ${NAME}_sha256();
}  // namespace dfine::embedded
")
