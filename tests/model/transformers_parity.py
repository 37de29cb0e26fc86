"""Logits and boxes in evaluation equal transformers' on the same weights: five sizes, 640x640, 320x320 and a non-square size, batch 2,
fp32 on the CPU. Bounds: logits 2e-4, boxes 1e-5.

Freshly initialised weights would prove little: their features hardly vary over the image, and many layers are constant. So constant
layers are randomised and every batch norm gets the statistics of its input on random images. Where rounding alone swaps two queries of
nearly equal score in the selection, queries are compared after sorting them out by their nearest counterpart.
"""
import os
import subprocess
import sys
import tempfile

import torch
import transformers
from safetensors.torch import load_file, save_file
from scipy.optimize import linear_sum_assignment
from transformers import DFineConfig, DFineForObjectDetection, HGNetV2Config

torch.set_num_threads(1)
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
TOOL = os.path.join(os.environ["DFINE_BINARY_DIR"], "model_tool")
LOGITS, BOXES = 2e-4, 1e-5

# Official figures: configs/dfine/dfine_hgnetv2_{n,s,m,l,x}_coco.yml and nn/backbone/hgnetv2.py of Peterande/D-FINE.
BACKBONES = {  # stem, in, mid, out, blocks, layers a block, affine blocks
    "B0": ([3, 16, 16], [16, 64, 256, 512], [16, 32, 64, 128], [64, 256, 512, 1024], [1, 1, 2, 1], 3, True),
    "B2": ([3, 24, 32], [32, 96, 384, 768], [32, 64, 128, 256], [96, 384, 768, 1536], [1, 1, 3, 1], 4, True),
    "B4": ([3, 32, 48], [48, 128, 512, 1024], [48, 96, 192, 384], [128, 512, 1024, 2048], [1, 1, 3, 1], 6, False),
    "B5": ([3, 32, 64], [64, 128, 512, 1024], [64, 128, 256, 512], [128, 512, 1024, 2048], [1, 2, 5, 2], 6, False),
}
SIZES = {
    "n": ("B0", 2, dict(feat_strides=[16, 32], encode_proj_layers=[1], encoder_hidden_dim=128, encoder_ffn_dim=512, hidden_expansion=0.34, depth_mult=0.5,
                        d_model=128, decoder_in_channels=[128, 128], decoder_ffn_dim=512, num_feature_levels=2, decoder_layers=3, decoder_n_points=[6, 6])),
    "s": ("B0", 3, dict(hidden_expansion=0.5, depth_mult=0.34, decoder_layers=3, decoder_n_points=[3, 6, 3])),
    "m": ("B2", 3, dict(depth_mult=0.67, decoder_layers=4, decoder_n_points=[3, 6, 3])),
    "l": ("B4", 3, dict(decoder_n_points=[3, 6, 3])),
    "x": ("B5", 3, dict(encoder_hidden_dim=384, encoder_ffn_dim=2048, decoder_in_channels=[384] * 3, reg_scale=8.0, decoder_n_points=[3, 6, 3])),
}


def make_model(size):
    name, levels, more = SIZES[size]
    stem, cin, mid, cout, blocks, layers, affine = BACKBONES[name]
    backbone = HGNetV2Config(stem_channels=stem, stage_in_channels=cin, stage_mid_channels=mid, stage_out_channels=cout, stage_num_blocks=blocks,
                             stage_numb_of_layers=[layers] * 4, use_learnable_affine_block=affine, hidden_sizes=cout,
                             out_features=["stage1", "stage2", "stage3", "stage4"][-levels:])
    return DFineForObjectDetection(DFineConfig(backbone_config=backbone, num_labels=80, encoder_in_channels=cout[-levels:], **more)).eval()


