# ===- generate.py - A typed random generator of legal networks ---------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
#   generate.py <seed> --mlir=net.mlir [--dump=net.json] [--inputs=in.npz] [--mode=float|cells|integer|window]
#
# A network is built from groups. A group opens with delays whose source is not known yet, goes on with random ops, and
# closes each open delay with one of its own signals: these are the loops. All open delays of a group have one sign, so
# every cycle is legal (rule C1); inits, and delays that lie on no cycle, take signals of older groups only.
#
#   float     everything: both directions, local delays, resets, rates, reductions over frames, losses, masks
#   integer   i32, inference: sums, products and delays in wrap-around arithmetic, where order cannot matter
#   cells     float, with cells: short forms in the text, in the dump the arithmetic that they stand for, written here
#   window    float without what truncated windows exclude (local delays, sums over frames); has a bptt clause
#   random    float, with random numbers; the oracle has no rule for them
#
# mixed.py has another, whose networks hold all of the dialect at once, as text alone.
#
# The same seed gives the same text. Constants are multiples of 1/64, so that every float type holds them exactly.
#
# ===-------------------------------------------------------------------------===#

import argparse
import json
import random

import numpy as np

NUMPY = {"f32": np.float32, "f64": np.float64, "i1": np.bool_, "i8": np.int8, "i32": np.int32, "i64": np.int64}
SIZES = [1, 2, 3, 4, 6]
INTEGERS = ("i8", "i32", "i64")


def mlir_type(shape, dtype):
    return "tensor<" + "".join(f"{n}x" for n in shape) + dtype + ">"


class Value:
    def __init__(self, name, shape, dtype, group):
        self.name, self.shape, self.dtype, self.group = name, tuple(shape), dtype, group

    @property
    def type(self):
        return mlir_type(self.shape, self.dtype)


class Op:
    """An op of the graph; operands may be set later (open delays)."""

    def __init__(self, name, operands, result, attrs):
        self.name, self.operands, self.result, self.attrs = name, list(operands), result, attrs
        self.hidden = False  # in the dump only: a short form stands for it

    def text(self):
        o, r, a = self.operands, self.result, self.attrs
        names = ", ".join("%" + x.name for x in o)
        types = ", ".join(x.type for x in o)
        dims = "[" + ", ".join(str(d) for d in a.get("dims", [])) + "]"
        head = f"%{r.name} = {self.name} "
        if self.name == "rnn.param":
            return head + f"@{a['parameter']} : {r.type}"
        if self.name == "rnn.random":
            return head + f"{a['kind']} <{a['rate']}> : {r.type}"
        if self.name == "rnn.delay":
            init = f" init(%{o[1].name})" if len(o) > 1 else ""
            return head + f"%{o[0].name} by {a['by']}{init}{' local' if a.get('local') else ''} : {r.type}"
        if self.name in ("rnn.linear", "rnn.gather"):
            return head + f"{names} : ({types}) -> {r.type}"
        if self.name == "rnn.contract":
            count = 1 + max(max(m, default=-1) for m in a["indexing_maps"])
            every = ", ".join(f"d{i}" for i in range(count))
            maps = ", ".join(f"({every}) -> (" + ", ".join(f"d{d}" for d in m) + ")" for m in a["indexing_maps"])
            sum_to = f" sum_to {a['sum_to']}" if "sum_to" in a else ""
            return head + f"{names} [{maps}]{sum_to} : ({types}) -> {r.type}"
        if self.name == "rnn.reduce":
            return head + f"{a['kind']} {names} over {dims} : {types} to {r.type}"
        if self.name == "rnn.broadcast":
            return head + f"{names} along {dims} : {types} to {r.type}"
        if self.name == "rnn.sum_frames":
            sum_to = f" {{sum_to = #rnn.rate<{a['sum_to']}>}}" if "sum_to" in a else ""
            return head + f"{names}{sum_to} : {r.type}"
        if self.name == "arith.constant":
            return head + f"dense<{self.literal()}> : {r.type}"
        if self.name in ("arith.cmpf", "arith.cmpi"):
            return head + f"{a['predicate']}, {names} : {o[0].type}"
        if self.name == "arith.select":
            return head + f"{names} : {o[0].type}, {r.type}"
        if self.name in ("arith.sitofp", "arith.uitofp"):
            return head + f"{names} : {types} to {r.type}"
        region = " ".join(str(a.get(k)) for k in ("static_offsets", "static_sizes", "static_strides"))
        if self.name == "tensor.extract_slice":
            return head + f"{names}{region} : {types} to {r.type}"
        if self.name == "tensor.insert_slice":
            return head + f"%{o[0].name} into %{o[1].name}{region} : {o[0].type} into {r.type}"
        if self.name == "tensor.concat":
            return head + f"dim({a['dim']}) {names} : ({types}) -> {r.type}"
        if self.name == "tensor.expand_shape":
            return head + f"{names} [[0, 1]] output_shape {list(r.shape)} : {types} into {r.type}"
        if self.name == "tensor.collapse_shape":
            return head + f"{names} [[0, 1]] : {types} into {r.type}"
        return head + (names + " " if o else "") + f": {r.type}"  # elementwise and rnn.sum

    def literal(self):
        values = self.attrs["value"]["values"]
        word = lambda v: str(bool(v)).lower() if self.result.dtype == "i1" else repr(v)
        if len(values) == 1:
            return word(values[0])

        def nest(flat, shape):
            if not shape:
                return word(flat[0])
            step = len(flat) // shape[0]
            return "[" + ", ".join(nest(flat[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])) + "]"

        return nest(values, self.result.shape)

    def dump(self, ids):
        attrs = dict(self.attrs)
        if self.name == "rnn.delay":
            attrs.setdefault("name", self.operands[0].name)
        return {"op": self.name, "operands": [ids[x] for x in self.operands], "attrs": attrs,
                "results": [{"id": ids[self.result], "shape": list(self.result.shape), "dtype": self.result.dtype}]}


