"""Inner loops that keep their sums in vector registers, written as LLVM instructions.

LLVM keeps the sums of a plain loop in memory: every product costs a load and a store of its sum as well. The functions
here hold a few vectors of sums in registers during the whole loop over j. They differ in their operands only:

add_row         out[b]    += sum_j values[j] x[columns[j], b]       a row of a sparse W, for `width` sequences b at once
add_panel       out[i, b] += sum_j panel[j, i] x[j, b]              `PANEL` rows i of a dense W, for `width` sequences
add_diagonals   out[m]    += sum_j values[j, m] x[shifts[j] + m]    `width` units m of a W of cyclic diagonals
add_slice       out[m]    += sum_j values[j, m] x[columns[j, m]]    `width` units m of a sparse W

Each sum is added up in the order of j by fused multiply-adds, as a plain loop does it. So the bits are the same however
many sequences or units are computed at once. A vector is 64 bytes long; LLVM divides it where the machine's are shorter.
Arrays must be contiguous. Without the JIT, the plain twins at the end of the file take the place of the emitted loops.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types

from reservoir.kernels.jit import COMPILES, emitted

VECTOR_BYTES = 64
REGISTERS = 4
"""The vectors of sums that `add_row`, `add_diagonals` and `add_slice` hold: `width` numbers in all."""
PANEL = 6
"""The rows of a dense matrix that `add_panel` multiplies at once."""
TILE = 8
"""The rows and columns that `write_tile` exchanges."""
CONTRACT = ("contract",)
INDEX, LANE, BIT = ir.IntType(64), ir.IntType(32), ir.IntType(1)
Operands = list[tuple[ir.Value, ir.Value]]


def width(itemsize: int) -> int:
    """Return how many sequences or units are computed at once: 32 in float64, 64 in float32."""
    return REGISTERS * VECTOR_BYTES // itemsize


def constant(value: int) -> ir.Constant:
    """Return an index known at compile time."""
    return ir.Constant(INDEX, value)


class Emitter:
    """Emits loads, sums and stores of vectors of one type."""

    def __init__(self, context: Any, builder: ir.IRBuilder, signature: Any) -> None:
        self.context, self.builder, self.types = context, builder, signature.args
        self.size = signature.args[0].dtype.bitwidth // 8
        self.lanes = VECTOR_BYTES // self.size
        self.vector = ir.VectorType(context.get_data_type(signature.args[0].dtype), self.lanes)

    def data(self, number: int, values: Any) -> ir.Value:
        """Return the address of the first element of an array among the arguments."""
        return self.context.make_array(self.types[number])(self.context, self.builder, values[number]).data

    def at(self, base: ir.Value, offset: ir.Value, kind: ir.Type | None = None) -> ir.Value:
        """Return the address of the vector that starts `offset` elements after `base`."""
        return self.builder.bitcast(self.builder.gep(base, [offset]), (kind or self.vector).as_pointer())

    def load(self, base: ir.Value, offset: ir.Value) -> ir.Value:
        """Load the vector that starts `offset` elements after `base`."""
        return self.builder.load(self.at(base, offset), align=self.size)

    def index(self, base: ir.Value, offset: ir.Value) -> ir.Value:
        """Load an unsigned integer as an index."""
        value = self.builder.load(self.builder.gep(base, [offset]))
        return self.builder.zext(value, INDEX) if value.type.width < INDEX.width else value

    def repeat(self, scalar: ir.Value) -> ir.Value:
        """Return a vector that holds a number in every lane."""
        nothing = ir.Constant(ir.VectorType(scalar.type, self.lanes), ir.Undefined)
        first = self.builder.insert_element(nothing, scalar, ir.Constant(LANE, 0))
        return self.builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(LANE, self.lanes), [0] * self.lanes))

    def gather(self, base: ir.Value, columns: ir.Value) -> ir.Value:
        """Load the elements base[columns[lane]], for a vector of unsigned 32-bit columns."""
        b, far = self.builder, ir.VectorType(INDEX, self.lanes)
        pointers, mask = ir.VectorType(ir.IntType(8).as_pointer(), self.lanes), ir.VectorType(BIT, self.lanes)
        offsets = b.mul(b.zext(columns, far), ir.Constant(far, [self.size] * self.lanes))
        addresses = b.inttoptr(b.add(self.repeat(b.ptrtoint(base, INDEX)), offsets), pointers)
        name = f"llvm.masked.gather.v{self.lanes}f{8 * self.size}.v{self.lanes}p0"
        function = b.module.globals.get(name) or ir.Function(
            b.module, ir.FunctionType(self.vector, [pointers, LANE, mask, self.vector]), name
        )
        every, nothing = ir.Constant(mask, [1] * self.lanes), ir.Constant(self.vector, ir.Undefined)
        return b.call(function, [addresses, ir.Constant(LANE, self.size), every, nothing])

    def accumulate(self, out: list[ir.Value], start: ir.Value, stop: ir.Value, products: Callable[[ir.Value], Operands]) -> None:
        """Emit the loop j = start ... stop - 1 that adds the products of j, one per address of `out`, to the vectors there."""
        b, before = self.builder, self.builder.block
        sums = [b.load(address, align=self.size) for address in out]
        head, body, end = (b.append_basic_block(name) for name in ("head", "body", "end"))
        b.branch(head)
        b.position_at_end(head)
        j = b.phi(INDEX)
        j.add_incoming(start, before)
        carried = [b.phi(self.vector) for _ in sums]
        for phi, value in zip(carried, sums, strict=True):
            phi.add_incoming(value, before)
        b.cbranch(b.icmp_signed("<", j, stop), body, end)
        b.position_at_end(body)
        new = [
            b.fadd(phi, b.fmul(left, right, flags=CONTRACT), flags=CONTRACT)
            for phi, (left, right) in zip(carried, products(j), strict=True)
        ]
        following = b.add(j, constant(1))
        for phi, value in zip([j, *carried], [following, *new], strict=True):
            phi.add_incoming(value, b.block)
        b.branch(head)
        b.position_at_end(end)
        for address, value in zip(out, carried, strict=True):
            b.store(value, address, align=self.size)


def sums_over_columns(products: Callable[..., Operands]) -> Callable[..., Any]:
    """Return what writes the code of a function of (values, columns, start, stop, x, out): the sums of the `products` of j."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:
        e = Emitter(context, builder, signature)
        factors, indices, inputs, sums = (e.data(number, arguments) for number in (0, 1, 4, 5))
        steps = [constant(r * e.lanes) for r in range(REGISTERS)]
        out = [e.at(sums, step) for step in steps]
        e.accumulate(out, arguments[2], arguments[3], lambda j: products(e, factors, indices, inputs, steps, j))
        return context.get_dummy_value()

    return codegen


