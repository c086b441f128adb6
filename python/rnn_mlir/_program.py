# ===- _program.py - Artifacts and their sessions -------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""A Program is an artifact with one session: parameters and state, and calls on them."""

from __future__ import annotations

import collections
import ctypes
import os
import weakref
from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any, NamedTuple

import numpy as np

from . import _array, _capi, _errors
from ._array import Array


class TensorInfo(NamedTuple):
    """One tensor of a function. What lives in the session is both input and output; -1 in the shape is T."""

    name: str
    is_input: bool
    is_output: bool
    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def lives_in_session(self) -> bool:
        return self.is_input and self.is_output


def load(path: str | os.PathLike[str], *, target: str = "cpu", seed: int = 0, threads: int = 0,
         emulator_order: int = 0) -> Program:
    """Opens an artifact for `cpu`, `cuda:<n>`, `emulator` or `interpreter`.

    Parameters are drawn from their initializers with the seed; threads 0: all cores. The emulator runs the threads of
    GPU kernels in an order that its own seed decides.
    """
    return Program(path, target=target, seed=seed, threads=threads, emulator_order=emulator_order)


class _Session:
    """The handles of an artifact and a session on it; released with the last program, map or view that uses them."""

    def __init__(self, artifact: str | os.PathLike[str] | bytes, target: str, seed: int, threads: int,
                 emulator_order: int):
        lib = _capi.library()
        self.lib = lib
        self.artifact, self.handle = ctypes.c_void_p(), ctypes.c_void_p()
        if isinstance(artifact, bytes):
            lib.rnnArtifactFromMemory(artifact, len(artifact), ctypes.byref(self.artifact))
        else:
            lib.rnnArtifactOpen(os.fsencode(artifact), ctypes.byref(self.artifact))
        weakref.finalize(self, lib.rnnArtifactDestroy, self.artifact.value)
        options = _capi.SessionOptions(ctypes.sizeof(_capi.SessionOptions), seed, threads, emulator_order)
        lib.rnnSessionCreate(self.artifact, target.encode(), ctypes.byref(options), ctypes.byref(self.handle))
        weakref.finalize(self, lib.rnnSessionDestroy, self.handle.value)
        self.copied_bytes = 0

    def describe(self) -> dict[str, list[TensorInfo]]:
        functions = {}
        for index in range(self.lib.rnnFunctionCount(self.artifact)):
            name = self.lib.rnnFunctionName(self.artifact, index)
            tensors = []
            for position in range(self.lib.rnnTensorCount(self.artifact, name)):
                info = _capi.Info()
                self.lib.rnnTensorInfo(self.artifact, name, position, ctypes.byref(info))
                tensors.append(
                    TensorInfo(info.name.decode(), bool(info.is_input), bool(info.is_output),
                               _array.from_dlpack_type(info.dtype), tuple(info.shape[:info.rank])))
            functions[name.decode()] = tensors
        return functions

    def contiguous(self, array: np.ndarray) -> np.ndarray:
        if array.flags.c_contiguous and array.flags.aligned:
            return array
        self.copied_bytes += array.nbytes
        return np.array(array, order="C", copy=True)

    def tensor(self, value: Any, dtype: np.dtype, stream: int) -> _array.DenseTensor | _array.GpuTensor:
        """What stands for any array in a call; work of `stream` comes before it if it is on a GPU."""
        if not _array.is_on_gpu(value):
            return _array.DenseTensor(self.contiguous(_array.as_numpy(value, dtype)))
        if _array.is_torch(value) and not value.is_contiguous():
            value = value.contiguous()
            self.copied_bytes += value.nbytes
        return _array.GpuTensor(value, stream)

    def view(self, name: str) -> np.ndarray:
        managed = ctypes.POINTER(_capi.ManagedTensor)()
        self.lib.rnnSessionView(self.handle, name.encode(), ctypes.byref(managed))
        try:
            return np.asarray(_View(self, managed.contents.dl_tensor))
        finally:
            managed.contents.deleter(managed)

    def set(self, name: str, value: Any) -> None:
        # On a GPU the copy comes after what the default stream has got, and needs no dtype.
        dtype = np.dtype(np.float32) if _array.is_on_gpu(value) else self.view(name).dtype
        tensor = self.tensor(value, dtype, _array.LEGACY_STREAM)
        self.lib.rnnSessionSet(self.handle, name.encode(), ctypes.byref(tensor.dl))


class _View:
    """Memory of a session for NumPy, which keeps this object as the array's base, and so the session."""

    def __init__(self, session: _Session, tensor: _capi.Tensor):
        self.session = session
        self.__array_interface__ = {
            "version": 3,
            "data": (tensor.data, False),
            "typestr": _array.from_dlpack_type(tensor.dtype).str,
            "shape": tuple(tensor.shape[:tensor.ndim]),
        }


