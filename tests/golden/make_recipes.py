"""Writes recipes.json: the official recipes of all sizes, under the names of the configuration keys
that hold the same value here.

  DFINE_OFFICIAL=path/to/D-FINE python make_recipes.py

Read through the official configuration loader with all includes, transforms and optimizers built by
the official code. A batch is stated per rank, for four ranks. `groups` are the learning rates and
decays of the optimizer's groups, whose members are those of parameter_groups.json. `fixed` are the
numbers that all recipes share and that are no configuration keys here.
"""
import contextlib
import json
import os
import re

from make_parameter_groups import groups
from official import ROOT, YAMLConfig, yaml_utils

HERE = os.path.dirname(os.path.abspath(__file__))
RANKS = 4
FILES = {"coco": "dfine_hgnetv2_{}_coco.yml",
         "objects365_to_coco": "objects365/dfine_hgnetv2_{}_obj2coco.yml",
         "custom": "custom/dfine_hgnetv2_{}_custom.yml"}
# official pattern of the group without decay -> the same parameters by role, as
# parameter_groups.json proves
NO_DECAY = {
    "^(?=.*(?:encoder|decoder))(?=.*(?:norm|bn|bias)).*$": r"^(en|de)coder\.(norm|bias)",
    "^(?=.*(?:encoder|decoder))(?=.*(?:norm|bn)).*$": r"^(en|de)coder\.norm",
}


def load(path):
    # a mutable default keeps the previous file's settings
    yaml_utils.load_config.__defaults__[0].clear()
    data = os.path.join(HERE, "..", "data", "bccd")
    loader = {"dataset": {"img_folder": os.path.join(data, "images"),
                          "ann_file": os.path.join(data, "train.json")}}
    return YAMLConfig(os.path.join(ROOT, "configs", "dfine", path), num_classes=80,
                      HGNetv2={"pretrained": False},
                      train_dataloader=loader)


def augmentation(config):
    transforms = config.train_dataloader.dataset._transforms
    by_name = {}
    for t in transforms.transforms:
        by_name.setdefault(type(t).__name__, []).append(t)
    colour, zoom, crop, flip = (by_name[f"Random{n}"][0] for n in ("PhotometricDistort", "ZoomOut",
                                                                   "IoUCrop", "HorizontalFlip"))
    # The list stops in the same epoch as multi-scale, and of it just these three.
    assert transforms.policy["epoch"] == config.train_dataloader.collate_fn.stop_epoch
    assert transforms.policy["ops"] == ["RandomPhotometricDistort", "RandomZoomOut",
                                        "RandomIoUCrop"]
    return {
        "augment.photometric": colour.p,
        **{f"augment.{k}": list(getattr(colour, k))
           for k in ("brightness", "contrast", "saturation", "hue")},
        "augment.zoom_out": zoom.p, "augment.zoom_out_side": list(zoom.side_range),
        "augment.fill": zoom.fill,
        "augment.iou_crop": crop.p, "augment.iou_crop_scale": [crop.min_scale, crop.max_scale],
        "augment.iou_crop_aspect": [crop.min_aspect_ratio, crop.max_aspect_ratio],
        "augment.iou_crop_overlaps": list(crop.options),
        "augment.iou_crop_trials": crop.trials, "augment.flip": flip.p,
        "augment.min_box_size": by_name["SanitizeBoundingBoxes"][0].min_size,
        "augment.mosaic": 0, "augment.mixup": 0, "augment.rotate": 0,
    }


def backbone_weights(path):
    """Where the configurations here keep the file that the official code downloads."""
    yaml_utils.load_config.__defaults__[0].clear()
    backbone = yaml_utils.load_config(os.path.join(ROOT, "configs", "dfine", path))["HGNetv2"]
    assert backbone["pretrained"] and backbone["local_model_dir"].endswith("/hgnetv2/")
    return f"weights/PPHGNetV2_{backbone['name']}_stage1.pth"


