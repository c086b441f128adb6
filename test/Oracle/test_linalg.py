# ===- test_linalg.py - The exit to upstream dialects, run ---------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""What rnn-to-linalg leaves is compiled by stock passes, called, and compared with the interpreter."""

import ctypes
import pathlib
import re
import subprocess

import numpy as np
import pytest

import generate
import longrun
import test_cells
import test_networks
import test_random

STREAMS, SIZE = test_random.STREAMS, 6
PASSES = """func.func(linalg-generalize-named-ops,convert-elementwise-to-linalg),
one-shot-bufferize{bufferize-function-boundaries allow-return-allocs-from-loops
                   function-boundary-type-conversion=identity-layout-map},
func.func(convert-linalg-to-loops,llvm-request-c-wrappers),expand-strided-metadata,lower-affine,convert-scf-to-cf,
convert-math-to-llvm,convert-math-to-libm,convert-to-llvm,reconcile-unrealized-casts"""


def descriptor(rank):
    """A memref of that rank: allocated, aligned, offset, sizes, strides."""
    fields = [("allocated", ctypes.c_void_p), ("aligned", ctypes.c_void_p), ("offset", ctypes.c_int64)]
    if rank:
        fields += [("sizes", ctypes.c_int64 * rank), ("strides", ctypes.c_int64 * rank)]
    return type(f"Memref{rank}", (ctypes.Structure,), {"_fields_": fields})


def pack(array):
    memref = descriptor(array.ndim)()
    memref.allocated = memref.aligned = array.ctypes.data
    for i in range(array.ndim):
        memref.sizes[i], memref.strides[i] = array.shape[i], array.strides[i] // array.itemsize
    return memref


def unpack(memref, rank, dtype):
    shape = tuple(memref.sizes) if rank else ()
    strides = tuple(s * np.dtype(dtype).itemsize for s in memref.strides) if rank else ()
    count = 1 + sum((n - 1) * s for n, s in zip(shape, memref.strides)) if rank else 1
    base = (ctypes.c_char * (count * np.dtype(dtype).itemsize)).from_address(
        memref.aligned + memref.offset * np.dtype(dtype).itemsize)
    return np.ndarray(shape, dtype, buffer=base, strides=strides).copy()


class Library:
    """The functions that rnn-to-linalg makes of `net.mlir`, as text and as machine code of stock passes."""

    def __init__(self, tool, folder, *options):
        path = lambda end: folder / f"net.{end}"
        test_cells.run(tool("rnn-opt"), path("mlir"), f"--rnn-to-linalg={' '.join([f'streams={STREAMS}', *options])}",
                       "-o", path("linalg.mlir"))
        self.text = path("linalg.mlir").read_text()
        test_cells.run(tool("mlir-opt"), path("linalg.mlir"), "-o", path("llvm.mlir"),
                       f"--pass-pipeline=builtin.module({''.join(PASSES.split(chr(10)))})")
        test_cells.run(tool("mlir-translate"), "--mlir-to-llvmir", path("llvm.mlir"), "-o", path("ll"))
        test_cells.run(tool("llc"), "-relocation-model=pic", "-filetype=obj", path("ll"), "-o", path("o"))
        # The C library has a function named step too.
        test_cells.run(tool("ld.lld"), "-shared", "-Bsymbolic", path("o"), "-o", path("so"))
        libraries = pathlib.Path(tool("mlir-opt")).resolve().parent.parent / "lib"
        ctypes.CDLL(str(libraries / "libmlir_c_runner_utils.so"), ctypes.RTLD_GLOBAL)  # has memrefCopy
        self.code = ctypes.CDLL(str(path("so")))


