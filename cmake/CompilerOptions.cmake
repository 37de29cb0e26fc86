# Flags of our own code only: third-party headers are SYSTEM, so that warnings can be errors.
add_library(dfine_options INTERFACE)
target_include_directories(dfine_options INTERFACE ${CMAKE_SOURCE_DIR}/src
  ${CMAKE_BINARY_DIR}/generated)
target_compile_options(dfine_options INTERFACE -Wall -Wextra -Werror -Wshadow -Wnon-virtual-dtor
                       -Woverloaded-virtual -Wno-unknown-pragmas)
# g++ 12 reports these falsely inside the standard library's own strings and vectors at -O2.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(dfine_options INTERFACE -Wno-restrict -Wno-stringop-overflow
    -Wno-array-bounds -Wno-maybe-uninitialized -Wno-dangling-reference)
  if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    get_target_property(_flags dfine_options INTERFACE_COMPILE_OPTIONS)
    list(REMOVE_ITEM _flags -Wno-dangling-reference)
    set_target_properties(dfine_options PROPERTIES INTERFACE_COMPILE_OPTIONS "${_flags}")
  endif()
endif()
# This sets DT_RPATH, which the loader searches before LD_LIBRARY_PATH; DT_RUNPATH, the linker's
# default, comes after it. Conda environments and cluster modules may put another PyTorch's
# libraries there. Those must not be found before the program's own.
target_link_options(dfine_options INTERFACE -Wl,--disable-new-dtags)
foreach(_sanitizer IN LISTS DFINE_SANITIZE)
  target_compile_options(dfine_options INTERFACE -fsanitize=${_sanitizer} -fno-omit-frame-pointer)
  target_link_options(dfine_options INTERFACE -fsanitize=${_sanitizer})
endforeach()
find_program(DFINE_CCACHE ccache)
if(DFINE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The precompiled header needs the first two; see the ccache manual, "Precompiled headers".
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${DFINE_CCACHE})
  target_compile_options(dfine_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endif()
configure_file(${CMAKE_SOURCE_DIR}/cmake/version.h.in ${CMAKE_BINARY_DIR}/generated/dfine_version.h)
