"""Prints the figures in ema_test.cpp, from the official class (Peterande/D-FINE 4a1f73a, src/optim/ema.py).

  DFINE_OFFICIAL=CHECKOUT python make_ema_golden.py
"""
import importlib.util
import os
import sys
import types

import torch

for name in ("official", "official.core", "official.misc", "official.misc.dist_utils", "official.optim"):  # what ema.py imports
    sys.modules[name] = types.ModuleType(name)
sys.modules["official.core"].register = lambda: lambda cls: cls
sys.modules["official.misc"].dist_utils = sys.modules["official.misc.dist_utils"]
sys.modules["official.misc.dist_utils"].de_parallel = lambda model: model
spec = importlib.util.spec_from_file_location("official.optim.ema", os.path.join(os.environ["DFINE_OFFICIAL"], "src", "optim", "ema.py"))
ema = importlib.util.module_from_spec(spec)
spec.loader.exec_module(ema)


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.sin(torch.arange(4, dtype=torch.float64)))
        self.bn = torch.nn.BatchNorm1d(1).double()


for decay, warmups in ((0.9999, 1000), (0.9, 0), (0.9, 10)):
    model = Model()
    average = ema.ModelEMA(model, decay, warmups)
    for step in range(1, 41):
        with torch.no_grad():
            model.w.copy_(torch.sin(torch.arange(4, dtype=torch.float64) + step))
            model.bn.running_var.fill_(1 + 0.5 * step)
            model.bn.num_batches_tracked.add_(1)
        average.update(model)
    state = average.state_dict()
    print(decay, warmups, state["updates"], state["module"]["w"].tolist(), state["module"]["bn.running_var"].item(),
          state["module"]["bn.num_batches_tracked"].item())
