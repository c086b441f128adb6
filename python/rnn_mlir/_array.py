# ===- _array.py - Arrays that cross the border ---------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""NumPy arrays and DLPack producers go in without a copy, rnn.Array comes out."""

from __future__ import annotations

import ctypes
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
            raise _errors.DeviceError("the array is not in host memory")
        return np.from_dlpack(value)
    raise _errors.DTypeError(f"expected an array, got {type(value).__name__}")


class DenseTensor:
    """A DLTensor over a contiguous array, which it keeps alive."""

    def __init__(self, array: np.ndarray):
        self.array = array
        self._shape = (ctypes.c_int64 * max(array.ndim, 1))(*array.shape)
        self.dl = _capi.Tensor(array.ctypes.data, _capi.Device(_capi.CPU, 0), array.ndim, to_dlpack_type(array.dtype),
                               self._shape, None, 0)


class Array:
    """A result: a dense array in host memory. numpy() and DLPack share its memory."""

    def __init__(self, data: np.ndarray):
        self._data = data

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.shape

    @property
    def dtype(self) -> np.dtype:
        return self._data.dtype

    def numpy(self) -> np.ndarray:
        return self._data

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if dtype is not None and np.dtype(dtype) != self._data.dtype:
            return self._data.astype(dtype)
        return self._data.copy() if copy else self._data

    def __dlpack__(self, *, stream: Any = None, max_version: tuple[int, int] | None = None,
                   dl_device: tuple[int, int] | None = None, copy: bool | None = None) -> Any:
        if max_version is None and dl_device is None and copy is None:
            return self._data.__dlpack__()
        return self._data.__dlpack__(max_version=max_version, dl_device=dl_device, copy=copy)

    def __dlpack_device__(self) -> tuple[int, int]:
        return (_capi.CPU, 0)

    def __float__(self) -> float:
        return float(self._data)

    def __int__(self) -> int:
        return int(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, key: Any) -> Any:
        return self._data[key]

    def __repr__(self) -> str:
        return f"rnn.Array({np.array2string(self._data, threshold=20)}, dtype={self._data.dtype})"
