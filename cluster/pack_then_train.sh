#!/usr/bin/env bash
# Example: submits jobs that pack a training and a validation dataset, and one that trains on them
# once both are complete. Run it in the project's folder, on a login node:
#
#   cluster/pack_then_train.sh TRAIN_IMAGES TRAIN.json VAL_IMAGES VAL.json PACKS \
#     --config configs/xl.toml --set run.dir=/scratch/me/xl
#
# The packs are PACKS/train and PACKS/val. What follows PACKS goes to dfine_ddp. Options of sbatch
# go into the variables PACK_OPTIONS and TRAIN_OPTIONS. PACK_OPTIONS="--array=1-8" packs on 8 nodes;
# TRAIN_OPTIONS="--nodes=2" trains on 2.
set -euo pipefail
if (($# < 7)); then sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2; fi
train_images=$1 train=$2 val_images=$3 val=$4 packs=$5
shift 5
here=$(cd "$(dirname "$0")" && pwd)
read -ra pack_options <<<"${PACK_OPTIONS:-}"
read -ra train_options <<<"${TRAIN_OPTIONS:-}"

# pack IMAGES ANNOTATIONS NAME: prints the job's number
pack() {
  local job
  job=$(sbatch --parsable "${pack_options[@]}" "$here/pack.sbatch" \
    --images "$1" --annotations "$2" --output "$packs/$3")
  echo "${job%%;*}" # a federation appends the cluster's name
}
train_job=$(pack "$train_images" "$train" train)
val_job=$(pack "$val_images" "$val" val)
# afterok waits for all tasks of an array. If one fails, the training is cancelled.
training=$(sbatch --parsable "${train_options[@]}" --dependency="afterok:$train_job:$val_job" \
  --kill-on-invalid-dep=yes "$here/train.sbatch" "$@" \
  --set data.train="$packs/train" --set data.val="$packs/val")
echo "packing: jobs $train_job and $val_job; training: job ${training%%;*}"
