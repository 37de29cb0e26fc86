"""Configurations of the five sizes for transformers, from the official yml files (Peterande/D-FINE
4a1f73a, configs/dfine/dfine_hgnetv2_*_coco.yml and arch_configs of src/nn/backbone/hgnetv2.py)."""
from transformers import DFineConfig, HGNetV2Config

BACKBONES = {  # stem, in, mid, out, blocks, layers, learnable affine blocks
    "B0": ([3, 16, 16], [16, 64, 256, 512], [16, 32, 64, 128],
           [64, 256, 512, 1024], [1, 1, 2, 1], 3, True),
    "B2": ([3, 24, 32], [32, 96, 384, 768], [32, 64, 128, 256],
           [96, 384, 768, 1536], [1, 1, 3, 1], 4, True),
    "B4": ([3, 32, 48], [48, 128, 512, 1024], [48, 96, 192, 384],
           [128, 512, 1024, 2048], [1, 1, 3, 1], 6, False),
    "B5": ([3, 32, 64], [64, 128, 512, 1024], [64, 128, 256, 512],
           [128, 512, 1024, 2048], [1, 2, 5, 2], 6, False),
}
THREE_LEVELS = dict(decoder_n_points=[3, 6, 3])
SIZES = {
    "n": ("B0", 2, dict(feat_strides=[16, 32], encode_proj_layers=[1], encoder_hidden_dim=128,
                        encoder_ffn_dim=512, hidden_expansion=0.34,
                        depth_mult=0.5, d_model=128, decoder_in_channels=[128, 128],
                        decoder_ffn_dim=512, num_feature_levels=2,
                        decoder_layers=3, decoder_n_points=[6, 6])),
    "s": ("B0", 3, dict(THREE_LEVELS, hidden_expansion=0.5, depth_mult=0.34, decoder_layers=3)),
    "m": ("B2", 3, dict(THREE_LEVELS, depth_mult=0.67, decoder_layers=4)),
    "l": ("B4", 3, THREE_LEVELS),
    "x": ("B5", 3, dict(THREE_LEVELS, encoder_hidden_dim=384, encoder_ffn_dim=2048,
                        decoder_in_channels=[384] * 3, reg_scale=8.0)),
}


def reference_config(size, **more):
    name, levels, settings = SIZES[size]
    stem, channels_in, mid, out, blocks, layers, affine = BACKBONES[name]
    backbone = HGNetV2Config(stem_channels=stem, stage_in_channels=channels_in,
                             stage_mid_channels=mid, stage_out_channels=out,
                             stage_num_blocks=blocks, stage_numb_of_layers=[layers] * 4,
                             use_learnable_affine_block=affine,
                             hidden_sizes=out,
                             out_features=[f"stage{i}" for i in range(5 - levels, 5)])
    return DFineConfig(backbone_config=backbone, encoder_in_channels=out[4 - levels:],
                       **settings, **more)