class Function:
    """A function of a library, by the names of its arguments and results."""

    def __init__(self, library, name):
        signature = re.search(rf"func\.func @{re.escape(name)}\((.*)\) -> \((.*)\) {{\n", library.text)
        tensors = lambda part: [(n, shape.split("x")[:-1], generate.NUMPY[shape.split("x")[-1]])
                                for shape, n in re.findall(r'tensor<([^>]*)> {rnn\.name = "([^"]*)"}', part)]
        self.arguments, self.results = (tensors(part) for part in signature.groups())
        self.call = library.code[f"_mlir_ciface_{name}"]

    def first_state(self):
        """States, rings and slots before the first call."""
        return {name: np.full([int(n) for n in shape], -1 if name.endswith(".age") else 0, dtype)
                for name, shape, dtype in self.arguments if name.startswith(("state.", "ring.", "opt."))}

    def __call__(self, given):
        arrays = [np.array(given[name], dtype, order="C") for name, shape, dtype in self.arguments]
        fields = [(f"r{i}", descriptor(len(shape))) for i, (name, shape, dtype) in enumerate(self.results)]
        results = type("Results", (ctypes.Structure,), {"_fields_": fields})()
        memrefs = [pack(array) for array in arrays]
        self.call(ctypes.byref(results), *(ctypes.byref(memref) for memref in memrefs))
        return {name: unpack(getattr(results, f"r{i}"), len(shape), dtype)
                for i, (name, shape, dtype) in enumerate(self.results)}


def interpret(tool, folder, function, given):
    np.savez(folder / "in.npz", **given)
    test_cells.run(tool("rnn-run"), folder / "net.rnnc", f"--function={function}", f"--input={folder / 'in.npz'}",
                   f"--output={folder / 'out.npz'}", "--target=interpreter", f"--seed={test_random.SEED}")
    with np.load(folder / "out.npz") as out:
        return dict(out)


def compile(tool, folder, module, *options):
    (folder / "net.mlir").write_text(module)
    test_cells.run(tool("rnn-compile"), folder / "net.mlir", "-o", folder / "net.rnnc", "--target=interpreter",
                   f"--streams={STREAMS}", *options)


def test_draws(tool, tmp_path):
    """Draws have the bits of rule N1, and go on where the last call ended."""
    compile(tool, tmp_path, test_random.NETWORK)
    net = Function(Library(tool, tmp_path), "net")
    state = {"state.frame": np.int64(2**40)}
    for frames in (4, 3):
        given = {"x": np.zeros((frames, STREAMS), np.float32), **state}
        expected = interpret(tool, tmp_path, "net", given)
        got = net({"seed": test_random.SEED, **given})
        for name in ("u", "n", "s", "b"):
            np.testing.assert_array_equal(got[name], expected[name])
        assert got["state.frame"] == state["state.frame"] + frames
        state = {"state.frame": got["state.frame"]}


# Dropout of every rate, and zoneout, which draws in the loop.
STEP = f"""
rnn.parameter @wx : tensor<{4 * SIZE}x{SIZE}xf32> init(#rnn.zeros)
rnn.parameter @wh : tensor<{4 * SIZE}x{SIZE}xf32> init(#rnn.zeros)
rnn.parameter @b : tensor<{4 * SIZE}xf32> init(#rnn.zeros)
rnn.network @n(%x: tensor<{SIZE}xf32>) -> (y: tensor<{SIZE}xf32>, e: tensor<f32>) {{
  %h, %c = rnn.lstm "l" %x wx(@wx) wh(@wh) b(@b) zoneout(0.25, 0.25) : tensor<{SIZE}xf32> -> tensor<{SIZE}xf32>
  %d0 = rnn.dropout %h <frame> p(0.25) : tensor<{SIZE}xf32>
  %d1 = rnn.dropout %d0 <stream> p(0.25) : tensor<{SIZE}xf32>
  %y = rnn.dropout %d1 <static> p(0.25) : tensor<{SIZE}xf32>
  %s = arith.mulf %y, %y : tensor<{SIZE}xf32>
  %e = rnn.reduce sum %s over [0] : tensor<{SIZE}xf32> to tensor<f32>
  rnn.output %y, %e : tensor<{SIZE}xf32>, tensor<f32>
}}
rnn.train_step @step of @n loss("e" mean) optimizer(#rnn.adam<lr = 0.01>) BPTT
"""


