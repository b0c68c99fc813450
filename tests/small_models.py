"""Small models, written the way models are: what whole-graph tests compile and take apart."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Call = tuple[Tensor, ...]


class Rotary(nn.Module):
    """A decoder block: rotary embeddings, grouped key and value heads, a causal mask made from positions."""

    def __init__(self, width: int = 32, heads: int = 4, groups: int = 2) -> None:
        super().__init__()
        self.heads, self.groups, self.each = heads, groups, width // heads
        self.norm = nn.LayerNorm(width)
        self.q = nn.Linear(width, width, bias=False)
        self.kv = nn.Linear(width, 2 * groups * self.each, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.register_buffer("frequencies", 10000.0 ** -(torch.arange(0, self.each, 2) / self.each))

    def _turned(self, x: Tensor) -> Tensor:
        at = torch.arange(x.shape[2], device=x.device)[None, :, None].float()
        angles = (at @ self.frequencies[None, None, :].float()).repeat(1, 1, 2)[:, None]
        left, right = x.chunk(2, -1)
        return x * angles.cos() + torch.cat((-right, left), -1) * angles.sin()

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        y = self.norm(x)
        q = self.q(y).view(batch, length, self.heads, -1).transpose(1, 2)
        k, v = self.kv(y).view(batch, length, 2, self.groups, -1).unbind(2)
        k, v = k.transpose(1, 2), v.transpose(1, 2)
        q, k = self._turned(q), self._turned(k)
        repeats = self.heads // self.groups
        k, v = (
            t[:, :, None].expand(batch, self.groups, repeats, length, self.each).reshape(q.shape)
            for t in (k, v)
        )
        at = torch.arange(length, device=x.device)
        mask = torch.where(at[None, :] <= at[:, None], 0.0, -torch.inf)
        weights = (q @ k.transpose(-1, -2) * self.each**-0.5 + mask).softmax(-1).to(q.dtype)
        mixed = (weights @ v).transpose(1, 2).contiguous().view(batch, length, width)
        return x + self.out(mixed)


class Windows(nn.Module):
    """Attention within windows of a feature map, after a shift: views, permutes and slices all the way."""

    def __init__(self, width: int = 16, window: int = 4) -> None:
        super().__init__()
        self.window = window
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)

    def forward(self, x: Tensor) -> Tensor:
        batch, height, wide, width = x.shape
        w = self.window
        y = torch.roll(self.norm(x), (-2, -2), (1, 2))
        y = F.pad(y, (0, 0, 0, -wide % w, 0, -height % w))
        y = y.view(batch, height // w, w, wide // w, w, width).permute(0, 1, 3, 2, 4, 5).contiguous()
        q, k, v = self.qkv(y.view(-1, w * w, width)).view(-1, w * w, 3, 2, width // 2).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(-1, w, w, width)
        y = y.view(batch, height // w, wide // w, w, w, width).permute(0, 1, 3, 2, 4, 5)
        y = y.contiguous().view(batch, height, wide, width)
        return x + torch.roll(y[:, :height, :wide, :].contiguous(), (2, 2), (1, 2))


class Gated(nn.Module):
    """A feed-forward layer whose halves are cut from one product, with casts and scales that may be nothing."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(0.0)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.up(x).split(2 * x.shape[-1], -1)
        y = F.silu(gate.float()).to(x.dtype) * up * 1.0
        y = self.down(self.dropout(y.reshape(-1, y.shape[-1]))).view(x.shape)
        return (x + y / 1.0).expand(x.shape[0], -1, -1)


class Resized(nn.Module):
    """A convolution with its norm, pooled, and put back to the size it had."""

    def __init__(self, channels: int = 8) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm(self.conv(x)))
        y = F.interpolate(y, size=x.shape[2:], mode="bilinear", align_corners=False)
        return (
            torch.cat([x, y], 1)
            .flatten(2)
            .transpose(1, 2)
            .contiguous()
            .transpose(1, 2)
            .view(x.shape[0], -1, *x.shape[2:])
        )


MODELS: dict[str, tuple[Callable[[], nn.Module], tuple[tuple[int, ...], tuple[int, ...]]]] = {
    "rotary": (Rotary, ((3, 10, 32), (2, 7, 32))),
    "windows": (Windows, ((3, 8, 12, 16), (2, 12, 8, 16))),
    "gated": (Gated, ((3, 10, 16), (2, 7, 16))),
    "resized": (Resized, ((3, 8, 6, 10), (2, 8, 7, 9))),
}
"""Each with two shapes that it takes."""


def model(name: str, training: bool = False) -> nn.Module:
    """With the same random weights every time, none of them one or zero."""
    torch.manual_seed(0)
    made = MODELS[name][0]().train(training)
    for weight in made.parameters():
        weight.data.mul_(0.7).add_(0.01)
    return made


def shapes(name: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two that the model takes."""
    return MODELS[name][1]


def drawn(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    """Distinct numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))
