"""Denoisers of video, sound and embeddings of ``diffusers``."""

from __future__ import annotations

from zoo import Input
from zoo_diffusers import DOWN_UP, LATENT, PROMPT, STEP, architecture

VIDEO = (
    architecture(
        "UNet3D condition",
        "UNet3DConditionModel",
        DOWN_UP
        | {
            "cross_attention_dim": 32,
            "attention_head_dim": 4,
            "down_block_types": ("CrossAttnDownBlock3D", "DownBlock3D"),
            "up_block_types": ("UpBlock3D", "CrossAttnUpBlock3D"),
        },
        {"sample": Input(("b", 4, 3, 8, 8)), "timestep": STEP, "encoder_hidden_states": PROMPT},
    ),
    architecture(
        "CogVideoX",
        "CogVideoXTransformer3DModel",
        {
            "num_attention_heads": 2,
            "attention_head_dim": 16,
            "in_channels": 4,
            "out_channels": 4,
            "time_embed_dim": 16,
            "text_embed_dim": 32,
            "num_layers": 2,
            "sample_width": 8,
            "sample_height": 8,
            "sample_frames": 5,
            "max_text_seq_length": 16,
        },
        {
            "hidden_states": Input(("b", 2, 4, 8, 8)),
            "timestep": STEP,
            "encoder_hidden_states": Input(("b", 16, 32)),
        },
    ),
    architecture(
        "Sana",
        "SanaTransformer2DModel",
        {
            "in_channels": 4,
            "out_channels": 4,
            "num_attention_heads": 2,
            "attention_head_dim": 16,
            "num_layers": 2,
            "num_cross_attention_heads": 2,
            "cross_attention_head_dim": 16,
            "cross_attention_dim": 32,
            "caption_channels": 32,
            "sample_size": 8,
        },
        {"hidden_states": LATENT, "timestep": STEP, "encoder_hidden_states": PROMPT},
    ),
    architecture(
        "LTX video",
        "LTXVideoTransformer3DModel",
        {
            "in_channels": 4,
            "out_channels": 4,
            "num_attention_heads": 2,
            "attention_head_dim": 16,
            "cross_attention_dim": 32,
            "num_layers": 2,
            "caption_channels": 32,
        },
        {
            "hidden_states": Input(("b", 32, 4)),
            "timestep": STEP,
            "encoder_hidden_states": PROMPT,
            "encoder_attention_mask": Input(("b", "s"), mask=True),
        },
        constants={"num_frames": 2, "height": 4, "width": 4},
    ),
    architecture(
        "Wan video",
        "WanTransformer3DModel",
        {
            "patch_size": (1, 2, 2),
            "num_attention_heads": 2,
            "attention_head_dim": 16,
            "in_channels": 4,
            "out_channels": 4,
            "text_dim": 32,
            "freq_dim": 16,
            "ffn_dim": 64,
            "num_layers": 2,
            "cross_attn_norm": True,
            "qk_norm": "rms_norm_across_heads",
            "rope_max_seq_len": 32,
        },
        {"hidden_states": Input(("b", 4, 2, 8, 8)), "timestep": STEP, "encoder_hidden_states": PROMPT},
    ),
    architecture(
        "Prior transformer",
        "PriorTransformer",
        {
            "num_attention_heads": 2,
            "attention_head_dim": 16,
            "num_layers": 2,
            "embedding_dim": 32,
            "num_embeddings": 8,
            "additional_embeddings": 4,
        },
        {
            "hidden_states": Input(("b", 32)),
            "timestep": STEP,
            "proj_embedding": Input(("b", 32)),
            "encoder_hidden_states": Input(("b", 8, 32)),
        },
    ),
    architecture(
        "Stable Audio",
        "StableAudioDiTModel",
        {
            "sample_size": 16,
            "in_channels": 4,
            "out_channels": 4,
            "num_layers": 2,
            "attention_head_dim": 8,
            "num_attention_heads": 4,
            "num_key_value_attention_heads": 2,
            "cross_attention_dim": 32,
            "time_proj_dim": 16,
            "global_states_input_dim": 32,
            "cross_attention_input_dim": 32,
        },
        {
            "hidden_states": Input(("b", 4, 16)),
            "timestep": Input(("b",)),
            "encoder_hidden_states": PROMPT,
            "global_hidden_states": Input(("b", 1, 32)),
        },
        dynamic=False,
    ),
)
