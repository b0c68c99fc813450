"""Language and speech models of ``transformers``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import transformers
from architectures import ARCHITECTURES, GROUPED, SIZES
from zoo import Architecture, Input

IDS = {"input_ids": Input(("b", "s"), below=64)}
MASKED = IDS | {"attention_mask": Input(("b", "s"), mask=True)}
BOTH = IDS | {"decoder_input_ids": Input(("b", "t"), below=64)}
WAVE = {"input_values": Input(("b", "l"))}


def architecture(
    name: str, kind: str, settings: Mapping[str, Any], inputs: Mapping[str, Input], **rest: Any
) -> Architecture:
    """A class of ``transformers`` and the settings of its configuration."""

    def build() -> torch.nn.Module:
        model_class = getattr(transformers, kind)
        config = model_class.config_class(**settings)
        # A cache of keys and values would be an output of a class of its own.
        config.use_cache = False
        model: torch.nn.Module = model_class._from_config(config)
        return model

    return Architecture(name, build, inputs, **rest)


def _as_exported(name: str, inputs: Mapping[str, Input], **rest: Any) -> Architecture:
    kind, settings, _ = ARCHITECTURES[name]
    return architecture(name, kind, settings, inputs, **rest)


_EAGER = {"attn_implementation": "eager"}
_HALF = {"dtype": torch.bfloat16}
# So few buckets that the sequences here reach the last.
_T5 = {**ARCHITECTURES["T5"][1], "relative_attention_num_buckets": 8, "relative_attention_max_distance": 8}
_BART = {
    "vocab_size": 64,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
}
_LATENT = GROUPED | {
    "num_key_value_heads": 4,
    "q_lora_rank": 16,
    "kv_lora_rank": 16,
    "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 8,
    "v_head_dim": 8,
    "n_routed_experts": 4,
    "n_group": 2,
    "topk_group": 1,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 16,
    "first_k_dense_replace": 1,
}
_EXPERTS = GROUPED | {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}

TEXT = (
    _as_exported("Llama", IDS, trains=True),
    architecture("Llama bf16 eager", "LlamaForCausalLM", GROUPED | _EAGER, MASKED, **_HALF),
    _as_exported("GPT2", IDS, trains=True),
    architecture("GPT2 eager", "GPT2LMHeadModel", {**ARCHITECTURES["GPT2"][1], **_EAGER}, IDS),
    _as_exported("Bert", MASKED, trains=True),
    architecture("Bert eager", "BertModel", SIZES | _EAGER, MASKED),
    architecture("T5", "T5ForConditionalGeneration", _T5, BOTH, trains=True),
    architecture("T5 bf16", "T5ForConditionalGeneration", _T5, BOTH, **_HALF),
    _as_exported("Qwen2", MASKED),
    _as_exported("Mistral", MASKED),
    _as_exported("Mixtral", IDS),
    _as_exported("Gemma", IDS),
    _as_exported("DistilBert", MASKED),
    _as_exported("Mamba2", IDS),
    architecture(
        "Gemma2 bf16", "Gemma2ForCausalLM", GROUPED | {"head_dim": 8, "sliding_window": 8}, IDS, **_HALF
    ),
    architecture("Gemma3", "Gemma3ForCausalLM", GROUPED | {"head_dim": 8, "sliding_window": 8}, MASKED),
    architecture("Qwen3", "Qwen3ForCausalLM", GROUPED | {"head_dim": 8}, MASKED),
    architecture("Qwen3-MoE", "Qwen3MoeForCausalLM", _EXPERTS | {"head_dim": 8}, IDS),
    architecture("DeepSeek-V3", "DeepseekV3ForCausalLM", _LATENT, IDS),
    architecture("Phi3 bf16", "Phi3ForCausalLM", GROUPED | {"pad_token_id": 0}, MASKED, **_HALF),
    architecture("Falcon", "FalconForCausalLM", SIZES | {"alibi": True}, MASKED),
    architecture(
        "Bloom", "BloomForCausalLM", {"vocab_size": 64, "hidden_size": 32, "n_layer": 2, "n_head": 4}, MASKED
    ),
    architecture("GPT-NeoX", "GPTNeoXForCausalLM", SIZES, MASKED),
    architecture(
        "GPT-J",
        "GPTJForCausalLM",
        {"vocab_size": 64, "n_embd": 32, "n_layer": 2, "n_head": 4, "rotary_dim": 4},
        IDS,
    ),
    architecture(
        "MPT", "MptForCausalLM", {"vocab_size": 64, "d_model": 32, "n_heads": 4, "n_layers": 2}, IDS
    ),
    architecture(
        "OPT",
        "OPTForCausalLM",
        SIZES | {"ffn_dim": 64, "word_embed_proj_dim": 32, "max_position_embeddings": 64},
        MASKED,
    ),
    architecture("OLMo2", "Olmo2ForCausalLM", GROUPED, IDS),
    architecture("Cohere", "CohereForCausalLM", GROUPED, IDS),
    architecture("Granite", "GraniteForCausalLM", GROUPED, IDS),
    architecture("StableLM", "StableLmForCausalLM", GROUPED, IDS),
    architecture("Starcoder2", "Starcoder2ForCausalLM", GROUPED, IDS),
    architecture(
        "GPT-OSS",
        "GptOssForCausalLM",
        GROUPED | {"head_dim": 8, "num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": 8},
        IDS,
    ),
    architecture(
        "Mamba",
        "MambaForCausalLM",
        {"vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 1, "state_size": 8},
        IDS,
        dynamic=False,
    ),
    architecture("Bart", "BartModel", _BART, BOTH, trains=True),
    architecture("Pegasus", "PegasusModel", _BART, BOTH),
    architecture("ModernBert", "ModernBertModel", SIZES | {"pad_token_id": 0, "local_attention": 8}, MASKED),
    architecture(
        "DeBERTa-v2",
        "DebertaV2Model",
        SIZES
        | {
            "relative_attention": True,
            "pos_att_type": ["p2c", "c2p"],
            "position_buckets": 8,
            "max_position_embeddings": 64,
        },
        MASKED,
    ),
    architecture("ALBERT", "AlbertModel", SIZES | {"embedding_size": 16}, MASKED),
    architecture(
        "XLNet",
        "XLNetModel",
        {"vocab_size": 64, "d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 64},
        IDS,
    ),
    architecture("FNet", "FNetModel", SIZES, IDS),
    architecture(
        "Funnel",
        "FunnelBaseModel",
        {"vocab_size": 64, "block_sizes": [1, 1], "d_model": 32, "n_head": 4, "d_head": 8, "d_inner": 64},
        IDS,
    ),
    architecture("Longformer", "LongformerModel", SIZES | {"attention_window": [8, 8]}, MASKED),
    architecture("BigBird", "BigBirdModel", SIZES | {"attention_type": "original_full"}, MASKED),
    architecture("RoFormer", "RoFormerModel", SIZES, MASKED),
    architecture("SqueezeBert", "SqueezeBertModel", SIZES | {"embedding_size": 32}, MASKED),
    architecture("ConvBert", "ConvBertModel", SIZES | {"embedding_size": 16}, MASKED),
    architecture(
        "Whisper",
        "WhisperModel",
        ARCHITECTURES["Whisper"][1],
        {"input_features": Input(("b", 8, 40)), "decoder_input_ids": Input(("b", "t"), below=64)},
    ),
    architecture("Wav2Vec2", "Wav2Vec2Model", ARCHITECTURES["Wav2Vec2"][1], WAVE),
    architecture("HuBERT", "HubertModel", ARCHITECTURES["Wav2Vec2"][1], WAVE),
    architecture(
        "EnCodec",
        "EncodecModel",
        {
            "num_filters": 8,
            "hidden_size": 16,
            "codebook_size": 16,
            "codebook_dim": 16,
            "upsampling_ratios": [4, 2],
            "target_bandwidths": [24.0],
            "num_lstm_layers": 1,
        },
        {"input_values": Input(("b", 1, "l"))},
    ),
    architecture(
        "TimeSeries PatchTST",
        "PatchTSTModel",
        {
            "num_input_channels": 3,
            "context_length": 32,
            "patch_length": 8,
            "patch_stride": 4,
            "d_model": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "ffn_dim": 64,
        },
        {"past_values": Input(("b", 32, 3))},
    ),
)
