# ===- _array.py - Arrays that cross the border ---------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""NumPy arrays and DLPack producers go in without a copy, rnn.Array comes out."""

from __future__ import annotations

import ctypes
import sys
from typing import Any

import numpy as np

from . import _capi, _errors

# dtype of NumPy -> (code, bits) of DLPack
_CODES = {"i": 0, "u": 1, "f": 2, "b": 6}


def to_dlpack_type(dtype: np.dtype) -> _capi.DataType:
    code = _CODES.get(dtype.kind)
    if code is None or not dtype.isnative:
        raise _errors.DTypeError(f"arrays of {dtype} are not supported")
    return _capi.DataType(code, 8 * dtype.itemsize, 1)


def from_dlpack_type(dtype: _capi.DataType) -> np.dtype:
    kind = next(kind for kind, code in _CODES.items() if code == dtype.code)
    return np.dtype(bool) if kind == "b" else np.dtype(f"{kind}{dtype.bits // 8}")


def as_numpy(value: Any, dtype: np.dtype) -> np.ndarray:
    """Any array as one of NumPy, without a copy. Python numbers, which have no dtype, get the expected one."""
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, Array):
        return value.numpy()
    if isinstance(value, (bool, int, float)):
        return np.array(value, dtype=dtype)
    if hasattr(value, "__array_interface__"):
        return np.asarray(value)
    if hasattr(value, "__dlpack__"):
        if value.__dlpack_device__()[0] != _capi.CPU:
            raise _errors.DeviceError("the array is neither in host memory nor in that of a CUDA device")
        return np.from_dlpack(value)
    raise _errors.DTypeError(f"expected an array, got {type(value).__name__}")


class DenseTensor:
    """A DLTensor over a contiguous array, which it keeps alive."""

    def __init__(self, array: np.ndarray):
        self.array = array
        self.shape = array.shape
        self._shape = (ctypes.c_int64 * max(array.ndim, 1))(*array.shape)
        self.dl = _capi.Tensor(array.ctypes.data, _capi.Device(_capi.CPU, 0), array.ndim, to_dlpack_type(array.dtype),
                               self._shape, None, 0)


def is_on_gpu(value: Any) -> bool:
    """True for what lies in the memory of a CUDA device, of any library."""
    return hasattr(value, "__dlpack_device__") and value.__dlpack_device__()[0] == _capi.CUDA


def is_torch(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def torch_device(value: Any) -> Any:
    """The device of a tensor of PyTorch or of a result that is one; None of anything else."""
    value = value._data if isinstance(value, Array) else value
    return value.device if is_torch(value) else None


def empty(shape: tuple[int, ...], dtype: np.dtype, device: Any) -> Any:
    """An array for a result: NumPy's, or PyTorch's on a device, whose dtypes have the same names."""
    if device is None:
        return np.empty(shape, dtype)
    torch = sys.modules["torch"]
    return torch.empty(shape, dtype=getattr(torch, dtype.name), device=device)


LEGACY_STREAM = 1  # CUDA's default stream, as DLPack and the driver number it


def stream_of(value: Any) -> int:
    """The CUstream on which the caller works: PyTorch's current one, else CUDA's default."""
    device = torch_device(value)
    if device is None:
        return LEGACY_STREAM
    return int(sys.modules["torch"].cuda.current_stream(device).cuda_stream) or LEGACY_STREAM


class GpuTensor:
    """A DLTensor in the memory of a CUDA device, which is ready on a stream; it keeps its producer's memory alive."""

    def __init__(self, value: Any, stream: int):
        self._capsule = value.__dlpack__(stream=stream)
        # A DLManagedTensor begins with its DLTensor.
        pointer = _PyCapsule_GetPointer(self._capsule, b"dltensor")
        self.dl = _capi.Tensor.from_address(pointer)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.dl.shape[:self.dl.ndim])


_PyCapsule_GetPointer = ctypes.pythonapi.PyCapsule_GetPointer
_PyCapsule_GetPointer.restype = ctypes.c_void_p
_PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]


class Array:
    """A result: a dense array in host memory, or a tensor of PyTorch on a GPU where the arguments were such. numpy()
    and DLPack share its memory; numpy() of what is on a GPU copies it, and waits for it."""

    def __init__(self, data: Any):
        self._data = data

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self._data.shape)

    @property
    def dtype(self) -> np.dtype:
        if isinstance(self._data, np.ndarray):
            return self._data.dtype
        return np.dtype(str(self._data.dtype).split(".")[-1])  # torch.float32

    def numpy(self) -> np.ndarray:
        return self._data if isinstance(self._data, np.ndarray) else self._data.cpu().numpy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        data = self.numpy()
        if dtype is not None and np.dtype(dtype) != data.dtype:
            return data.astype(dtype)
        return data.copy() if copy else data

    def __dlpack__(self, *, stream: Any = None, max_version: tuple[int, int] | None = None,
                   dl_device: tuple[int, int] | None = None, copy: bool | None = None) -> Any:
        given = {"max_version": max_version, "dl_device": dl_device, "copy": copy}
        given = {name: value for name, value in given.items() if value is not None}
        if not isinstance(self._data, np.ndarray):
            given["stream"] = stream
        return self._data.__dlpack__(**given)

    def __dlpack_device__(self) -> tuple[int, int]:
        return (_capi.CPU, 0) if isinstance(self._data, np.ndarray) else self._data.__dlpack_device__()

    def __float__(self) -> float:
        return float(self._data)

    def __int__(self) -> int:
        return int(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, key: Any) -> Any:
        return self._data[key]

    def __repr__(self) -> str:
        return f"rnn.Array({np.array2string(self.numpy(), threshold=20)}, dtype={self.dtype})"
