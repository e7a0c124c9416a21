"""One long sequence through a large reservoir, by several threads: each computes its own units of every step."""

from __future__ import annotations

import os

from llvmlite import ir
from numba import types

from reservoir.kernels.drive import advance
from reservoir.kernels.jit import emitted, uncounted

PATIENCE = 4096
"""How often a thread looks whether the others have come before it lets another process have its core."""


@emitted
def wait_for_all(context, arrived, target):
    """Count this thread in `arrived` (1,), then wait until `target` threads are counted: what they wrote is visible then."""
    signature = types.void(arrived, types.int64)

    def codegen(context, builder, signature, arguments):
        b, index = builder, ir.IntType(64)
        counter = context.make_array(signature.args[0])(context, b, arguments[0]).data
        b.atomic_rmw("add", counter, ir.Constant(index, 1), "acq_rel")
        before = b.block
        look, again, give_way, passed = (b.append_basic_block(name) for name in ("look", "again", "give_way", "passed"))
        b.branch(look)
        b.position_at_end(look)
        looks = b.phi(index)
        looks.add_incoming(ir.Constant(index, 1), before)
        missing = b.icmp_signed("<", b.load_atomic(counter, "acquire", 8), arguments[1])
        b.cbranch(missing, again, passed)
        b.position_at_end(again)
        looks.add_incoming(b.add(looks, ir.Constant(index, 1)), again)
        b.cbranch(b.icmp_signed("<", looks, ir.Constant(index, PATIENCE)), look, give_way)
        b.position_at_end(give_way)
        if os.name == "posix":
            name = "sched_yield"
            function = b.module.globals.get(name) or ir.Function(b.module, ir.FunctionType(ir.IntType(32), []), name)
            b.call(function, [])
        looks.add_incoming(ir.Constant(index, 1), give_way)
        b.branch(look)
        b.position_at_end(passed)
        return context.get_dummy_value()

    return signature, codegen


@uncounted
def drive_units(weights, inputs, noise, out, column, first_unit, last_unit, threads, arrived, scratch):
    """As `drive` of one sequence, for the units from `first_unit` (a multiple of `BLOCK`) to `last_unit`.

    `threads` threads call it with ranges that cover all units, the same `arrived` (1,), which holds 0, and the same
    states `old`, the initial one, and `new`; `sums` is each thread's own. After an even number of steps `old` holds the
    last state, else `new`.
    """
    n = weights.leak.size
    old, new, sums = scratch.old, scratch.new, scratch.sums
    for t in range(inputs.shape[0]):
        shaken = noise[t if noise.size > 0 else 0]
        advance(weights, inputs[t], shaken, old, new, sums, out[t, column : column + n], first_unit, last_unit)
        wait_for_all(arrived, threads * (t + 1))
        old, new = new, old
