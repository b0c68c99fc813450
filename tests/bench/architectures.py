"""Real claims: architectures with random weights, exported with dynamic sizes, and what rules ask of their nodes."""

from __future__ import annotations

import logging
import math
import operator
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import sympy
import torch
import transformers
from questions import Group
from torch.export import Dim, export
from torch.fx import Graph, Node

from noopelim.calls import argument
from noopelim.torch_api import shape_env_of

SIZES = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
GROUPED = SIZES | {"num_key_value_heads": 2}
VISION = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": 32,
    "patch_size": 8,
}
STAGES = {"hidden_sizes": [8, 16], "depths": [1, 1]}
VIEWS = {
    getattr(torch.ops.aten, name)
    for name in (
        "view reshape _unsafe_view expand flatten unflatten slice transpose permute unsqueeze squeeze clone "
        "contiguous pad constant_pad_nd roll alias detach split chunk narrow repeat"
    ).split()
}
Inputs = dict[str, tuple[torch.Tensor, tuple[int, ...]]]
"""An example for each argument, and its dynamic dims."""


def _tokens(length: int = 17, name: str = "input_ids") -> Inputs:
    return {name: (torch.arange(3 * length).reshape(3, length) % 64, (0, 1))}


def _image(dynamic: tuple[int, ...] = (0, 2, 3), height: int = 65, width: int = 63) -> Inputs:
    return {"pixel_values": (torch.zeros(3, 3, height, width), dynamic)}


_SQUARE = _image((0,), 32, 32)
_DECODER = _tokens(11, "decoder_input_ids")
_WAVE: Inputs = {"input_values": (torch.zeros(3, 1003), (0, 1))}
_SPECTRUM: Inputs = {"input_features": (torch.zeros(3, 8, 40), (0,))}

