#!/usr/bin/env bash
# From a fresh machine to a trained detector. Installs what is missing, builds, packs the BCCD
# dataset, trains D-FINE-N on it with two ranks, and draws detections. A second run downloads
# nothing and builds only what changed.
#
#   launcher/quickstart.sh [--run-dir DIR] [--weights NAME]
#
#   --run-dir DIR    default: runs/quickstart
#   --weights NAME   fine-tune these weights on it, instead of training from random ones. NAME is a
#                    model of the Hugging Face Hub such as dfine-n-coco (dfine-weights list), or a
#                    path. The model has the size of the weights. Large ones take long on a CPU.
set -euo pipefail
cd "$(dirname "$0")/.."
run=runs/quickstart weights=''
while (($#)); do
  case $1 in
    --run-dir | --weights)
      if (($# < 2)); then echo "quickstart.sh: $1 needs a value (see --help)" >&2; exit 2; fi ;;&
    --run-dir) run=$2; shift ;;
    --weights) weights=$2; shift ;;
    -h | --help) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 0 ;;
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
settings=(--set "run.dir=$run" --set "data.train=$run/data/train" --set "data.val=$run/data/val")
if [ -z "$weights" ]; then
  size=n
  settings+=(--config configs/quickstart.toml)
else
  say "weights $weights"
  shown=$("$bin/dfine-weights" show "$weights")
  sed '/^classes/q' <<<"$shown"
  size=$(sed -n 's/^model: D-FINE-\([NSMLX]\)$/\1/p' <<<"$shown")
  if [ -z "$size" ]; then echo "quickstart.sh: $weights has no published size" >&2; exit 1; fi
  # The recipe for own images; small and short, as configs/quickstart.toml is.
  settings+=(--config "configs/custom/${size,,}.toml"
    --set "model.weights=$weights" --set train.epochs=4 --set data.image_size=320
    --set data.multiscale=false --set data.batch_size=4 --set data.workers=1)
fi
say "training D-FINE-${size^^} with $ranks ranks"
mpirun -np "$ranks" --bind-to none --oversubscribe "$bin/dfine_ddp" "${settings[@]}" --resume none

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
