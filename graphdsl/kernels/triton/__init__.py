"""The primitives as kernels for a GPU, written in Triton; imported only where they compute.

Edges are sorted by destination, so that each program adds up the edges of some rows in registers and writes each row once:
nothing is added atomically, and results are the same each time. Rows with very many edges are cut into chunks, whose sums are
added up in a second pass. Numbers of half precision are added up in single precision.

With `TRITON_INTERPRET=1`, set before Triton is imported, the same kernels run on a CPU, slowly, for tests.
"""
