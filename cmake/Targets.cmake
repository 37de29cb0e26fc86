# dfine_library(NAME [TORCH] SOURCES ... [DEPENDS ...]): one layer of src/, as target dfine_NAME.
function(_dfine_configure target torch)
  target_link_libraries(${target} PRIVATE dfine_options)
  if(torch)
    target_link_libraries(${target} PRIVATE dfine_torch)
    target_precompile_headers(${target} REUSE_FROM dfine_torch_pch)
    # A precompiled header is only good for the code model it was made with; executables would be
    # compiled with -fPIE.
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${target} PRIVATE -fPIC)
  endif()
endfunction()

function(dfine_library name)
  cmake_parse_arguments(A "TORCH" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(dfine_${name} STATIC ${A_SOURCES})
  _dfine_configure(dfine_${name} ${A_TORCH})
  target_link_libraries(dfine_${name} PUBLIC ${A_DEPENDS})
  if(A_TORCH)
    target_link_libraries(dfine_${name} PUBLIC dfine_torch)
  endif()
endfunction()

# dfine_program(NAME [TORCH] SOURCES ... DEPENDS ...): an installed program.
function(dfine_program name)
  cmake_parse_arguments(A "TORCH" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  _dfine_configure(${name} ${A_TORCH})
  target_link_libraries(${name} PRIVATE ${A_DEPENDS})
  set_property(GLOBAL APPEND PROPERTY DFINE_PROGRAMS ${name})
endfunction()

# dfine_tool(NAME [TORCH] SOURCES ... DEPENDS ...): an executable that is not installed (benchmarks,
# test helpers).
function(dfine_tool name)
  cmake_parse_arguments(A "TORCH" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  _dfine_configure(${name} ${A_TORCH})
  target_link_libraries(${name} PRIVATE ${A_DEPENDS})
endfunction()

# dfine_test(NAME [TORCH] [RANKS 1 2 4] [TIMEOUT S] [LAUNCHER ...] SOURCES ... DEPENDS ...): a
# GoogleTest binary; with RANKS it runs once under mpirun for each count, by way of LAUNCHER where
# one is given. The variables of DFINE_TEST_ENVIRONMENT name the source tree, the binaries and the
# reference interpreter.
function(dfine_test name)
  cmake_parse_arguments(A "TORCH" "TIMEOUT" "SOURCES;DEPENDS;RANKS;LAUNCHER" ${ARGN})
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 600)
  endif()
  add_executable(${name} ${A_SOURCES})
  _dfine_configure(${name} ${A_TORCH})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${name} PRIVATE ${A_DEPENDS} GTest::gtest)
  if(A_RANKS)
    foreach(_n IN LISTS A_RANKS)
      add_test(NAME ${name}.np${_n}
               COMMAND ${A_LAUNCHER} ${MPIEXEC_EXECUTABLE} -np ${_n} --bind-to none --oversubscribe
               $<TARGET_FILE:${name}>)
      set_tests_properties(${name}.np${_n} PROPERTIES TIMEOUT ${A_TIMEOUT} PROCESSORS 2 ENVIRONMENT
        "${DFINE_TEST_ENVIRONMENT}")
    endforeach()
  else()
    target_link_libraries(${name} PRIVATE GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT ${A_TIMEOUT} ENVIRONMENT
      "${DFINE_TEST_ENVIRONMENT}")
  endif()
endfunction()

# dfine_python_test(NAME [LONG] SCRIPT file.py [ARGS ...] [TIMEOUT S] [NEEDS VARIABLE]): a check
# written against a Python reference (h5py, transformers, ...). DFINE_ORACLE_PYTHON is the
# interpreter that has them; tests/run.sh provides it. Without it, or where VARIABLE is not set, the
# test is reported as skipped. So is a LONG one unless tests/run.sh has --long, and one whose script
# prints "skipped: ..." first.
function(dfine_python_test name)
  cmake_parse_arguments(A "LONG" "SCRIPT;TIMEOUT;NEEDS" "ARGS" ${ARGN})
  if(A_LONG)
    set(_launcher ${CMAKE_SOURCE_DIR}/tests/long.sh)
  else()
    set(_launcher)
  endif()
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 600)
  endif()
  set(_missing)
  foreach(_variable DFINE_ORACLE_PYTHON ${A_NEEDS})
    if(NOT ${_variable})
      set(_missing ${_variable})
    endif()
  endforeach()
  if(_missing)
    add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} -E echo
             "skipped: ${_missing} is not set (tests/run.sh sets it)")
  else()
    add_test(NAME ${name} COMMAND ${_launcher} ${DFINE_ORACLE_PYTHON}
             ${CMAKE_CURRENT_SOURCE_DIR}/${A_SCRIPT} ${A_ARGS})
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${A_TIMEOUT} ENVIRONMENT
                       "${DFINE_TEST_ENVIRONMENT}")
  if(A_LONG OR _missing)
    set_tests_properties(${name} PROPERTIES SKIP_REGULAR_EXPRESSION "^skipped:")
  endif()
endfunction()
