"""Vectors of 32 bytes for numba, and the few loads and stores that kernels of raw addresses need.

`u8x32` is LLVM's ``<32 x i8>``. LLVM splits it where registers are narrower, so only `shuffle` knows the CPU, and
it asks numba's target: NUMBA_CPU_NAME and NUMBA_CPU_FEATURES choose what is compiled.

Addresses and offsets are int64. Nothing here checks a bound.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic, models, overload, register_model

LANES = 32
_HALF = 16
_BYTE, _INT, _LONG = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_VECTOR, _HALF_VECTOR = ir.VectorType(_BYTE, LANES), ir.VectorType(_BYTE, _HALF)


class U8x32(types.Type):
    """The type of a vector of 32 bytes."""

    def __init__(self) -> None:
        super().__init__(name="u8x32")


u8x32 = U8x32()


@register_model(U8x32)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: U8x32) -> None:
        super().__init__(manager, kind, _VECTOR)  # type: ignore[no-untyped-call]  # numba has few types


def _intrinsic(result: Any, *parameters: Any) -> Callable[[Callable[[Any, Any, Any], Any]], Any]:
    """Make an intrinsic of a function that emits code, given numba's context, LLVM's builder and the arguments."""

    def of(emit: Callable[[Any, Any, Any], Any]) -> Any:
        def generate(context: Any, builder: Any, _: Any, args: Any) -> Any:
            return emit(context, builder, args)

        # numba reads off the definition how many arguments there are
        if len(parameters) == 1:
            return intrinsic(lambda _, _a: (result(*parameters), generate))
        return intrinsic(lambda _, _a, _b: (result(*parameters), generate))

    return of


def _call(builder: Any, name: str, kind: Any, args: list[Any]) -> Any:
    """Call one of LLVM's own functions."""
    declare: Any = cgutils.get_or_insert_function
    return builder.call(declare(builder.module, kind, name), args)


def _at(builder: Any, address: Any, what: Any) -> Any:
    return builder.inttoptr(address, what.as_pointer())


def _pick(builder: Any, a: Any, b: Any, lanes: list[int]) -> Any:
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_INT, len(lanes)), lanes))


def _constant(value: int) -> Any:
    return ir.Constant(_VECTOR, [value] * LANES)


def _read(what: Any) -> Any:
    """Make an intrinsic that reads an unsigned number at an address."""

    def emit(_: Any, b: Any, args: Any) -> Any:
        value = b.load(_at(b, args[0], what), align=1)
        return value if what is _LONG else b.zext(value, _LONG)

    return _intrinsic(types.int64, types.int64)(emit)


u8, u32, i64 = _read(_BYTE), _read(_INT), _read(_LONG)


def _write(what: Any) -> Any:
    """Make an intrinsic that writes the lower bits of a number to an address."""

    def emit(context: Any, b: Any, args: Any) -> Any:
        b.store(args[1] if what is _LONG else b.trunc(args[1], what), _at(b, args[0], what), align=1)
        return context.get_dummy_value()

    return _intrinsic(types.void, types.int64, types.int64)(emit)


put, put32 = _write(_LONG), _write(_INT)


@_intrinsic(types.int64, types.int64)
def lowest(_: Any, b: Any, args: Any) -> Any:
    """Give the number of the lowest bit that is set, 64 if none is."""
    return b.cttz(args[0], ir.Constant(ir.IntType(1), 0))


@_intrinsic(types.void, types.int64)
def prefetch(context: Any, b: Any, args: Any) -> Any:
    """Have a cache line fetched for reading; an address that cannot be read does no harm."""
    kind = ir.FunctionType(ir.VoidType(), [_BYTE.as_pointer(), _INT, _INT, _INT])
    _call(b, "llvm.prefetch.p0", kind, [_at(b, args[0], _BYTE), *(ir.Constant(_INT, n) for n in (0, 3, 1))])
    return context.get_dummy_value()


@_intrinsic(u8x32, types.int64)
def load(_: Any, b: Any, args: Any) -> Any:
    """Load 32 bytes."""
    return b.load(_at(b, args[0], _VECTOR), align=1)


@_intrinsic(u8x32, types.int64)
def load_twice(_: Any, b: Any, args: Any) -> Any:
    """Load 16 bytes into both halves."""
    half = b.load(_at(b, args[0], _HALF_VECTOR), align=1)
    return _pick(b, half, half, 2 * list(range(_HALF)))


