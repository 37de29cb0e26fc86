"""Prints the numbers in ema_test.cpp, from the official class (Peterande/D-FINE 4a1f73a,
src/optim/ema.py).

  DFINE_OFFICIAL=CHECKOUT python make_ema_golden.py
"""
import importlib.util
import os
import sys
import types

import torch

# what ema.py imports
for name in ("official", "official.core", "official.misc", "official.misc.dist_utils",
             "official.optim"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["official.core"].register = lambda: lambda cls: cls
sys.modules["official.misc"].dist_utils = sys.modules["official.misc.dist_utils"]
sys.modules["official.misc.dist_utils"].de_parallel = lambda model: model
spec = importlib.util.spec_from_file_location(
    "official.optim.ema", os.path.join(os.environ["DFINE_OFFICIAL"], "src", "optim", "ema.py"))
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
    print(decay, warmups, state["updates"], state["module"]["w"].tolist(),
          state["module"]["bn.running_var"].item(),
          state["module"]["bn.num_batches_tracked"].item())

# A stage 2 from update 21 on. `published` sets the decay of a made EMA, as det_solver.py does.
# `intended` makes an EMA with that decay and the state so far. It does so again after each of the
# updates 30 and 35, 1e-4 lower.
for mode in ("published", "intended"):
    model = Model()
    average = ema.ModelEMA(model, 0.9, 10)
    decay = 0.9
    for step in range(1, 41):
        with torch.no_grad():
            model.w.copy_(torch.sin(torch.arange(4, dtype=torch.float64) + step))
        average.update(model)
        if step in (20, 30, 35):
            decay = 0.6 if step == 20 else decay - 0.0001
            if mode == "intended":
                state = average.state_dict()
                average = ema.ModelEMA(model, decay, 10)
                average.load_state_dict(state)
            average.decay = decay
    print(mode, average.decay, average.state_dict()["updates"],
          average.state_dict()["module"]["w"].tolist())