@emitted
def wide_vectors(context):
    """Let the function that calls this use the longest vectors of the machine: LLVM prefers shorter ones."""

    def codegen(context, builder, signature, values):
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')  # llvmlite's own `add` knows no strings
        return context.get_dummy_value()

    return types.void(), codegen


@emitted
def add_row(context, values, columns, start, stop, x, out):
    """out[b] += sum_j values[j] x[columns[j], b] over j = start ... stop - 1, for x (K, width) and out (width,)."""
    signature = types.void(values, columns, types.intp, types.intp, x, out)

    def products(e, factors, indices, inputs, steps, j):
        factor = e.repeat(e.builder.load(e.builder.gep(factors, [j])))
        row = e.builder.mul(e.index(indices, j), constant(REGISTERS * e.lanes))
        return [(factor, e.load(inputs, e.builder.add(row, step))) for step in steps]

    return signature, sums_over_columns(products)


@emitted
def add_panel(context, panel, count, x, out):
    """out[i, b] += sum_j panel[j, i] x[j, b] over j < count, for panel (K, PANEL), x (K, width) and out (PANEL, width)."""
    signature = types.void(panel, types.intp, x, out)
    # 24 sums in 32 registers of 64 bytes, 12 in 16 of 32 bytes, or 24 in 32 of 16 bytes
    registers = REGISTERS if llvmlite.binding.get_host_cpu_features().get("avx512f") else 1

    def codegen(context, builder, signature, arguments):
        e = Emitter(context, builder, signature)
        factors, inputs, sums = (e.data(number, arguments) for number in (0, 2, 3))
        for first in range(0, REGISTERS, registers):
            steps = [r * e.lanes for r in range(first, first + registers)]

            def products(j, steps=steps):
                row = builder.mul(j, constant(REGISTERS * e.lanes))
                loaded = [e.load(inputs, builder.add(row, constant(step))) for step in steps]
                column = builder.mul(j, constant(PANEL))
                places = [builder.gep(factors, [builder.add(column, constant(i))]) for i in range(PANEL)]
                return [(factor, vector) for factor in map(e.repeat, map(builder.load, places)) for vector in loaded]

            out = [e.at(sums, constant(i * REGISTERS * e.lanes + step)) for i in range(PANEL) for step in steps]
            e.accumulate(out, constant(0), arguments[1], products)
        return context.get_dummy_value()

    return signature, codegen


