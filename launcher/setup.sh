#!/usr/bin/env bash
# Installs what building and running need, and builds. Safe to run again: nothing is downloaded
# twice.
#
#   launcher/setup.sh [--preset release|debug|asan|tsan|fuzz|cuda] [--tests] [--target NAME]...
#                     [--video] [--no-build] [--link-only]
#
# System packages come from launcher/packages.txt, with root or sudo. Without either, the missing
# ones are printed and nothing is changed. LibTorch is installed into
# ${DFINE_CACHE:-~/.cache/dfine}, which all checkouts share. The preset cuda downloads all of it
# (4 GB on the disk), with or without a GPU here. The others download its CPU parts. Without
# --preset, it is cuda if there is a GPU, else release.
# --link-only with the preset cuda downloads the CPU parts alone. The programs are compiled and
# linked, but they start only where LibTorch's CUDA libraries are. It is for checks without a GPU.
# --video also installs launcher/packages-video.txt, for videos in dfine-predict.
# --tests also installs those and tests/packages.txt. It makes the Python environment that the tests
# compare with: tests/requirements.txt with tests/no_deps.txt, and on top of it
# tests/transformers4.txt. None of it is needed at run time.
set -euo pipefail
cd "$(dirname "$0")/.."

torch_version=2.15.0
preset='' with_tests=0 with_video=0 build=1 link_only=0 targets=()
while (($#)); do
  case $1 in
    --preset) preset=${2:?--preset needs a name}; shift ;;
    --tests) with_tests=1 ;;
    --video) with_video=1 ;;
    --target) targets+=(--target "${2:?--target needs a name}"); shift ;;
    --no-build) build=0 ;;
    --link-only) link_only=1 ;;
    -h | --help) sed -n '2,18s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "setup.sh: unknown option $1 (see --help)" >&2; exit 2 ;;
  esac
  shift
done

has_gpu() { command -v nvidia-smi >/dev/null && nvidia-smi -L 2>/dev/null | grep -q GPU; }
gpu=0
if has_gpu; then gpu=1; fi
if [ -z "$preset" ]; then preset=release; if ((gpu)); then preset=cuda; fi; fi
if ((link_only)) && [ "$preset" != cuda ]; then
  echo "setup.sh: --link-only is for --preset cuda" >&2
  exit 2
fi

say() { printf '\033[1m== %s\033[0m\n' "$*"; }

# --- system packages
lists=(launcher/packages.txt)
if ((with_video || with_tests)); then lists+=(launcher/packages-video.txt); fi
if ((with_tests)); then lists+=(tests/packages.txt); fi
mapfile -t wanted < <(grep -hv '^#' "${lists[@]}")
missing=()
for package in "${wanted[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
    missing+=("$package")
