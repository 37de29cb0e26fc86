# LibTorch as an imported target of our own: the package's TorchConfig of a CUDA wheel insists on a
# CUDA toolkit even for CPU use. Accepts the `torch` folder of a wheel, an official libtorch zip, or
# a container's installation.
set(DFINE_TORCH_VERSION 2.15)
if(NOT DFINE_TORCH_ROOT)
  message(FATAL_ERROR "LibTorch is not set. Run launcher/setup.sh, which puts it into the cache "
                      "and prints its place, or pass -DDFINE_TORCH_ROOT=DIR (a wheel's torch "
                      "folder or an unpacked libtorch zip, version ${DFINE_TORCH_VERSION}).")
endif()
set(_version_file ${DFINE_TORCH_ROOT}/include/torch/headeronly/version.h)
if(NOT EXISTS ${_version_file})
  set(_version_file ${DFINE_TORCH_ROOT}/include/torch/csrc/api/include/torch/version.h)
endif()
if(NOT EXISTS ${_version_file} OR NOT EXISTS ${DFINE_TORCH_ROOT}/lib/libtorch_cpu.so)
  message(FATAL_ERROR "DFINE_TORCH_ROOT=${DFINE_TORCH_ROOT} holds no LibTorch: "
                      "lib/libtorch_cpu.so or the version header under include/torch is missing.")
endif()
file(STRINGS ${_version_file} _lines REGEX "#define TORCH_VERSION_(MAJOR|MINOR|PATCH) +[0-9]+")
string(REGEX REPLACE ".*MAJOR +([0-9]+).*MINOR +([0-9]+).*PATCH +([0-9]+).*" "\\1.\\2.\\3" _found
       "${_lines}")
if(NOT _found MATCHES "^${DFINE_TORCH_VERSION}\\.")
  message(FATAL_ERROR "LibTorch at ${DFINE_TORCH_ROOT} is version ${_found}; this project needs "
                      "${DFINE_TORCH_VERSION} (the gradient reducer's interface differs between "
                      "releases).")
endif()
message(STATUS "LibTorch ${_found} at ${DFINE_TORCH_ROOT}")

# A wheel keeps CUDA's runtime in sibling packages: site-packages/nvidia/**/lib. libtorch_cpu itself
# needs libcudart and libcupti.
file(GLOB DFINE_NVIDIA_LIB_DIRS ${DFINE_TORCH_ROOT}/../nvidia/*/lib
     ${DFINE_TORCH_ROOT}/../nvidia/*/*/lib)
set(DFINE_TORCH_LIB_DIRS ${DFINE_TORCH_ROOT}/lib ${DFINE_NVIDIA_LIB_DIRS})

add_library(dfine_torch INTERFACE)
target_include_directories(dfine_torch SYSTEM INTERFACE ${DFINE_TORCH_ROOT}/include
  ${DFINE_TORCH_ROOT}/include/torch/csrc/api/include)
target_compile_definitions(dfine_torch INTERFACE USE_DISTRIBUTED USE_C10D)
target_link_directories(dfine_torch INTERFACE ${DFINE_TORCH_ROOT}/lib)
target_link_libraries(dfine_torch INTERFACE torch_cpu c10)
target_link_options(dfine_torch INTERFACE -Wl,--no-as-needed)
# at::parallel_for runs its body on one thread in a file that is compiled without OpenMP.
# At run time libgomp is the one that LibTorch itself loads.
target_compile_options(dfine_torch INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fopenmp>)
target_link_libraries(dfine_torch INTERFACE gomp)
foreach(_dir IN LISTS DFINE_TORCH_LIB_DIRS)
  target_link_options(dfine_torch INTERFACE -Wl,-rpath-link,${_dir})
endforeach()
list(APPEND CMAKE_BUILD_RPATH ${DFINE_TORCH_LIB_DIRS})
if(DFINE_CUDA)
  include(TorchCuda)
endif()

# One precompiled header for all torch code (src/torch_pch.h): LibTorch's headers take 20 s a file
# without it.
add_library(dfine_torch_pch OBJECT ${CMAKE_SOURCE_DIR}/src/torch_pch.cpp)
target_link_libraries(dfine_torch_pch PRIVATE dfine_options dfine_torch)
target_precompile_headers(dfine_torch_pch PRIVATE ${CMAKE_SOURCE_DIR}/src/torch_pch.h)
