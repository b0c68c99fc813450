"""Runs of the catalogue that no rule removes, though one should, and why not. ``test_catalogue.py`` asks for the removal
of a line once its graph goes; ``python docs/generate.py --not-built`` tells what is to be added and dropped."""

NOT_BUILT: dict[str, str] = {}
NOT_BUILT |= dict.fromkeys(
    (
        "3 view of view, symbolic",
        "3 with -1, symbolic",
        "3 reshape of flatten, symbolic",
        "3 unsafe view, symbolic",
        "5 four to elsewhere, symbolic",
    ),
    "the one reshape would take of two dims at once, for which torch's kernel guards on how they divide",
)
NOT_BUILT |= dict.fromkeys(
    (
        "47 steps, symbolic",
        "47 start of steps, symbolic",
    ),
    "the shorter slice ends at a quotient of sizes, which no node of the graph computes",
)
NOT_BUILT |= dict.fromkeys(
    (
        "50 another dim, static",
        "50 another dim, symbolic",
    ),
    "what is joined along one dim and cut along two: pieces are compared along one dim at a time",
)
NOT_BUILT |= dict.fromkeys(
    (
        "51 two dims, static",
        "51 two dims, symbolic",
    ),
    "padded along two dims at once: pieces are compared along one dim at a time",
)
NOT_BUILT |= dict.fromkeys(
    (
        "52 inside, symbolic",
        "101 and a slice, symbolic",
    ),
    "the result may be empty, and of an empty tensor torch tells other strides",
)
NOT_BUILT |= dict.fromkeys(
    (
        "58 with a step, static",
        "58 with a step, symbolic",
    ),
    "pieces are runs without gaps",
)
NOT_BUILT |= dict.fromkeys(
    (
        "60 slice, static",
        "60 slice, symbolic",
        "60 pad of none, static",
        "60 pad of none, symbolic",
    ),
    "what is computed to read none of it is not dropped: the new value would be made of nothing that is there",
)
NOT_BUILT |= dict.fromkeys(
    (
        "67 numbers, symbolic",
        "70 the first, symbolic",
        "75 selects, unsqueezed and joined, symbolic",
    ),
    "a slice of the operand would do, but how the product of what lies with symbolic gaps is laid out torch says only with a guard",
)
NOT_BUILT |= dict.fromkeys(
    (
        "81 selects, static",
        "81 selects, symbolic",
        "81 unbind, static",
        "81 unbind, symbolic",
    ),
    "parts joined along another dim than the one that they were taken from are a reshape of a permute of pieces; pieces and moves are not composed",
)
NOT_BUILT |= dict.fromkeys(
    (
        "88 index_put, static",
        "88 index_put, symbolic",
    ),
    "the positions written are values, which are not known",
)
NOT_BUILT |= dict.fromkeys(
    ("99 two dims, symbolic",),
    "the kernel of a symbolic pad asks which widths are negative: it does not run without a guard",
)
NOT_BUILT |= dict.fromkeys(
    (
        "100 slice between, static",
        "100 slice between, symbolic",
    ),
    "pads of one dim with a slice of another between: pieces are compared along one dim at a time",
)
NOT_BUILT |= dict.fromkeys(
    ("107 twice the size, backwards, symbolic",),
    "that a negative multiple of a size leaves no remainder is not decided",
)
NOT_BUILT |= dict.fromkeys(
    (
        "163 p of 0, native, static",
        "163 p of 0, native, symbolic",
    ),
    "it draws random numbers all the same: without it the generator would be in another state",
)
NOT_BUILT |= dict.fromkeys(
    (
        "182 and a select, static",
        "182 and a select, symbolic",
    ),
    "an unfold is no layout that moves know",
)
NOT_BUILT |= dict.fromkeys(
    (
        "77 cat of unsqueezes, static",
        "77 cat of unsqueezes, symbolic",
        "147 relu, clamp_min, static",
        "147 relu, clamp_min, symbolic",
        "149 hardtanh, static",
        "149 hardtanh, symbolic",
        "149 one bound each, static",
        "149 one bound each, symbolic",
    ),
    "Inductor decomposes the operator that it would be before its passes run, and does not know it afterwards",
)
NOT_BUILT |= dict.fromkeys(
    ("174 amax, unsqueeze, static", "174 amax, unsqueeze, symbolic"),
    "of an expanded operand the kernel lays the kept dim out with a stride of 1, and an unsqueeze with 0",
)
NOT_BUILT |= dict.fromkeys(
    ("174 unsqueeze, sum of both, static", "174 unsqueeze, sum of both, symbolic"),
    "the kernel adds the elements of a strided operand in another order: a NaN carries other bits",
)