def images(height, width, batch, seed):
    """Smooth blobs with some noise."""
    g = torch.Generator().manual_seed(seed)
    blobs = torch.nn.functional.interpolate(torch.rand(batch, 3, height // 32, width // 32, generator=g), size=(height, width), mode="bilinear")
    return (0.7 * blobs + 0.3 * torch.rand(batch, 3, height, width, generator=g)).clamp(0, 1)


@torch.no_grad()
def enrich(model):
    """Random values for constant layers, measured statistics for batch norms."""
    g = torch.Generator().manual_seed(1)
    for name, p in model.named_parameters():
        if name.endswith((".up", ".reg_scale")) or "class_embed" in name and name.endswith("bias") or "score_head.bias" in name:
            continue
        if "bbox_embed" in name and name.endswith("layers.2.weight"):
            p.copy_(torch.randn(p.shape, generator=g) * 4 / p.shape[1] ** 0.5)
        elif p.numel() > 1 and float(p.max() - p.min()) == 0:
            p.add_(torch.randn(p.shape, generator=g) * (0.1 if p.dim() == 1 else 0.5 / p.shape[1] ** 0.5))
    model.model.enc_output[0].bias.zero_()  # else masked border tokens, all alike, may fill the selection with ties

    hooks = []
    for name, m in model.named_modules():
        if not hasattr(m, "running_mean"):
            continue
        m.bias.copy_(1 + 0.3 * torch.randn(m.bias.shape, generator=g))  # keeps activations open: deep random ReLU nets multiply rounding errors
        def measure(module, inputs):
            x = inputs[0]
            module.running_mean.copy_(x.mean((0, 2, 3)))
            module.running_var.copy_(x.var((0, 2, 3)))
        hooks.append(m.register_forward_pre_hook(measure))
    model(images(320, 320, 2, 100))
    for hook in hooks:
        hook.remove()


def align(ours, theirs):
    """Rows of `ours` beside their counterparts, and how many stood elsewhere."""
    if float((ours - theirs).abs().max()) < 1e-2:
        return ours, theirs, 0
    d = (ours[:, None] - theirs[None]).abs().amax(-1)
    i, j = map(torch.as_tensor, linear_sum_assignment((d > 1e-3).float() + d.clamp(max=1) * 1e-3))
    return ours[i], theirs[j], int((i != j).sum())


def selection_gap(model, out):
    """Least difference of the scores of the last selected and the first rejected token."""
    scores = out.enc_outputs_class.max(-1).values.sort(-1, descending=True).values
    k = model.config.num_queries
    return float((scores[:, k - 1] - scores[:, k]).min())


def check(size, folder):
    model = make_model(size)
    enrich(model)
    model.save_pretrained(folder)
    weights = os.path.join(folder, "model.safetensors")
    failed = False
    for height, width in ((640, 640), (320, 320), (352, 480)):
        for seed in range(7, 40):
            x = images(height, width, 2, seed)
            with torch.no_grad():
                out = model(x)
            if selection_gap(model, out) > 2e-4:  # as the bound on logits
                break
        save_file({"images": x}, os.path.join(folder, "in.safetensors"))
        subprocess.run([TOOL, "forward", "--size", size, "--weights", weights, "--batch", os.path.join(folder, "in.safetensors"),
                        "--out", os.path.join(folder, "out.safetensors")], check=True)
        got = load_file(os.path.join(folder, "out.safetensors"))
        logits = boxes = moved = 0
        for b in range(2):
            ours, theirs, n = align(torch.cat([got["last.logits"][b], got["last.boxes"][b]], 1), torch.cat([out.logits[b], out.pred_boxes[b]], 1))
            logits, boxes, moved = (max(logits, float((ours - theirs)[:, :-4].abs().max())), max(boxes, float((ours - theirs)[:, -4:].abs().max())), moved + n)
        ok = logits <= LOGITS and boxes <= BOXES and moved <= 10
        failed |= not ok
        print(f"{'ok  ' if ok else 'FAIL'} {size} {height}x{width}: logits {logits:.1e} (within +-{float(out.logits.abs().max()):.0f}), boxes {boxes:.1e}, "
              f"{moved} queries at another place", flush=True)
    return not failed


def main():
    good = []
    for size in sys.argv[1] if len(sys.argv) > 1 else "nsmlx":
        with tempfile.TemporaryDirectory() as folder:
            good.append(check(size, folder))
    if not all(good):
        sys.exit("some differences are above their bounds")


if __name__ == "__main__":
    main()
