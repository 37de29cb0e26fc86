#!/usr/bin/env bash
# Builds the fuzz targets with clang, AddressSanitizer and UBSan, and runs each for a while from its
# corpus. An input that fails is kept in build/fuzz/tests/fuzz/, and build/fuzz/bin/fuzz_NAME FILE
# repeats it.
#
#   tests/fuzz/run.sh [--runs N] [ctest arguments, e.g. -R jpeg]
#
# N: executions of each target (default 20000)
set -euo pipefail
cd "$(dirname "$0")/../.."
runs=20000
if [ "${1:-}" = --help ]; then sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0; fi
if [ "${1:-}" = --runs ]; then runs=$2; shift 2; fi
launcher/setup.sh --preset fuzz --tests --no-build
cmake --preset fuzz -DDFINE_FUZZ_RUNS="$runs" >/dev/null
cmake --build --preset fuzz --target fuzz_targets
ctest --test-dir build/fuzz --output-on-failure -j 2 "$@"
