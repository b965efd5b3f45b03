"""Vector registers written down: the few operations on whole vectors of numbers that the fastest kernels consist of.

Worth reading after the first rungs of matmul.py, which use none of this.

A core has 16 or 32 vector registers. Each holds a row of numbers, its lanes: 16 of float32 with AVX-512, 8 with AVX2,
4 on ARM and on older processors; half as many of float64. One instruction does the same to all lanes. Usually a
compiler looks for loops that it can turn into such instructions, and keeps what it does not understand in memory. Here
a variable *is* a register, and each function below is one instruction or a few:

    y = load(b, (p, j))                 b[p, j], b[p, j + 1], ..., as many as there are lanes
    sums = fma(splat(a, (i, p)), y, sums)
    store(c, (i, j), sums)

Vectors have + - * / as well. An index is that of the first number, as in a[i, j]; the numbers follow each other along
the last axis, which must be contiguous, except for `splat`. Nothing checks an index. The number of lanes is a
constant of the compiled code, which Numba's cache keeps apart for each processor.

With NUMBA_DISABLE_JIT=1 the same names are functions of NumPy arrays, and a vector is an array (lanes,).
"""

import operator

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.codegen import get_host_cpu_features
from numba.core.errors import TypingError
from numba.extending import intrinsic, lower_builtin, models, overload_attribute, register_model, type_callable


def register_bytes(features):
    """Bytes of a vector register of a processor with these features, in LLVM's notation: "+avx2,-avx512f"."""
    features = features.split(",")
    return 64 if "+avx512f" in features else 32 if "+avx" in features else 16


# Numba compiles for the processor that it runs on, unless the environment names another one.
REGISTER_BYTES = register_bytes(get_host_cpu_features() if numba.config.CPU_FEATURES is None
                                else numba.config.CPU_FEATURES)