class Program:
    """An artifact and a session on it; used by one thread at a time."""

    def __init__(self, artifact: str | os.PathLike[str] | bytes, *, target: str = "cpu", seed: int = 0,
                 threads: int = 0, emulator_order: int = 0):
        self._session = _Session(artifact, target, seed, threads, emulator_order)
        #: Tensors of each function, in the artifact's order.
        self.functions: dict[str, list[TensorInfo]] = self._session.describe()

        session_names = {t.name: t for tensors in self.functions.values() for t in tensors if t.lives_in_session}
        prefixes = ("state.", "ring.", "opt.")
        #: Parameters by name: views until the next call; assigning replaces the value.
        self.params = Tensors(self._session, [n for n in session_names if not n.startswith(prefixes) and n != "seed"], "")
        #: State by the name of its signal, without `state.`.
        self.state = Tensors(self._session, [n for n in session_names if n.startswith("state.")], "state.")
        #: Everything that the session holds, by its full name.
        self.tensors = Tensors(self._session, list(session_names), "")

    @property
    def copied_bytes(self) -> int:
        """Bytes of arguments that were copied because they were not contiguous."""
        return self._session.copied_bytes

    @property
    def main(self) -> str:
        """The function that a call means: the one train step, else the one network."""
        steps = [name for name in self.functions if f"{name}.eval" in self.functions]
        networks = [name for name in self.functions if name not in steps and not name.endswith(".eval")]
        for choice in (steps, networks):
            if len(choice) == 1:
                return choice[0]
        raise _errors.FileError("the artifact has several functions; name one with run()",
                                (f"it has: {', '.join(self.functions)}",))

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Runs the main function. A step gives its loss, a network its result, or a named tuple of several."""
        function = self.main
        free = [t.name for t in self.functions[function] if t.is_input and not t.is_output and t.name not in named]
        if len(arguments) > len(free):
            raise _errors.ShapeError(f"'{function}' takes {len(free)} arguments, got {len(arguments)}")
        named.update(zip(free, arguments))
        results = self.run(function, **named)
        if f"{function}.eval" in self.functions:
            return results["loss"]
        if len(results) == 1:
            return next(iter(results.values()))
        fields = [name.replace(".", "_") for name in results]
        make: Any = collections.namedtuple("Results", fields, rename=True)  # type: ignore[misc]
        return make(*results.values())

    def run(self, function: str, **inputs: Any) -> dict[str, Array]:
        """Runs a function on arguments by name; None and arguments with a default may be left out.

        A name of the session (a parameter, `opt.…`, `state.…`; pass those with a dot by `**{…}`) replaces the
        stored value first. Gives all results by name.

        Arguments in the memory of the session's GPU are used there, in the order of the caller's stream: PyTorch's
        current one, else CUDA's default. Where one is a tensor of PyTorch, the results are too, and the call returns
        without waiting for the GPU.
        """
        known = {t.name: t for t in self.functions.get(function, [])}
        given = {name: value for name, value in inputs.items() if value is not None}
        on_gpu = [value for value in given.values() if _array.is_on_gpu(value)]
        stream = _array.stream_of(on_gpu[0]) if on_gpu else None
        torch_device = next((device for value in on_gpu if (device := _array.torch_device(value))), None)
        tensors: dict[str, _array.DenseTensor | _array.GpuTensor] = {}
        frames = 1
        for name, value in given.items():
            info = known.get(name)
            tensor = self._session.tensor(value, info.dtype if info else np.dtype(np.float32), stream or 0)
            tensors[name] = tensor
            if info and info.shape[:1] == (-1,) and tensor.shape:
                frames = tensor.shape[0]
        results: dict[str, Any] = {}
        for info in known.values():
            if info.is_output and not info.is_input and frames > 0:
                shape = tuple(frames if dim < 0 else dim for dim in info.shape)
                results[info.name] = _array.empty(shape, info.dtype, torch_device)
                tensors[info.name] = self._session.tensor(results[info.name], info.dtype, stream or 0)
        bindings = (_capi.Binding * len(tensors))(*(_capi.Binding(name.encode(), ctypes.pointer(tensor.dl))
                                                    for name, tensor in tensors.items()))
        self._session.lib.rnnSessionRun(self._session.handle, function.encode(), bindings, len(tensors), stream)
        return {name: Array(array) for name, array in results.items()}

    def reset(self, streams: Iterable[int] | None = None) -> None:
        """Starts streams afresh: those numbered, or all."""
        if streams is None:
            self._session.lib.rnnSessionReset(self._session.handle, None)
            return
        ages = self.tensors["state.age"].shape[0] if "state.age" in self.tensors else 0
        flags = bytearray(ages)
        for stream in streams:
            if not 0 <= stream < ages:
                raise _errors.ShapeError(f"stream {stream} is out of range, the program has {ages}")
            flags[stream] = 1
        if ages:
            self._session.lib.rnnSessionReset(self._session.handle, bytes(flags))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes parameters, optimizer and state as .safetensors or .npz, whole or not at all."""
        self._session.lib.rnnSessionSave(self._session.handle, os.fsencode(path))

    def load(self, path: str | os.PathLike[str]) -> None:
        """Reads what save() wrote; on an error nothing is changed."""
        self._session.lib.rnnSessionLoad(self._session.handle, os.fsencode(path))


class Tensors(MutableMapping[str, np.ndarray]):
    """Tensors of a session by name. Reading gives a view of the stored value, assigning replaces it."""

    def __init__(self, session: _Session, names: list[str], prefix: str):
        self._session = session
        self._names = [name[len(prefix):] for name in names]
        self._prefix = prefix

    def _full(self, name: str) -> str:
        if name not in self._names:
            raise KeyError(name)
        return self._prefix + name

    def __getitem__(self, name: str) -> np.ndarray:
        return self._session.view(self._full(name))

    def __setitem__(self, name: str, value: Any) -> None:
        self._session.set(self._full(name), value)

    def __delitem__(self, name: str) -> None:
        raise _errors.FileError(f"'{self._prefix + name}' cannot be deleted")

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
