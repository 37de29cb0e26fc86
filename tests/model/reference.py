"""transformers' D-FINE with weights on which a comparison means something, and images to go with
them.
"""
import os
import sys

import torch
import transformers
from scipy.optimize import linear_sum_assignment
from transformers import DFineForObjectDetection

sys.path.insert(0, os.path.join(os.environ["DFINE_SOURCE_DIR"], "tests", "weights"))
from hf_sizes import reference_config

torch.set_num_threads(1)
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
TOOL = os.path.join(os.environ["DFINE_BINARY_DIR"], "model_tool")


def images(height, width, batch, seed):
    """Smooth blobs with some noise."""
    g = torch.Generator().manual_seed(seed)
    blobs = torch.nn.functional.interpolate(torch.rand(batch, 3, height // 32, width // 32,
                                                       generator=g), size=(height, width),
                                            mode="bilinear")
    return (0.7 * blobs + 0.3 * torch.rand(batch, 3, height, width, generator=g)).clamp(0, 1)


@torch.no_grad()
def enrich(model):
    """Random values for constant layers, measured statistics for batch norms.

    Freshly initialised weights would prove little: their features hardly vary over the image, and
    many layers are constant.
    """
    g = torch.Generator().manual_seed(1)
    for name, p in model.named_parameters():
        if (name.endswith((".up", ".reg_scale"))
            or ("class_embed" in name and name.endswith("bias")) or "score_head.bias" in name):
            continue
        if "bbox_embed" in name and name.endswith("layers.2.weight"):
            p.copy_(torch.randn(p.shape, generator=g) * 4 / p.shape[1] ** 0.5)
        elif p.numel() > 1 and float(p.max() - p.min()) == 0:
            p.add_(torch.randn(p.shape,
                               generator=g) * (0.1 if p.dim() == 1 else 0.5 / p.shape[1] ** 0.5))
    # else masked border tokens, all alike, may fill the selection with ties
    model.model.enc_output[0].bias.zero_()

    hooks = []
    for m in model.modules():
        if not hasattr(m, "running_mean"):
            continue
        # keeps activations open: deep random ReLU nets multiply rounding errors
        m.bias.copy_(1 + 0.3 * torch.randn(m.bias.shape, generator=g))

        def measure(module, inputs):
            x = inputs[0]
            module.running_mean.copy_(x.mean((0, 2, 3)))
            module.running_var.copy_(x.var((0, 2, 3)))
        hooks.append(m.register_forward_pre_hook(measure))
    model(images(320, 320, 2, 100))
    for hook in hooks:
        hook.remove()


def make_model(size, **settings):
    """In evaluation mode; 80 classes."""
    torch.manual_seed(0)
    model = DFineForObjectDetection(reference_config(size, num_labels=80, **settings)).eval()
    enrich(model)
    return model


def align(ours, theirs):
    """Rows of `ours` beside their counterparts, and how many stood elsewhere."""
    if float((ours - theirs).abs().max()) < 1e-2:
        return ours, theirs, 0
    d = (ours[:, None] - theirs[None]).abs().amax(-1)
    i, j = map(torch.as_tensor, linear_sum_assignment((d > 1e-3).float() + d.clamp(max=1) * 1e-3))
    return ours[i], theirs[j], int((i != j).sum())
