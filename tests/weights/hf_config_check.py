"""hf_config_check.py FOLDER: transformers reads the settings of the official sizes.

FOLDER/{n,s,m,l,x}/ hold config.json and preprocessor_config.json as dfine writes them for three
classes. Leaves what transformers itself writes in FOLDER/theirs-{n,s,m,l,x}/.
"""
import os
import sys

from hf_sizes import SIZES, reference_config
from transformers import AutoConfig, AutoImageProcessor

folder = sys.argv[1]
names = {0: "red cell", 1: "white cell", 2: "platelet"}
for size in SIZES:
    ours = os.path.join(folder, size)
    reference = reference_config(size, id2label=names, label2id={v: k for k, v in names.items()})
    have, want = AutoConfig.from_pretrained(ours).to_dict(), reference.to_dict()
    assert have.pop("dfine_category_ids") == [7, 1, 90]
    for settings in (have, want):
        for key in ("architectures", "dtype", "_name_or_path", "transformers_version"):
            settings.pop(key, None)
            settings["backbone_config"].pop(key, None)
    assert have == want, {k: (have.get(k), want.get(k)) for k in set(have) | set(want)
                          if have.get(k) != want.get(k)}
    processor = AutoImageProcessor.from_pretrained(ours)
    assert (processor.size["height"], processor.size["width"]) == (320, 480), processor.size
    assert (processor.do_resize and processor.do_rescale and not processor.do_normalize
            and not processor.do_pad), processor
    assert int(processor.resample) == 2, processor.resample
    reference.save_pretrained(os.path.join(folder, "theirs-" + size))
