# ===- mixed.py - Random networks of all that the dialect has -------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
#   mixed.py <seed>
#
# The groups and loops of generate.py, in which besides may stand: cells with every option, calls of other networks,
# random numbers, dropout, zoneout and what depends on training, integers of 8 to 64 bits, flags, numbers of the other
# type, signals up to rank 4, products of rounded operands; losses and metrics of any rate, several in one step, CTC
# among them. About half of the networks have truncated windows, the others both directions and sums over frames.
#
# There is text alone, no dump: the interpreter, which the oracle judges elsewhere, judges passes and targets.
#
# ===-------------------------------------------------------------------------===#

import sys

import numpy as np

from generate import INTEGERS, SIZES, Generator, ShortForm, Value, mlir_type

# Their results are of frame rate, or may be.
HAS_DELAY = {"rnn.delay", "rnn.call", "rnn.ctc", "rnn.dropout", "rnn.elman", "rnn.gru", "rnn.lstm", "rnn.indrnn",
             "rnn.min_gru", "rnn.sru"}
RATES = ["static", "stream", "frame"]


class Line:
    """An op by its line of text."""

    hidden, attrs = False, {}

    def __init__(self, name, line, operands, results):
        self.name, self.line, self.operands, self.results = name, line, operands, results
        self.result = results[0]

    def text(self):
        return self.line


