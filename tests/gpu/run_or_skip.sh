#!/usr/bin/env bash
# Runs a GPU test, or says why it is skipped. A machine without a GPU may have LibTorch's CPU parts
# only (launcher/setup.sh --link-only), and then the program cannot even start there. With a GPU a
# missing library is a failure.
#
#   run_or_skip.sh PROGRAM COMMAND [ARGUMENTS]
set -euo pipefail
program=$1
shift
if ! nvidia-smi -L 2>/dev/null | grep -q GPU; then
  echo "SKIPPED: nvidia-smi lists no GPU on this machine"
  exit 77
fi
if absent=$(ldd "$program" | grep 'not found'); then
  printf 'libraries that %s needs are missing:\n%s\n' "$program" "$absent" >&2
  exit 1
fi
exec "$@"
