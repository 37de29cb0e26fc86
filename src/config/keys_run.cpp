// The keys of [run].
#include "config/kinds.h"

namespace dfine::inline config {

void keys(Table<RunConfig>& v) {
  using C = RunConfig;
  v("dir", &C::dir, text(),
    "Run folder: metrics.jsonl, checkpoints/last, checkpoints/best. Created if missing.");
  v("resume", &C::resume, text(),
    "Where to continue: none, auto (the newest undamaged checkpoint of run.dir, if there is one), "
    "or the path of a checkpoint folder. --resume on the command line overrides it.");
  v("allow_changed", &C::allow_changed, some_of({"data", "classes", "image_size", "num_queries"}),
    "What may differ from the checkpoint when a run is continued; anything else of these is an "
    "error. data: the packs. classes: their order, by name. image_size, num_queries: "
    "data.image_size "
    "and model.num_queries.");
  v("lock_seconds", &C::lock_seconds, number(kPositive),
    "One job at a time writes to run.dir. Another one may take the folder when the job there has "
    "given no sign of life for N seconds.");
  v("seed", &C::seed, whole(0),
    "Random seed for initial weights, data order, augmentation and denoising. The random numbers "
    "are the same for any number of ranks.");
  v("device", &C::device,
    or_auto(choice<DeviceChoice>({{"cpu", DeviceChoice::kCpu}, {"cuda", DeviceChoice::kCuda}})),
    "Device to compute on. auto: CUDA if the program is built for it and a GPU is visible; then "
    "each rank needs its own GPU.");
  v("threads", &C::threads, or_auto_once_0(whole(1, 4096)),
    "Compute threads per rank. auto: the cores that the rank may use (CPU affinity and the "
    "cgroup's "
    "quota count), divided by the ranks that share them, at least 1.");
  v("precision", &C::precision,
    or_auto(choice<Precision>(
        {{"fp32", Precision::kFp32}, {"bf16", Precision::kBf16}, {"fp16", Precision::kFp16}})),
    "Number format of forward and backward; loss, matching, weights and validation stay fp32. "
    "fp16 scales the loss against underflow. auto: bf16 on GPUs, fp32 on CPUs (official: fp16).");
  v("tf32", &C::tf32,
    choice<Tf32Use>(
        {{"off", Tf32Use::kOff}, {"convolutions", Tf32Use::kConvolutions}, {"all", Tf32Use::kAll}}),
    "GPU operations on fp32 numbers that may round their inputs to TF32 (10 bits of mantissa): "
    "faster, about 1e-3 off. off: none. convolutions: these alone, as PyTorch and the official "
    "code do. all: matrix products too. Of little effect with bf16 or fp16.");
  v("deterministic", &C::deterministic, flag(),
    "Use deterministic algorithms: bitwise-identical results for the same number of ranks and "
    "threads. CPU only; refused on GPUs.");
  v("detect_anomaly", &C::detect_anomaly, flag(),
    "Stop at the operation whose gradient is NaN and print its forward trace. Training is "
    "several times slower.");
  v("log_seconds", &C::log_seconds, number(kNotNegative),
    "Seconds between progress lines in the log, and on the console where it has no live line. 0: "
    "a line after every step. metrics.jsonl has every step.");
  v("tensorboard", &C::tensorboard, flag(),
    "Also write event files for TensorBoard to RUN_DIR/tensorboard: what the progress lines have, "
    "validations, score histograms, and pictures of the first validation images.");
}

}  // namespace dfine::inline config
