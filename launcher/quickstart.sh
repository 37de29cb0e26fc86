#!/usr/bin/env bash
# From a fresh machine to a trained detector. Installs what is missing, builds, packs the BCCD
# dataset, trains D-FINE-N on it with two ranks, and draws detections. A second run downloads
# nothing and builds only what changed.
#
#   launcher/quickstart.sh [--run-dir DIR]        (default: runs/quickstart)
set -euo pipefail
cd "$(dirname "$0")/.."
run=runs/quickstart
while (($#)); do
  case $1 in
    --run-dir) run=$2; shift ;;
    -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "quickstart.sh: unknown option $1 (see --help)" >&2; exit 2 ;;
  esac
  shift
done

launcher/setup.sh
preset=release
if [ -x build/cuda/bin/dfine_ddp ] && command -v nvidia-smi >/dev/null &&
  nvidia-smi -L 2>/dev/null | grep -q GPU; then preset=cuda; fi
bin=build/$preset/bin
data=tests/data/bccd
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
say "packing $data"
for part in train val; do
  "$bin/dfine-pack" --images "$data/images" --annotations "$data/$part.json" \
    --output "$run/data/$part" --overwrite
done

ranks=2
if [ $preset = cuda ]; then
  ranks=$(nvidia-smi -L | grep -c GPU)
  if ((ranks > 2)); then ranks=2; fi
fi
say "training D-FINE-N with $ranks ranks"
mpirun -np "$ranks" --bind-to none --oversubscribe "$bin/dfine_ddp" \
  --config configs/quickstart.toml --set "run.dir=$run" --set "data.train=$run/data/train" \
  --set "data.val=$run/data/val" --resume none

say "drawing detections"
mapfile -t samples < <(find "$data/images" -name '*.jpg' | sort | tail -n 4)
"$bin/dfine-predict" --weights "$run/checkpoints/best" --images "${samples[@]}" --threshold 0.5 \
  --output "$run/predictions"

cat <<END

Run folder:       $run
Best checkpoint:  $run/checkpoints/best
Metrics:          $run/metrics.jsonl
Picture:          $(find "$run/predictions" -name '*.jpg' -o -name '*.png' | sort | head -1)
END