class ShortForm:
    """A cell or a loss: a line of the text; the dump has hidden ops instead, the last of which has its result."""

    hidden = False

    def __init__(self, name, line, result):
        self.name, self.line, self.result = name, line, result

    def text(self):
        return self.line


class Generator:
    """Builds one network; the public fields are read by `Case`."""

    rank = 2  # of the largest signals that broadcasts make
    shapes = [(), (2, 3), (3, 1)]  # of delays that are no vectors

    def __init__(self, seed, mode):
        self.rng = random.Random(f"{mode} {seed}")
        self.mode, self.cells = "float" if mode in ("cells", "random") else mode, mode == "cells"
        self.has_random = mode == "random"
        self.number = "i32" if mode == "integer" else ("f64" if self.rng.random() < 0.15 else "f32")
        self.arguments, self.parameters, self.ops, self.values = [], [], [], []
        self.loops, self.group, self.count = [], 0, 0  # loops: the signals that close the open delays
        self.index_range = {}  # integer argument -> size of what it indexes
        self.bptt = None
        self.build()

    # ===- Values --------------------------------------------------------------===#

    def argument(self, name, shape, dtype, rate="frame", reset=False):
        value = Value(name, shape, dtype, 0)
        self.arguments.append((value, rate, reset))
        self.values.append(value)
        return value

    def parameter(self, shape, fresh=False):
        """The name of a parameter: of one that exists (shared weights) or of a new one."""
        same = [p for p in self.parameters if p[1] == tuple(shape)]
        if same and not fresh and self.rng.random() < 0.5:
            return self.rng.choice(same)[0]
        self.parameters.append((f"p{len(self.parameters)}", tuple(shape), self.number, self.rng.random() < 0.1))
        return self.parameters[-1][0]

    def param(self, shape, fresh=False):
        """The value of a parameter."""
        return self.op("rnn.param", [], shape, self.number, parameter=self.parameter(shape, fresh))

    def constant(self, shape, low=-64, high=64):
        n = int(np.prod(shape, dtype=int))
        draw = (lambda: self.rng.randint(-9, 9)) if self.number == "i32" else (lambda: self.rng.randint(low, high) / 64)
        values = [draw()] if self.rng.random() < 0.5 else [draw() for _ in range(n)]
        return self.op("arith.constant", [], shape, self.number,
                       value={"dtype": self.number, "shape": list(shape), "values": values})

    def op(self, op_name, operands, shape, dtype, /, **attrs):
        self.count += 1
        result = Value(f"v{self.count}", shape, dtype, self.group)
        self.ops.append(Op(op_name, operands, result, attrs))
        self.values.append(result)
        return result

    def unary(self, name, x):
        return self.op(name, [x], x.shape, x.dtype)

    def pick(self, want=lambda v: True):
        """A random number signal; those of the open group are likelier."""
        pool = [v for v in self.values if v.dtype == self.number and want(v)]
        recent = [v for v in pool if v.group == self.group]
        if recent and self.rng.random() < 0.7:
            pool = recent
        return self.rng.choice(pool) if pool else None

    def like(self, shape):
        """A signal of this shape: an existing one, or one made for the purpose."""
        shape = tuple(shape)
        found = self.pick(lambda v: v.shape == shape)
        if found is not None and self.rng.random() < 0.85:
            return found
        vector = self.pick(lambda v: len(v.shape) == 1)
        if len(shape) == 1 and vector is not None and self.rng.random() < 0.6:
            return self.linear(vector, shape[0])
        return self.param(shape) if self.rng.random() < 0.7 else self.constant(shape)

    def linear(self, x, out):
        weight = self.param((out, x.shape[0]))
        if self.number == "i32":
            return self.op("rnn.contract", [weight, x], (out,), self.number, indexing_maps=[[0, 1], [1], [0]])
        bias = [self.param((out,))] if self.rng.random() < 0.3 else []
        return self.op("rnn.linear", [x, weight, *bias], (out,), self.number)

    def squash(self, x):
        """Bounded, so that loops neither explode nor hide errors."""
        return x if self.number == "i32" else self.unary("math.tanh", x)

    # ===- Op kinds ------------------------------------------------------------===#

    def make_linear(self):
        x = self.pick(lambda v: len(v.shape) == 1)
        return x and self.linear(x, self.rng.choice(SIZES))

    def make_sum(self):
        x = self.pick()
        terms = [x] + [self.like(x.shape) for _ in range(self.rng.randint(0, 3))]
        return self.op("rnn.sum", terms, x.shape, self.number)

    def make_binary(self):
        x = self.pick()
        y = self.like(x.shape)
        names = ["addi", "subi", "muli", "andi", "ori", "xori"] if self.number == "i32" else \
            ["addf", "subf", "mulf", "mulf", "maximumf", "minimumf"]
        return self.op("arith." + self.rng.choice(names), [x, y], x.shape, self.number)

    def make_unary(self):
        x = self.pick()
        if self.number == "i32":
            return self.op("arith.addi", [x, x], x.shape, "i32")
        name = self.rng.choice(["math.tanh", "rnn.sigmoid", "rnn.softplus", "math.sin", "math.cos", "math.erf",
                                "math.absf", "arith.negf", "rnn.stop_gradient", "exp", "log", "root", "div", "power"])
        if "." in name:
            return self.unary(name, x)
        # Functions with poles, away from them.
        square = self.op("arith.mulf", [self.squash(x)] * 2, x.shape, self.number)
        if name == "exp":
            return self.unary("math.exp", self.squash(x))
        if name == "power":
            one = self.positive(x.shape)
            base = self.op("arith.addf", [square, one], x.shape, self.number)
            exponent = self.op("arith.constant", [], x.shape, self.number, value={
                "dtype": self.number, "shape": list(x.shape), "values": [self.rng.choice([0.5, 1.5, 2.0, -1.0])]})
            return self.op("math.powf", [base, exponent], x.shape, self.number)
        if name == "log" and self.rng.random() < 0.5:
            return self.unary("math.log1p", square)
        away = self.op("arith.addf", [square, self.positive(x.shape)], x.shape, self.number)
        if name == "div":
            return self.op("arith.divf", [self.like(x.shape), away], x.shape, self.number)
        return self.unary("math.log" if name == "log" else self.rng.choice(["math.sqrt", "math.rsqrt"]), away)

    def positive(self, shape):
        return self.op("arith.constant", [], shape, self.number, value={
            "dtype": self.number, "shape": list(shape), "values": [self.rng.randint(32, 96) / 64]})

    def make_reduce(self):
        """A reduction within the frame, and its result spread again, as in a layer norm."""
        x = self.pick(lambda v: v.shape)
        if x is None:
            return None
        kind = "sum" if self.rng.random() < 0.6 else "max"
        dims = sorted(self.rng.sample(range(len(x.shape)), self.rng.randint(1, len(x.shape))))
        rest = [n for i, n in enumerate(x.shape) if i not in dims]
        r = self.op("rnn.reduce", [x], rest, self.number, kind=kind, dims=dims)
        if self.rng.random() < 0.5:
            return r
        b = self.op("rnn.broadcast", [r], x.shape, self.number, dims=dims)
        return self.op("arith.subi" if self.number == "i32" else "arith.subf", [x, b], x.shape, self.number)

    def make_broadcast(self):
        x = self.pick(lambda v: len(v.shape) < self.rank and np.prod(v.shape, dtype=int) <= 36)
        if x is None:
            return None
        at = self.rng.randint(0, len(x.shape))
        shape = x.shape[:at] + (self.rng.choice(SIZES),) + x.shape[at:]
        return self.op("rnn.broadcast", [x], shape, self.number, dims=[at])

    def make_slice(self):
        x = self.pick(lambda v: v.shape)
        if x is None:
            return None
        offsets, sizes, strides = [], [], []
        for n in x.shape:
            stride = self.rng.choice([1, 1, 2])
            offset = self.rng.randint(0, n - 1)
            offsets.append(offset)
            sizes.append(self.rng.randint(1, (n - 1 - offset) // stride + 1))
            strides.append(stride)
        region = {"static_offsets": offsets, "static_sizes": sizes, "static_strides": strides}
        part = self.op("tensor.extract_slice", [x], sizes, self.number, **region)
        if self.rng.random() < 0.4:
            return self.op("tensor.insert_slice", [self.squash(part), x], x.shape, self.number, **region)
        return part

    def make_concat(self):
        x = self.pick(lambda v: v.shape and max(v.shape) <= 8)
        if x is None:
            return None
        dim = self.rng.randrange(len(x.shape))
        rest = [v for v in self.values if v.dtype == self.number and len(v.shape) == len(x.shape) and
                v.shape[dim] <= 8 and all(v.shape[i] == n for i, n in enumerate(x.shape) if i != dim)]
        parts = [x] + [self.rng.choice(rest) for _ in range(self.rng.randint(1, 2))]
        shape = list(x.shape)
        shape[dim] = sum(p.shape[dim] for p in parts)
        return self.op("tensor.concat", parts, shape, self.number, dim=dim)

    def make_reshape(self):
        x = self.pick(lambda v: len(v.shape) == 2 or (len(v.shape) == 1 and v.shape[0] in (4, 6)))
        if x is None:
            return None
        if len(x.shape) == 2:
            return self.op("tensor.collapse_shape", [x], (x.shape[0] * x.shape[1],), self.number)
        return self.op("tensor.expand_shape", [x], (2, x.shape[0] // 2), self.number)

    def make_contract(self):
        """Outer products, transposed and block-diagonal products."""
        x = self.pick(lambda v: len(v.shape) in (1, 2))
        if x is None:
            return None
        kind = self.rng.choice(["outer", "transposed", "blocks", "dot"])
        if len(x.shape) == 2 and kind != "dot":
            y = self.param((x.shape[0], self.rng.choice(SIZES), x.shape[1]))  # one matrix per row
            return self.op("rnn.contract", [y, x], (x.shape[0], y.shape[1]), self.number,
                           indexing_maps=[[0, 1, 2], [0, 2], [0, 1]])
        if kind == "outer":
            y = self.pick(lambda v: len(v.shape) == 1)
            return self.op("rnn.contract", [x, y], (x.shape[0], y.shape[0]), self.number,
                           indexing_maps=[[0], [1], [0, 1]])
        if kind == "dot":
            every = list(range(len(x.shape)))
            return self.op("rnn.contract", [x, self.like(x.shape)], (), self.number, indexing_maps=[every, every, []])
        w = self.param((x.shape[0], self.rng.choice(SIZES)))
        return self.op("rnn.contract", [x, w], (w.shape[1],), self.number, indexing_maps=[[0], [0, 1], [1]])

    def make_select(self):
        x = self.pick()
        y = self.like(x.shape)
        flag = next((v for v, _, reset in self.arguments if v.dtype == "i1" and not reset), None)
        if flag is not None and self.rng.random() < 0.5:
            condition = flag
            if x.shape:
                condition = self.op("rnn.broadcast", [flag], x.shape, "i1", dims=list(range(len(x.shape))))
        elif self.number == "i32":
            condition = self.op("arith.cmpi", [x, self.like(x.shape)], x.shape, "i1",
                                predicate=self.rng.choice(["eq", "ne", "slt", "sle", "sgt", "sge", "ult", "uge"]))
        else:
            condition = self.op("arith.cmpf", [x, self.like(x.shape)], x.shape, "i1",
                                predicate=self.rng.choice(["olt", "ole", "ogt", "oge", "ult", "une"]))
        return self.op("arith.select", [condition, x, y], x.shape, self.number)

    def make_gather(self):
        index = next((v for v, _, _ in self.arguments if v.name == "k"), None)
        if index is None:
            return None
        rows = self.rng.randint(2, 5)
        self.index_range["k"] = min(self.index_range.get("k", rows), rows)
        table = self.param((rows, self.rng.choice(SIZES)))
        return self.op("rnn.gather", [table, index], table.shape[1:], self.number)

    def make_convert(self):
        index = next((v for v, _, _ in self.arguments if v.name == "k"), None)
        if index is None or self.number == "i32":
            return None
        return self.op("arith.sitofp", [index], (), self.number)

    def make_random(self):
        """Random numbers, alone or, as in dropout, where they choose what becomes of a signal."""
        x = self.pick()
        kind, rate = self.rng.choice(["uniform", "normal"]), self.rng.choice(["frame", "frame", "stream", "static"])
        noise = self.op("rnn.random", [], x.shape, self.number, kind=kind, rate=rate)
        if self.rng.random() < 0.5:
            return self.op("arith.mulf", [x, noise], x.shape, self.number)
        keep = self.op("arith.cmpf", [noise, self.positive(x.shape)], x.shape, "i1", predicate="olt")
        zero = self.op("arith.constant", [], x.shape, self.number, value={
            "dtype": self.number, "shape": list(x.shape), "values": [0.0]})
        return self.op("arith.select", [keep, x, zero], x.shape, self.number)

    def make_feedforward_delay(self):
        x = self.pick(lambda v: v.group < self.group)
        if x is None:
            return None
        both = [-3, -2, -1, 1, 2, 3, 4] if self.mode == "float" else [1, 2, 3, 4]
        return self.delay(x, self.rng.choice(both))

    def make_sum_frames(self):
        """A value over all frames; it lies on no cycle, as its operand is older than the group."""
        if self.mode != "float":
            return None
        x = self.pick(lambda v: v.group < self.group)
        if x is None:
            return None
        stream = self.rng.random() < 0.4
        if len(x.shape) == 1 and self.rng.random() < 0.4:
            y = self.pick(lambda v: v.group < self.group and len(v.shape) == 1)
            s = self.op("rnn.contract", [x, y], (x.shape[0], y.shape[0]), self.number, sum_to="static",
                        indexing_maps=[[0], [1], [0, 1]])
        else:
            s = self.op("rnn.sum_frames", [x], x.shape, self.number, **({"sum_to": "stream"} if stream else {}))
        return self.squash(s)

    # ===- Cells ---------------------------------------------------------------===#

    def shorten(self, at, name, line, result):
        """The ops since `at` = (ops, values) become one line; only `result` can be read from now on."""
        for op in self.ops[at[0]:]:
            op.hidden = True
        del self.values[at[1]:]
        self.values.append(result)
        self.ops.append(ShortForm(name, line, result))
        return result

    def make_cell(self):
        index = next((v for v, _, _ in self.arguments if v.name == "k"), None)
        x = index if index is not None and self.rng.random() < 0.3 else self.pick(lambda v: len(v.shape) == 1)
        if x is None:
            return None
        at, units = (len(self.ops), len(self.values)), self.rng.choice(SIZES)
        kind = self.rng.choice(["elman", "gru", "lstm", "elman", "gru", "lstm", "indrnn", "min_gru", "sru"])
        forget = self.rng.choice(["gate", "coupled", "none"])
        gates = {"elman": 1, "gru": 3, "lstm": 4 if forget == "gate" else 3, "indrnn": 1, "min_gru": 2,
                 "sru": 3 if x.shape == (units,) else 4}[kind]
        flag = next((v for v, _, reset in self.arguments if v.dtype == "i1" and not reset), None)
        is_recurrent = kind in ("elman", "gru", "lstm")  # others have no product in the loop, and no flags
        clocked, restarted = (flag is not None and is_recurrent and self.rng.random() < 0.4 for _ in range(2))
        unit, name, number = (units,), f"cell{self.count}", self.number
        do = lambda op, *operands: self.op(op, operands, operands[0].shape, number)
        add, sub, mul = (lambda a, b, op=op: do("arith." + op, a, b) for op in ("addf", "subf", "mulf"))
        sigmoid, tanh = (lambda a, op=op: do(op, a) for op in ("rnn.sigmoid", "math.tanh"))
        symbol = lambda value: "@" + next(op.attrs["parameter"] for op in self.ops if op.result is value)
        splat = lambda value: self.op("arith.constant", [], unit, number,
                                      value={"dtype": number, "shape": list(unit), "values": [value]})

        def part(value, k, count=1):
            shape = (count * units, *value.shape[1:])
            return self.op("tensor.extract_slice", [value], shape, number, static_offsets=[k * units] + [0] * (len(shape) - 1),
                           static_sizes=list(shape), static_strides=[1] * len(shape))

        def product(v, w):
            return self.op("rnn.contract", [w, v], (w.shape[0],), number, indexing_maps=[[0, 1], [1], [0]])

        def opened(state):
            return self.op("rnn.delay", [None], unit, number, by=self.cell_lag, name=f"{name}.{state}")

        def flagged(x, y):
            spread = self.op("rnn.broadcast", [flag], unit, "i1", dims=[0])
            return self.op("arith.select", [spread, x, y], unit, number)

        def read(last):
            return flagged(splat(0.0), last) if restarted else last

        def hold(new, last):
            return flagged(new, last) if clocked else new

        def close(delay, value):
            next(op for op in self.ops if op.result is delay).operands[0] = value

        if x is index:
            rows = self.rng.randint(2, 5)
            self.index_range["k"] = min(self.index_range.get("k", rows), rows)
            wx = self.param((rows, gates * units))
            ax = self.op("rnn.gather", [wx, x], (gates * units,), number)
        else:
            wx = self.param((gates * units, x.shape[0]))
            ax = product(x, wx)
        extra = {"indrnn": [unit], "min_gru": [], "sru": []}.get(kind, [(gates * units, units)])
        extra = [self.param(shape) for shape in extra]
        b, options = self.param(((2 if kind == "sru" else gates) * units,)), ""
        if kind != "sru":
            ax, last = add(ax, b), opened("h")
            h1 = read(last)
        if is_recurrent:
            wh = extra[0]
        if kind == "indrnn":
            h = add(ax, mul(extra[0], h1))
            relu = self.rng.random() < 0.5
            h, options = (do("arith.maximumf", splat(0.0), h), "") if relu else (tanh(h), " activation(tanh)")
        elif kind == "min_gru":
            z = sigmoid(part(ax, 0))
            h = add(mul(sub(splat(1.0), z), h1), mul(z, part(ax, 1)))
        elif kind == "sru":
            last = c1 = opened("c")
            gate = lambda k: add(part(ax, k + 1), part(b, k))
            if self.rng.random() < 0.5:
                peepholes = [self.param(unit) for _ in range(2)]
                gate = lambda k: add(add(part(ax, k + 1), part(b, k)), mul(peepholes[k], c1))
                options = f" peephole({', '.join(map(symbol, peepholes))})"
            f, r = sigmoid(gate(0)), sigmoid(gate(1))
            c = add(mul(f, c1), mul(sub(splat(1.0), f), part(ax, 0)))
            h = add(mul(r, c), mul(sub(splat(1.0), r), x if gates == 3 else part(ax, 3)))
        elif kind == "elman":
            h = add(ax, product(h1, wh))
            h = do("arith.maximumf", splat(0.0), h) if self.rng.random() < 0.3 else tanh(h)
            if self.ops[-1].name == "arith.maximumf":
                options = " activation(relu)"
        elif kind == "gru":
            before = self.rng.random() < 0.5
            r = sigmoid(add(part(ax, 0), product(h1, part(wh, 0))))
            z = sigmoid(add(part(ax, 1), product(h1, part(wh, 1))))
            if before:
                n, options = product(mul(r, h1), part(wh, 2)), " reset(before)"
            else:
                n = product(h1, part(wh, 2))
                if self.rng.random() < 0.5:
                    bn = self.param(unit)
                    n, options = add(n, bn), f" bn({symbol(bn)})"
                n = mul(r, n)
            n = tanh(add(part(ax, 2), n))
            h = add(mul(sub(splat(1.0), z), n), mul(z, h1))
        else:
            last_c = opened("c")
            c1 = read(last_c)
            sum = add(ax, product(h1, wh))
            peep = lambda k, v: part(sum, k)
            options = "" if forget == "gate" else f" forget({forget})"
            if self.rng.random() < 0.5:
                peepholes = [self.param(unit) for _ in range(gates - 1)]
                peep = lambda k, v: add(part(sum, k), mul(peepholes[k if k < 2 and forget == "gate" else -1 if k else 0], v))
                options += f" peephole({', '.join(map(symbol, peepholes))})"
            i = sigmoid(peep(0, c1))
            f = sigmoid(peep(1, c1)) if forget == "gate" else sub(splat(1.0), i) if forget == "coupled" else splat(1.0)
            c = add(mul(f, c1), mul(i, tanh(part(sum, gates - 2))))
            if self.rng.random() < 0.3 or forget == "none":  # without a forget gate the cell adds up what it sees
                c = do("arith.maximumf", do("arith.minimumf", c, splat(0.75)), splat(-0.75))
                options += " clip(0.75)"
            h = mul(sigmoid(peep(gates - 1, c)), tanh(c))
            close(last_c, hold(c, last_c))
        if is_recurrent:
            h = hold(h, last)
        close(last, c if kind == "sru" else h)
        self.loops.append(h)
        options += f" clock(%{flag.name})" if clocked else ""
        options += f" restart(%{flag.name})" if restarted else ""
        if self.cell_lag < 0:
            options = " reverse" + options
        between = {"indrnn": "u", "min_gru": "", "sru": ""}.get(kind, "wh")
        parameters = f"wx({symbol(wx)}) " + (f"{between}({symbol(extra[0])}) " if extra else "") + f"b({symbol(b)})"
        line = (f"%{h.name}{', %' + h.name + '.c' if kind in ('lstm', 'sru') else ''} = rnn.{kind} \"{name}\" %{x.name} "
                f"{parameters}{options} : {x.type} -> {h.type}")
        return self.shorten(at, "rnn." + kind, line, h)

    def make_loss(self, y):
        """The distance of a signal from numbers that are none of the network's business."""
        kind = self.rng.choice(["sigmoid", "squared", "absolute", "huber"])
        target = self.constant(y.shape, 0 if kind == "sigmoid" else -64, 64)
        at, number = (len(self.ops), len(self.values)), self.number
        do = lambda op, *operands: self.op(op, operands, y.shape, number)
        splat = lambda value, shape=y.shape: self.op("arith.constant", [], shape, number, value={
            "dtype": number, "shape": list(shape), "values": [value]})
        delta, op, attributes = self.rng.choice([0.25, 1.0]), "mean_squared_error", ""
        if kind == "sigmoid":  # softplus(y) - target·y
            each, op = do("arith.subf", do("rnn.softplus", y), do("arith.mulf", target, y)), "sigmoid_cross_entropy"
        else:
            error = do("arith.subf", y, target)
            each = do("arith.mulf", error, error)
            if kind == "absolute":
                each, op = do("math.absf", error), "mean_absolute_error"
            if kind == "huber":
                far, op, attributes = do("math.absf", error), "huber", f" {{delta = {delta}}}"
                near = self.op("arith.cmpf", [far, splat(delta)], y.shape, "i1", predicate="ole")
                beyond = do("arith.mulf", splat(delta), do("arith.subf", far, splat(delta / 2)))
                each = self.op("arith.select", [near, do("arith.mulf", splat(0.5), each), beyond], y.shape, number)
        if y.shape:
            each = self.op("rnn.reduce", [each], (), number, kind="sum", dims=list(range(len(y.shape))))
        mean = self.op("arith.divf", [each, splat(float(np.prod(y.shape, dtype=int)), ())], (), number)
        line = f"%{mean.name} = rnn.{op} %{y.name}, %{target.name}{attributes} : ({y.type}, {y.type}) -> {mean.type}"
        return self.shorten(at, "rnn." + op, line, mean)

    # ===- Structure -----------------------------------------------------------===#

    def delay(self, source, by, shape=None):
        """A delay of a known source, or, with a shape, an open one."""
        shape = source.shape if source else shape
        attrs = {"by": by}
        if by < 0 and self.rng.random() < 0.5 or by > 0 and self.mode == "float" and self.rng.random() < 0.15:
            attrs["local"] = True
        operands = [source]
        if self.rng.random() < 0.4:
            older = [v for v in self.values if v.group < self.group and v.shape == tuple(shape) and v.dtype == self.number]
            kind = self.rng.choice(["param", "constant", "signal"])
            operands.append(self.rng.choice(older) if kind == "signal" and older else
                            self.constant(shape) if kind == "constant" else self.param(shape))
        result = self.op("rnn.delay", operands, shape, self.number, **attrs)
        return result

    def kinds(self):
        """What a group is made of, each as often as it is to occur."""
        return [self.make_linear] * 4 + [self.make_binary] * 3 + [self.make_unary] * 3 + [self.make_sum] * 2 + \
            [self.make_reduce, self.make_broadcast, self.make_slice, self.make_concat, self.make_reshape,
             self.make_contract, self.make_select, self.make_gather, self.make_convert, self.make_feedforward_delay,
             self.make_sum_frames] + [self.make_cell] * (10 if self.cells else 0) + \
            [self.make_random] * (6 if self.has_random else 0)

    def make_group(self):
        self.group += 1
        sign = -1 if self.mode == "float" and self.rng.random() < 0.3 else 1
        # Cells have the direction of their group, since they may lie on its cycles.
        self.cell_lag = sign
        shapes = [(self.rng.choice(SIZES),) if self.rng.random() < 0.8 else
                  self.rng.choice(self.shapes) for _ in range(self.rng.randint(1, 3))]
        opened = [self.delay(None, sign * self.rng.choice([1, 1, 2, 3, 4]), shape) for shape in shapes]
        opened = [next(op for op in self.ops if op.result is v) for v in opened]
        kinds = self.kinds()
        for _ in range(self.rng.randint(3, 7)):
            self.rng.choice(kinds)()
        for op in opened:
            shape = op.result.shape
            pool = [v for v in self.values if v.group == self.group and v.shape == shape and v.dtype == self.number and
                    v is not op.result and all(v is not o.result for o in opened) and not self.is_leaf(v)]
            if pool and self.rng.random() < 0.5:
                source = self.rng.choice(pool)
            elif len(shape) == 1:
                x = self.pick(lambda v: v.group == self.group and len(v.shape) == 1)
                source = self.linear(x or op.result, shape[0])
            else:
                source = self.op("rnn.sum", [op.result, self.like(shape)], shape, self.number)
            op.operands[0] = self.squash(source)
            self.loops.append(op.operands[0])

    def is_leaf(self, value):
        return any(op.result is value and op.name in ("rnn.param", "arith.constant") for op in self.ops)

    def build(self):
        rng = self.rng
        self.argument("x", (rng.choice(SIZES),), self.number)
        if rng.random() < 0.5:
            self.argument("z", (rng.choice(SIZES),), self.number)
        if rng.random() < 0.4:
            self.argument("k", (), "i32")
        if rng.random() < 0.4:
            self.argument("b", (), "i1")
        if rng.random() < 0.3 and self.mode == "float":
            self.argument("s", (rng.choice(SIZES),), self.number, rng.choice(["stream", "static"]))
        if rng.random() < 0.6:
            self.argument("r", (), "i1", reset=True)
        self.make_arguments()
        for _ in range(rng.randint(1, 3)):
            self.make_group()
        self.group += 1
        self.make_results()
        if rng.random() < 0.3:
            rng.shuffle(self.ops)  # a graph has no order

    def make_arguments(self):
        """Further ones, in other modes."""

    def make_results(self):
        """Results y0, y1, and for training a loss per frame and perhaps its mask."""
        pool = [v for v in self.values if v.dtype == self.number and 0 < v.group < self.group and not self.is_leaf(v)]
        self.results = []
        for i in range(self.rng.randint(1, 2)):
            self.results.append((f"y{i}", self.rng.choice(pool[-8:] if i else self.loops)))
        self.step = None
        if self.mode == "integer":
            return
        total = None
        observed = [y for _, y in self.results] + self.rng.sample(self.loops, min(2, len(self.loops)))
        for y in {id(v): v for v in observed}.values():
            s = self.squash(y)
            if self.cells:
                s = self.make_loss(s)
            elif s.shape:
                s = self.op("rnn.reduce", [self.op("arith.mulf", [s, s], s.shape, self.number)], (), self.number,
                            kind="sum", dims=list(range(len(s.shape))))
            total = s if total is None else self.op("arith.addf", [total, s], (), self.number)
        self.results.append(("e", total))
        mask = None
        flag = next((v for v, rate, reset in self.arguments if v.dtype == "i1" and not reset), None)
        if flag is not None and self.rng.random() < 0.6:
            mask = "m"
            self.results.append(("m", flag))
        losses = [("e", self.rng.choice(["mean", "mean", "sum"]), self.rng.choice([1.0, 0.5]), mask)]
        advance = self.rng.choice([2, 3])
        if self.mode == "window":
            self.bptt = (advance * self.rng.choice([1, 2, 3]), advance)
        self.step = {"losses": losses, "lr": 0.0}

    # ===- Output --------------------------------------------------------------===#

    def mlir(self):
        lines = []
        for name, shape, dtype, frozen in self.parameters:
            init = "zeros" if dtype == "i32" else "uniform<-0.5, 0.5>"
            lines.append(f"rnn.parameter @{name} : {mlir_type(shape, dtype)} init(#rnn.{init})"
                         + (" frozen" if frozen else ""))
        arguments = []
        for v, rate, reset in self.arguments:
            attrs = " {rnn.reset}" if reset else f" {{rnn.rate = \"{rate}\"}}" if rate != "frame" else ""
            arguments.append(f"%{v.name}: {v.type}{attrs}")
        results = ", ".join(f"{name}: {v.type}" for name, v in self.results)
        lines.append(f"rnn.network @net({', '.join(arguments)}) -> ({results}) {{")
        lines += ["  " + op.text() for op in self.ops if not op.hidden]
        names, types = ", ".join("%" + v.name for _, v in self.results), ", ".join(v.type for _, v in self.results)
        lines += [f"  rnn.output {names} : {types}", "}"]
        if self.step:
            losses = " ".join(f'loss("{r}" {how} weight {weight}' + (f' mask "{m}"' if m else "") + ")"
                              for r, how, weight, m in self.step["losses"])
            bptt = f" bptt<window = {self.bptt[0]}, advance = {self.bptt[1]}>" if self.bptt else ""
            lines.append(f"rnn.train_step @step of @net {losses} optimizer(#rnn.sgd<lr = 0.0>){bptt}")
        return "\n".join(lines) + "\n"

    def dump(self):
        """The dump of docs/JSON.md, written without the compiler."""
        ops = [op for op in self.ops if not isinstance(op, ShortForm)]
        ids = {v: i for i, v in enumerate([v for v, _, _ in self.arguments] + [op.result for op in ops])}
        init = {"kind": "zeros"} if self.number == "i32" else {"kind": "uniform", "low": -0.5, "high": 0.5}
        steps = []
        if self.step:
            window, advance = self.bptt or (0, 0)
            steps.append({"name": "step", "network": "net", "metrics": [], "clip_norm": None, "window": window,
                          "advance": advance, "optimizer": {"kind": "sgd", "lr": 0.0, "momentum": 0.0, "weight_decay": 0.0},
                          "losses": [{"result": r, "reduction": how, "weight": w, "mask": m}
                                     for r, how, w, m in self.step["losses"]]})
        return {"format": 1,
                "parameters": [{"name": n, "shape": list(s), "dtype": d, "init": init, "trainable": not frozen}
                               for n, s, d, frozen in self.parameters],
                "networks": [{"name": "net",
                              "arguments": [{"name": v.name, "id": ids[v], "shape": list(v.shape), "dtype": v.dtype,
                                             "rate": rate, "reset": reset} for v, rate, reset in self.arguments],
                              "results": [{"name": n, "id": ids[v], "rate": "frame"} for n, v in self.results],
                              "ops": [op.dump(ids) for op in ops]}],
                "train_steps": steps}

    def inputs(self, frames, streams, seed=0, parameters=True):
        """Arrays for one chunk, named as in the project's files."""
        rng = np.random.default_rng(seed)
        arrays = {}
        for v, rate, reset in self.arguments:
            lead = {"frame": (frames, streams), "stream": (streams,), "static": ()}[rate]
            shape = lead + v.shape
            if reset:
                arrays[v.name] = rng.random(shape) < 0.2
            elif v.dtype == "i1":
                arrays[v.name] = rng.random(shape) < 0.6
            elif v.name == "k":
                arrays[v.name] = rng.integers(0, self.index_range.get("k", 3), shape).astype(np.int32)
            elif self.number != "i32" and v.dtype in INTEGERS:
                arrays[v.name] = rng.integers(0, 3, shape).astype(NUMPY[v.dtype])
            elif v.dtype == "i32":
                arrays[v.name] = rng.integers(-2**31, 2**31, shape).astype(np.int32)
            else:
                arrays[v.name] = rng.normal(size=shape).astype(NUMPY[v.dtype])
        if self.step and rng.random() < 0.3:
            arrays["mask"] = rng.random((frames, streams)) < 0.8
        for name, shape, dtype, _ in self.parameters if parameters else []:
            if dtype == "i32":
                arrays[name] = rng.integers(-2**31, 2**31, shape).astype(np.int32)
            else:
                scale = 0.8 / np.sqrt(shape[-1] if len(shape) > 1 else 1)
                arrays[name] = rng.normal(scale=scale, size=shape).astype(NUMPY[dtype])
        return arrays


def main():
    parser = argparse.ArgumentParser(description="Writes a random legal network.")
    parser.add_argument("seed", type=int)
    parser.add_argument("--mode", choices=["float", "cells", "integer", "window", "random"], default="float")
    parser.add_argument("--mlir")
    parser.add_argument("--dump")
    parser.add_argument("--inputs")
    parser.add_argument("--frames", type=int, default=5)
    parser.add_argument("--streams", type=int, default=2)
    options = parser.parse_args()
    generator = Generator(options.seed, options.mode)
    if options.mlir:
        with open(options.mlir, "w") as f:
            f.write(generator.mlir())
    else:
        print(generator.mlir(), end="")
    if options.dump:
        with open(options.dump, "w") as f:
            json.dump(generator.dump(), f)
    if options.inputs:
        np.savez(options.inputs, **generator.inputs(options.frames, options.streams, options.seed))


if __name__ == "__main__":
    main()
