"""Claims made by rule: true ones that code over dynamic sizes relies on, and false ones that look like them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from maker import Maker, backed
from questions import Group, Size

# Torch gives these no types.
low: Callable[[Size, Size], Size] = torch.sym_min
high: Callable[[Size, Size], Size] = torch.sym_max
check: Callable[[object], None] = torch._check


def padding() -> Iterator[Group]:
    for m in (3, 8, 64, 256):
        it = Maker("padding", f"to a multiple of {m}")
        s, t = it.s, it.t
        for x in (s, s * t, 5 * s + 3):
            up = (x + m - 1) // m * m
            it.true(up, x + -x % m, -(-x // m) * m, x + (m - x % m) % m, (up + m - 1) // m * m)
            it.true(up % m, 0)
            it.order(x, up)
            it.under(up, x + m)
            it.false(x + -x % m, x)
            it.false(up, x + m - x % m)
            it.false(up, (x + m) // m * m)
            it.false(up % (2 * m), 0)
            it.order(up, x, False)
            it.under(up, x + m - 1, False)
        yield it.group


def chunks() -> Iterator[Group]:
    for k in (2, 3, 4, 7):
        it = Maker("chunk, split", f"into {k}")
        s, t = it.s, it.t
        for x in (s, s * t, 2 * s + 3):
            size = (x + k - 1) // k
            parts = [(x + i) // k for i in range(k)]
            total: Size = 0
            for part in parts:
                total = total + part
            it.true(total, x)
            it.true(x // k * k + x % k, x)
            it.true(x // k + (x - x // k), x)
            it.true(size, parts[-1])
            it.true(k * x // k, x)
            it.order(x, size * k)
            it.order(size, x // k + 1)
            for i in range(1, k):
                it.order(low(i * size, x), x)
            it.false(total, x + x % k)
            it.false(x // k * k, x)
            it.false(size * k, x)
            it.false(size, x // k)
            it.false(x // k * k + x % (k + 1), x)
            it.order(size, x // k, False)
            it.order(k * size, x + k - 2, False)
        yield it.group


def windows() -> Iterator[Group]:
    """Convolution and pooling."""

    def out(x: Size, kernel: int, stride: int, pad: int) -> Size:
        return (x + 2 * pad - kernel) // stride + 1

    def back(x: Size, kernel: int, stride: int, pad: int) -> Size:
        return (x - 1) * stride - 2 * pad + kernel

    for k in (3, 5, 7):
        it = Maker("pool, conv", f"window {k}")
        p = k // 2
        for x in (it.s, 2 * it.t, it.s + it.t):
            it.true(out(x, k, 1, p), x)
            it.true(out(x, k, 2, p), (x + 1) // 2, (x - 1) // 2 + 1)
            it.true(out(out(x, k, 2, p), k, 2, p), out(x, 1, 4, 0))
            it.true(out(2 * x, 2, 2, 0), x)
            it.true(out(x, 4, 4, 0), out(out(x, 2, 2, 0), 2, 2, 0), x // 4)
            it.true(back(x, 4, 2, 1), 2 * x)
            it.true(out(back(x, k, 2, 0), k, 2, 0), x)
            it.order(out(x, k, 2, p), x)
            it.order(1, out(x, k, 2, p))
            it.false(out(x, k, 1, p - 1), x)
            it.false(out(x, k, 2, p), x // 2 + 1)
            it.false(back(out(x, k, 2, 0), k, 2, 0), x)
            it.false(out(x, 4, 4, 0) * 4, x)
            it.false(out(out(x, k, 2, p), k, 2, p), x // 4 + 1)
            it.order(out(x, k, 2, p) * 2, x - 1, False)
        yield it.group


def products() -> Iterator[Group]:
    for h in (1, 12, 64, 80):
        it = Maker("flatten, unflatten", f"width {h}")
        s, t = it.s, it.t
        n = s * t * h
        it.true(n // (s * h), t)
        it.true(n // t, s * h)
        it.true(n // h, s * t)
        it.true(n // (s * t), h)
        it.true(s * (t + 1) * h, n + s * h)
        it.true((s + 1) * (t + 1) - s - t - 1, s * t)
        it.true((s + t) * (s - t), s * s - t * t)
        it.true(n * (s + 1) // (s * s + s), t * h)
        it.true(n % h, 0)
        it.true(n % (s * h), 0)
        it.true(2 * n // (2 * h) // s, t)
        it.true((n + h * s) // s, (t + 1) * h)
        it.order(s, n)
        it.order(s + t, s * t)
        it.false(n // (t * h), t)
        it.false(n // (h + 1), s * t)
        it.false((n + s) // 2 * 2, n + s)
        it.false((s + 1) * t, s * t + 1)
        it.false(n % (2 * h), 0)
        it.false(n % (s * s), 0)
        it.false(n // (s + 1), t * h)
        it.false(s * t, t * t)
        it.false((n + h) // s, (t + 1) * h)
        it.order(n, h * s * s, False)
        yield it.group


def clamps() -> Iterator[Group]:
    for c in (1, 4, 100):
        it = Maker("Min, Max", f"around {c}")
        s, t = it.s, it.t
        it.true(low(s, t) + high(s, t), s + t)
        it.true(low(s, s + c), s)
        it.true(high(s, 0), s)
        it.true(low(s, low(s, t)), low(s, t))
        it.true(high(low(s, t), 0), low(s, t))
        it.true(high(s - c, 0) + low(s, c), s)
        it.true(low(high(s, c), c), c)
        it.true(high(s, t) - low(s, t), high(s - t, t - s))
        it.true(low(s + c, t + c), low(s, t) + c)
        it.true(high(1, (s + c) // c), (s + c) // c)
        it.order(low(s, t), s)
        it.order(t, high(s, t))
        it.order(low(s, c), c)
        it.order(high(s - c, 0), s)
        it.order(low(s, t) * c, s * c)
        it.false(low(s, t), t)
        it.false(low(s, c + 2), c + 2)
        it.false(high(s - c - 2, 0), s - c - 2)
        it.false(high(s, c + 2), s)
        it.false(high(1, s // (c + 2)), s // (c + 2))
        it.false(low(s + c, t), low(s, t))
        it.order(high(s, t), s, False)
        it.order(s, low(s, c + 1), False)
        yield it.group


def divisible() -> Iterator[Group]:
    for m in (4, 6, 8, 64):
        it = Maker("divisibility", f"by {m}")
        s, t = it.s, it.t
        if m == 6:
            s = backed(it.group.env, "six", 6144)
        check(s % m == 0)
        it.true(s % m, 0)
        it.true(s // m * m, s)
        it.true(s % (m // 2), 0)
        it.true(s * t % m, 0)
        it.true(s // 2 * 2, s)
        it.true((s + m - 1) // m * m, s)
        it.true((s + 1) // m, s // m)
        it.true(s // (m // 2), s // m * 2)
        it.true((s + m) % m, 0)
        it.true(s + -s % m, s)
        it.true((s * t) // m, s // m * t)
        it.order(m, s)
        it.false(s % (2 * m), 0)
        it.false((s + 1) % m, 0)
        it.false(t // m * m, t)
        it.false(s // (2 * m) * 2 * m, s)
        it.false((s + m) // m * m, s)
        it.false((s + t) % m, 0)
        it.order(2 * m, s, False)
        yield it.group


def unbacked() -> Iterator[Group]:
    for c in (8, 100, 1024):
        it = Maker("unbacked", f"at most {c}")
        env, s = it.group.env, it.s
        u, v = env.create_unbacked_symint(), env.create_unbacked_symint()
        for fact in (u >= 0, u <= c, u <= s, v >= 0, v % 4 == 0):
            check(fact)
        it.true((u + 7) // 8 * 8, u + -u % 8)
        it.true(u * 64 // 64, u)
        it.true((u + v) * 2 - v, 2 * u + v)
        it.true(low(u, s), u)
        it.true(high(u, 0), u)
        it.true(low(u, c), u)
        it.true(v // 4 * 4, v)
        it.true((v + 3) // 4, v // 4)
        it.true((v + u) % 4, u % 4)
        it.true(s * u // s, u)
        it.order(u, s)
        it.order(0, u)
        it.order(u, c)
        it.order(1, high(u, 1))
        it.order(u * v, c * v)
        it.order(low(u, v), s)
        it.under(u, c + 1)
        it.false(u, v)
        it.false(u, s)
        it.false(high(u, 1), u)
        it.false(v // 8 * 8, v)
        it.false(low(u, v), u)
        it.false((u + 7) // 8 * 8, u)
        it.order(1, u, False)
        it.order(u, c - 1, False)
        it.order(v, s, False)
        yield it.group


FAMILIES: tuple[Callable[[], Iterator[Group]], ...] = (
    padding,
    chunks,
    windows,
    products,
    clamps,
    divisible,
    unbacked,
)
