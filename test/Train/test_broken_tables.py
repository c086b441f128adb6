# ===- test_broken_tables.py - What the tools say of artifacts that are wrong ---===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Each thing that the tables of a .rnnc can have wrong, though the file's hash is right."""

import json

import pytest

import tiny_models
from test_broken_files import by_words, refused


def change(*path, **fields):
    """An edit: sets fields of the object at `path`."""

    def edit(tables):
        for step in path:
            tables = tables[step]
        tables.update(fields)

    return edit


def variable(**fields):
    return change("variables", 0, **fields)


def tensor(number, **fields):
    """Of the step's tensors: 0 is x, 1 target, 2 mask, 3 lr, 4 w, 6 state.total."""
    return change("functions", 0, "tensors", number, **fields)


def init(kind, **options):
    return variable(init={"kind": kind, **options})


def twice(key):
    return lambda tables: tables[key].append(tables[key][0])


IMPOSSIBLE = "variable 'w' has an impossible shape"
FEATURES = "'requires' is not a list of features"


@pytest.mark.parametrize("edit, problem", [
    (change(streams=0), "the table has no 'streams' from 1 to 2147483648"),
    (change(streams=2.0), "the table has no 'streams' from 1 to 2147483648"),
    (change(network_hash=1), "the table has no string 'network_hash'"),
    (change(functions=1), "the table has no list 'functions'"),
    (change(variables=1), "the table has no list 'variables'"),
    (change(requires="avx"), FEATURES),
    (change(requires={"cpu": [1]}), FEATURES),
    (change(requires={"cpu": "avx"}), FEATURES),
    (variable(name="../w"), "a variable has a malformed name"),
    (variable(name=""), "a variable has a malformed name"),
    (variable(name=1), "a variable has no string 'name'"),
    (variable(kind="state"), "variable 'w' has unknown kind 'state'"),
    (variable(dtype="f8"), "variable 'w' has unknown dtype 'f8'"),
    (variable(shape=2), "variable 'w' has no list 'shape'"),
    (variable(shape=[0]), IMPOSSIBLE),
    (variable(shape=[-1, 2]), IMPOSSIBLE),
    (variable(shape=[1 << 30, 1 << 30]), IMPOSSIBLE),
    (variable(shape=[1] * 9), IMPOSSIBLE),
    (variable(trainable="yes"), "variable 'w' has no number 'trainable'"),
    (init("ones"), "variable 'w' has unknown initializer 'ones'"),
    (init("zeros", precision="f16"), "variable 'w' has an initializer of unknown precision"),
    (init("constant", value=1e39), "variable 'w' has a constant that its dtype cannot hold"),
    (init("constant"), "variable 'w' has no number 'value'"),
    (variable(dtype="i32", init={"kind": "uniform"}), "variable 'w' cannot be drawn at random"),
    (init("orthogonal", blocks=3), "variable 'w' cannot be orthogonal in these blocks"),
    (init("orthogonal", blocks=0), "variable 'w' has no 'blocks' from 1 to 1099511627776"),
    (tensor(0, name="0x"), "a tensor has a malformed name"),
    (tensor(0, role="input"), "tensor 'x' of 'step' has unknown role 'input'"),
    (tensor(0, rate="clock"), "tensor 'x' of 'step' has unknown rate 'clock'"),
    (tensor(0, dtype="u8"), "tensor 'x' of 'step' has unknown dtype 'u8'"),
    (tensor(0, shape=[2, -1]), "tensor 'x' of 'step' has an impossible shape"),
    (tensor(6, shape=[-1, 2]), "tensor 'state.total' of 'step' has an impossible shape"),
    (tensor(0, reset=1), "tensor 'x' of 'step' is a reset, but no argument of bools at frame rate"),
    (tensor(2, default=2), "tensor 'mask' of 'step' has a value that its dtype cannot hold"),
    (tensor(6, fill=1e39), "tensor 'state.total' of 'step' has a value that its dtype cannot hold"),
    (tensor(1, name="x"), "function 'step' lists 'x' twice"),
    (change("functions", 0, kind="test"), "function 'step' has unknown kind 'test'"),
    (change("functions", 0, tensors=None), "function 'step' has no list 'tensors'"),
    (change("functions", 0, window=-1), "function 'step' has no 'window' from 0 to 1099511627776"),
    (change("functions", 0, memory={"constant": -1}), "function 'step' has no 'constant' from 0 to 281474976710656"),
    (change("functions", 0, losses=[{"name": "a b"}]), "a loss has a malformed name"),
    (change("functions", 0, name="?"), "a function has a malformed name"),
    (twice("variables"), "variable 'w' is listed twice"),
    (twice("functions"), "function 'step' is listed twice"),
    (tensor(6, dtype="f64"), "tensor 'state.total' of 'step.eval' differs from that of another function"),
    (tensor(4, name="wx"), "tensor 'wx' of 'step' has no matching variable"),
    (variable(kind="optimizer"), "tensor 'w' of 'step' has no matching variable"),
], ids=by_words)
def test_tables(tools, edit, problem):
    tables = json.loads(json.dumps(tiny_models.linear_tables(2, 4, 4)))  # functions share no part
    edit(tables)
    content = tiny_models.pack([(1, "", json.dumps(tables).encode())])
    refused(tools, "m.rnnc", content, f"is damaged: {problem}", "m.rnnc")


def test_tables_that_are_none(tools):
    content = tiny_models.pack([(1, "", b"[]")])
    refused(tools, "m.rnnc", content, "is damaged: the tables are not a JSON object", "m.rnnc")


def test_code(tools, tmp_path):
    """The tables are right, and the machine code is not theirs."""
    tables = tiny_models.linear_tables(2, 4, 4)
    content = tiny_models.pack([(1, "", json.dumps(tables).encode()), (2, "cpu:x86-64", b"no code")])
    refused(tools, "m.rnnc", content, "is damaged: its host code is not a shared object for this machine", "m.rnnc",
            "--function=linear")
    model = tiny_models.build(tmp_path / "m.rnnc", "linear", change=change("functions", 2, symbol="rnn_fn_9"))
    refused(tools, "m.rnnc", model.read_bytes(),
            "is damaged: 'linear' has no symbol 'rnn_fn_9' in the code for 'cpu:x86-64'", "m.rnnc", "--function=linear")
