"""The covariance of weights in blocks: products with it, and its decrease by a measurement.

`blocks` holds the blocks one after the other, block g of the weights borders[g] ... borders[g + 1] - 1.
"""

from reservoir.kernels.blas import gemm
from reservoir.kernels.jit import jit


@jit
def multiply_blocks(blocks, borders, rows, products):
    """products = rows P, both (M, P)."""
    offset = 0
    for g in range(len(borders) - 1):
        start, stop = borders[g], borders[g + 1]
        size = stop - start
        block = blocks[offset : offset + size * size].reshape(size, size)
        gemm(rows[:, start:stop], block, False, products[:, start:stop])
        offset += size * size


@jit
def shrink_blocks(blocks, borders, factor, process):
    """P += process I - factor' factor, in every block. `factor` is (M, P).

    (i, j) and (j, i) get the same bits: the two products differ in the order of their factors alone.
    """
    offset = 0
    for g in range(len(borders) - 1):
        start, stop = borders[g], borders[g + 1]
        for i in range(start, stop):
            row = blocks[offset : offset + stop - start]
            offset += stop - start
            for m in range(len(factor)):
                part, scale = factor[m, start:stop], factor[m, i]
                for j in range(row.size):
                    row[j] -= scale * part[j]
            row[i - start] += process
