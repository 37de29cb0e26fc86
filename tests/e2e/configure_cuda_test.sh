#!/usr/bin/env bash
# A CUDA build takes nccl.h of the NCCL that LibTorch was built with and a toolkit of its CUDA, and
# refuses others at configure time. LibTorch, NCCL and toolkit are stand-ins: no GPU, no toolkit.
#   configure_cuda_test.sh SOURCE_DIR
set -euo pipefail
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
site=$work/site-packages cuda=$work/cuda

mkdir -p "$site/torch/include/torch/headeronly" "$site/torch/lib" "$cuda"/{bin,include,lib64}
touch "$site/torch/lib/libtorch_cpu.so" "$cuda/include/cuda_runtime.h" "$cuda/lib64/libcudart.so"
printf '#define TORCH_VERSION_%s\n' 'MAJOR 2' 'MINOR 15' 'PATCH 0' \
  >"$site/torch/include/torch/headeronly/version.h"

toolkit() {  # VERSION
  printf '#!/bin/sh\necho "Cuda compilation tools, release %s, V%s.1"\n' "$1" "$1" >"$cuda/bin/nvcc"
  chmod +x "$cuda/bin/nvcc"
}
nccl_header() {  # FOLDER MINOR PATCH
  mkdir -p "$1"
  printf '#define NCCL_%s\n' 'MAJOR 2' "MINOR $2" "PATCH $3" >"$1/nccl.h"
}
metadata() {
  mkdir -p "$site/torch-2.15.0.dist-info"
  # Two lines of the METADATA of torch 2.15.0's wheel.
  printf 'Requires-Dist: %s; platform_system == "Linux"\n' \
    nvidia-cusparselt-cu13==0.8.1 nvidia-nccl-cu13==2.30.7 >"$site/torch-2.15.0.dist-info/METADATA"
}
# configure_says TEXT... [-- cmake arguments]: the log, its line breaks as spaces, holds each text
configure_says() {
  local texts=()
  while (($#)) && [ "$1" != -- ]; do texts+=("$1"); shift; done
  cmake -S "$source" -B "$work/build" -G Ninja -DDFINE_CUDA=ON -DDFINE_TESTS=OFF \
    -DDFINE_BENCHMARKS=OFF -DDFINE_TORCH_ROOT="$site/torch" -DCUDAToolkit_ROOT="$cuda" \
    "${@:2}" >"$work/log" 2>&1 || true
  for text in "${texts[@]}"; do
    if ! tr -s ' \n' ' ' <"$work/log" | grep -qF -e "$text"; then
      echo "not said: $text"
      cat "$work/log"
      exit 1
    fi
  done
}

toolkit 13.0
configure_says 'Which NCCL LibTorch' 'launcher/setup.sh --preset cuda' '-DDFINE_NCCL_PACKAGE='
metadata
configure_says 'was built with NCCL 2.30.7; there is no' 'nvidia-nccl-cu13==2.30.7'
nccl_header "$site/nvidia/nccl/include" 28 9
configure_says 'was built with NCCL 2.30.7, but' 'nccl.h is of version 2.28.9' \
  'launcher/setup.sh --preset cuda'
nccl_header "$work/elsewhere" 30 7
configure_says "NCCL 2.30.7 ($work/elsewhere), CUDA 13.0.1" -- \
  -DDFINE_NCCL_INCLUDE_DIR="$work/elsewhere"
configure_says 'was built with NCCL 2.31.2, but' 'is of version 2.30.7' -- \
  -DDFINE_NCCL_PACKAGE=nvidia-nccl-cu13==2.31.2
rm -r "$work/build"
nccl_header "$site/nvidia/nccl/include" 30 7
configure_says 'NCCL 2.30.7 (' ', CUDA 13.0.1'
toolkit 12.4
configure_says 'was built with CUDA 13, but the CUDA toolkit found' 'is of version 12.4.1'
echo "all passed"
