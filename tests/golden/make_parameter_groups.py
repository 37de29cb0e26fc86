"""Writes parameter_groups.json: how the official recipes of the five sizes group the parameters
(COCO, 80 classes).

  DFINE_OFFICIAL=path/to/D-FINE python make_parameter_groups.py

Joined query, key and value matrices count as three, as in the published files. A group has lr,
weight_decay, tensors, parameters and `names`. The latter is the sum over its published names of the
CRC-32 of each, so that no name can change its group unnoticed.
"""
import json
import os
import re
import zlib

from official import ROOT, YAMLConfig, published_names, yaml_utils


def groups(config):
    found = {}
    names = {id(p): name for name, p in config.model.named_parameters()}
    for group in config.optimizer.param_groups:
        for p in group["params"]:
            published = published_names(names[id(p)])
            entry = found.setdefault((group["lr"], group["weight_decay"]),
                                     {"tensors": 0, "parameters": 0, "names": 0})
            entry["tensors"] += len(published)
            entry["parameters"] += p.numel()
            entry["names"] += sum(zlib.crc32(n.encode()) for n in published)
    return [{"lr": lr, "weight_decay": wd, **entry} for (lr, wd), entry in found.items()]


def coco(size):
    # a mutable default keeps the previous size's settings
    yaml_utils.load_config.__defaults__[0].clear()
    return YAMLConfig(os.path.join(ROOT, "configs", "dfine", f"dfine_hgnetv2_{size}_coco.yml"),
                      HGNetv2={"pretrained": False})


def main():
    out = {"source": "Peterande/D-FINE, configs/dfine/dfine_hgnetv2_*_coco.yml through "
                     "YAMLConfig.optimizer", "sizes": {s: groups(coco(s)) for s in "nsmlx"}}
    text = json.dumps(out, indent=1)
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "parameter_groups.json"),
              "w") as f:
        f.write(re.sub(r"\n\s{4,}", " ", text) + "\n")


if __name__ == "__main__":
    main()