@pytest.mark.parametrize("window", [0, 8])
def test_dropout(tool, tmp_path, window):
    """Training steps with dropout and zoneout, with and without a window of older frames."""
    frames = 4
    compile(tool, tmp_path, STEP.replace("BPTT", f"bptt<window = {window}, advance = {frames}>" if window else ""),
            "--dtype=f64")
    step = Function(Library(tool, tmp_path, "type=f64"), "step")
    rng = np.random.default_rng(1)
    state = {name: rng.normal(size=[int(n) for n in shape]) * 0.5
             for name, shape, dtype in step.arguments if name in ("wx", "wh", "b")}
    state.update(step.first_state())
    for call in range(4):
        given = {"x": rng.normal(size=(frames, STREAMS, SIZE)), **state}
        expected = interpret(tool, tmp_path, "step", given)
        # What the runtime does for a caller who gives none.
        unbound = {"seed": test_random.SEED, "mask": np.ones((frames, STREAMS)), "lr": 0.01}
        got = step({**unbound, **given})
        assert not got["flags"].any()
        names = [name for name, shape, dtype in step.results if name in expected]
        assert {"loss", "grad_norm", "wx", "opt.step", "state.frame"} <= set(names)
        for name in names:
            np.testing.assert_allclose(got[name], expected[name], rtol=1e-10, atol=1e-12, err_msg=f"{name} of call {call}")
        state = {name: value for name, value in got.items() if name in state}


# Of every mode of the generator, and of mixed.py.
RANDOM = [("float", 3), ("window", 3), ("cells", 3), ("integer", 2), ("random", 2), ("mixed", 3)]
RANDOM = [(mode, seed) for mode, count in RANDOM for seed in range(count)]


def inputs(generator, frames, seed):
    """Arguments and parameters of one call, all floating-point numbers in f64."""
    arrays = generator.inputs(frames, STREAMS, seed)
    return {name: value.astype(np.float64) if value.dtype == np.float32 else value for name, value in arrays.items()}


@pytest.mark.parametrize("mode, seed", RANDOM)
def test_random_networks(tool, tmp_path, mode, seed):
    """A network of the long run and its training step, in f64 where it has fractions, two calls one after the other."""
    network = longrun.Network(0, seed, 0, mode)
    generator, text = network.generator(), network.text()
    names, is_wide = ["net", "step"] if generator.step else ["net"], mode != "integer"
    # States of networks that are only called may have the names of ours.
    compile(tool, tmp_path, text, f"--functions={','.join(names)}", *["--dtype=f64"] * is_wide)
    library = Library(tool, tmp_path, *["type=f64"] * is_wide)
    rate = re.search(r"optimizer\(#rnn\.\w+<lr = ([0-9.]+)", text)
    for name in names:
        function = Function(library, name)
        known, parameters = {n for n, *_ in function.arguments}, {n for n, *_ in generator.parameters}
        state = {n: v for n, v in inputs(generator, 1, seed).items() if n in parameters}
        state.update(function.first_state())
        for call, frames in enumerate([generator.bptt[1]] * 2 if generator.bptt else [4, 3]):
            given = {**inputs(generator, frames, seed + 1000 * call), **state}
            given = {n: v for n, v in given.items() if n in known}
            expected = interpret(tool, tmp_path, name, given)
            # What the runtime does for a caller who gives none.
            unbound = {"seed": test_random.SEED, "mask": np.ones((frames, STREAMS)), "lr": float(rate[1]) if rate else 0.0}
            got = function({**unbound, **given})
            # What a function does not return stays as it was.
            after = {**given, **got}
            assert set(expected) <= set(after), f"of {name}, call {call}"
            for tensor, value in expected.items():
                test_networks.agree(after[tensor], value, f"{tensor} of {name}, call {call}")
            state.update({n: v for n, v in got.items() if n in state})
