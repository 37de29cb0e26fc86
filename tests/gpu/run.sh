#!/usr/bin/env bash
# Runs the tests that need GPUs, on a machine that has some. Nothing is installed, built or
# downloaded; build first:
#
#   launcher/setup.sh --preset cuda --tests --target programs --target gpu_tests
#   tests/gpu/run.sh [BUILD]          BUILD: the build folder, build/cuda by default
#
# One rank needs no mpirun. Two ranks run where there are two GPUs and mpirun. Training, resume,
# evaluation and prediction against the CPU (train_test.py) need Python 3 without packages.
# Each line ends with passed, FAILED or skipped and the reason. Exit code: 0 if nothing failed, 1 if
# something failed, 2 if nothing could run.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 0; fi
build=${1:-build/cuda}
bin=$build/bin

gpus=$(nvidia-smi -L 2>/dev/null | grep -c '^GPU' || true)
if ((gpus == 0)); then
  echo "run.sh: nvidia-smi lists no GPU on this machine" >&2
  exit 2
fi
for program in gpu.distributed gpu.loader dfine-pack dfine_ddp dfine-eval dfine-eval-model \
  dfine-predict; do
  if [ ! -x "$bin/$program" ]; then
    echo "run.sh: $bin/$program is missing; build it with launcher/setup.sh --preset cuda --tests" \
      "--target programs --target gpu_tests" >&2
    exit 2
  fi
  if absent=$(ldd "$bin/$program" | grep 'not found'); then
    printf 'run.sh: libraries that %s needs are missing:\n%s\n' "$bin/$program" "$absent" >&2
    echo "launcher/setup.sh --preset cuda, without --link-only, installs LibTorch's." >&2
    exit 2
  fi
done
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader

export DFINE_SOURCE_DIR=$PWD DFINE_BINARY_DIR=$PWD/$bin
case $bin in /*) DFINE_BINARY_DIR=$bin ;; esac
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# check NAME COMMAND...: 10 minutes at most. Its output is shown if it fails.
check() {
  local name=$1 started=$SECONDS
  shift
  if timeout 600 "$@" >"$log" 2>&1; then
    echo "$name: passed ($((SECONDS - started)) s)"
    return
  fi
  cat "$log"
  echo "$name: FAILED ($((SECONDS - started)) s): $*"
  failed=1
}

check "groups and gradients, 1 rank" "$bin/gpu.distributed"
check "loading" "$bin/gpu.loader"
if ((gpus < 2)); then
  echo "groups and gradients, 2 ranks: skipped, there is one GPU"
elif ! command -v mpirun >/dev/null; then
  echo "groups and gradients, 2 ranks: skipped, there is no mpirun"
else
  check "groups and gradients, 2 ranks" mpirun -np 2 --bind-to none "$bin/gpu.distributed"
fi
if command -v python3 >/dev/null; then
  check "training, evaluation and prediction" python3 tests/gpu/train_test.py
  grep skipped "$log" || true
else
  echo "training, evaluation and prediction: skipped, there is no python3"
fi
exit $failed
