#!/usr/bin/env bash
# Builds the cuda preset and runs the tests that need GPUs, on a machine that has some. With several
# GPUs, they also run on two of them. The tests cover groups and gradients, loading, and training,
# resume, evaluation and prediction against the CPU (train_test.py).
#
#   tests/gpu/run.sh [ctest arguments]
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ "${1:-}" = --help ]; then sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0; fi
launcher/setup.sh --preset cuda --tests
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
ctest --test-dir build/cuda --output-on-failure -R '^gpu\.' "$@"
