#!/bin/bash
# cluster_scripts_test.sh SOURCE_DIR: what the batch scripts would start, with stand-ins for Slurm's
# variables, mpirun and dfine-pack.
set -u
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

mkdir "$work/bin"
for stand_in in mpirun dfine-pack dfine-eval; do
  # shellcheck disable=SC2016
  printf '#!/bin/bash\necho "%s" "$@"\n' "$stand_in" >"$work/bin/$stand_in"
done
# The scripts ask for the run folder, with --print-config.
printf '#!/bin/bash\nprintf "[run]\\ndir = \\"%s\\"\\n"\n' "$work/run" >"$work/bin/dfine_ddp"
# apptainer exec --nv IMAGE COMMAND
printf '#!/bin/bash\nshift 3\nexec "$@"\n' >"$work/bin/apptainer"
chmod +x "$work"/bin/*
slurm=(env -i PATH="$work/bin:$PATH" SLURM_JOB_ID=7 SLURM_SUBMIT_DIR="$source" SLURM_NTASKS=8
  SLURM_NTASKS_PER_NODE=4 SLURM_CPUS_PER_TASK=6 SLURM_JOB_NODELIST="n[1-2]" DFINE_BIN="$work/bin")

# expect EXIT_CODE TEXT COMMAND...: the command's exit code, and a line that its output holds
expect() {
  local code=$1 text=$2 output actual
  shift 2
  output=$("$@" 2>&1)
  actual=$?
  if [ $actual != "$code" ] || ! grep -qF -- "$text" <<<"$output"; then
    printf 'FAILED: exit code %s, expected %s with "%s":\n%s\n' "$actual" "$code" "$text" "$output"
    bad=1
  fi
}

train=$source/cluster/train.sbatch pack=$source/cluster/pack.sbatch
expect 0 "mpirun -np 8 --map-by ppr:4:node --bind-to none" \
  "${slurm[@]}" bash "$train" --config configs/n.toml
expect 0 "$work/bin/dfine_ddp --config configs/n.toml --set run.dir=a b --resume auto" \
  "${slurm[@]}" bash "$train" --config configs/n.toml --set "run.dir=a b"
expect 0 "dfine_ddp --config configs/n.toml --resume a/b" \
  "${slurm[@]}" bash "$train" --resume=a/b --config configs/n.toml
expect 0 "8 ranks on n[1-2], 6 cores per rank" "${slurm[@]}" bash "$train"
expect 0 "-x NCCL_DEBUG" "${slurm[@]}" NCCL_DEBUG=INFO bash "$train"
expect 0 "--report-bindings apptainer exec --nv x.sif $work/bin/dfine_ddp" \
  "${slurm[@]}" DFINE_WRAP="apptainer exec --nv x.sif" \
  DFINE_MPI_ARGS=--report-bindings bash "$train"
printf '%s\n' '#!/bin/sh' 'echo "  libcudnn.so.9 => not found"' >"$work/bin/ldd"
chmod +x "$work/bin/ldd"
expect 1 "missing on $(hostname): libcudnn.so.9. " \
  "${slurm[@]}" PATH="$work/bin:$PATH" bash "$train"
rm "$work/bin/ldd"
expect 1 "/nowhere/dfine_ddp is missing" "${slurm[@]}" DFINE_BIN=/nowhere bash "$train"
expect 1 "dfine-launch is neither in $work/launcher nor in $work/bin" \
  "${slurm[@]}" DFINE_HOME="$work" bash "$train"
expect 1 "does not say run.dir" \
  "${slurm[@]}" bash -c "printf '#!/bin/bash\n' >'$work/bin/dfine_ddp' && bash '$train'"
expect 2 "submit it with sbatch" env -i PATH="$PATH" bash "$train"

expect 0 "dfine-pack --images i --annotations a.json --output o --jobs 6" \
  "${slurm[@]}" bash "$pack" --images i --annotations a.json --output o
expect 0 "dfine-pack verify o --jobs 6" \
  "${slurm[@]}" bash "$pack" --images i --annotations a.json --output=o
expect 0 "dfine-pack --output o --jobs 2" "${slurm[@]}" bash "$pack" --output o --jobs 2
# Without DFINE_BIN: dfine-pack alone, as cluster/README.md builds it, goes before the programs of
# the other presets.
home=("${slurm[@]}" SLURM_SUBMIT_DIR="$work/home" DFINE_BIN=)
expect 1 "there is no dfine-pack in $work/home/build" \
  "${home[@]}" bash -c "mkdir -p '$work/home' && bash '$pack' --output o"
for preset in release cuda pack; do
  mkdir -p "$work/home/build/$preset/bin"
  printf '#!/bin/bash\necho "%s dfine-pack" "$@"\n' "$preset" \
    >"$work/home/build/$preset/bin/dfine-pack"
  chmod +x "$work/home/build/$preset/bin/dfine-pack"
  expect 0 "$preset dfine-pack --output o" "${home[@]}" bash "$pack" --output o
done
# The preset wants nothing that packing does not need.
cmake -S "$source" --preset pack -B "$work/pack" -DCMAKE_DISABLE_FIND_PACKAGE_GTest=ON \
  -DCMAKE_DISABLE_FIND_PACKAGE_benchmark=ON -DCMAKE_DISABLE_FIND_PACKAGE_MPI=ON \
  -DDFINE_TORCH_ROOT= >"$work/configure.log" 2>&1 || { cat "$work/configure.log"; bad=1; }
grep -qF 'cmake --preset pack && cmake --build --preset pack' "$source/cluster/README.md" ||
  { echo "FAILED: cluster/README.md"; bad=1; }
expect 2 "--output DIR is missing" "${slurm[@]}" bash "$pack" --images i

eval=$source/cluster/eval.sbatch
expect 0 "dfine-eval --weights w --data d --threads 6" \
  "${slurm[@]}" bash "$eval" --weights w --data d
expect 0 "dfine-eval --weights w --threads=2" "${slurm[@]}" bash "$eval" --weights w --threads=2
expect 1 "/nowhere/dfine-eval is missing" "${slurm[@]}" DFINE_BIN=/nowhere bash "$eval"

# sbatch --parsable prints the job's number, and the cluster's name in a federation.
cat >"$work/bin/sbatch" <<'END'
#!/bin/bash
if [ "$3" = --images ]; then echo "1${4#i};c"; else echo "$@" >&2; fi
END
chmod +x "$work/bin/sbatch"
both=$source/cluster/pack_then_train.sh
expect 0 "--nodes=2 --dependency=afterok:11:12 --kill-on-invalid-dep=yes $train --config c.toml" \
  "${slurm[@]}" TRAIN_OPTIONS=--nodes=2 bash "$both" i1 a.json i2 b.json o --config c.toml
expect 0 "--set data.train=o/train --set data.val=o/val" \
  "${slurm[@]}" bash "$both" i1 a.json i2 b.json o --config c.toml
expect 2 "submits jobs that pack" "${slurm[@]}" bash "$both" i1 a.json

shellcheck "$source"/cluster/*.s* "$source"/launcher/dfine-launch "$source"/.ci/run \
  "$source"/launcher/*.sh "$source"/tests/*.sh "$source"/tests/*/*.sh || bad=1
exit $bad
