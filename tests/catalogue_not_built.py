"""Runs of the catalogue that no rule removes yet, though one should. ``test_catalogue.py`` asks for the removal of
a line once its graph goes; ``python docs/generate.py --not-built`` writes the list anew."""

NOT_BUILT = frozenset(
    """
26 mT, mT, static
26 mT, mT, symbolic
27 movedims, static
27 movedims, symbolic
33 broadcast_tensors, static
33 broadcast_tensors, symbolic
47 steps, symbolic
47 start of steps, symbolic
47 ends from the end, symbolic
47 start and end, symbolic
49 first, static
49 first, symbolic
49 last, static
49 last, symbolic
49 each of three, static
49 each of three, symbolic
49 dims counted differently, static
49 dims counted differently, symbolic
49 from the end, static
49 from the end, symbolic
49 the whole used elsewhere, static
49 the whole used elsewhere, symbolic
50 inside the first, static
50 inside the first, symbolic
50 inside the last, static
50 inside the last, symbolic
50 some of three, static
50 some of three, symbolic
50 select, static
50 select, symbolic
50 another dim, static
50 another dim, symbolic
51 both sides, static
51 both sides, symbolic
51 after, static
51 after, symbolic
51 from the end, static
51 from the end, symbolic
51 two dims, static
51 two dims, symbolic
51 to a multiple of 8, static
51 to a multiple of 8, symbolic
51 narrow, static
51 narrow, symbolic
52 inside, static
52 inside, symbolic
52 inside, of rows, symbolic
52 less padding, of rows, symbolic
52 less padding, static
52 less padding, symbolic
52 padding on one side, static
52 padding on one side, symbolic
52 select, static
52 select, symbolic
58 same bounds, static
58 same bounds, symbolic
58 other words for them, static
58 other words for them, symbolic
58 numbers, static
58 numbers, symbolic
58 with a step, static
58 with a step, symbolic
58 select, static
58 select, symbolic
59 select, static
59 select, symbolic
60 slice, static
60 slice, symbolic
60 cat of two, static
60 cat of two, symbolic
60 pad of none, static
60 pad of none, symbolic
62 between two flips, static
62 between two flips, symbolic
62 of another dim, static
62 of another dim, symbolic
62 select, symbolic
62 one element, symbolic
67 two, static
67 two, symbolic
67 rows, symbolic
67 to the end, static
67 to the end, symbolic
67 numbers, static
67 numbers, symbolic
69 tensor_split, whole, static
69 tensor_split, whole, symbolic
70 the first, static
70 the first, symbolic
70 the last, static
70 the last, symbolic
71 two, static
71 two, symbolic
71 equal sizes, static
71 equal sizes, symbolic
71 dims counted differently, static
71 dims counted differently, symbolic
71 one of them, static
71 one of them, symbolic
71 three, static
71 three, symbolic
74 two splits, static
74 two splits, symbolic
75 same dim, static
75 same dim, symbolic
75 dim left out, static
75 dim left out, symbolic
75 dims counted differently, static
75 dims counted differently, symbolic
75 selects, unsqueezed and joined, symbolic
76 dims counted differently, static
76 dims counted differently, symbolic
76 select, static
76 select, symbolic
77 cat of unsqueezes, static
77 cat of unsqueezes, symbolic
81 selects, static
81 selects, symbolic
81 unbind, static
81 unbind, symbolic
87 exactly, static
87 exactly, symbolic
87 and around it, static
87 and around it, symbolic
87 by select_scatter, static
87 by select_scatter, symbolic
88 index_put, static
88 index_put, symbolic
89 three, over zeros, symbolic
91 and a select, static
91 and a select, symbolic
99 one dim, symbolic
99 two dims, symbolic
99 symbolic, symbolic
100 each cut off again, static
100 each cut off again, symbolic
100 slice between, static
100 slice between, symbolic
101 less of it back, symbolic
101 and a slice, static
101 and a slice, symbolic
105 fliplr, flipud, static
105 fliplr, flipud, symbolic
107 twice the size, backwards, symbolic
116 to another's, static
116 to another's, symbolic
116 type_as, static
116 type_as, symbolic
122 parts, static
122 parts, symbolic
163 inference, static
163 inference, symbolic
163 inference, native, static
163 inference, native, symbolic
163 p of 0, static
163 p of 0, symbolic
163 p of 0, native, static
163 p of 0, native, symbolic
163 feature dropout, static
163 feature dropout, symbolic
163 alpha dropout, static
163 alpha dropout, symbolic
182 and a select, static
182 and a select, symbolic
""".strip().splitlines()
)
