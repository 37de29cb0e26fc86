"""The official D-FINE model and criterion with the parameter names of the published Hugging Face
files.

The official repository (Peterande/D-FINE) is imported from $DFINE_OFFICIAL, never copied.
"""
import contextlib
import importlib
import os
import re
import sys
from unittest import mock

import torch

sys.dont_write_bytecode = True
ROOT = os.environ["DFINE_OFFICIAL"]
sys.path.insert(0, ROOT)
for unused in ("torch.utils.tensorboard", "calflops", "loguru", "matplotlib", "matplotlib.pyplot"):
    # the official code imports them for logs and pictures, never for a number that is compared here
    try:
        importlib.import_module(unused)
    except ImportError:
        sys.modules[unused] = mock.MagicMock()
from src.core import YAMLConfig, yaml_utils  # noqa: E402

RULES = [(re.compile(a), b) for a, b in [  # official pattern -> published name
    (r"^backbone\.stem\.", "model.backbone.model.embedder."),
    (r"^backbone\.stages\.", "model.backbone.model.encoder.stages."),
    (r"^(model\.backbone\..*)\.conv\.weight$", r"\1.convolution.weight"),
    (r"^(model\.backbone\..*)\.bn\.", r"\1.normalization."),
    (r"^(en|de)coder\.input_proj\.(\d+)\.conv\.", r"model.\1coder_input_proj.\2.0."),
    (r"^(en|de)coder\.input_proj\.(\d+)\.norm\.", r"model.\1coder_input_proj.\2.1."),
    (r"^encoder\.downsample_convs\.(\d+)\.0\.cv", r"model.encoder.downsample_convs.\1.conv"),
    (r"^encoder\.((?:fpn|pan)_blocks\.\d+)\.cv([14])\.", r"model.encoder.\1.conv\2."),
    (r"^encoder\.((?:fpn|pan)_blocks\.\d+)\.cv2\.0\.", r"model.encoder.\1.csp_rep1."),
    (r"^encoder\.((?:fpn|pan)_blocks\.\d+)\.cv2\.1\.", r"model.encoder.\1.conv2."),
    (r"^encoder\.((?:fpn|pan)_blocks\.\d+)\.cv3\.0\.", r"model.encoder.\1.csp_rep2."),
    (r"^encoder\.((?:fpn|pan)_blocks\.\d+)\.cv3\.1\.", r"model.encoder.\1.conv3."),
    (r"^encoder\.", "model.encoder."),
    (r"^decoder\.decoder\.", "model.decoder."),
    (r"^decoder\.dec_score_head\.", "model.decoder.class_embed."),
    (r"^decoder\.dec_bbox_head\.", "model.decoder.bbox_embed."),
    (r"^decoder\.(up|reg_scale|pre_bbox_head|query_pos_head)(?=$|\.)", r"model.decoder.\1"),
    (r"^decoder\.enc_output\.proj\.", "model.enc_output.0."),
    (r"^decoder\.enc_output\.norm\.", "model.enc_output.1."),
    (r"^decoder\.(enc_score_head|enc_bbox_head|denoising_class_embed)\.", r"model.\1."),
    (r"^(model\.decoder\.layers\.\d+)\.cross_attn\.", r"\1.encoder_attn."),
    (r"^(model\.(?:decoder|encoder\.encoder\.\d+)\.layers\.\d+)\.linear([12])\.", r"\1.fc\2."),
    (r"^(model\.(?:decoder|encoder\.encoder\.\d+)\.layers\.\d+)\.norm1\.",
     r"\1.self_attn_layer_norm."),
    (r"^(model\.encoder\.encoder\.\d+\.layers\.\d+)\.norm2\.", r"\1.final_layer_norm."),
    (r"^(model\.decoder\.layers\.\d+)\.norm3\.", r"\1.final_layer_norm."),
]]


def published_names(name):
    """Three for a joined query, key and value matrix, else one."""
    for pattern, replacement in RULES:
        name = pattern.sub(replacement, name)
    joined = re.match(r"^(.*\.self_attn\.)in_proj_(weight|bias)$", name)
    return [f"{joined[1]}{p}_proj.{joined[2]}" for p in "qkv"] if joined else [name]


LIVE_NORMS = {"freeze_norm": False, "freeze_at": -1, "freeze_stem_only": False}


def configuration(size, num_classes, num_queries, num_denoising, image_size,
                  norms_as_published=False, **changes):
    """The official COCO configuration of the size, with live norms everywhere unless they are to be
    as published.
    """
    # a mutable default keeps the previous size's settings
    yaml_utils.load_config.__defaults__[0].clear()
    return YAMLConfig(os.path.join(ROOT, "configs", "dfine", f"dfine_hgnetv2_{size}_coco.yml"),
                      num_classes=num_classes,
                      eval_spatial_size=[image_size, image_size],
                      HGNetv2={"pretrained": False, **({} if norms_as_published else LIVE_NORMS)},
                      DFINETransformer={"num_queries": num_queries, "num_denoising": num_denoising},
                      **changes)


def with_contiguous_gradient(module, args, out):
    if out.requires_grad:
        out.register_hook(torch.Tensor.contiguous)


def build(*args, **kwargs):
    """(model, criterion) in training mode, of configuration().

    Gradients reach the batch norms in the layout of their inputs. The transformer layer's
    permutation leaves them in another one for a single image. PyTorch 2.15 then makes wrong sums on
    CPUs (weight and bias gradients, and all below).
    """
    config = configuration(*args, **kwargs)
    for module in config.model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.register_forward_hook(with_contiguous_gradient)
    return config.model.train(), config.criterion.train()


def parameters(model):
    """Trained parameters by published name, as views (joined matrices in three parts)."""
    out = {}
    for name, p in model.named_parameters():
        names = published_names(name)
        if p.requires_grad:
            out.update(zip(names, p.detach().chunk(3) if len(names) == 3 else [p.detach()]))
    return out


def tensors(module):
    """Floating tensors by published name, running statistics included, as views, without the
    constants.
    """
    out = {}
    for name, t in module.state_dict().items():
        if t.is_floating_point() and not name.endswith((".up", "anchors", "reg_scale")):
            names = published_names(name)
            out.update(zip(names, t.chunk(3) if len(names) == 3 else [t]))
    return out


def gradients(model):
    out = {}
    for name, p in model.named_parameters():
        if p.grad is not None:
            names = published_names(name)
            out.update(zip(names, p.grad.chunk(3) if len(names) == 3 else [p.grad]))
    return out


@contextlib.contextmanager
def exact_order_and_precision(dtype):
    """Stable order of equal votes in the union, which the official argsort leaves open. In double
    precision, everything that the official code makes in float32 on its own (position embedding,
    anchors, denoising boxes, counts) is made in double too.
    """
    argsort = torch.argsort
    with contextlib.ExitStack() as stack:
        stack.callback(torch.set_default_dtype, torch.get_default_dtype())
        stack.enter_context(mock.patch.object(torch, "argsort", lambda x,
                                              **kw: argsort(x, stable=True, **kw)))
        if dtype == torch.float64:
            stack.enter_context(mock.patch.object(torch.Tensor, "float", torch.Tensor.double))
            stack.enter_context(mock.patch.object(torch, "float32", torch.float64))
            stack.enter_context(mock.patch.object(torch, "float", torch.float64))
            torch.set_default_dtype(torch.float64)
        yield
