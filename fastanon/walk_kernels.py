"""The walks over elements and over the tags of a CSA header for numba, from the very source of the plain forms.

What they are called with are addresses and lengths, so that they can be called without numba too.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload, register_jitable
from numba.np import arrayobj

from fastanon import walk as elements
from fastanon.siemens import csa_tags


# An unsigned index spares the check for a negative one; walk sees to it that p is in bounds.
@overload(elements.u16)
def _u16(b, p):  # type: ignore[no-untyped-def]  # numba calls this with its own types
    def read(b, p):  # type: ignore[no-untyped-def]
        at = types.uintp(p)
        return types.int64(b[at]) | types.int64(b[at + types.uintp(1)]) << 8

    return read


@overload(elements.u32)
def _u32(b, p):  # type: ignore[no-untyped-def]
    def read(b, p):  # type: ignore[no-untyped-def]
        return types.int64(elements.u16(b, p)) | types.int64(elements.u16(b, p + 2)) << 16

    return read


for _name in (
    "u16_in", "u32_in", "tag_in", "kind_of", "is_sequence_tag", "item_mode", "fragments_end", "sequence_mode",
    "header", "push", "put", "guessed_level",
):  # fmt: skip
    register_jitable(inline="always")(getattr(elements, _name))
for _name in ("first_nul", "is_number", "put_run", "put_leftover", "two_letters"):
    register_jitable(getattr(csa_tags, _name))

_arrays: Any = arrayobj  # numba has few types
_pack: Any = cgutils.pack_array

_walk = register_jitable(elements.walk)
_tag_starts, _tag_runs = register_jitable(csa_tags.tag_starts), register_jitable(csa_tags.tag_runs)


def _array(item: Any) -> Any:
    """Make an intrinsic that gives an array at an address, which nothing owns."""
    kind = types.Array(item, 1, "C")

    def view(_, address, length):  # type: ignore[no-untyped-def]
        def generate(context: Any, builder: Any, _: Any, args: Any) -> Any:
            array = _arrays.make_array(kind)(context, builder)
            size = context.get_constant(types.intp, item.bitwidth // 8)
            shape, strides = (_pack(builder, [one]) for one in (args[1], size))
            data = builder.inttoptr(args[0], array.data.type)
            _arrays.populate_array(array, data, shape, strides, size, None)
            return array._getvalue()

        return kind(address, length), generate

    return intrinsic(view)


_bytes_at, _numbers_at = _array(types.uint8), _array(types.int64)


def walk(
    b: int, start: int, stop: int, mode: int, only_group: int,
    table: int, room: int, state: int, scratch: int, kinds: int, sequences: int, tags: int,
) -> int:  # fmt: skip
    """Do what `fastanon.walk.walk` does; each of the last three buffers of numbers has its length behind it."""
    rows, levels, known = _numbers_at(table, room), _numbers_at(state, scratch), _numbers_at(sequences, tags)
    data, letters = _bytes_at(b, stop), _bytes_at(kinds, 676)
    return _walk(data, start, stop, mode, only_group, rows, levels, letters, known)


def tag_starts(data: int, start: int, stop: int, starts: int, room: int) -> int:
    """Do what `fastanon.siemens.csa_tags.tag_starts` does; `room` is the length of `starts`."""
    return _tag_starts(_bytes_at(data, stop), start, stop, _numbers_at(starts, room))


def tag_runs(data: int, start: int, stop: int, runs: int, room: int) -> int:
    """Do what `fastanon.siemens.csa_tags.tag_runs` does; `room` is the length of `runs`."""
    return _tag_runs(_bytes_at(data, stop), start, stop, _numbers_at(runs, room))
