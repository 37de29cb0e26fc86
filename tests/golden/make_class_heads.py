"""Writes class_heads.json from the official code's tables and functions (src/solver/_solver.py of
Peterande/D-FINE) and torchvision's COCO names.

  DFINE_OFFICIAL=path/to/D-FINE python make_class_heads.py

coco: the CRC-32 of torchvision's 80 names joined by newlines. objects365: that of the 365 names of
the second list in the comments. Also the pairs of spellings in which the first list differs from it
other than in case, spaces and hyphens. coco_rows: for each COCO class the row of Objects365's 366
that map_class_weights gives it. objects365_rows: for each of the 366 the COCO row, or -1 where it
leaves the row as it is.
"""
import ast
import importlib.util
import json
import os
import re
import sys
import types
import zlib
from unittest import mock

import torch
from official import ROOT
from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights

SOLVER = os.path.join(ROOT, "src", "solver", "_solver.py")


def lists():
    with open(SOLVER) as f:
        found = re.findall(r"^# obj365_classes = \[\n(.*?)^# \]", f.read(),
                           re.DOTALL | re.MULTILINE)
    first, second = (ast.literal_eval("[" + re.sub(r"^#", "", text, flags=re.MULTILINE) + "]")
                     for text in found)
    return first, [name for _, name in second]


def folded(name):
    return re.sub(r"[\s_/-]", "", name.lower())


def official_solver():
    """Its file alone: the package's other modules want matplotlib and a GPU's tools."""
    with mock.patch.dict(sys.modules, {"src.solver": types.ModuleType("src.solver")}):
        spec = importlib.util.spec_from_file_location("src.solver._solver", SOLVER)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module.BaseSolver(None)


def checksum(names):
    return zlib.crc32("\n".join(names).encode())


def collect():
    first, second = lists()
    solver = official_solver()
    names = [name for name in FasterRCNN_ResNet50_FPN_Weights.DEFAULT.meta["categories"]
             if name not in ("__background__", "N/A")]
    objects, coco = torch.arange(366.0).reshape(366, 1), torch.arange(80.0).reshape(80, 1)
    return {
        "source": "Peterande/D-FINE, src/solver/_solver.py; torchvision's COCO_V1 weights",
        "coco": {"crc32": checksum(names)},
        "objects365": {"crc32": checksum(second),
                       "spellings": [[a, b] for a, b in zip(first, second)
                                     if folded(a) != folded(b)]},
        "coco_rows": [int(x)
                      for x in solver.map_class_weights(torch.full((80, 1), -1.0), objects)[:, 0]],
        "objects365_rows": [int(x) for x in solver.map_class_weights(
            torch.full((366, 1), -1.0), coco)[:, 0]],
    }


if __name__ == "__main__":
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "class_heads.json"),
              "w") as f:
        f.write(re.sub(r"\n\s{2,}", " ", json.dumps(collect(), indent=1)) + "\n")
