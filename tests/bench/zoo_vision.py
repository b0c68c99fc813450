"""Vision models of ``transformers``, and those of images and text."""

from __future__ import annotations

from architectures import ARCHITECTURES, SIZES, STAGES
from architectures import VISION as _VIT
from zoo import Input
from zoo_text import IDS, architecture

SQUARE = {"pixel_values": Input(("b", 3, 32, 32))}
ANY = {"pixel_values": Input(("b", 3, "h", "w"))}
_WINDOWS = {
    "image_size": 32,
    "patch_size": 4,
    "embed_dim": 16,
    "depths": [2, 2],
    "num_heads": [2, 4],
    "window_size": 4,
}

VISION = (
    architecture("ViT", "ViTModel", _VIT, SQUARE, trains=True),
    architecture("ViT eager", "ViTModel", _VIT | {"attn_implementation": "eager"}, SQUARE),
    architecture("CLIP", "CLIPModel", ARCHITECTURES["CLIP"][1], IDS | SQUARE),
    architecture(
        "SigLIP",
        "SiglipModel",
        {
            "text_config": SIZES | {"projection_size": 32, "max_position_embeddings": 64},
            "vision_config": _VIT,
        },
        IDS | SQUARE,
    ),
    architecture("DINOv2", "Dinov2Model", _VIT | {"mlp_ratio": 2}, SQUARE),
    architecture("BEiT", "BeitModel", _VIT | {"use_relative_position_bias": True}, SQUARE),
    architecture("DeiT", "DeiTModel", _VIT, SQUARE),
    architecture(
        "YOLOS", "YolosForObjectDetection", _VIT | {"image_size": [32, 32], "num_detection_tokens": 5}, SQUARE
    ),
    architecture("Swin", "SwinModel", _WINDOWS, SQUARE, trains=True),
    architecture("Swinv2", "Swinv2Model", _WINDOWS, SQUARE),
    architecture(
        "Hiera",
        "HieraModel",
        {
            "image_size": [32, 32],
            "embed_dim": 16,
            "depths": [1, 1],
            "num_heads": [1, 2],
            "query_stride": [2, 2],
            "num_query_pool": 1,
            "masked_unit_size": [4, 4],
            "patch_stride": [2, 2],
            "patch_size": [3, 3],
            "patch_padding": [1, 1],
        },
        SQUARE,
    ),
    architecture("ResNet", "ResNetModel", ARCHITECTURES["ResNet"][1], ANY, trains=True),
    architecture("ConvNext", "ConvNextModel", ARCHITECTURES["ConvNext"][1], ANY),
    architecture("ConvNextV2", "ConvNextV2Model", STAGES | {"num_stages": 2}, ANY),
    architecture("Segformer", "SegformerModel", ARCHITECTURES["Segformer"][1], ANY),
    architecture(
        "PVT",
        "PvtModel",
        {
            "image_size": 32,
            "hidden_sizes": [8, 16],
            "depths": [1, 1],
            "num_encoder_blocks": 2,
            "sequence_reduction_ratios": [2, 1],
            "patch_sizes": [4, 2],
            "strides": [4, 2],
            "num_attention_heads": [1, 2],
            "mlp_ratios": [2, 2],
        },
        SQUARE,
    ),
    architecture(
        "MobileViT",
        "MobileViTModel",
        {
            "image_size": 32,
            "hidden_sizes": [16, 24, 32],
            "neck_hidden_sizes": [8, 8, 16, 16, 24, 24, 32],
            "num_attention_heads": 2,
        },
        SQUARE,
    ),
    architecture(
        "EfficientNet",
        "EfficientNetModel",
        {"image_size": 32, "width_coefficient": 0.25, "depth_coefficient": 0.25, "hidden_dim": 320},
        {"pixel_values": Input(("b", 3, 32, 32))},
    ),
    architecture(
        "FocalNet",
        "FocalNetModel",
        {
            "image_size": 32,
            "embed_dim": 16,
            "depths": [1, 1],
            "hidden_sizes": [16, 32],
            "focal_levels": [2, 2],
            "focal_windows": [3, 3],
        },
        SQUARE,
    ),
    architecture(
        "VideoMAE", "VideoMAEModel", _VIT | {"num_frames": 4}, {"pixel_values": Input(("b", 4, 3, 32, 32))}
    ),
    architecture(
        "TimeSformer",
        "TimesformerModel",
        _VIT | {"num_frames": 4},
        {"pixel_values": Input(("b", 4, 3, 32, 32))},
    ),
    architecture(
        "DPT",
        "DPTForDepthEstimation",
        _VIT
        | {
            "num_hidden_layers": 4,
            "backbone_out_indices": [0, 1, 2, 3],
            "neck_hidden_sizes": [8, 8, 16, 16],
            "fusion_hidden_size": 16,
            "is_hybrid": False,
        },
        SQUARE,
    ),
    architecture(
        "Perceiver",
        "PerceiverModel",
        {
            "d_model": 16,
            "d_latents": 16,
            "num_latents": 8,
            "num_blocks": 1,
            "num_self_attends_per_block": 2,
            "num_self_attention_heads": 2,
            "num_cross_attention_heads": 2,
        },
        {"inputs": Input(("b", "s", 16))},
    ),
    architecture(
        "SAM vision",
        "SamVisionModel",
        _VIT | {"window_size": 2, "global_attn_indexes": [1], "output_channels": 16, "mlp_dim": 64},
        SQUARE,
    ),
)
