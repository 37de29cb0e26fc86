#!/bin/bash
# failure_test.sh MPIRUN FAILING_RANKS: one rank's failure ends the job within 10 seconds, with one
# message that names rank, host and context.
set -u
mpirun=$1 program=$2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
bad=0

complain() {
  echo "FAILED: $*"
  sed 's/^/    /' "$log"
  bad=1
}

# run RANKS EXIT_CODE ARGUMENTS...
run() {
  local ranks=$1 expected=$2 code started
  shift 2
  echo "-- $ranks ranks: $*"
  timeout 60 "$mpirun" -np "$ranks" --bind-to none --oversubscribe "$program" "$@" >"$log" 2>&1
  code=$?
  started=$(sed -n 's/^failing at //p' "$log" | sort -n | head -n 1)
  [ -z "$started" ] || [ $(($(date +%s) - started)) -lt 10 ] ||
    complain "$*: ended $(($(date +%s) - started)) s after the failure"
  [ "$code" = "$expected" ] || complain "$*: exit code $code, not $expected"
}

# says TIMES TEXT
says() {
  [ "$(grep -cF -- "$2" "$log")" = "$1" ] || complain "\"$2\" is not there $1 times"
}

# ends_with TEXT [FILE]: the last line, of what came to the terminal unless a file is named; MPI has
# nothing to add below it.
ends_with() {
  [ "$(grep -v '^failing at' "${2:-$log}" | tail -n 1)" = "$1" ] ||
    complain "the last line of ${2:-the output} is not \"$1\""
}

host=$(hostname)
run 4 1 error
ends_with "hint: Copy it again."
says 0 "MPI_ABORT"
says 0 "ORTE_ERROR_LOG"
says 0 "----------"
says 1 "rank 1 of 4 on host $host failed: shard-00003.h5 ends early [file_damaged]"
says 1 "while reading image 17"
says 1 "Copy it again."
says 1 "in epoch 3, step 117"
says 1 " failed: "
run 2 1 exception
says 1 "rank 1 of 2 on host $host failed: something else [internal]"
run 2 1 torch
says 1 "rank 1 of 2 on host $host failed: mm: mat1 and mat2 shapes cannot be multiplied"
run 2 1 pending
says 1 "rank 1 of 2 on host $host failed: failed with an operation under way"
run 2 1 thread
says 1 "rank 1 of 2 on host $host failed: failed in a thread"
for signal in "abort 134 6 (SIGABRT" "segv 139 11 (SIGSEGV" "null 139 11 (SIGSEGV"; do
  read -r how code text <<<"$signal"
  run 2 "$code" "$how"
  says 1 "rank 1 of 2 on host $host failed: ended by signal $text"
  says 1 "in epoch 3, step 117"
done
run 2 137 kill
# All ranks with the same error: said once.
run 4 1 error all
says 1 "failed: shard-00003.h5 ends early"
run 4 2 usage all
says 1 "--config is missing"
run 4 2 usage
says 1 "--config is missing"

# The run's log, which rank zero writes, ends with the failure of whichever rank.
run_log=$(mktemp)
trap 'rm -f "$log" "$run_log"' EXIT
run 2 1 error one "$run_log"
grep -qF "rank 1 of 2 on host $host failed: shard-00003.h5 ends early" "$run_log" ||
  complain "$(cat "$run_log")"
ends_with "hint: Copy it again." "$run_log"
: >"$run_log"
run 2 1 error all "$run_log"
[ "$(grep -cF " failed: " "$run_log")" = 1 ] || complain "$(cat "$run_log")"
ends_with "hint: Copy it again." "$run_log"
: >"$run_log"
run 2 139 null one "$run_log"
ends_with "  in epoch 3, step 117" "$run_log"
# The same bits from run to run, on every rank.
run 4 0 digest
says 4 "digest "
[ "$(sort -u "$log" | wc -l)" = 1 ] || complain "the ranks' digests differ"
first=$(sort -u "$log")
run 4 0 digest
[ "$(sort -u "$log")" = "$first" ] || complain "the digest differs from the first run's, $first"

# Alone, without any launcher, without a directory for temporary files.
alone() {
  local expected=$1
  shift
  echo "-- alone: $*"
  env -i TMPDIR=/nonexistent LD_LIBRARY_PATH="${LD_LIBRARY_PATH:-}" "$program" "$@" >"$log" 2>&1
  local code=$?
  [ "$code" = "$expected" ] || complain "alone, $*: exit code $code, not $expected"
}
alone 0
alone 1 error
says 1 "while reading image 17"
alone 2 usage
alone 139 null
says 1 "in epoch 3, step 117"
exit $bad
