# dfine_embed(TARGET NAME file ...): the files one after another as text in the program, with the
# SHA-256 of that text. `#include "embedded/NAME.h"` declares NAME() and NAME_sha256().
function(dfine_embed target name)
  set(_source ${CMAKE_BINARY_DIR}/generated/embedded/${name}.cpp)
  set(_header ${CMAKE_BINARY_DIR}/generated/embedded/${name}.h)
  set(_paths)
  foreach(_file IN LISTS ARGN)
    cmake_path(ABSOLUTE_PATH _file BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    list(APPEND _paths ${_file})
  endforeach()
  list(JOIN _paths "|" _joined)
  add_custom_command(
    OUTPUT ${_source} ${_header}
    COMMAND ${CMAKE_COMMAND} -DNAME=${name} "-DFILES=${_joined}" -DSOURCE=${_source}
            -DHEADER=${_header} -P ${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake
    DEPENDS ${_paths} ${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake
    COMMENT "Embedding ${name}"
    VERBATIM)
  target_sources(${target} PRIVATE ${_source} ${_header})
endfunction()
