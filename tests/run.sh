#!/usr/bin/env bash
# Installs what is missing, builds, and runs all tests. Without ctest arguments, it also runs each
# fuzz target for a short time.
#
#   tests/run.sh [--preset release|debug|asan|tsan] [--long] [ctest arguments, e.g. -R loss]
#
# Where -R '^NAME' names one C++ test, such as '^loss.unit$', only that one is built.
# --long adds the tests that take many minutes. One of them compares the stored values with the
# official code: set DFINE_OFFICIAL to a checkout of Peterande/D-FINE. It also builds the preset
# cuda, and runs it on the null device (tests/nullcuda/README.md).
set -euo pipefail
cd "$(dirname "$0")/.."
preset=release long=0
while :; do
  case "${1:-}" in
    --preset) preset=$2; shift 2 ;;
    --long) long=1; shift ;;
    --help) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) break ;;
  esac
done
# program_of ARGUMENTS: the C++ test that the ctest arguments name; nothing if they may mean more.
program_of() {
  local name=${2:-}
  if (($# != 2)) || [ "$1" != -R ] || [[ $name != ^* ]]; then return; fi
  name=${name#^} name=${name%\$} name=${name//\\/} name=${name%.np[0-9]*}
  if [[ $name =~ ^[a-z0-9_]+\.[a-z0-9_]+$ ]] &&
    grep -rqE --include=CMakeLists.txt "dfine_test\(${name/./\\.}( |\$)" tests; then
    echo "$name"
  fi
}
only=$(program_of "$@")
launcher/setup.sh --preset "$preset" --tests ${only:+--target "$only"}
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi
say_what_was_skipped() {
  # Parts of tests that this machine does not allow, such as mounting a file system.
  local log=build/$preset/Testing/Temporary/LastTest.log
  if [ -e "$log" ]; then sed -n 's/^SKIPPED: /NOT RUN: /p' "$log" | sort -u; fi
  if ((!long)); then
    echo "NOT RUN: the long tests (tests/run.sh --long)"
  elif [ -z "${DFINE_OFFICIAL:-}" ]; then
    echo "NOT CHECKED: the stored values in tests/golden, since DFINE_OFFICIAL is not set" \
      "(a checkout of Peterande/D-FINE)"
  fi
}
trap say_what_was_skipped EXIT
if ((long)); then export DFINE_LONG=1; else unset DFINE_LONG; fi
ctest --test-dir "build/$preset" --output-on-failure -j 2 "$@"
if (($# == 0)); then tests/fuzz/run.sh; fi
if ((long)) && (($# == 0)) && [ "$preset" = release ]; then
  launcher/setup.sh --preset cuda --link-only --tests --target programs --target nullcuda
  ctest --test-dir build/cuda --output-on-failure --no-tests=error -R '^nullcuda\.'
fi
