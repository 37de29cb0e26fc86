"""Errors of CUDA, cuBLAS and NCCL end the job: exit code 1, the message has the error's name,
nothing hangs.

    errors_test.py [PART...]     without names all parts, with DFINE_LONG set the long ones too
"""

import sys
from pathlib import Path

from cases import BCCD, run_parts, train, train_arguments
from run import run

# A rank that fails ends the others within seconds; this is for a busy machine.
SECONDS = 60


def fails(done, *named):
    """The run has ended with an error, whose message has all of `named`."""
    missing = [name for name in named if name not in done.log]
    if done.code != 1 or missing:
        sys.exit(f"{done.log}\nexit code {done.code}, without {missing}")


def train_fails(ws, fault, *named, ranks=1, seconds=SECONDS, **keys):
    done = run("dfine_ddp", *train_arguments(ws, "failed", **keys), ranks=ranks, seconds=seconds,
               NULLCUDA_FAIL=fault)
    fails(done, *named)


def one_rank(ws):
    train_fails(ws, "cudaGetDeviceCount:1+:35", "[device_unavailable]")
    # Without a validation the last wait of a run is for the copy of the last checkpoint.
    alone = {"validate__every_epochs": 0}
    calls = train(ws, "clean", **alone).reports[0]["calls"]
    train_fails(ws, f"cudaStreamSynchronize:{calls['cudart.cudaStreamSynchronize']}+:700",
                "error 700", "saving after step 4", **alone)
    # With one it makes more copies, so this one is late but not the last.
    train_fails(ws, f"cudaMemcpyAsync:{calls['cudart.cudaMemcpyAsync']}:700", "error 700")
    train_fails(ws, "__cudaLaunchKernel:3000:719", "error 719")
    train_fails(ws, "cublasGemmEx:50:13", "CUBLAS_STATUS_EXECUTION_FAILED")
    train_fails(ws, "cudaMalloc:5000:2", "[out_of_memory]")
    # A loader that cannot have its page-locked memory.
    train_fails(ws, "cudaHostAlloc:3:2", "[out_of_memory]", train__preflight="false")


def memory(ws):
    """Too little of it, in the pre-flight and in a step."""
    for preflight in ("true", "false"):
        arguments = train_arguments(ws, "small", train__preflight=preflight)
        fails(run("dfine_ddp", *arguments, caching=True, seconds=SECONDS, NULLCUDA_MEMORY=100),
              "[out_of_memory]")


def two_ranks(ws):
    """Only rank 1 or 0 has an error, and the other one ends too."""
    train_fails(ws, "ncclCommInitRankConfig:1:2@1", "rank 1 of 2", "ncclSystemError",
                "[communication_failed]", ranks=2)
    train_fails(ws, "ncclCommInitRankConfig:1:2@0", "rank 0 of 2", "ncclSystemError",
                "[communication_failed]", ranks=2)
    train_fails(ws, "ncclAllGather:20:1@0", "rank 0 of 2", "ncclUnhandledCudaError",
                "[communication_failed]", ranks=2)
    train_fails(ws, "ncclAllReduce:50:3@1", "rank 1 of 2", "ncclInternalError",
                "[communication_failed]", ranks=2)
    train_fails(ws, "cudaMemcpyAsync:1500:700@1", "rank 1 of 2", "error 700", ranks=2)
    # In a thread of LibTorch. As on a real device, the error stays: at one place that thread
    # ignores a single one.
    train_fails(ws, "cudaEventQuery:100+:700@1", "rank 1 of 2", "error 700", ranks=2,
                train__epochs=5)


def network(ws):
    """An error that NCCL notices later."""
    train_fails(ws, "ncclCommGetAsyncError:100+:6@1", "rank 1 of 2", "ncclRemoteError",
                "[communication_failed]", ranks=2)


def programs(ws):
    """dfine-eval and dfine-predict."""
    train(ws, "trained", validate__every_epochs=0)
    weights = ws("trained", "checkpoints", "last")
    images = sorted(Path(BCCD, "images").iterdir())[:2]
    for fault in ("cudaStreamSynchronize:3+:700", "__cudaLaunchKernel:300:719"):
        named = "error " + fault[-3:]
        common = {"seconds": SECONDS, "NULLCUDA_FAIL": fault}
        fails(run("dfine-eval", "--weights", weights, "--data", ws("val"),
                  "--device", "cuda", **common), named)
        output = ws("predicted" + fault[-3:])
        fails(run("dfine-predict", "--weights", weights, "--images", *images, "--device", "cuda",
                  "--output", output, **common), named)


QUICK = [one_rank, memory, two_ranks, network, programs]
LONG = []


if __name__ == "__main__":
    run_parts(QUICK, LONG)
