# ===- _capi.py - rnn-c/Runtime.h in ctypes -------------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""The library, its structs and its functions; nothing else of the package touches ctypes' signatures."""

from __future__ import annotations

import ctypes
import functools
import os
import pathlib
from ctypes import POINTER, c_char, c_char_p, c_int32, c_int64, c_size_t, c_uint8, c_uint16, c_uint32, c_uint64, c_void_p

from . import _errors

LIBRARY = "librnn-runtime.so"
ABI_MAJOR = 1

CPU, CUDA = 1, 2  # kDLCPU, kDLCUDA


class DataType(ctypes.Structure):
    _fields_ = [("code", c_uint8), ("bits", c_uint8), ("lanes", c_uint16)]


class Device(ctypes.Structure):
    _fields_ = [("device_type", c_int32), ("device_id", c_int32)]


class Tensor(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("device", Device), ("ndim", c_int32), ("dtype", DataType),
                ("shape", POINTER(c_int64)), ("strides", POINTER(c_int64)), ("byte_offset", c_uint64)]


class ManagedTensor(ctypes.Structure):
    """DLManagedTensorVersioned."""


Deleter = ctypes.CFUNCTYPE(None, POINTER(ManagedTensor))
ManagedTensor._fields_ = [("major", c_uint32), ("minor", c_uint32), ("manager_ctx", c_void_p), ("deleter", Deleter),
                          ("flags", c_uint64), ("dl_tensor", Tensor)]


class Info(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("is_input", c_int32), ("is_output", c_int32), ("dtype", DataType),
                ("rank", c_int32), ("shape", POINTER(c_int64))]


class SessionOptions(ctypes.Structure):
    _fields_ = [("size", c_size_t), ("seed", c_uint64), ("threads", c_int32), ("emulator_order", c_uint64)]


class Binding(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("t", POINTER(Tensor))]


# name: (result, arguments); c_int32 results of "status" functions are checked.
_STATUS = object()
_FUNCTIONS = {
    "rnnAbiVersion": (c_uint32, []),
    "rnnLastError": (c_char_p, []),
    "rnnLastErrorKind": (c_char, []),
    "rnnArtifactOpen": (_STATUS, [c_char_p, POINTER(c_void_p)]),
    "rnnArtifactFromMemory": (_STATUS, [c_char_p, c_size_t, POINTER(c_void_p)]),
    "rnnArtifactMemory": (_STATUS, [c_void_p, c_char_p, c_char_p, c_int64, POINTER(c_uint64)]),
    "rnnArtifactDestroy": (None, [c_void_p]),
    "rnnFunctionCount": (c_int32, [c_void_p]),
    "rnnFunctionName": (c_char_p, [c_void_p, c_int32]),
    "rnnTensorCount": (c_int32, [c_void_p, c_char_p]),
    "rnnTensorInfo": (_STATUS, [c_void_p, c_char_p, c_int32, POINTER(Info)]),
    "rnnSessionCreate": (_STATUS, [c_void_p, c_char_p, POINTER(SessionOptions), POINTER(c_void_p)]),
    "rnnSessionDestroy": (None, [c_void_p]),
    "rnnSessionRun": (_STATUS, [c_void_p, c_char_p, POINTER(Binding), c_size_t, c_void_p]),
    "rnnSessionGet": (_STATUS, [c_void_p, c_char_p, POINTER(Tensor)]),
    "rnnSessionSet": (_STATUS, [c_void_p, c_char_p, POINTER(Tensor)]),
    "rnnSessionView": (_STATUS, [c_void_p, c_char_p, POINTER(POINTER(ManagedTensor))]),
    "rnnSessionReset": (_STATUS, [c_void_p, c_char_p]),
    "rnnSessionSave": (_STATUS, [c_void_p, c_char_p]),
    "rnnSessionLoad": (_STATUS, [c_void_p, c_char_p]),
}


def _candidates() -> list[pathlib.Path]:
    """Where the library may lie: in the package, in the install tree around it, in the build of the source tree."""
    package = pathlib.Path(__file__).resolve().parent
    folders = [package, package.parent.parent, package.parent.parent / "build" / "lib"]
    if build := os.environ.get("RNN_TEST_BUILD"):  # set by the project's own tests
        folders.insert(0, pathlib.Path(build) / "lib")
    return [folder / LIBRARY for folder in folders]


@functools.cache
def library() -> ctypes.CDLL:
    """The runtime library, opened at its first use."""
    path = next((path for path in _candidates() if path.is_file()), None)
    if path is None:
        looked = ", ".join(str(path.parent) for path in _candidates())
        raise _errors.DeviceError(f"the runtime is not installed ({LIBRARY})", (f"looked in {looked}",))
    lib = ctypes.CDLL(str(path))
    # One of another version may lack functions, too.
    if lib.rnnAbiVersion() >> 16 != ABI_MAJOR:
        raise _errors.DeviceError(f"'{path}' has abi {lib.rnnAbiVersion() >> 16}, expected {ABI_MAJOR}")
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(lib, name)
        function.argtypes = arguments
        function.restype = c_int32 if result is _STATUS else result
        if result is _STATUS:
            function.errcheck = functools.partial(_check, lib)
    return lib


def _check(lib: ctypes.CDLL, status: int, function: object, arguments: tuple) -> int:
    if status != 0:
        raise _errors.from_text(lib.rnnLastErrorKind(), lib.rnnLastError().decode("utf-8", "replace"))
    return status