done
if ((${#missing[@]})); then
  if [ "$(id -u)" = 0 ]; then
    as_root=(env)
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo)
  else
    echo "These packages are missing, and neither root nor passwordless sudo is available." >&2
    echo "Have them installed:" >&2
    echo "  apt-get install ${missing[*]}" >&2
    exit 1
  fi
  say "installing ${#missing[@]} packages: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
    --no-install-recommends "${missing[@]}" >/dev/null
fi

# --- LibTorch and, for the tests, the reference environment
cache=${DFINE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/dfine}
mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9

# make_venv DIR: an empty environment; pip comes with it.
make_venv() {
  python3 -m venv "$1" &&
    "$1/bin/python" -m pip install -q --disable-pip-version-check --upgrade 'pip>=23' >/dev/null
}

# add_nccl_header DIR: a CUDA build also needs nccl.h of the NCCL that the wheel in DIR pins. Of
# that package (200 MB) only the headers are kept. Folders of earlier versions of this script lack
# the wheel's dist-info, which is then added first.
add_nccl_header() {
  local part=$1.nccl pinned
  if [ -e "$1/nvidia/nccl/include/nccl.h" ] &&
    compgen -G "$1/torch-*.dist-info/METADATA" >/dev/null; then return; fi
  say "fetching the header of LibTorch's NCCL into $1"
  rm -rf "$part"
  make_venv "$part/venv"
  local pip=("$part/venv/bin/python" -m pip install -q --disable-pip-version-check --no-compile
    --no-deps --target "$part")
  if ! compgen -G "$1/torch-*.dist-info/METADATA" >/dev/null; then
    "${pip[@]}" "torch==$torch_version"
    mv "$part"/torch-*.dist-info "$1/"
  fi
  pinned=$(sed -nE 's/^Requires-Dist: *(nvidia-nccl-cu[0-9]+ *== *[0-9.]+).*/\1/p' \
    "$1"/torch-*.dist-info/METADATA | tr -d ' ')
  if [ ! -e "$1/nvidia/nccl/include/nccl.h" ]; then
    "${pip[@]}" "$pinned"
    mkdir -p "$1/nvidia/nccl"
    mv "$part/nvidia/nccl/include" "$1/nvidia/nccl/"
  fi
  rm -rf "$part"
}

if [ -z "${DFINE_TORCH_ROOT:-}" ]; then
  kind=cpu
  if [ "$preset" = cuda ] && ! ((link_only)); then kind=cuda; fi
  torch_home=$cache/torch-$torch_version-$kind
  if [ ! -e "$torch_home/complete" ]; then
    say "fetching LibTorch $torch_version ($kind) into $torch_home"
    rm -rf "$torch_home" "$torch_home.part"
    mkdir -p "$torch_home.part"
    make_venv "$torch_home.part/venv"
    pip=("$torch_home.part/venv/bin/python" -m pip install -q --disable-pip-version-check
      --no-compile --target "$torch_home.part")
    if [ $kind = cuda ]; then
      "${pip[@]}" "torch==$torch_version"
    else
      # libtorch_cpu of this wheel is linked against these two; the other CUDA packages (4 GB)
      # matter on a GPU only.
      "${pip[@]}" --no-deps "torch==$torch_version" 'nvidia-cuda-runtime>=13,<14' \
        'nvidia-cuda-cupti>=13,<14'
    fi
    rm -rf "$torch_home.part/venv"
    # The dist-info says which NCCL the wheel was built with (cmake/TorchCuda.cmake).
    find "$torch_home.part" -mindepth 1 -maxdepth 1 ! -name torch ! -name nvidia \
      ! -name 'torch-*.dist-info' -exec rm -rf {} +
    rm -f "$torch_home.part/torch/lib/libtorch_python.so"
    touch "$torch_home.part/complete"
    mv "$torch_home.part" "$torch_home"
  fi
  if [ "$preset" = cuda ]; then add_nccl_header "$torch_home"; fi
  DFINE_TORCH_ROOT=$torch_home/torch
fi

oracle_python='' transformers4=''
if ((with_tests)); then
  oracle=$cache/reference-$(sha256sum tests/requirements.txt | cut -c1-12)
  if [ ! -e "$oracle/complete" ]; then
    say "making the reference environment of the tests in $oracle"
    rm -rf "$oracle"
    make_venv "$oracle"
    "$oracle/bin/python" -m pip install -q --disable-pip-version-check -r tests/requirements.txt
    touch "$oracle/complete"
  fi
  oracle_python=$oracle/bin/python
  no_deps=$oracle/no_deps-$(sha256sum tests/no_deps.txt | cut -c1-12)
  if [ ! -e "$no_deps" ]; then
    say "adding tests/no_deps.txt to the reference environment"
    "$oracle_python" -m pip install -q --disable-pip-version-check --no-deps -r tests/no_deps.txt
    touch "$no_deps"
  fi
  transformers4=$cache/transformers4-
  transformers4+=$(cat tests/requirements.txt tests/transformers4.txt | sha256sum | cut -c1-12)
  if [ ! -e "$transformers4/complete" ]; then
    say "adding transformers 4 for the tests in $transformers4"
    rm -rf "$transformers4"
    "$oracle_python" -m pip install -q --disable-pip-version-check --no-deps \
      --target "$transformers4" -r tests/transformers4.txt
    touch "$transformers4/complete"
  fi
fi
flock -u 9

# The dynamic linker names the first missing library when a program starts; this names all.
say_what_is_missing() {
  local program=build/cuda/bin/dfine_ddp missing
  if [ ! -e "$program" ]; then return; fi
  missing=$(ldd "$program" | awk '/not found/ { print "  " $1 }' | sort -u)
  if [ -z "$missing" ]; then return; fi
  say "linked only: the programs in build/cuda/bin do not start here; these libraries are missing:"
  printf '%s\n' "$missing" "Install them with launcher/setup.sh --preset cuda, without --link-only."
}

# --- build
if ((build)); then
  say "building (preset $preset)"
  configure=(cmake --preset "$preset" "-DDFINE_TORCH_ROOT=$DFINE_TORCH_ROOT")
  if ((with_tests)); then
    configure+=(-DDFINE_TESTS=ON "-DDFINE_ORACLE_PYTHON=$oracle_python"
      "-DDFINE_TRANSFORMERS4=$transformers4")
  elif [ ! -e "build/$preset/CMakeCache.txt" ]; then
    configure+=(-DDFINE_TESTS=OFF -DDFINE_BENCHMARKS=OFF)
  fi
  log=build/$preset.configure.log
  mkdir -p build
  "${configure[@]}" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
  cmake --build --preset "$preset" "${targets[@]}"
  if ((link_only)); then say_what_is_missing; fi
fi
