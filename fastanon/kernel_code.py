"""Kernels compiled by numba into object files that need neither numba nor Python.

numba hands out what LLVM made of a kernel. Here that gets an entry which can be called as a C function is, and
becomes machine code for the CPU that numba compiles for.
"""

from __future__ import annotations

import importlib
from typing import Any

from llvmlite import binding, ir
from numba import njit, types
from numba.core.registry import cpu_target

from fastanon.kept_kernels import KERNELS, Kernel, symbol

_LONG = ir.IntType(64)
_njit: Any = njit  # whose types know not all options
#: No way in from Python, and no counting of references, for which it would be needed.
_ALONE = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "_nrt": False}
#: How numba names what it raises. An entry says nothing of that, and kernels raise nothing.
_RAISED = ".const.picklebuf"
#: What LLVM may make of a loop, all of it in any C library.
_KNOWN = {"memcpy", "memmove", "memset", "memcmp", "bcmp"}


def emitted(name: str) -> bytes:
    """Compile a kernel into an object file.

    Raises
    ------
    NotImplementedError
        If the CPU lacks an instruction; another kernel runs in its place then.
    RuntimeError
        If it would need more than itself: a call of what is not there ends the process, one of Python harms it.
    """
    arguments = _arguments(name)
    kernel = _njit(**_ALONE)(_source(name))
    kernel.compile(arguments)
    module = binding.parse_assembly(kernel.inspect_llvm(arguments))
    entry = str(_entry(name, kernel.overloads[arguments].fndesc.llvm_func_name, module))
    module.link_in(binding.parse_assembly(entry))
    needed = [one.name for one in (*module.functions, *module.global_variables) if one.is_declaration]
    raised = [one.name for one in module.global_variables if one.name.startswith(_RAISED)]
    if raised or not all(one.startswith("llvm.") or one in _KNOWN for one in needed):
        raise RuntimeError(f"{name} needs {needed + raised}")
    code: bytes = _machine().emit_object(module)
    return code


def called_by_numba(name: str) -> Kernel:
    """Give a kernel that numba compiles and calls: the same, but nothing of it can be kept."""
    kernel: Kernel = njit(nogil=True)(_source(name))
    return kernel


def _source(name: str) -> Any:
    return getattr(importlib.import_module(KERNELS[name].module), name)


def _arguments(name: str) -> tuple[types.Type, ...]:
    return KERNELS[name].arguments * (types.int64,)


def _entry(name: str, inner: str, module: Any) -> ir.Module:
    """Call what numba made in numba's way."""
    arguments, made = _arguments(name), ir.Module()
    made.triple, made.data_layout = module.triple, module.data_layout
    outer = ir.Function(made, ir.FunctionType(_LONG, len(arguments) * [_LONG]), symbol(name))
    builder = ir.IRBuilder(outer.append_basic_block())
    convention = cpu_target.target_context.call_conv
    function = ir.Function(made, convention.get_function_type(types.int64, arguments), inner)
    _, value = convention.call_function(builder, function, types.int64, arguments, outer.args)
    builder.ret(value)
    return made


def _machine() -> Any:
    """Give LLVM's description of the CPU, with the options that numba has where it compiles in memory."""
    triple, cpu, features = cpu_target.target_context.codegen().magic_tuple()
    return binding.Target.from_triple(triple).create_target_machine(
        cpu=cpu, features=features, opt=3, jit=True, codemodel="jitdefault",
        reloc="static" if triple.startswith("x86") else "default",
    )  # fmt: skip
