"""What the reports of the null device say about the work of a program."""

from run import amounts

# Prefixes of the libraries' functions that do the work, as opposed to setting up.
LIBRARY_CALLS = ("cublas.cublasGemm", "cublas.cublasSgemm", "cublasLt.cublasLtMatmul",
                 "cudnn.cudnnBackendExecute")
NOT_A_PRODUCT = ("Create", "Destroy", "SetAttribute", "GetHeuristic")
COPIES = ("pageable>device", "pinned>device", "device>device", "device>pageable", "device>pinned")


def work(report):
    """The amounts that a budget limits, of a whole run."""
    calls = report["calls"]
    library = sum(n for name, n in calls.items() if name.startswith(LIBRARY_CALLS)
                  and not name.endswith(NOT_A_PRODUCT))
    copies = amounts(report, "copies")
    return {
        "launches": sum(amounts(report, "launches").values()),
        "library calls": library,
        "fills": calls.get("cudart.cudaMemsetAsync", 0),
        **{f"copies {way}": copies.get(way, 0) for way in COPIES},
        "host waits": sum(amounts(report, "waits").values()),
        "NCCL calls": len(report["nccl"]),
    }


def difference(few, many, units):
    """Per unit. Rounded up where a unit's share is no whole number."""
    one, other = work(few), work(many)
    return {name: -((one[name] - other[name]) // units) for name in one}
