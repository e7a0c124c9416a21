"""One long sequence through a large reservoir, by several threads: each computes its own units of every step."""

from __future__ import annotations

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from reservoir.kernels.drive import advance
from reservoir.kernels.jit import uncounted


@intrinsic
def wait_for_all(context, arrived, target):
    """Count this thread in `arrived` (1,), then wait until `target` threads are counted: what they wrote is visible then."""
    signature = types.void(arrived, types.int64)

    def codegen(context, builder, signature, arguments):
        counter = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        builder.atomic_rmw("add", counter, ir.Constant(ir.IntType(64), 1), "acq_rel")
        waiting, passed = (builder.append_basic_block(name) for name in ("waiting", "passed"))
        builder.branch(waiting)
        builder.position_at_end(waiting)
        count = builder.load_atomic(counter, "acquire", 8)
        builder.cbranch(builder.icmp_signed("<", count, arguments[1]), waiting, passed)
        builder.position_at_end(passed)
        return context.get_dummy_value()

    return signature, codegen


POSSIBLE = not numba.config.DISABLE_JIT
"""Without the JIT threads cannot wait for each other."""


@uncounted
def drive_units(weights, inputs, noise, out, column, first_unit, last_unit, threads, arrived, scratch):
    """As `drive` of one sequence, for the units from `first_unit` (a multiple of `BLOCK`) to `last_unit`.

    `threads` threads call it with ranges that cover all units, the same `arrived` (1,), which holds 0, and the same
    states `old`, the initial one, and `new`; `sums` is each thread's own. The last state is in `old` after an even number of steps, else in `new`.
    """
    n = weights.leak.size
    old, new, sums = scratch.old, scratch.new, scratch.sums
    for t in range(inputs.shape[0]):
        shaken = noise[t if noise.size > 0 else 0]
        advance(weights, inputs[t], shaken, old, new, sums, out[t, column : column + n], first_unit, last_unit)
        wait_for_all(arrived, threads * (t + 1))
        old, new = new, old