@emitted
def add_diagonals(context, values, shifts, x, out):
    """out[m] += sum_j values[j, m] x[shifts[j] + m] over all shifts, for values (K, width) and out (width,)."""
    signature = types.void(values, shifts, x, out)

    def codegen(context, builder, signature, arguments):
        e = Emitter(context, builder, signature)
        factors, indices, inputs, sums = (e.data(number, arguments) for number in range(4))
        count = builder.extract_value(context.make_array(signature.args[1])(context, builder, arguments[1]).shape, 0)
        steps = [constant(r * e.lanes) for r in range(REGISTERS)]

        def products(j):
            row, shift = builder.mul(j, constant(REGISTERS * e.lanes)), e.index(indices, j)
            return [(e.load(factors, builder.add(row, s)), e.load(inputs, builder.add(shift, s))) for s in steps]

        e.accumulate([e.at(sums, step) for step in steps], constant(0), count, products)
        return context.get_dummy_value()

    return signature, codegen


@emitted
def add_slice(context, values, columns, start, stop, x, out):
    """out[m] += sum_j values[j, m] x[columns[j, m]] over j = start ... stop - 1, for values (K, width) and out (width,)."""
    signature = types.void(values, columns, types.intp, types.intp, x, out)

    def products(e, factors, indices, inputs, steps, j):
        row, kind = e.builder.mul(j, constant(REGISTERS * e.lanes)), ir.VectorType(LANE, e.lanes)
        places = [e.builder.add(row, step) for step in steps]
        found = [e.builder.load(e.at(indices, place, kind), align=4) for place in places]
        return [(e.load(factors, place), e.gather(inputs, column)) for place, column in zip(places, found, strict=True)]

    return signature, sums_over_columns(products)


@emitted
def write_tile(context, x, row, lane, out, rows, column):
    """out[rows[lane + k], column + m] = x[row + m, lane + k] for k, m < TILE, by exchanges between registers."""
    signature = types.void(x, types.intp, types.intp, out, rows, types.intp)

    def codegen(context, builder, signature, arguments):
        b, e = builder, Emitter(context, builder, signature)
        source, target, places = (e.data(number, arguments) for number in (0, 3, 4))
        shapes = [context.make_array(signature.args[k])(context, b, arguments[k]).shape for k in (0, 3)]
        source_width, target_width = (b.extract_value(shape, 1) for shape in shapes)
        kind = ir.VectorType(e.vector.element, TILE)
        first = b.add(b.mul(arguments[1], source_width), arguments[2])
        lines = [b.load(e.at(source, b.add(first, b.mul(source_width, constant(m))), kind), align=e.size) for m in range(TILE)]
        for size in (4, 2, 1):  # exchange the blocks off the diagonal of all blocks of twice this size
            low = [k if not k // size % 2 else TILE + k - size for k in range(TILE)]
            high = [k + size if not k // size % 2 else TILE + k for k in range(TILE)]
            masks = [ir.Constant(ir.VectorType(LANE, TILE), part) for part in (low, high)]
            for m in (m for m in range(TILE) if not m // size % 2):
                pair = lines[m], lines[m + size]
                lines[m], lines[m + size] = (b.shuffle_vector(*pair, mask) for mask in masks)
        for k, line in enumerate(lines):
            place = b.mul(e.index(places, b.add(arguments[2], constant(k))), target_width)
            b.store(line, e.at(target, b.add(place, arguments[5]), kind), align=e.size)
        return context.get_dummy_value()

    return signature, codegen


if not COMPILES:

    def wide_vectors():
        """Do nothing: there is no code to compile."""

    def add_row(values, columns, start, stop, x, out):
        """The plain loop of the emitted function of this name."""
        for j in range(start, stop):
            out += values[j] * x[columns[j]]

    def add_panel(panel, count, x, out):
        """The plain loop of the emitted function of this name."""
        for j in range(count):
            out += panel[j][:, None] * x[j]

    def add_diagonals(values, shifts, x, out):
        """The plain loop of the emitted function of this name."""
        for j in range(len(shifts)):
            out += values[j] * x[shifts[j] : shifts[j] + out.size]

    def add_slice(values, columns, start, stop, x, out):
        """The plain loop of the emitted function of this name."""
        for j in range(start, stop):
            out += values[j] * x[columns[j]]

    def write_tile(x, row, lane, out, rows, column):
        """The plain loop of the emitted function of this name."""
        for k in range(TILE):
            out[rows[lane + k], column : column + TILE] = x[row : row + TILE, lane + k]
