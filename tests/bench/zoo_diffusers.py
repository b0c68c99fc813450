"""Denoisers of images and autoencoders of ``diffusers``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import diffusers
import torch
from zoo import Architecture, Input

LATENT = Input(("b", 4, 8, 8))
STEP = Input(("b",), below=1000)
PROMPT = Input(("b", "s", 32))
DOWN_UP = {
    "sample_size": 8,
    "block_out_channels": (16, 32),
    "layers_per_block": 1,
    "norm_num_groups": 4,
}


def architecture(
    name: str, kind: str, settings: Mapping[str, Any], inputs: Mapping[str, Input], **rest: Any
) -> Architecture:
    """A class of ``diffusers`` and the settings of its configuration."""

    def build() -> torch.nn.Module:
        model: torch.nn.Module = getattr(diffusers, kind)(**settings)
        return model

    return Architecture(name, build, inputs, **rest)


_JOINT = {"num_attention_heads": 2, "attention_head_dim": 16, "num_layers": 1}

DIFFUSERS = (
    architecture(
        "UNet2D",
        "UNet2DModel",
        DOWN_UP
        | {
            "in_channels": 4,
            "out_channels": 4,
            "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
            "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
        },
        {"sample": LATENT, "timestep": STEP},
        trains=True,
    ),
    architecture(
        "UNet2D condition",
        "UNet2DConditionModel",
        DOWN_UP
        | {
            "cross_attention_dim": 32,
            "attention_head_dim": 4,
            "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
            "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        },
        {"sample": LATENT, "timestep": STEP, "encoder_hidden_states": PROMPT},
    ),
    architecture(
        "ControlNet",
        "ControlNetModel",
        {
            "block_out_channels": (16, 32),
            "layers_per_block": 1,
            "norm_num_groups": 4,
            "cross_attention_dim": 32,
            "attention_head_dim": 4,
            "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
            "conditioning_embedding_out_channels": (8, 16),
        },
        {
            "sample": LATENT,
            "timestep": STEP,
            "encoder_hidden_states": PROMPT,
            "controlnet_cond": Input(("b", 3, 16, 16)),
        },
    ),
    architecture(
        "AutoencoderKL",
        "AutoencoderKL",
        {
            "block_out_channels": (16, 32),
            "down_block_types": ("DownEncoderBlock2D", "DownEncoderBlock2D"),
            "up_block_types": ("UpDecoderBlock2D", "UpDecoderBlock2D"),
            "norm_num_groups": 4,
            "layers_per_block": 1,
        },
        {"sample": Input(("b", 3, 32, 32))},
    ),
    architecture(
        "VQ autoencoder",
        "VQModel",
        {
            "block_out_channels": (16, 32),
            "down_block_types": ("DownEncoderBlock2D", "DownEncoderBlock2D"),
            "up_block_types": ("UpDecoderBlock2D", "UpDecoderBlock2D"),
            "norm_num_groups": 4,
            "num_vq_embeddings": 16,
            "latent_channels": 4,
        },
        {"sample": Input(("b", 3, 32, 32))},
    ),
    architecture(
        "DiT",
        "DiTTransformer2DModel",
        {
            "num_attention_heads": 2,
            "attention_head_dim": 16,
            "num_layers": 2,
            "sample_size": 8,
            "in_channels": 4,
            "norm_num_groups": 4,
            "num_embeds_ada_norm": 100,
        },
        {"hidden_states": LATENT, "timestep": STEP, "class_labels": Input(("b",), below=100)},
    ),
    architecture(
        "PixArt",
        "PixArtTransformer2DModel",
        {
            "num_attention_heads": 2,
            "attention_head_dim": 16,
            "num_layers": 2,
            "sample_size": 8,
            "cross_attention_dim": 32,
            "caption_channels": 32,
            "norm_num_groups": 4,
        },
        {"hidden_states": LATENT, "timestep": STEP, "encoder_hidden_states": PROMPT},
        constants={"added_cond_kwargs": {"resolution": None, "aspect_ratio": None}},
    ),
    architecture(
        "SD3",
        "SD3Transformer2DModel",
        {
            "sample_size": 8,
            "in_channels": 4,
            "out_channels": 4,
            "num_layers": 2,
            "num_attention_heads": 2,
            "attention_head_dim": 16,
            "joint_attention_dim": 32,
            "caption_projection_dim": 32,
            "pooled_projection_dim": 32,
            "pos_embed_max_size": 16,
        },
        {
            "hidden_states": LATENT,
            "timestep": STEP,
            "encoder_hidden_states": PROMPT,
            "pooled_projections": Input(("b", 32)),
        },
        trains=True,
    ),
    architecture(
        "Flux",
        "FluxTransformer2DModel",
        _JOINT
        | {
            "guidance_embeds": True,
            "in_channels": 4,
            "num_single_layers": 1,
            "joint_attention_dim": 32,
            "pooled_projection_dim": 32,
            "axes_dims_rope": (4, 4, 8),
        },
        {
            "hidden_states": Input(("b", "t", 4)),
            "timestep": Input(("b",)),
            "encoder_hidden_states": PROMPT,
            "pooled_projections": Input(("b", 32)),
            "img_ids": Input(("t", 3), below=16),
            "txt_ids": Input(("s", 3), below=16),
            "guidance": Input(("b",)),
        },
    ),
    architecture(
        "AuraFlow",
        "AuraFlowTransformer2DModel",
        {
            "sample_size": 8,
            "in_channels": 4,
            "out_channels": 4,
            "num_mmdit_layers": 1,
            "num_single_dit_layers": 1,
            "num_attention_heads": 2,
            "attention_head_dim": 16,
            "joint_attention_dim": 32,
            "caption_projection_dim": 32,
            "pos_embed_max_size": 16,
        },
        {"hidden_states": LATENT, "timestep": Input(("b",)), "encoder_hidden_states": PROMPT},
    ),
)
