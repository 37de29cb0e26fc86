#!/usr/bin/env bash
# Installs what is missing, builds, and runs all tests; without ctest arguments, a short run of each fuzz target as well.
#
#   tests/run.sh [--preset release|debug|asan|tsan] [ctest arguments, e.g. -R loss]
set -euo pipefail
cd "$(dirname "$0")/.."
preset=release
if [ "${1:-}" = --preset ]; then preset=$2; shift 2; fi
if [ "${1:-}" = --help ]; then sed -n '2,4s/^# \{0,1\}//p' "$0"; exit 0; fi
launcher/setup.sh --preset "$preset" --tests
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
ctest --test-dir "build/$preset" --output-on-failure -j 2 "$@"
if (($# == 0)); then tests/fuzz/run.sh; fi