ARCHITECTURES: dict[str, tuple[str, Mapping[str, Any], Inputs]] = {
    "Llama": ("LlamaForCausalLM", GROUPED, _tokens()),
    "GPT2": ("GPT2LMHeadModel", {"vocab_size": 64, "n_embd": 32, "n_layer": 2, "n_head": 4}, _tokens()),
    "Bert": ("BertModel", SIZES, _tokens()),
    "T5": (
        "T5ForConditionalGeneration",
        {"vocab_size": 64, "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4},
        _tokens() | _DECODER,
    ),
    "ViT": ("ViTModel", VISION, _SQUARE),
    "CLIP": ("CLIPModel", {"text_config": SIZES, "vision_config": VISION}, _tokens() | _SQUARE),
    "Qwen2": ("Qwen2ForCausalLM", GROUPED, _tokens()),
    "Mistral": ("MistralForCausalLM", GROUPED | {"sliding_window": 8}, _tokens()),
    "Mixtral": ("MixtralForCausalLM", GROUPED | {"num_local_experts": 2}, _tokens()),
    "Gemma": ("GemmaForCausalLM", GROUPED | {"head_dim": 8}, _tokens()),
    "Whisper": (
        "WhisperModel",
        {
            "vocab_size": 64,
            "d_model": 32,
            "encoder_layers": 2,
            "decoder_layers": 2,
            "encoder_attention_heads": 4,
            "decoder_attention_heads": 4,
            "num_mel_bins": 8,
            "max_source_positions": 20,
            "pad_token_id": 0,
            "decoder_start_token_id": 1,
        },
        _SPECTRUM | _DECODER,
    ),
    "DistilBert": (
        "DistilBertModel",
        {"vocab_size": 64, "dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64},
        _tokens(),
    ),
    "Mamba2": (
        "Mamba2Model",
        {
            "vocab_size": 64,
            "hidden_size": 32,
            "num_hidden_layers": 1,
            "num_heads": 8,
            "head_dim": 8,
            "state_size": 16,
            "chunk_size": 8,
            "n_groups": 2,
        },
        _tokens(),
    ),
    "ResNet": ("ResNetModel", STAGES | {"embedding_size": 8, "layer_type": "basic"}, _image()),
    "ConvNext": ("ConvNextModel", STAGES | {"num_stages": 2}, _image()),
    "Segformer": (
        "SegformerModel",
        STAGES
        | {
            "num_encoder_blocks": 2,
            "sr_ratios": [2, 1],
            "patch_sizes": [7, 3],
            "strides": [4, 2],
            "num_attention_heads": [1, 2],
            "mlp_ratios": [2, 2],
        },
        _image(),
    ),
    "Wav2Vec2": (
        "Wav2Vec2Model",
        SIZES
        | {
            "conv_dim": (16, 16, 16),
            "conv_kernel": (10, 3, 2),
            "conv_stride": (5, 2, 2),
            "num_feat_extract_layers": 3,
            "num_conv_pos_embeddings": 4,
            "num_conv_pos_embedding_groups": 2,
        },
        _WAVE,
    ),
}


def exported(name: str) -> Graph:
    """The graph of one architecture; batch, sequence and image sizes are dynamic where the model takes it."""
    kind, settings, inputs = ARCHITECTURES[name]
    torch.manual_seed(0)
    model_class = getattr(transformers, kind)
    config = model_class.config_class(**settings)
    # The cache of keys and values is of a class that an export does not take.
    config.use_cache = False
    model = model_class(config).eval()
    examples = {key: example for key, (example, _) in inputs.items()}
    dynamic = {key: dict.fromkeys(dims, Dim.DYNAMIC) for key, (_, dims) in inputs.items()}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = export(model, (), examples, dynamic_shapes=dynamic, strict=False)
    graph: Graph = program.graph
    return graph


def recorded() -> Iterator[Callable[[], Group]]:
    """One step per architecture, each of a few seconds."""
    logging.getLogger("transformers").setLevel(logging.ERROR)
    for name in ARCHITECTURES:
        yield lambda name=name: _claims_of(name, exported(name))  # type: ignore[misc]


def _claims_of(name: str, graph: Graph) -> Group:
    tensors = [v for n in graph.nodes if isinstance(v := n.meta.get("val"), torch.Tensor)]
    env = next(e for v in tensors if (e := shape_env_of(v)) is not None)
    group = Group("real", name, env)
    for node in graph.nodes:
        if isinstance(node.meta.get("val"), torch.Tensor):
            _ask_about(group, node)
    return group


def _is_view(node: Node) -> bool:
    return node.op == "call_function" and getattr(node.target, "overloadpacket", None) in VIEWS


def _ask_about(group: Group, node: Node) -> None:
    """What rules ask: does the node give what it got? What it got is also what the chain of views before it got."""
    result = node.meta["val"]
    source = _operand(node)
    if node.target is torch.ops.aten.slice.Tensor and source is not None:
        size = source.meta["val"].shape[argument(node, "dim")]
        start, end = (_sized(argument(node, key), of) for key, of in (("start", 0), ("end", size)))
        group.add(sympy.Le, size, end)
        group.add(sympy.Le, start, 0)
    while source is not None:
        given = source.meta["val"]
        if given.dim() == result.dim():
            for of in (torch.Tensor.size, torch.Tensor.stride):
                for pair in zip(of(given), of(result), strict=True):
                    group.add(sympy.Eq, *pair)
        if _is_view(node):
            group.add(sympy.Eq, math.prod(given.shape), math.prod(result.shape))
        source = _operand(source) if _is_view(source) else None


def _operand(node: Node) -> Node | None:
    first = node.args[0] if node.args else None
    if isinstance(first, Node) and first.target is operator.getitem:
        first = first.args[0]
    return first if isinstance(first, Node) and isinstance(first.meta.get("val"), torch.Tensor) else None


def _sized(bound: object, otherwise: Any) -> Any:
    value = bound.meta["val"] if isinstance(bound, Node) else bound
    return otherwise if value is None else value
