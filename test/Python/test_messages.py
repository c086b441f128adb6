# ===- test_messages.py - What the package says of wrong calls ----------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Errors that the package finds itself, before the runtime is asked; each word for word."""

import ctypes
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

np = pytest.importorskip("numpy")
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import handmade  # noqa: E402

if not (pathlib.Path(os.environ["RNN_TEST_BUILD"]) / "lib" / "librnn-runtime.so").exists():
    pytest.skip("librnn-runtime.so is not built", allow_module_level=True)
import rnn_mlir as rnn  # noqa: E402
from rnn_mlir import _capi  # noqa: E402

X = np.zeros((1, 3, 4), np.float32)


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    code = handmade.compile_functions(tmp_path_factory.mktemp("code"))
    if code is None:
        pytest.skip("no C compiler")
    return handmade.pack(code, handmade.tables())


@pytest.fixture(scope="module")
def program(artifact):
    return rnn.Program(artifact)


class OnAnotherDevice:
    """An array of a device that is neither the CPU nor CUDA: 10 is ROCm."""

    def __dlpack_device__(self):
        return 10, 0

    def __dlpack__(self, **options):
        raise AssertionError("asked for its memory")


@pytest.mark.parametrize("value, kind, message", [
    (X.astype(np.complex64), rnn.DTypeError, "arrays of complex64 are not supported"),
    (X.astype(">f4"), rnn.DTypeError, "arrays of >f4 are not supported"),
    (X.astype(str), rnn.DTypeError, "arrays of <U32 are not supported"),
    ([[0.0]], rnn.DTypeError, "expected an array, got list"),
    (OnAnotherDevice(), rnn.DeviceError, "the array is neither in host memory nor in that of a CUDA device"),
])
def test_arrays(program, value, kind, message):
    with pytest.raises(kind) as error:
        program.run("acc", x=value)
    assert str(error.value) == message


def test_names_and_streams(program):
    with pytest.raises(rnn.ShapeError) as error:
        program.reset([0, 3])
    assert str(error.value) == "stream 3 is out of range, the program has 3"
    with pytest.raises(rnn.FileError) as error:
        del program.state["h"]
    assert str(error.value) == "'state.h' cannot be deleted"
    with pytest.raises(rnn.FileError) as error:
        program(X)
    assert str(error.value) == "the artifact has several functions; name one with run()\nnote: it has: acc, step"
    with pytest.raises(KeyError):
        program.params["none"]


def test_too_many_arguments(program, monkeypatch):
    monkeypatch.setattr(rnn.Program, "main", "acc")
    free = [t.name for t in program.functions["acc"] if t.is_input and not t.is_output]
    with pytest.raises(rnn.ShapeError) as error:
        program(*[X] * (len(free) + 1))
    assert str(error.value) == f"'acc' takes {len(free)} arguments, got {len(free) + 1}"


def test_threads(artifact):
    with pytest.raises(rnn.Error) as error:
        rnn.Program(artifact, threads=1025)
    assert str(error.value) == "threads must be in [0, 1024], got 1025"


def test_c_interface(program):
    """What the package never asks for, but a program in C may."""
    session, array = program._session, np.zeros(2, np.float32)
    lib, name = session.lib, list(program.params)[0].encode()
    shape, f32 = (ctypes.c_int64 * 1)(-1), _capi.DataType(2, 32, 1)

    def tensor(data=array.ctypes.data, device=1, rank=1, shape=shape):
        return ctypes.byref(_capi.Tensor(data, _capi.Device(device, 0), rank, f32, shape, None, 0))

    expected = program.params["w"].shape
    right = (ctypes.c_int64 * len(expected))(*expected)
    for do, message in (
        (lambda: lib.rnnSessionSet(session.handle, name, None), "tensor 'w' is null"),
        (lambda: lib.rnnSessionSet(session.handle, name, tensor(device=10)), "tensor 'w' is not in host memory"),
        (lambda: lib.rnnSessionSet(session.handle, name, tensor(shape=None)), "tensor 'w' has no shape"),
        (lambda: lib.rnnSessionSet(session.handle, name, tensor(rank=-1)), "tensor 'w' has no shape"),
        (lambda: lib.rnnSessionSet(session.handle, name, tensor()), "tensor 'w' has a negative dimension"),
        (lambda: lib.rnnSessionSet(session.handle, name, tensor(None, rank=len(expected), shape=right)),
         "input 'w' of '<memory>' has no data"),
        (lambda: lib.rnnTensorInfo(session.artifact, b"acc", 99, ctypes.byref(_capi.Info())),
         "'acc' has no tensor number 99"),
        (lambda: lib.rnnArtifactMemory(session.artifact, b"acc", b"cpu", 0, ctypes.byref(ctypes.c_uint64())),
         "input has 0 frames; at least 1 is required"),
    ):
        with pytest.raises(rnn.Error) as error:
            do()
        assert str(error.value) == message


def in_another_process(folder, text):
    """The last line that Python says of a program that imports a copy of the package in `folder`."""
    if not (folder / "rnn_mlir").exists():
        shutil.copytree(pathlib.Path(rnn.__file__).parent, folder / "rnn_mlir")
    environment = {k: v for k, v in os.environ.items() if k != "RNN_TEST_BUILD"}
    done = subprocess.run([sys.executable, "-c", f"import rnn_mlir\ntry:\n  {text}\n"
                           "except rnn_mlir.DeviceError as error:\n  print(error)"],
                          cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_library(tmp_path):
    folder = (tmp_path / "a" / "b").resolve()
    folder.mkdir(parents=True)
    assert in_another_process(folder, "rnn_mlir.load('m.rnnc')") == (
        "the runtime is not installed (librnn-runtime.so)\n"
        f"note: looked in {folder}/rnn_mlir, {folder.parent}, {folder.parent}/build/lib\n")


def test_another_library(tmp_path):
    """A library of another version is not called."""
    folder = tmp_path.resolve()
    shutil.copytree(pathlib.Path(rnn.__file__).parent, folder / "rnn_mlir")
    names = [name for name in _capi._FUNCTIONS if name != "rnnAbiVersion"]
    code = [f"unsigned rnnAbiVersion(void) {{ return {(_capi.ABI_MAJOR + 6) << 16}u; }}"]
    (folder / "other.c").write_text("\n".join(code + [f"void {name}(void) {{ __builtin_trap(); }}" for name in names]))
    library = folder / "rnn_mlir" / _capi.LIBRARY
    if not shutil.which("cc"):
        pytest.skip("no C compiler")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, folder / "other.c"], check=True)
    assert in_another_process(folder, "rnn_mlir.load('m.rnnc')") == (
        f"'{library}' has abi {_capi.ABI_MAJOR + 6}, expected {_capi.ABI_MAJOR}\n")
