"""Writes official_state.json: the state dicts of the official models of all sizes, as their own
configurations for COCO build them. It has names, types and shapes of all tensors, and some anchors.

    DFINE_OFFICIAL=path/to/D-FINE python make_official_state.py
"""
import contextlib
import json
import os

import official

HERE = os.path.dirname(os.path.abspath(__file__))
CLASSES, IMAGE = 80, 640
TYPES = {"torch.float32": "f32", "torch.int64": "i64", "torch.bool": "bool"}


def model_of(size):
    with open(os.devnull, "w") as quiet, contextlib.redirect_stdout(quiet):
        return official.configuration(size, CLASSES, 300, 100, IMAGE, norms_as_published=True).model


def state_of(size):
    state = model_of(size).state_dict()
    tensors = {name: " ".join([TYPES[str(t.dtype)], *map(str, t.shape)])
               for name, t in state.items()}
    anchors, valid = state["decoder.anchors"][0], state["decoder.valid_mask"][0, :, 0]
    rows = [i for i in range(valid.numel()) if valid[i]][::401]
    return {"tensors": dict(sorted(tensors.items())), "valid": int(valid.sum()),
            "anchors": {str(i): anchors[i].tolist() for i in rows}}


def values():
    return {"source": "Peterande/D-FINE, state_dict() of the models of configs/dfine",
            "classes": CLASSES, "image": IMAGE, "sizes": {s: state_of(s) for s in "nsmlx"}}


if __name__ == "__main__":
    with open(os.path.join(HERE, "official_state.json"), "w") as f:
        json.dump(values(), f, indent=0, separators=(",", ":"))
        f.write("\n")
