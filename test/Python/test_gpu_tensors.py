# ===- test_gpu_tensors.py - Tensors in a GPU's memory ---------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Arrays on a CUDA device go in and out by DLPack.

The driver is the fake one of unittests/Runtime, whose memory is the host's and whose kernels do nothing, and PyTorch is
a few lines: what is tested here is who owns which memory, and which stream is told of it.
"""

import ctypes
import json
import os
import pathlib
import sys
import types

import pytest

np = pytest.importorskip("numpy")
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import handmade  # noqa: E402

BUILD = pathlib.Path(os.environ["RNN_TEST_BUILD"])
FAKE_CUDA = BUILD / "unittests" / "Runtime" / "FakeCuda" / "libcuda.so.1"
if not (BUILD / "lib" / "librnn-runtime.so").exists() or not FAKE_CUDA.exists():
    pytest.skip("librnn-runtime.so and the fake driver are not built", allow_module_level=True)
import rnn_mlir as rnn  # noqa: E402
from rnn_mlir import _capi  # noqa: E402


class DLManagedTensor(ctypes.Structure):
    _fields_ = [("dl_tensor", _capi.Tensor), ("manager_ctx", ctypes.c_void_p), ("deleter", ctypes.c_void_p)]


new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype = ctypes.py_object
new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


kept = []


class OnGpu:
    """An array as a library for GPUs has it; `asked` are the streams on which it was wanted."""

    def __init__(self, array, number=0):
        self.array, self.number, self.asked = array, number, []

    def __dlpack_device__(self):
        return (_capi.CUDA, self.number)

    def __dlpack__(self, *, stream):
        self.asked.append(stream)
        a = self.array
        shape = (ctypes.c_int64 * max(a.ndim, 1))(*a.shape)
        strides = (ctypes.c_int64 * max(a.ndim, 1))(*(s // a.itemsize for s in a.strides))
        code = {"f": 2, "i": 0, "b": 6}[a.dtype.kind]
        dl = _capi.Tensor(a.ctypes.data, _capi.Device(_capi.CUDA, self.number), a.ndim,
                          _capi.DataType(code, 8 * a.itemsize, 1), shape, strides, 0)
        managed = DLManagedTensor(dl, None, None)
        kept.append((managed, a, shape, strides))  # as a capsule keeps what is in it
        return new_capsule(ctypes.addressof(managed), b"dltensor", None)


class TorchTensor(OnGpu):
    device = "cuda:0"
    shape = property(lambda self: self.array.shape)
    dtype = property(lambda self: f"torch.{self.array.dtype}")
    nbytes = property(lambda self: self.array.nbytes)

    def is_contiguous(self):
        return self.array.flags.c_contiguous

    def contiguous(self):
        return TorchTensor(np.ascontiguousarray(self.array))

    def cpu(self):
        return types.SimpleNamespace(numpy=lambda: self.array)


@pytest.fixture
def torch(monkeypatch):
    """A stand-in for PyTorch whose current stream has number 77."""
    module = types.ModuleType("torch")
    module.Tensor = TorchTensor
    module.float32, module.float64, module.int64 = "float32", "float64", "int64"
    module.empty = lambda shape, dtype, device: TorchTensor(np.full(shape, 5, dtype))
    module.cuda = types.SimpleNamespace(current_stream=lambda device: types.SimpleNamespace(cuda_stream=module.stream))
    module.stream = 77
    monkeypatch.setitem(sys.modules, "torch", module)
    return module


@pytest.fixture(scope="module")
def artifact():
    # The runtime's libcuda.so.1 is the one that is loaded already, by its soname.
    ctypes.CDLL(str(FAKE_CUDA))
    launch = lambda name: {"kernel": name, "grid": {"constant": 1, "per_frame": 0, "divisor": 1}, "block": 32}
    launches = {"functions": [{"symbol": "rnn_test_run", "memory": {"constant": 64, "per_frame": 16},
                               "launches": [launch("acc_loop")]},
                              {"symbol": "rnn_test_step", "memory": {"constant": 16}, "launches": [launch("step")]}]}
    return handmade.pack_sections([(1, "", json.dumps(handmade.tables()).encode()),
                                   (7, "cuda:sm_90", json.dumps(launches).encode()),
                                   (5, "cuda:sm_90", b".version 8.0\n.target sm_90\n")])


@pytest.fixture
def program(artifact):
    return rnn.Program(artifact, target="cuda:0")


def test_parameters_come_from_a_gpu(program):
    w = OnGpu(np.arange(4, dtype=np.float32))
    program.params["w"] = w
    np.testing.assert_array_equal(program.params["w"], w.array)
    assert w.asked == [1], "the default stream"
    # In a call it replaces the value, as from the host.
    w.array = w.array + 10
    program.run("step", x=np.zeros((2, 3), np.int32), w=w)
    np.testing.assert_array_equal(program.params["w"], w.array)


def test_results_of_other_libraries_go_to_the_host(program):
    x = OnGpu(np.zeros((2, 3, 4), np.float32))
    results = program.run("acc", x=x)
    assert results["y"].shape == (2, 3, 4) and results["y"].__dlpack_device__() == (_capi.CPU, 0)
    assert isinstance(results["y"].numpy(), np.ndarray)
    assert x.asked == [1]


def test_results_of_torch_stay_on_the_gpu(program, torch):
    x = TorchTensor(np.zeros((2, 3, 4), np.float32))
    results = program.run("acc", x=x)
    assert x.asked == [77], "PyTorch's current stream"
    y = results["y"]
    assert y.shape == (2, 3, 4) and y.dtype == np.float32
    assert y.__dlpack_device__() == (_capi.CUDA, 0)
    y.__dlpack__(stream=3)
    assert y._data.asked == [77, 3], "where it was written, and for whom"
    np.testing.assert_array_equal(y.numpy(), np.full((2, 3, 4), 5))
    # A result goes in again.
    program.run("acc", x=y)
    torch.stream = 0
    x.asked.clear()
    program.run("acc", x=x)
    assert x.asked == [1], "PyTorch's default stream is CUDA's"
    assert program.copied_bytes == 0
    program.run("acc", x=TorchTensor(np.zeros((3, 2, 4), np.float32).transpose(1, 0, 2)))
    assert program.copied_bytes == 96


def test_errors(artifact, program, torch):
    x = OnGpu(np.zeros((2, 3, 4), np.float32), number=1)
    with pytest.raises(rnn.DeviceError, match="tensor 'x' is on 'cuda:1', the session on 'cuda:0'"):
        program.run("acc", x=x)
    with pytest.raises(rnn.DTypeError, match="input 'x' of 'step' is i64"):
        program.run("step", x=OnGpu(np.zeros((2, 3), np.int64)))
    with pytest.raises(rnn.ShapeError, match="'x' is not contiguous"):
        program.run("acc", x=OnGpu(np.zeros((3, 2, 4), np.float32).transpose(1, 0, 2)))


def test_other_targets_have_no_gpu(tmp_path):
    code = handmade.compile_functions(tmp_path)
    if code is None:
        pytest.skip("no C compiler")
    on_host = rnn.Program(handmade.pack(code, handmade.tables()))
    with pytest.raises(rnn.DeviceError, match="tensor 'x' is not in host memory"):
        on_host.run("acc", x=OnGpu(np.zeros((2, 3, 4), np.float32)))
