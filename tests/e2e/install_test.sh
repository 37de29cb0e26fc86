#!/usr/bin/env bash
# `cmake --install` gives a tree that can be moved, and a LibTorch of another version is named in
# the error.
#   install_test.sh BUILD_DIR SOURCE_DIR
set -euo pipefail
build=$1 source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/moved"
for program in dfine_ddp dfine-train dfine-pack dfine-eval dfine-predict dfine-weights \
  dfine-export dfine-report; do
  env -i PATH=/usr/bin:/bin HOME="$work" "$work/moved/bin/$program" --version
done
libraries=$(env -i ldd "$work/moved/bin/dfine_ddp")
if grep -q 'not found' <<<"$libraries"; then echo "$libraries"; exit 1; fi
# Every library of LibTorch comes from the tree itself.
if grep -E 'libtorch|libc10|libcudart|libcupti' <<<"$libraries" |
  grep -vF "$(realpath "$work/moved")/"; then
  echo "a library comes from elsewhere"
  exit 1
fi
test -e "$work/moved/share/dfine/configs/xl.toml"
"$work/moved/bin/dfine-launch" --help >/dev/null

mkdir -p "$work/torch/include/torch/headeronly" "$work/torch/lib"
touch "$work/torch/lib/libtorch_cpu.so"
printf '#define TORCH_VERSION_%s\n' 'MAJOR 2' 'MINOR 9' 'PATCH 1' \
  >"$work/torch/include/torch/headeronly/version.h"
if cmake -S "$source" -B "$work/build" -G Ninja -DDFINE_TORCH_ROOT="$work/torch" \
  >"$work/log" 2>&1; then
  echo "a wrong LibTorch was accepted"
  exit 1
fi
if ! { grep -q '2\.9\.1' "$work/log" && grep -q '2\.15' "$work/log"; }; then
  cat "$work/log"
  exit 1
fi
echo "all passed"