class Mixed(Generator):
    rank = 4
    shapes = [(), (2, 3), (3, 1), (2, 1, 3), (2, 2, 1, 2)]

    def __init__(self, seed):
        self.callees = []  # (text, operand shapes, result shapes, sign of its delays)
        super().__init__(seed, "mixed")

    def build(self):
        self.mode, self.cells, self.has_random = self.rng.choice(["float", "window"]), True, True
        super().build()

    def kinds(self):
        return super().kinds() + [self.make_written_cell] * 8 + [self.make_call] * 4 + \
            [self.make_dropout, self.make_training, self.make_integer, self.make_flag, self.make_product,
             self.make_other_type, self.make_scatter] * 2

    def make_arguments(self):
        rng = self.rng
        for dtype in INTEGERS:
            if rng.random() < 0.4:
                self.argument("j" + dtype[1:], rng.choice([(), (), (2,)]), dtype, rng.choice(["frame", "frame", "stream"]))
        if rng.random() < 0.3 and all(v.name != "s" for v, *_ in self.arguments):
            self.argument("s", (rng.choice(SIZES),), self.number, rng.choice(["stream", "static"]))
        if rng.random() < 0.1:
            self.argument("d", (rng.choice(SIZES),), self.number)
        for sign in (1, -1) if self.mode == "float" else (1,):
            for _ in range(rng.randint(0, 2)):
                self.make_callee(sign)

    # ===- Text ----------------------------------------------------------------===#

    def line(self, op, rest, operands, *types):
        """An op whose text is `<results> = <op> <rest>`; the results have these shapes and element types."""
        self.count += 1
        results = [Value(f"v{self.count}" + (".c" if i else ""), shape, dtype, self.group)
                   for i, (shape, dtype) in enumerate(types)]
        self.ops.append(Line(op, f"{', '.join('%' + r.name for r in results)} = {op} {rest}", operands, results))
        self.values += results
        return results[0]

    def symbol(self, *shape):
        return "@" + self.parameter(shape)

    def splat(self, value, shape, dtype):
        return self.op("arith.constant", [], shape, dtype,
                       value={"dtype": dtype, "shape": list(shape), "values": [value]})

    def flag(self):
        """A flag of one bit: that of the data, or one that was made."""
        pool = [v for v in self.values if v.dtype == "i1" and v.shape == () and v.name != "r"]
        return self.rng.choice(pool) if pool else None

    def integer(self, want=lambda v: True):
        pool = [v for v in self.values if v.dtype in INTEGERS and want(v)]
        return self.rng.choice(pool) if pool else None

    # ===- Cells and calls -----------------------------------------------------===#

    def cell_text(self, name, kind, x, units, reverse, flags=(), first=None):
        """(what follows the op's name, shapes of its results, operands) of a cell with random options; `first` makes a
        first state of a shape."""
        rng, size, options = self.rng, units, []
        forget = rng.choice(["gate", "gate", "coupled", "none"])
        is_index = x.dtype in INTEGERS
        gates = {"elman": 1, "gru": 3, "lstm": 4 if forget == "gate" else 3, "indrnn": 1, "min_gru": 2,
                 "sru": 3 if x.shape == (units,) else 4}[kind]
        some = lambda probability: rng.random() < probability
        if kind == "lstm":
            if forget != "gate":
                options.append(f"forget({forget})")
            if some(0.4):
                options.append("peephole(" + ", ".join(self.symbol(units) for _ in range(gates - 1)) + ")")
            if some(0.4):
                size = rng.choice(SIZES)
                options.append(f"projection({self.symbol(size, units)})")
            if some(0.4):
                options.append("layer_norm(" + ", ".join(self.symbol(n * units) for n in (gates, gates, 1, 1)) + ")")
            if some(0.4) or forget == "none":  # without a forget gate the cell adds up what it sees
                options.append(f"clip({rng.choice([0.25, 0.75])})")
            if some(0.4):
                options.append(f"zoneout({rng.choice([0.0, 0.25])}, {rng.choice([0.25, 0.5])})")
        elif kind == "gru":
            options += rng.choice([[], [f"bn({self.symbol(units)})"], ["reset(before)"]])
        elif kind == "sru" and some(0.4):
            options.append(f"peephole({self.symbol(units)}, {self.symbol(units)})")
        elif kind in ("elman", "indrnn") and some(0.4):
            options.append("activation(relu)" if kind == "elman" else "activation(tanh)")
        if kind in ("elman", "gru") and some(0.4):
            options.append(f"zoneout({rng.choice([0.25, 0.5])})")
        used = []
        if first and some(0.4):
            used += [first(shape) for shape in {"lstm": [(size,), (units,)]}.get(kind, [(units,)])]
            options.append("init(" + ", ".join("%" + v.name for v in used) + ")")
        if kind in ("elman", "gru", "lstm"):
            for word in ("clock", "restart"):
                if flags and some(0.4):
                    used.append(rng.choice(flags))
                    options.append(f"{word}(%{used[-1].name})")
        rows = gates * units
        head = f"wx({self.symbol(3, rows) if is_index else self.symbol(rows, x.shape[0])})"
        head += f" wh({self.symbol(rows, size)})" if kind in ("elman", "gru", "lstm") else ""
        head += f" u({self.symbol(units)})" if kind == "indrnn" else ""
        head += f" b({self.symbol(2 * units if kind == 'sru' else rows)})" + (" reverse" if reverse else "")
        vector, cell = mlir_type((size,), self.number), mlir_type((units,), self.number)
        text = f"\"{name}\" %{x.name} {' '.join([head, *options])} : {x.type} -> {vector}"
        text += f", {cell}" if size != units else ""
        return text, [(size,), (units,)] if kind in ("lstm", "sru") else [(size,)], [x, *used]

    def make_written_cell(self):
        """A cell with any of its options."""
        x = self.integer(lambda v: v.shape == ()) if self.rng.random() < 0.2 else None
        x = x or self.pick(lambda v: len(v.shape) == 1)
        if x is None:
            return None
        flags = [v for v in self.values if v.dtype == "i1" and v.shape == () and v.name != "r"]
        kind = self.rng.choice(["elman", "gru", "lstm", "lstm", "indrnn", "min_gru", "sru"])
        text, shapes, operands = self.cell_text(f"w{self.count}", kind, x, self.rng.choice(SIZES), self.cell_lag < 0, flags,
                                                lambda shape: self.squash(self.like(shape)))
        h = self.line("rnn." + kind, text, operands, *((shape, self.number) for shape in shapes))
        self.loops.append(h)
        return h

    def make_callee(self, sign):
        """A network to be called: a loop or a cell of its own, and what else a call may hold."""
        rng, number = self.rng, self.number
        n, m, lag = rng.choice(SIZES), rng.choice(SIZES), sign * rng.choice([1, 1, 2])
        name, u, h = f"cell{len(self.callees)}", mlir_type((n,), number), mlir_type((m,), number)
        w, b = mlir_type((m, n), number), mlir_type((m, m), number)
        lines = [f"%w = rnn.param {self.symbol(m, n)} : {w}", f"%a = rnn.linear %seen, %w : ({u}, {w}) -> {h}"]
        if rng.random() < 0.5:
            lines += [f"%r = rnn.param {self.symbol(m, m)} : {b}",
                      f"%h1 = rnn.delay %h by {lag} init(%v) : {h}", f"%b = rnn.linear %h1, %r : ({h}, {b}) -> {h}",
                      f"%c = rnn.sum %a, %b, %v : {h}", f"%h = math.tanh %c : {h}"]
        else:
            kind = rng.choice(["elman", "gru", "min_gru"])
            text, _, _ = self.cell_text("in", kind, Value("a", (m,), number, 0), m, sign < 0)
            lines += [f"%g = rnn.{kind} {text}", f"%h = arith.addf %g, %v : {h}"]
        within = rng.choice(["none", "dropout", "training", "call"])
        inner = [c for c in self.callees if c[2] == (n, n) and c[4] == sign]
        if within == "dropout":
            lines.append(f"%seen = rnn.dropout %u <{rng.choice(['frame', 'stream', 'static'])}> p(0.25) : {u}")
        elif within == "training":
            lines += [f"%trains = rnn.training : {mlir_type((n,), 'i1')}", f"%t = math.tanh %u : {u}",
                      f"%seen = arith.select %trains, %t, %u : {mlir_type((n,), 'i1')}, {u}"]
        elif within == "call" and inner:
            lines.append(f"%seen = rnn.call \"again\" @{rng.choice(inner)[0]}(%u, %u) : ({u}, {u}) -> {u}")
        else:
            lines.append(f"%seen = rnn.sigmoid %u : {u}")
        rng.shuffle(lines)
        text = f"rnn.network @{name}(%u: {u}, %v: {h}) -> (h: {h}) {{\n" + "".join(f"  {line}\n" for line in lines) + \
            f"  rnn.output %h : {h}\n}}\n"
        self.callees.append((name, text, (n, m), (m,), sign))

    def make_call(self):
        known = [c for c in self.callees if c[4] == self.cell_lag]
        if not known:
            return None
        name, _, (n, m), _, _ = self.rng.choice(known)
        u, v = self.like((n,)), self.squash(self.like((m,)))
        h = self.line("rnn.call", f"\"call{self.count}\" @{name}(%{u.name}, %{v.name}) : ({u.type}, {v.type}) -> {v.type}",
                      [u, v], ((m,), self.number))
        self.loops.append(h)
        return h

    # ===- Further ops ---------------------------------------------------------===#

    def make_dropout(self):
        x = self.pick()
        rate = self.rng.choice(["frame", "stream", "static"])
        return self.line("rnn.dropout", f"%{x.name} <{rate}> p({self.rng.choice([0.25, 0.5])}) : {x.type}", [x],
                         (x.shape, self.number))

    def make_training(self):
        x = self.pick()
        y = self.like(x.shape)
        trains = self.line("rnn.training", f": {mlir_type(x.shape, 'i1')}", [], (x.shape, "i1"))
        return self.op("arith.select", [trains, x, y], x.shape, self.number)

    def make_integer(self):
        """Integers that wrap around: a sum of frames that never ends, an index, or a number of the network."""
        rng = self.rng
        x = self.integer()
        if x is None:
            return None
        names = ["addi", "subi", "muli", "andi", "ori", "xori"]
        y = self.integer(lambda v: v.dtype == x.dtype and v.shape == x.shape)
        if rng.random() < 0.4:
            y = self.splat(rng.randint(1, 7), x.shape, x.dtype)
        if rng.random() < 0.4:
            y = self.op("rnn.delay", [None], x.shape, x.dtype, by=self.cell_lag * rng.choice([1, 2]))
            opened, names = self.ops[-1], ["addi", "subi"]
        else:
            opened = None
        x = self.op("arith." + rng.choice(names), [x, y], x.shape, x.dtype)
        if opened:
            opened.operands[0] = x
        x = self.op("arith.andi", [x, self.splat(7, x.shape, x.dtype)], x.shape, x.dtype)
        if rng.random() < 0.4:
            table = self.param((rng.randint(2, 5), rng.choice(SIZES)))
            return self.op("rnn.gather", [table, x], x.shape + table.shape[1:], self.number)
        x = self.op(rng.choice(["arith.sitofp", "arith.uitofp"]), [x], x.shape, self.number)
        return self.op("arith.mulf", [x, self.splat(0.125, x.shape, self.number)], x.shape, self.number)

    def make_flag(self):
        """A flag, of others, of integers or of one frame before."""
        rng = self.rng
        kind, flag = rng.choice(["compare", "logic", "delay", "number"]), self.flag()
        x = self.integer(lambda v: v.shape == ())
        if kind == "compare" and x is not None:
            return self.op("arith.cmpi", [x, self.splat(1, (), x.dtype)], (), "i1",
                           predicate=rng.choice(["eq", "ne", "slt", "uge"]))
        if flag is None:
            return None
        if kind == "logic":
            return self.op("arith." + rng.choice(["andi", "ori", "xori", "addi", "muli"]), [flag, self.flag()], (), "i1")
        if kind == "delay":
            return self.op("rnn.delay", [flag], (), "i1", by=self.cell_lag)
        return self.op(rng.choice(["arith.sitofp", "arith.uitofp"]), [flag], (), self.number)

    def make_product(self):
        """A sum of products over any dimensions, some of them shared by all; perhaps of rounded operands."""
        rng = self.rng
        x = self.pick(lambda v: 1 <= len(v.shape) and np.prod(v.shape, dtype=int) <= 36)
        if x is None:
            return None
        dims = list(range(len(x.shape)))
        seen = sorted(rng.sample(dims, rng.randint(1, len(dims))))
        right = seen + ([len(dims)] if rng.random() < 0.7 else [])
        rng.shuffle(right)
        size = list(x.shape) + [rng.choice([1, 2, 3])]
        summed = [d for d in seen if rng.random() < 0.7]
        out = list(dict.fromkeys(d for d in dims + right if d not in summed))
        rng.shuffle(out)
        w = self.param([size[d] for d in right])
        shape = tuple(size[d] for d in out)
        if len(shape) > 4 or np.prod(shape, dtype=int) > 72:
            return None
        every = ", ".join(f"d{d}" for d in range(1 + max(dims + right)))
        maps = ", ".join(f"({every}) -> ({', '.join(f'd{d}' for d in m)})" for m in (dims, right, out))
        rounded = " round_to bf16" if rng.random() < 0.2 else ""
        y = self.line("rnn.contract", f"%{x.name}, %{w.name} [{maps}]{rounded} : ({x.type}, {w.type}) -> "
                      f"{mlir_type(shape, self.number)}", [x, w], (shape, self.number))
        return self.squash(y)

    def make_other_type(self):
        """By way of the other type of numbers, and back."""
        x = self.pick()
        there, back = ("arith.extf", "arith.truncf") if self.number == "f32" else ("arith.truncf", "arith.extf")
        other = "f64" if self.number == "f32" else "f32"
        y = self.line(there, f"%{x.name} : {x.type} to {mlir_type(x.shape, other)}", [x], (x.shape, other))
        z = self.op("math.sin", [y], x.shape, other)
        return self.line(back, f"%{z.name} : {z.type} to {x.type}", [z], (x.shape, self.number))

    def make_scatter(self):
        """A row added into a table of zeros, at an index that may lie outside."""
        index = self.integer(lambda v: v.shape == ())
        x = self.pick(lambda v: len(v.shape) < 3)
        if index is None or x is None:
            return None
        shape = (self.rng.randint(2, 4), *x.shape)
        return self.line("rnn.scatter_add", f"%{x.name}, %{index.name} : ({x.type}, {index.type}) -> "
                         f"{mlir_type(shape, self.number)}", [x, index], (shape, self.number))

    # ===- Losses --------------------------------------------------------------===#

    def rates(self):
        """The rate of every value; a call may have any, so its results count as of frame rate."""
        known = {v: rate for v, rate, _ in self.arguments}
        ops = [op for op in self.ops if not isinstance(op, ShortForm)]  # hidden ops stand for these
        known.update({v: "frame" for op in ops if op.name in HAS_DELAY for v in getattr(op, "results", [op.result])})
        for op in ops:  # operands stand before what reads them, but for delays
            for v in getattr(op, "results", [op.result]):
                if v in known:
                    continue
                if op.name == "rnn.random":
                    known[v] = op.attrs["rate"]
                elif op.name == "rnn.sum_frames" or "sum_to" in op.attrs:
                    known[v] = op.attrs.get("sum_to", "static")
                else:
                    known[v] = max((known[o] for o in op.operands), key=RATES.index, default="static")
        return known

    def make_softmax(self):
        """A cross-entropy of classes that an integer of the data names, or None."""
        target = next((v for v, _, _ in self.arguments if v.dtype in INTEGERS and v.shape == ()), None)
        x = self.pick(lambda v: len(v.shape) == 1)
        if target is None or x is None:
            return None
        logits = self.linear(x, self.rng.choice([3, 4, 6]))
        return self.line("rnn.softmax_cross_entropy", f"%{logits.name}, %{target.name} : ({logits.type}, {target.type}) -> "
                         f"{mlir_type((), self.number)}", [logits, target], ((), self.number))

    def make_ctc(self):
        """CTC of labels that hold for a frame or for a stream, or None."""
        x = self.pick(lambda v: len(v.shape) == 1)
        if x is None:
            return None
        dtype, rate, count = self.rng.choice(["i32", "i64"]), self.rng.choice(["stream", "frame"]), self.rng.choice([1, 2, 3])
        labels = self.argument("labels", (count,), dtype, rate)
        length = self.argument("length", (), dtype, rate)
        logits = self.linear(x, 4)
        # The data's integers are 0, 1 and 2, of which 0 is the blank.
        labels = self.op("arith.addi", [labels, self.splat(1, (count,), dtype)], (count,), dtype)
        most = self.splat(count, (), dtype)
        is_less = self.op("arith.cmpi", [length, most], (), "i1", predicate="slt")
        length = self.op("arith.select", [is_less, length, most], (), dtype)
        return self.line("rnn.ctc", f"\"ctc\" %{logits.name}, %{labels.name}, %{length.name} {{zero_infinity}} : "
                         f"({logits.type}, {labels.type}, {length.type}) -> {mlir_type((), self.number)}",
                         [logits, labels, length], ((), self.number))

    def make_penalty(self):
        """The sum of the squares of a signal of low rate: of a weight, of what holds for a stream."""
        rates = self.rates()
        pool = [v for v in self.values if v.dtype == self.number and rates.get(v) in ("static", "stream")]
        x = self.squash(self.rng.choice(pool) if pool else self.param((3,)))
        if not x.shape:
            return self.op("arith.mulf", [x, x], (), self.number)
        return self.op("rnn.reduce", [self.op("arith.mulf", [x, x], x.shape, self.number)], (), self.number, kind="sum",
                       dims=list(range(len(x.shape))))

    def make_results(self):
        rng = self.rng
        super().make_results()
        mask = next((m for *_, m in self.step["losses"]), None)
        flag = self.flag()
        if mask is None and flag is not None and rng.random() < 0.5:
            mask = "m"
            self.results.append((mask, flag))
        results, metrics = dict(self.results), []
        if rng.random() < 0.7:
            kind = rng.choice([self.make_softmax, self.make_ctc, self.make_penalty])
            value = kind()
            if value is not None:
                results["e2"] = value
        if rng.random() < 0.5:
            results["a"] = self.make_loss(self.squash(self.pick()))
            if flag is not None and rng.random() < 0.5:
                results["a"] = self.op("arith.uitofp", [flag], (), self.number)
            metrics.append(("a", rng.choice(["mean", "sum"]), rng.choice([None, mask])))
        rates = self.rates()
        # Any rate may be spread to those above it.
        self.rate_of = {n: rng.choice(RATES[RATES.index(rates[v]):])
                        for n, v in results.items()}
        if mask:
            self.rate_of[mask] = "frame"
        self.results = list(results.items())
        losses = [(*loss[:3], loss[3] if self.rate_of["e"] == "frame" else None) for loss in self.step["losses"]]
        if "e2" in results:
            losses.append(("e2", rng.choice(["mean", "sum"]), rng.choice([1.0, 0.25]),
                           mask if self.rate_of["e2"] == "frame" and rng.random() < 0.5 else None))
        self.step["losses"] = losses
        self.metrics = [(n, how, m if self.rate_of[n] == "frame" else None) for n, how, m in metrics]

    def mlir(self):
        parameters, network = super().mlir().split("rnn.network @net", 1)
        # Arguments may come after the ops that needed them.
        head, rest = network.split(") -> (", 1)
        results, rest = rest.split(") {\n", 1)
        results = ", ".join(f"{n}: {v.type}" + (f" {{rnn.rate = \"{self.rate_of[n]}\"}}" if self.rate_of[n] != "frame" else "")
                            for n, v in self.results)
        head = head.replace("%d: " + next((v.type for v, *_ in self.arguments if v.name == "d"), "?"),
                            "%d: " + next((v.type + " {rnn.default = 0.25}" for v, *_ in self.arguments if v.name == "d"), "?"))
        metrics = "".join(f' metric("{n}" {how}' + (f' mask "{m}"' if m else "") + ")" for n, how, m in self.metrics)
        rest = rest.replace(" optimizer(", metrics + " optimizer(")
        return parameters + "".join(c[1] for c in self.callees) + f"rnn.network @net{head}) -> ({results}) {{\n{rest}"


if __name__ == "__main__":
    print(Mixed(int(sys.argv[1])).mlir(), end="")
