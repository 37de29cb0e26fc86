# The CUDA side of LibTorch. Its inline code is compiled into our programs, so nccl.h must be the
# one LibTorch was built with. The struct ncclConfig_t lies inside ProcessGroupNCCL::Options and
# grows from release to release. The wheel pins its NCCL by name, e.g. nvidia-nccl-cu13==2.30.7.
set(DFINE_NCCL_PACKAGE "" CACHE STRING
    "NCCL that LibTorch was built with, as nvidia-nccl-cu13==2.30.7; empty: see METADATA")
set(DFINE_NCCL_INCLUDE_DIR "" CACHE PATH
    "Folder with that NCCL's nccl.h; empty: nvidia/nccl/include beside DFINE_TORCH_ROOT")

set(_package ${DFINE_NCCL_PACKAGE})
if(NOT _package)
  file(GLOB _metadata ${DFINE_TORCH_ROOT}/../torch-*.dist-info/METADATA)
  if(_metadata)
    file(STRINGS ${_metadata} _package REGEX "^Requires-Dist: *nvidia-nccl-cu[0-9]+ *==")
  endif()
endif()
if(NOT _package MATCHES "nvidia-nccl-cu([0-9]+) *== *(([0-9]+)\\.([0-9]+)\\.([0-9]+))")
  message(FATAL_ERROR
    "Which NCCL LibTorch at ${DFINE_TORCH_ROOT} was built with is unknown: no "
    "torch-*.dist-info/METADATA beside it requires nvidia-nccl-cuN==X.Y.Z. Run launcher/setup.sh "
    "--preset cuda, or pass -DDFINE_NCCL_PACKAGE=nvidia-nccl-cuN==X.Y.Z "
    "(in Python, torch.cuda.nccl.version() and torch.version.cuda say both).")
endif()
set(_cuda_major ${CMAKE_MATCH_1})
set(_nccl_version ${CMAKE_MATCH_2})
# As nccl.h counts.
math(EXPR _nccl_code "${CMAKE_MATCH_3} * 10000 + ${CMAKE_MATCH_4} * 100 + ${CMAKE_MATCH_5}")

set(_nccl_include ${DFINE_NCCL_INCLUDE_DIR})
if(NOT _nccl_include)
  set(_nccl_include ${DFINE_TORCH_ROOT}/../nvidia/nccl/include)
endif()
string(CONCAT _nccl_remedy
  "Run launcher/setup.sh --preset cuda, or install the package (pip install --no-deps --target DIR "
  "nvidia-nccl-cu${_cuda_major}==${_nccl_version}) and pass "
  "-DDFINE_NCCL_INCLUDE_DIR=DIR/nvidia/nccl/include.")
if(NOT EXISTS ${_nccl_include}/nccl.h)
  message(FATAL_ERROR "LibTorch was built with NCCL ${_nccl_version}; there is no "
                      "${_nccl_include}/nccl.h. ${_nccl_remedy}")
endif()
file(STRINGS ${_nccl_include}/nccl.h _lines REGEX "#define NCCL_(MAJOR|MINOR|PATCH) +[0-9]+")
string(REGEX REPLACE ".*MAJOR +([0-9]+).*MINOR +([0-9]+).*PATCH +([0-9]+).*" "\\1.\\2.\\3" _found
       "${_lines}")
if(NOT _found VERSION_EQUAL _nccl_version)
  message(FATAL_ERROR "LibTorch was built with NCCL ${_nccl_version}, but ${_nccl_include}/nccl.h "
                      "is of version ${_found}: programs would corrupt memory at the start of a "
                      "run with several GPUs. ${_nccl_remedy}")
endif()

find_package(CUDAToolkit QUIET)
if(NOT CUDAToolkit_FOUND)
  message(FATAL_ERROR "There is no CUDA toolkit. Install one of version ${_cuda_major}.x, or name "
                      "its folder with -DCUDAToolkit_ROOT=DIR. To train on the CPU, use the preset "
                      "release.")
endif()
if(NOT CUDAToolkit_VERSION_MAJOR EQUAL _cuda_major)
  message(FATAL_ERROR "LibTorch was built with CUDA ${_cuda_major}, but the CUDA toolkit found "
                      "(${CUDAToolkit_INCLUDE_DIRS}) is of version ${CUDAToolkit_VERSION}. "
                      "Install a toolkit ${_cuda_major}.x, or name its folder with "
                      "-DCUDAToolkit_ROOT=DIR.")
endif()
message(STATUS "NCCL ${_nccl_version} (${_nccl_include}), CUDA ${CUDAToolkit_VERSION}")

# The toolkit's folder often has an nccl.h too: ours comes first, and src/distributed/gpu.cpp
# asserts the version.
target_include_directories(dfine_torch SYSTEM BEFORE INTERFACE ${_nccl_include})
target_include_directories(dfine_torch SYSTEM INTERFACE ${CUDAToolkit_INCLUDE_DIRS})
target_compile_definitions(dfine_torch INTERFACE
  DFINE_CUDA USE_C10D_NCCL DFINE_NCCL_VERSION_CODE=${_nccl_code})
# The wheel's own CUDA libraries are loaded at run time; on a build host they may be absent.
target_link_libraries(dfine_torch INTERFACE torch_cuda c10_cuda CUDA::cudart)
target_link_options(dfine_torch INTERFACE -Wl,--allow-shlib-undefined)

# Kernels of our own (src/ops): machine code for the GPUs from Turing to Blackwell, and PTX, which
# drivers translate for later ones.
set(DFINE_CUDA_ARCHITECTURES "75-real;80-real;86-real;89-real;90-real;100-real;120" CACHE STRING
    "GPUs that the kernels are compiled for, as CMAKE_CUDA_ARCHITECTURES; fewer compile faster")
set(CMAKE_CUDA_ARCHITECTURES ${DFINE_CUDA_ARCHITECTURES})
set(CMAKE_CUDA_COMPILER ${CUDAToolkit_NVCC_EXECUTABLE})
set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)
enable_language(CUDA)
