"""Rows of the catalogue: clones, aliases, conversions that convert nothing."""

from __future__ import annotations

import torch
from catalogue_row import PAIR, Row, aten, ex, f32, of, row

TITLE = "Copies, aliases and devices"

prims = torch.ops.prims
COMPLEX = of(torch.complex64, 4, 6)

IMAGE = f32(2, 3, 4, 5).to(memory_format=torch.channels_last)


ROWS: tuple[Row, ...] = (
    row(
        110,
        "clone",
        "core",
        ex("of an input", aten.clone),
        ex("of a value", lambda x: aten.clone(aten.exp(x)), 1),
        ex("of a clone", lambda x: aten.clone(aten.clone(x))),
        ex("between reshapes", lambda x: aten.view(aten.clone(aten.view(x, (-1,))), x.shape)),
    ),
    row(
        111,
        "clone into the layout that is there",
        "core",
        ex("contiguous", lambda x: aten.clone(x, memory_format=torch.contiguous_format)),
        ex("preserved", lambda x: aten.clone(x, memory_format=torch.preserve_format)),
        ex("channels last", lambda x: aten.clone(x, memory_format=torch.channels_last), on=IMAGE),
        ex("preserved channels last", aten.clone, on=IMAGE),
        ex(
            "into another layout",
            lambda x: aten.clone(aten.t(x), memory_format=torch.contiguous_format),
            stays="the strides change, and who multiplies would make other strides of them",
        ),
    ),
    row(
        112,
        "contiguous of what is contiguous",
        "core",
        ex("contiguous", aten.contiguous, composite=True),
        ex(
            "channels last",
            lambda x: aten.contiguous(x, memory_format=torch.channels_last),
            on=IMAGE,
            composite=True,
        ),
        ex("of a value", lambda x: aten.contiguous(aten.exp(x)), 1, composite=True),
    ),
    row(
        113,
        "alias",
        "core",
        ex("alias", aten.alias),
        ex("view_of", prims.view_of),
        ex("alias_copy", aten.alias_copy),
        ex("of an alias", lambda x: aten.alias(aten.alias(x))),
    ),
    row(
        114,
        "detach",
        "core",
        ex("detach", aten.detach),
        ex("detach_copy", aten.detach_copy),
        ex("twice", lambda x: aten.detach(aten.detach(x))),
    ),
    row(
        115,
        "lift_fresh",
        "core",
        ex("lift_fresh", aten.lift_fresh),
        ex("lift_fresh_copy", aten.lift_fresh_copy),
    ),
    row(
        116,
        "a conversion to what is there",
        "core",
        ex("nothing asked", aten._to_copy),
        ex("dtype", lambda x: aten._to_copy(x, dtype=torch.float32)),
        ex("device", lambda x: aten._to_copy(x, device=torch.device("cpu")), truthful=False),
        ex("layout", lambda x: aten._to_copy(x, layout=torch.strided, memory_format=torch.preserve_format)),
        ex("to dtype", lambda x: aten.to(x, torch.float32), composite=True),
        ex("to dtype, a copy", lambda x: aten.to(x, torch.float32, False, True), composite=True),
        ex("to device", lambda x: aten.to(x, torch.device("cpu"), torch.float32), composite=True),
        ex("to another's", aten.to, on=PAIR, composite=True),
        ex("type_as", aten.type_as, on=PAIR, composite=True),
    ),
    row(
        117,
        "convert_element_type to the dtype that is there",
        "core",
        ex("float32", lambda x: prims.convert_element_type(x, torch.float32)),
        ex("int8", lambda x: prims.convert_element_type(x, torch.int8), on=of(torch.int8, 4, 6)),
        ex("bool", lambda x: prims.convert_element_type(x, torch.bool), on=of(torch.bool, 4, 6)),
    ),
    row(
        118,
        "device_put to the device that is there",
        "core",
        ex("device", lambda x: prims.device_put(x, torch.device("cpu")), truthful=False),
        ex("non-blocking", lambda x: prims.device_put(x, torch.device("cpu"), True), truthful=False),
    ),
    row(
        121,
        "conj and neg bits that are not set, conj twice",
        "core",
        ex("resolve_conj", aten.resolve_conj, on=COMPLEX, composite=True),
        ex("resolve_conj of real", aten.resolve_conj, composite=True),
        ex("resolve_neg", aten.resolve_neg, on=COMPLEX, composite=True),
        ex("conj of conj", lambda x: aten._conj(aten._conj(x)), on=COMPLEX),
        ex("conj of conj, whole", lambda x: aten.conj(aten.conj(x)), on=COMPLEX, composite=True),
        ex("conj_physical twice", lambda x: aten.conj_physical(aten.conj_physical(x)), on=COMPLEX),
        ex("neg view of neg view", lambda x: aten._neg_view(aten._neg_view(x))),
    ),
    row(
        122,
        "complex numbers as pairs and back",
        "core",
        ex("pairs", lambda x: aten.view_as_real(aten.view_as_complex(x)), on=f32(4, 2)),
        ex("complex", lambda x: aten.view_as_complex(aten.view_as_real(x)), on=COMPLEX),
        ex("parts", lambda x: aten.complex(aten.real(x), aten.imag(x)), on=COMPLEX, composite=True),
        ex("parts, decomposed", lambda x: aten.complex(aten.real(x), aten.imag(x)), on=COMPLEX),
    ),
)