@_intrinsic(u8x32, types.int64)
def splat(_: Any, b: Any, args: Any) -> Any:
    """Put one byte into every lane."""
    one = b.insert_element(ir.Constant(_VECTOR, ir.Undefined), b.trunc(args[0], _BYTE), ir.Constant(_INT, 0))
    return _pick(b, one, one, [0] * LANES)


@_intrinsic(types.boolean, u8x32)
def nonzero(_: Any, b: Any, args: Any) -> Any:
    """Say whether any byte is not zero."""
    bits = ir.IntType(8 * LANES)
    return b.icmp_unsigned("!=", b.bitcast(args[0], bits), ir.Constant(bits, 0))


@_intrinsic(types.int64, u8x32)
def mask(_: Any, b: Any, args: Any) -> Any:
    """Set bit i where byte i is not zero."""
    return b.zext(b.bitcast(b.icmp_unsigned("!=", args[0], _constant(0)), ir.IntType(LANES)), _LONG)


@_intrinsic(u8x32, u8x32)
def high(_: Any, b: Any, args: Any) -> Any:
    """Move the high nibble of every byte down."""
    return b.lshr(args[0], _constant(4))


def _moved(_: Any, _x: Any, _y: Any, by: Any) -> Any:
    """Give what `load(p + by)` does, for x = load(p), y = load(p + 16) and a literal below 16."""
    lanes = [half + i if i < _HALF else LANES + half + i - _HALF
             for half in (0, _HALF) for i in range(by.literal_value, by.literal_value + _HALF)]  # fmt: skip

    def generate(_: Any, b: Any, __: Any, args: Any) -> Any:
        return _pick(b, args[0], args[1], lanes)

    return u8x32(u8x32, u8x32, by), generate  # with the literal's own type: by types numba tells what it has made


moved: Any = intrinsic(prefer_literal=True)(_moved)


def _operator(function: Any, emit: Callable[[Any, Any], Any]) -> None:
    call = _intrinsic(u8x32, u8x32, u8x32)(lambda _, b, args: emit(b, args))

    @overload(function)
    def choose(a, b):  # type: ignore[no-untyped-def]  # numba wants the same annotations as of what is returned
        return (lambda a, b: call(a, b)) if a is u8x32 and b is u8x32 else None


_operator(operator.and_, lambda b, args: b.and_(*args))
_operator(operator.or_, lambda b, args: b.or_(*args))
_operator(operator.eq, lambda b, args: b.sext(b.icmp_unsigned("==", *args), _VECTOR))


def target_shuffle() -> tuple[str, int] | None:
    """Give the LLVM name and width of the byte shuffle of numba's target, None where it has none.

    Sources: pshufb in Intel's Software Developer's Manual, tbl in Arm's Architecture Reference Manual.
    """
    triple, _, features = cpu_target.target_context.codegen().magic_tuple()
    if triple.startswith(("aarch64", "arm64")):
        return "llvm.aarch64.neon.tbl1.v16i8", _HALF
    known = [("+avx2", "llvm.x86.avx2.pshuf.b", LANES), ("+ssse3", "llvm.x86.ssse3.pshuf.b.128", _HALF)]
    return next(((name, width) for flag, name, width in known if flag in features.split(",")), None)


@_intrinsic(u8x32, u8x32, u8x32)
def shuffle(_: Any, b: Any, args: Any) -> Any:
    """Give ``table[index & 15]`` for every byte of the index, and 0 where its bit 7 is set.

    The table is the same in both halves, as of `load_twice`.
    """
    found = target_shuffle()
    if found is None:
        raise NotImplementedError("no byte shuffle")
    name, width = found
    table, index = args
    if "neon" in name:  # any index over 15 gives 0: bits 4 to 6 have to go
        index = b.and_(index, _constant(0x8F))
    kind = ir.FunctionType(ir.VectorType(_BYTE, width), 2 * [ir.VectorType(_BYTE, width)])
    if width == LANES:
        return _call(b, name, kind, [table, index])
    lanes = list(range(LANES))
    halves = [[_pick(b, v, v, half) for v in (table, index)] for half in (lanes[:_HALF], lanes[_HALF:])]
    lower, upper = (_call(b, name, kind, half) for half in halves)
    return _pick(b, lower, upper, lanes)


@intrinsic
def width(_: Any) -> Any:
    """Give the width of `shuffle`, 0 where there is none."""

    def generate(*_: Any) -> Any:
        return ir.Constant(_LONG, (target_shuffle() or ("", 0))[1])

    return types.int64(), generate
