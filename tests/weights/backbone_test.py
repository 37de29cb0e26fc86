"""model.backbone_weights: the features of all stages equal those of the network that wrote the
weights, within 1e-9 in double precision. The weights are random ones, with measured statistics in
the norms, as timm, transformers and (with $DFINE_OFFICIAL) the official code write them.
"""
import copy
import os
import subprocess
import sys
import tempfile

import timm
import torch
from hf_sizes import SIZES, reference_config
from safetensors.torch import load_file, save_file
from transformers import HGNetV2Backbone, HGNetV2ForImageClassification

TOOL = os.path.join(os.environ["DFINE_BINARY_DIR"], "backbone_tool")
OFFICIAL = os.environ.get("DFINE_OFFICIAL")
NETWORKS = {"n": "B0", "m": "B2", "l": "B4", "x": "B5"}
BOUND = 1e-9


def randomised(model, images):
    """Norms with random scales and the statistics of the images, learnable scales near 1."""
    generator = torch.Generator().manual_seed(1)

    def noise(t):
        return torch.randn(t.shape, generator=generator)

    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() == 1:
                start = 0.0 if name.endswith("bias") else 1.0
                p.copy_(start + 0.1 * noise(p))
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = None
        model.train()(images)
    return model.eval()


def features_of_timm(model, images):
    x, features = model.stem(images), []
    for stage in model.stages:
        x = stage(x)
        features.append(x)
    return features


def compare(what, size, weights, images, expected, folder):
    out = os.path.join(folder, "out.safetensors")
    save_file({"images": images}, os.path.join(folder, "in.safetensors"))
    subprocess.run([TOOL, size, weights, os.path.join(folder, "in.safetensors"), out], check=True)
    found = load_file(out)
    assert len(found) == len(expected) == 4
    worst = max(float((found[f"stage{i}"] - e).abs().max()) for i, e in enumerate(expected))
    spread = min(float(e.std()) for e in expected)
    print(f"{what} {size}: {worst:.1e}, standard deviation at least {spread:.2f}", flush=True)
    assert worst <= BOUND and spread > 0.05


def check(size, images, folder):
    network = NETWORKS[size]
    model = randomised(timm.create_model(f"hgnetv2_{network.lower()}", num_classes=7), images)
    wide = images.double()  # from here on in double: the weights are float
    with torch.no_grad():
        expected = features_of_timm(copy.deepcopy(model).double(), wide)
    path = os.path.join(folder, "timm.safetensors")
    save_file(model.state_dict(), path)
    compare("timm", size, path, images, expected, folder)
    path = os.path.join(folder, "timm.pth")
    torch.save(model.state_dict(), path)
    compare("timm, .pth", size, path, images, expected, folder)

    config = reference_config(size).backbone_config
    config.num_labels, config.out_features = 7, [f"stage{i}" for i in range(1, 5)]
    hf = randomised(HGNetV2ForImageClassification(config), images)
    backbone = HGNetV2Backbone(config).eval()
    own = {k.removeprefix("hgnet_v2."): v for k, v in hf.state_dict().items()}
    backbone.load_state_dict({k: v for k, v in own.items() if not k.startswith("fc.")})
    with torch.no_grad():
        expected = list(copy.deepcopy(backbone).double()(wide).feature_maps)
    for name, network in (("classifier", hf), ("backbone", backbone)):
        path = os.path.join(folder, name)
        network.save_pretrained(path)
        compare("transformers " + name, size, path, images, expected, folder)

    if OFFICIAL:
        sys.path.insert(0, OFFICIAL)
        from src.nn.backbone.hgnetv2 import HGNetv2
        official = HGNetv2(NETWORKS[size], use_lab=size in "nsm", return_idx=[0, 1, 2, 3],
                           freeze_at=-1, freeze_norm=False, pretrained=False)
        official = randomised(official, images)
        path = os.path.join(folder, f"PPHGNetV2_{NETWORKS[size]}_stage1.pth")
        torch.save(official.state_dict(), path)
        with torch.no_grad():
            expected = copy.deepcopy(official).double()(wide)
        compare("official", size, path, images, expected, folder)


def main():
    torch.manual_seed(0)
    torch.set_num_threads(2)
    assert set(NETWORKS) < set(SIZES)
    images = torch.rand(2, 3, 96, 96)
    for size in NETWORKS:
        with tempfile.TemporaryDirectory() as folder:
            check(size, images, folder)


if __name__ == "__main__":
    main()