def recipe(path, size):
    config = load(path)
    y, optimizer, collate = config.yaml_cfg, config.optimizer, config.train_dataloader.collate_fn
    backbone, decoder = y["HGNetv2"], y["DFINETransformer"]
    assert (y["use_ema"] and y["use_amp"] and y["sync_bn"] and y["ema"]["start"] == 0
            and backbone["freeze_at"] == (0 if backbone.get("freeze_stem_only") else -1))
    own = groups(config)
    stored = json.load(open(os.path.join(HERE, "parameter_groups.json")))["sizes"][size]
    assert [[g[k] for k in ("tensors", "parameters", "names")]
            for g in own] == [[g[k] for k in ("tensors", "parameters", "names")] for g in stored]
    keys = {
        "model.size": size, "model.num_queries": decoder["num_queries"],
        "model.num_denoising": decoder["num_denoising"],
        "model.freeze_norm": backbone["freeze_norm"],
        "model.backbone_weights": backbone_weights(path),
        "model.freeze_stem": backbone["freeze_at"] == 0, "model.freeze_backbone": False,
        "data.image_size": y["eval_spatial_size"][0],
        "data.batch_size": y["train_dataloader"]["total_batch_size"] / RANKS, "data.shuffle": True,
        "data.augment": "dfine", "train.stage2_epoch": collate.stop_epoch,
        "data.multiscale": collate.scales is not None, **augmentation(config),
        "optim.lr": own[-1]["lr"], "optim.backbone_lr": own[0]["lr"],
        "optim.base_batch": y["train_dataloader"]["total_batch_size"],
        "optim.scale_lr": "none", "optim.scale_schedule": False,
        "optim.schedule": {"MultiStepLR": "multistep"}[y["lr_scheduler"]["type"]],
        "optim.milestones": y["lr_scheduler"]["milestones"],
        "optim.gamma": y["lr_scheduler"]["gamma"],
        "optim.warmup_steps": y["lr_warmup_scheduler"]["warmup_duration"],
        "optim.warmup_epochs": "auto",
        "optim.weight_decay": optimizer.defaults["weight_decay"],
        "optim.no_decay": [NO_DECAY[y["optimizer"]["params"][-1]["params"]]],
        "optim.beta1": optimizer.defaults["betas"][0],
        "optim.beta2": optimizer.defaults["betas"][1], "optim.eps": optimizer.defaults["eps"],
        "optim.clip_norm": y["clip_max_norm"], "train.epochs": y["epochs"],
        "train.gradient_accumulation_steps": 1, "train.stage2_from_best": True,
        "ema.enabled": True, "ema.decay": y["ema"]["decay"],
        "ema.warmup_steps": y["ema"]["warmups"], "ema.restart": "published",
        "ema.restart_decay": collate.ema_restart_decay, "validate.every_epochs": 1,
        "validate.batch_size": y["val_dataloader"]["total_batch_size"] / RANKS,
        "validate.weights": "ema", "checkpoint.monitor": "ap",
    }
    if keys["data.multiscale"]:
        keys["data.multiscale_repeat"] = collate.scales.count(collate.base_size)
    return {"keys": keys, "groups": [[g["lr"], g["weight_decay"]] for g in own]}


def fixed(path):
    """Of the criterion and the denoising queries, as built."""
    config = load(path)
    c, m, decoder = config.criterion, config.criterion.matcher, config.model.decoder
    return {"weights": {k[len("loss_"):]: v for k, v in c.weight_dict.items()}, "alpha": c.alpha,
            "gamma": c.gamma, "reg_max": c.reg_max,
            "matcher": {"class": m.cost_class, "bbox": m.cost_bbox, "giou": m.cost_giou,
                        "alpha": m.alpha, "gamma": m.gamma},
            "label_noise_ratio": decoder.label_noise_ratio}


def main():
    recipes, shared = {}, []
    with open(os.devnull, "w") as quiet, contextlib.redirect_stdout(quiet):
        for name, pattern in FILES.items():
            recipes[name] = {size: recipe(pattern.format(size), size) for size in "nsmlx"}
            shared += [fixed(pattern.format(size)) for size in "nsmlx"]
    assert all(s == shared[0] for s in shared)
    text = json.dumps({"source": "Peterande/D-FINE, configs/dfine, through YAMLConfig",
                       "fixed": shared[0], "recipes": recipes}, indent=1)
    with open(os.path.join(HERE, "recipes.json"), "w") as f:
        f.write(re.sub(r"\n\s{5,}(?=[^\s\"])", " ", text) + "\n")


if __name__ == "__main__":
    main()
