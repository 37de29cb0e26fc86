"""Runs a script of the official repository unchanged.

    DFINE_OFFICIAL=path/to/D-FINE python run_official.py SCRIPT [its arguments]

Modules that it imports for logs, pictures and a simplified export may be missing. Its ONNX export
uses the exporter that PyTorch had when the script was written. It traces 2 images instead of 32,
which need more than 20 GB.
"""
import functools
import os
import runpy
import sys
import types
from unittest import mock

import official
import onnx
import torch


def fewer_images(rand=torch.rand):
    return lambda batch, *shape: rand(min(batch, 2), *shape)


def main():
    script = os.path.join(official.ROOT, sys.argv[1])
    sys.modules["cv2"] = mock.MagicMock()  # torch_inf.py: for videos alone
    simplifier = types.ModuleType("onnxsim")
    simplifier.simplify = lambda path, **_: (onnx.load(path), True)
    sys.modules["onnxsim"] = simplifier
    torch.onnx.export = functools.partial(torch.onnx.export, dynamo=False)
    if script.endswith("export_onnx.py"):
        torch.rand = fewer_images()
    sys.argv[:] = sys.argv[1:]
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main()
