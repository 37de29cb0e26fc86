#!/bin/sh
# long.sh COMMAND ...: a test that takes many minutes; it runs with DFINE_LONG set, as
# tests/run.sh --long does.
if [ -z "$DFINE_LONG" ]; then
  echo "skipped: long (tests/run.sh --long runs it)"
  exit
fi
exec "$@"
