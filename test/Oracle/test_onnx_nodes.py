# ===- test_onnx_nodes.py - ONNX's own tests of its recurrent operators --------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""The node tests of RNN, GRU and LSTM that the package `onnx` brings, as networks of one cell a direction.

Their results are NumPy's in f32. A direction that reads from the end is given the sequence from the end.
"""

import subprocess

import numpy as np
import pytest

pytest.importorskip("onnx", reason="onnx is not importable")
# Importing an operator's module makes its cases; ONNX's own collector would import those of all operators.
from onnx.backend.test.case import node as nodes  # noqa: E402
from onnx.backend.test.case.node import gru, lstm, rnn  # noqa: E402, F401

# ONNX's operator -> op, options, its blocks of rows in our order (docs/Cells.md).
CELLS = {"RNN": ("elman", "", [0]), "GRU": ("gru", "reset(before)", [1, 0, 2]), "LSTM": ("lstm", "", [0, 2, 3, 1])}
CASES = {case.name: case for case in nodes._NodeTestCases if case.model.graph.node[0].op_type in CELLS}
KNOWN = {"hidden_size", "direction", "layout"}


def attributes_of(node):
    attributes = {a.name: a.s.decode() if a.s else a.i for a in node.attribute}
    assert set(attributes) <= KNOWN, attributes
    return attributes


def weights_of(op, given, direction):
    """Parameters of our cell from ONNX's, of one direction."""
    blocks = CELLS[op][2]
    ordered = lambda rows: np.concatenate([np.split(rows, len(blocks))[k] for k in blocks])
    wx, wh = given["W"][direction], given["R"][direction]
    weights = {"wx": ordered(wx), "wh": ordered(wh), "b": np.zeros(len(wx), np.float32)}
    if "B" in given:
        weights["b"] = sum(ordered(half) for half in np.split(given["B"][direction], 2))
    if "P" in given:
        weights["pi"], weights["po"], weights["pf"] = np.split(given["P"][direction], 3)
    return weights


def text(op, weights):
    name, options, _ = CELLS[op]
    if "pi" in weights:
        options += " peephole(@pi, @pf, @po)"
    x, h = (f"tensor<{weights[n].shape[1]}xf32>" for n in ("wx", "wh"))
    lines = [f"rnn.parameter @{n} : tensor<{'x'.join(map(str, w.shape))}xf32> init(#rnn.zeros)" for n, w in weights.items()]
    results = "%h, %c" if op == "LSTM" else "%h"
    return "\n".join([*lines, f"rnn.network @n(%x: {x}) -> (y: {h}) {{",
                      f'  {results} = rnn.{name} "cell" %x wx(@wx) wh(@wh) b(@b) {options} : {x} -> {h}',
                      f"  rnn.output %h : {h}", "}", ""])


def test_all_are_here():
    assert len(CASES) >= 18 and {case.model.graph.node[0].op_type for case in CASES.values()} == set(CELLS)


@pytest.mark.parametrize("name", CASES)
def test_node(tool, tmp_path, name):
    import rnn_mlir
    (node,) = CASES[name].model.graph.node
    ((inputs, outputs),) = CASES[name].data_sets
    attributes = attributes_of(node)
    given = dict(zip([n for n in node.input if n], inputs))
    want = dict(zip([n for n in node.output if n], outputs))
    assert len(given) == len(inputs) and len(want) == len(outputs) and set(want) <= {"Y", "Y_h", "Y_c"}
    if attributes.get("layout"):  # streams come first
        given["X"] = given["X"].swapaxes(0, 1)
        want = {n: np.moveaxis(v, 0, 2 if n == "Y" else 1) for n, v in want.items()}
    frames, streams, _ = given["X"].shape
    assert "sequence_lens" not in given or (given["sequence_lens"] == frames).all()
    backwards = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}[attributes.get("direction", "forward")]
    for direction, backward in enumerate(backwards):
        weights = weights_of(node.op_type, given, direction)
        (tmp_path / "net.mlir").write_text(text(node.op_type, weights))
        done = subprocess.run([tool("rnn-compile"), tmp_path / "net.mlir", "-o", tmp_path / "net.rnnc", "--target=cpu",
                               "--target=interpreter", f"--streams={streams}"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        state = {}
        if "initial_h" in given:
            state = {"state.cell.h": given["initial_h"][direction][None], "state.age": np.zeros(streams, np.int64)}
        if "initial_c" in given:
            state["state.cell.c"] = given["initial_c"][direction][None]
        x = given["X"][::-1] if backward else given["X"]
        for target in ("interpreter", "cpu"):
            program = rnn_mlir.load(tmp_path / "net.rnnc", target=target, threads=1)
            y = program.run("n", x=np.ascontiguousarray(x), **weights, **state)["y"].numpy()
            got = {"Y": y[::-1] if backward else y, "Y_h": y[-1], "Y_c": program.state.get("cell.c", [None])[0]}
            for output, value in want.items():
                value = value[:, direction] if output == "Y" else value[direction]
                np.testing.assert_allclose(got[output], value, rtol=2e-6, atol=1e-6, err_msg=f"{output} on {target}")