class Vector(types.Type):
    """Numba's type of a vector register: `lanes` numbers of a dtype, or truth values."""

    def __init__(self, dtype, lanes):
        self.dtype, self.lanes = dtype, lanes
        super().__init__(name=f"Vector({dtype}, {lanes})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    """A Vector is LLVM's <lanes x dtype>, which LLVM keeps in a register."""

    def __init__(self, manager, vector):
        element = {types.float32: ir.FloatType(), types.float64: ir.DoubleType(), types.boolean: ir.IntType(1)}
        super().__init__(manager, vector, ir.VectorType(element[vector.dtype], vector.lanes))


@overload_attribute(Vector, "itemsize")
def _itemsize(vector):
    """Bytes of one number, as of an array's."""
    size = vector.dtype.bitwidth // 8
    return lambda vector: size


def vector_of(like):
    """The Vector type for the numbers of an array or vector type. Raises TypingError for any other dtype."""
    dtype = getattr(like, "dtype", like)
    if dtype not in (types.float32, types.float64):
        raise TypingError(f"a vector register holds float32 or float64 here; got {dtype}")
    return Vector(dtype, REGISTER_BYTES * 8 // dtype.bitwidth)


def instruction(plain):
    """Decorate the function that builds the instructions (for Numba's `intrinsic`) of the operation `plain`.

    `plain` does the same to NumPy arrays; it stays the operation if nothing is compiled.
    """
    def decorate(build):
        if numba.config.DISABLE_JIT:
            return plain
        operation = intrinsic(build)
        operation.__doc__ = plain.__doc__
        return operation

    return decorate


def _address(context, builder, array_type, array, index_type, index):
    """The address of array[index], for an index that is a number or a tuple."""
    index = cgutils.unpack_tuple(builder, index) if isinstance(index_type, types.BaseTuple) else [index]
    kinds = index_type.types if isinstance(index_type, types.BaseTuple) else [index_type]
    index = [context.cast(builder, i, kind, types.intp) for i, kind in zip(index, kinds)]
    array = context.make_array(array_type)(context, builder, array)
    return cgutils.get_item_pointer(context, builder, array_type, array, index, wraparound=False)


def _vector_address(context, builder, signature, args, kind):
    """The same for the first two arguments of an operation, as the address of a whole vector."""
    address = _address(context, builder, signature.args[0], args[0], signature.args[1], args[1])
    return builder.bitcast(address, kind.as_pointer())


def _function(builder, name, result, kinds):
    """A function of LLVM's own. (llvmlite's methods for them refuse vectors.)"""
    return builder.module.globals.get(name) or ir.Function(builder.module, ir.FunctionType(result, kinds), name)


def _constants(kind, values):
    """The vector of these numbers, one for each lane; of one number in all of them."""
    values = values if isinstance(values, list) else [values] * kind.count
    return ir.Constant(kind, values)


def _same_in_all(builder, number, kind):
    """The vector with `number` in every lane."""
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, first, _constants(ir.VectorType(ir.IntType(32), kind.count), 0))


def lanes_of(like):
    """How many numbers of the dtype of `like`, an array or a vector, are in a vector."""
    return REGISTER_BYTES // like.itemsize


@instruction(lanes_of)
def lanes_of(typing, like):
    lanes = vector_of(like).lanes
    return types.intp(like), lambda context, builder, signature, args: context.get_constant(types.intp, lanes)


def load(array, index):
    """The numbers of an array (n,) at index, index + 1, ...; or of one (m, n) at (i, j), (i, j + 1), ..."""
    return load_part(array, index, lanes_of(array))


@instruction(load)
def load(typing, array, index):
    vector = vector_of(array)

    def build(context, builder, signature, args):
        address = _vector_address(context, builder, signature, args, context.get_value_type(vector))
        return builder.load(address, align=array.dtype.bitwidth // 8)

    return vector(array, index), build


def store(array, index, vector):
    """Write a vector to where `load` would read it."""
    store_part(array, index, lanes_of(array), vector)


@instruction(store)
def store(typing, array, index, vector):
    def build(context, builder, signature, args):
        address = _vector_address(context, builder, signature, args, args[2].type)
        builder.store(args[2], address, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, index, vector), build


def _first_lanes(context, builder, n, kind):
    """The mask of the lanes 0, 1, ..., n - 1, for any whole n, and whether these are all lanes."""
    numbers = ir.VectorType(n.type, kind.count)
    mask = builder.icmp_signed("<", _constants(numbers, list(range(kind.count))), _same_in_all(builder, n, numbers))
    return mask, builder.icmp_signed(">=", n, ir.Constant(n.type, kind.count))


def _intrinsic_name(what, kind):
    """LLVM's name of a function for vectors of a kind that are in memory."""
    return f"llvm.masked.{what}.{_suffix(kind)}.p0{_suffix(kind)}"


def _suffix(kind):
    """v8f32 for vectors of eight float32."""
    return f"v{kind.count}f{32 if isinstance(kind.element, ir.FloatType) else 64}"


def load_part(array, index, n):
    """The first n lanes of `load`, and 0 in the others, which are not read; n may also be negative, or too large."""
    *before, last = index if isinstance(index, tuple) else (index,)
    vector, there = np.zeros(lanes_of(array), array.dtype), max(0, min(n, lanes_of(array)))
    vector[:there] = array[(*before, slice(last, last + there))]
    return vector


@instruction(load_part)
def load_part(typing, array, index, n):
    vector = vector_of(array)

    def build(context, builder, signature, args):
        kind, size = context.get_value_type(vector), array.dtype.bitwidth // 8
        address = _vector_address(context, builder, signature, args, kind)
        mask, is_whole = _first_lanes(context, builder, args[2], kind)
        result = cgutils.alloca_once(builder, kind)
        with builder.if_else(is_whole, likely=True) as (whole, part):
            with whole:
                builder.store(builder.load(address, align=size), result)
            with part:
                masked = _function(builder, _intrinsic_name("load", kind), kind,
                                   [address.type, ir.IntType(32), mask.type, kind])
                builder.store(builder.call(masked, [address, ir.Constant(ir.IntType(32), size), mask,
                                                    _constants(kind, 0.0)]), result)
        return builder.load(result)

    return vector(array, index, types.intp), build


def store_part(array, index, n, vector):
    """Write the first n lanes, as `load_part` reads them."""
    *before, last = index if isinstance(index, tuple) else (index,)
    there = max(0, min(n, len(vector)))
    array[(*before, slice(last, last + there))] = vector[:there]


@instruction(store_part)
def store_part(typing, array, index, n, vector):
    def build(context, builder, signature, args):
        kind, size = args[3].type, array.dtype.bitwidth // 8
        address = _vector_address(context, builder, signature, args, kind)
        mask, is_whole = _first_lanes(context, builder, args[2], kind)
        with builder.if_else(is_whole, likely=True) as (whole, part):
            with whole:
                builder.store(args[3], address, align=size)
            with part:
                masked = _function(builder, _intrinsic_name("store", kind), ir.VoidType(),
                                   [kind, address.type, ir.IntType(32), mask.type])
                builder.call(masked, [args[3], address, ir.Constant(ir.IntType(32), size), mask])
        return context.get_dummy_value()

    return types.void(array, index, types.intp, vector), build


def splat(array, index):
    """array[index], a single number, in every lane. The array may have gaps."""
    return full(array[index], array)


@instruction(splat)
def splat(typing, array, index):
    vector = vector_of(array)

    def build(context, builder, signature, args):
        number = builder.load(_address(context, builder, array, args[0], index, args[1]))
        return _same_in_all(builder, number, context.get_value_type(vector))

    return vector(array, index), build


def full(number, like):
    """A number in every lane, in the dtype of `like`, an array or a vector."""
    return np.full(lanes_of(like), number, like.dtype)


@instruction(full)
def full(typing, number, like):
    vector = vector_of(like)

    def build(context, builder, signature, args):
        number = context.cast(builder, args[0], signature.args[0], like.dtype)
        return _same_in_all(builder, number, context.get_value_type(vector))

    return vector(number, like), build


def fma(x, y, z):
    """x * y + z, rounded only once where the processor can (x86 since 2013, ARM)."""
    with np.errstate(invalid="ignore"):  # infinity times a 0 beyond the last column is NaN, and nobody looks at it
        return x * y + z


@instruction(fma)
def fma(typing, x, y, z):
    def build(context, builder, signature, args):
        kind = args[0].type
        return builder.call(_function(builder, f"llvm.fmuladd.{_suffix(kind)}", kind, [kind] * 3), args)

    return x(x, y, z), build


def less(x, y):
    """Which lanes of x are less than those of y: a vector of truth values."""
    return x < y


@instruction(less)
def less(typing, x, y):
    return Vector(types.boolean, x.lanes)(x, y), \
        lambda context, builder, signature, args: builder.fcmp_ordered("<", *args)


def select(which, x, y):
    """The lanes of x where `which` is true, those of y elsewhere."""
    return np.where(which, x, y)


@instruction(select)
def select(typing, which, x, y):
    return x(which, x, y), lambda context, builder, signature, args: builder.select(*args)


def power_of_two(x):
    """2^n and n, for the whole number n nearest to each x, as far as 2^n is an ordinary number of the dtype."""
    n = np.rint(x)
    return np.ldexp(full(1, x), np.nan_to_num(n).astype(np.int32)), n


@instruction(power_of_two)
def power_of_two(typing, x):
    """After 1.5 * 2^23 is added to a small float32, its last bits are n. Shifted to the exponent's place, they are 2^n.

    (In float64 1.5 * 2^52.) The exponent of 2^n is stored as n plus half of the largest exponent.
    """
    digits, bits = {types.float32: (23, 32), types.float64: (52, 64)}[x.dtype]

    def build(context, builder, signature, args):
        kind = args[0].type
        whole = ir.VectorType(ir.IntType(bits), kind.count)
        shift = _constants(kind, 1.5 * 2.0**digits)
        shifted = builder.fadd(args[0], shift)
        exponent = builder.add(builder.bitcast(shifted, whole), _constants(whole, (1 << bits - digits - 2) - 1))
        power = builder.bitcast(builder.shl(exponent, _constants(whole, digits)), kind)
        return context.make_tuple(builder, signature.return_type, (power, builder.fsub(shifted, shift)))

    return types.UniTuple(x, 2)(x), build


def transpose(source, index, target, target_index):
    """Write a square block of `source`, lanes x lanes, whose first number is at `index`, transposed to `target`."""
    (i, j), (k, m), lanes = index, target_index, lanes_of(source)
    target[k:k + lanes, m:m + lanes] = source[i:i + lanes, j:j + lanes].T


@instruction(transpose)
def transpose(typing, source, index, target, target_index):
    """Rows in registers, in which blocks of 1, 2, 4, ... lanes are exchanged: of rows r and r + 1, r + 2, r + 4, ..."""
    vector = vector_of(source)

    def build(context, builder, signature, args):
        kind, lanes = context.get_value_type(vector), vector.lanes

        def addresses(array_type, array, corner):
            i, j = cgutils.unpack_tuple(builder, corner)
            for r in range(lanes):
                row = builder.add(i, ir.Constant(i.type, r))
                pair = cgutils.pack_array(builder, [row, j])
                where = _address(context, builder, array_type, array, types.UniTuple(types.intp, 2), pair)
                yield builder.bitcast(where, kind.as_pointer())

        size = source.dtype.bitwidth // 8
        rows = [builder.load(address, align=size) for address in addresses(source, args[0], args[1])]
        for block in (1 << b for b in range(lanes.bit_length() - 1)):
            for r in (r for r in range(lanes) if not r & block):
                x, y = rows[r], rows[r + block]
                rows[r] = _shuffled(builder, x, y, [n + lanes - block if n & block else n for n in range(lanes)])
                rows[r + block] = _shuffled(builder, x, y,
                                            [n + lanes if n & block else n + block for n in range(lanes)])
        for address, row in zip(addresses(target, args[2], args[3]), rows):
            builder.store(row, address, align=size)
        return context.get_dummy_value()

    pair = types.UniTuple(types.intp, 2)
    return types.void(source, pair, target, pair), build


def _shuffled(builder, x, y, lanes):
    """A vector of these lanes of x, and, from `len(x)` on, of y."""
    return builder.shuffle_vector(x, y, _constants(ir.VectorType(ir.IntType(32), len(lanes)), lanes))


def _add_operator(operation, method):
    """Let `operation` of two vectors be that method of llvmlite's IRBuilder."""
    @type_callable(operation)
    def kind(context):
        return lambda x, y: x if isinstance(x, Vector) and x == y else None

    @lower_builtin(operation, Vector, Vector)
    def build(context, builder, signature, args):
        return getattr(builder, method)(*args)


for _operation, _method in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul"),
                            (operator.truediv, "fdiv")):
    _add_operator(_operation, _method)
