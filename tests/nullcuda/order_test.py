"""All ranks call NCCL in one order: the same calls, of one communicator, with the same
counts.

    order_test.py [PART...]     without names all parts, with DFINE_LONG set the long ones too
"""

import itertools
from collections import Counter

from cases import run_parts, train


def check(ws, name, ranks=2, **keys):
    keys = {"data__batch_size": 1, "validate__every_epochs": 0, "train__max_steps": 2, **keys}
    orders = [report["nccl"] for report in train(ws, name, ranks=ranks, devices=4, **keys).reports]
    groups = {call.split()[0] for call in orders[0]}
    assert len(groups) == 1 and len(orders[0]) > 100, (groups, len(orders[0]))
    for rank, order in enumerate(orders):
        for number, (here, first) in enumerate(itertools.zip_longest(order, orders[0])):
            assert here == first, (f"{name}: call {number} of rank {rank} is {here}, of rank 0 "
                                   f"{first}")
    return orders[0]


def plain(ws):
    check(ws, "plain", train__preflight="true", validate__every_epochs=1)


def accumulation_at_several_sizes(ws):
    check(ws, "sizes", data__multiscale="true", train__gradient_accumulation_steps=2,
          ema__enabled="true")


def rank_without_boxes(ws):
    check(ws, "no-boxes", data__train=ws("half_empty"), data__shuffle="false", data__augment="none")


def compressed_gradients(ws):
    """They go as bf16, all of them; the sums of batch norms stay fp32."""
    before, after = (Counter(check(ws, kind, train__gradient_compression=kind))
                     for kind in ("none", "bf16"))
    fp32, bf16 = "type 7", "type 9"  # ncclFloat32, ncclBfloat16
    sent = {call: n for call, n in after.items() if call.endswith(bf16)}
    assert sent and not any(call.endswith(bf16) for call in before), (sent, before)
    assert Counter({call.replace(bf16, fp32): n for call, n in sent.items()}) == (
        before - after), (sent, before - after)


def four_ranks(ws):
    check(ws, "four", ranks=4)


def large_model(ws):
    """Its gradients go in several buckets, between the sums of the batch norms."""
    check(ws, "large", size="l", model__freeze_norm="false")


QUICK = [plain, accumulation_at_several_sizes, rank_without_boxes, compressed_gradients]
LONG = [four_ranks, large_model]


if __name__ == "__main__":
    run_parts(QUICK, LONG)
