# ===- oracle.py - An independent judge of values and gradients ---------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
# Evaluates any network of a JSON dump (docs/JSON.md) in JAX, in f64, frame by frame, by the rules of docs/Spec.md, and
# differentiates it with jax.grad. It shares nothing with the compiler but the dump.
#
#   oracle.py net.json --input=in.npz --output=out.npz [--function=<network or step>]
#
# How a value is held: static [...], stream and frame rate [B, ...] (one array per frame). An op's rule is written for
# one frame of one stream; jax.vmap runs it over the streams. Values are found on demand: a frame-rate value is asked
# for at a frame t of the chunk, a delay asks for its source at t - d, so cycles and both directions need no order.
#
# Truncated back-propagation: frames before the window see the parameters through stop_gradient, so everything that
# reaches the loss through them is constant.
#
# ===-------------------------------------------------------------------------===#

import argparse
import json
import sys
import threading

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")

ALL_KNOWN = 2**31 - 1  # an age that makes every older frame valid
DTYPES = {"f32": np.float64, "f64": np.float64, "i1": np.bool_, "i8": np.int8, "i32": np.int32, "i64": np.int64}
RATES = {"static": 0, "stream": 1, "frame": 2}
STATIC, STREAM, FRAME = 0, 1, 2

# ===-------------------------------------------------------------------------===#
# Op rules: one frame of one stream
# ===-------------------------------------------------------------------------===#


def slices(attrs):
    return tuple(slice(o, o + (n - 1) * s + 1, s) for o, n, s in
                 zip(attrs["static_offsets"], attrs["static_sizes"], attrs["static_strides"]))


def to_bf16(x):
    return x.astype(jnp.float32).astype(jnp.bfloat16).astype(x.dtype)


@jax.custom_vjp
def rounded(x):
    """Rounds a value; its derivative is 1."""
    return to_bf16(x)


rounded.defvjp(lambda x: (to_bf16(x), None), lambda _, error: (error,))


@jax.custom_vjp
def rounding_errors(x):
    """Rounds the derivative of a value."""
    return x


rounding_errors.defvjp(lambda x: (x, None), lambda _, error: (to_bf16(error),))


def contract(lhs, rhs, attrs):
    a, b, out = attrs["indexing_maps"]
    if "round_to" not in attrs:
        return jnp.einsum(lhs, a, rhs, b, out)
    return rounding_errors(jnp.einsum(rounded(lhs), a, rounded(rhs), b, out))


def reduce(x, attrs):
    dims = tuple(attrs["dims"])
    if attrs["kind"] == "sum":
        return jnp.sum(x, axis=dims, dtype=x.dtype)
    # The gradient of a maximum goes to the first of equal elements, in row-major order.
    kept = [d for d in range(x.ndim) if d not in dims]
    flat = x.transpose(kept + list(dims)).reshape([x.shape[d] for d in kept] + [-1])
    first = lax.stop_gradient(jnp.argmax(flat, axis=-1))
    return jnp.take_along_axis(flat, first[..., None], axis=-1)[..., 0]


def gather(table, index):
    inside = (index >= 0) & (index < table.shape[0])
    rows = table[jnp.where(inside, index, 0)]
    inside = inside.reshape(inside.shape + (1,) * (rows.ndim - inside.ndim))
    return jnp.where(inside, rows, jnp.zeros((), table.dtype))


def scatter_add(update, index, shape):
    inside = (index >= 0) & (index < shape[0])
    mask = inside.reshape(inside.shape + (1,) * (update.ndim - inside.ndim))
    update = jnp.where(mask, update, jnp.zeros((), update.dtype))
    return jnp.zeros(shape, update.dtype).at[jnp.where(inside, index, 0)].add(update)


def compare(predicate, a, b, floats):
    if predicate.startswith("u") and not floats:  # unsigned integers
        unsigned = {np.dtype(np.int8): np.uint8, np.dtype(np.int32): np.uint32, np.dtype(np.int64): np.uint64}
        if a.dtype != np.bool_:
            a, b = a.astype(unsigned[np.dtype(a.dtype)]), b.astype(unsigned[np.dtype(b.dtype)])
    kind = predicate if predicate in ("eq", "ne", "true", "false", "ord", "uno") else predicate[1:]
    nan = jnp.isnan(a) | jnp.isnan(b) if floats else jnp.zeros(a.shape, bool)
    if predicate in ("true", "false"):
        return jnp.full(a.shape, predicate == "true")
    if predicate == "ord":
        return ~nan
    if predicate == "uno":
        return nan
    result = {"eq": a == b, "ne": a != b, "lt": a < b, "le": a <= b, "gt": a > b, "ge": a >= b}[kind]
    if floats:
        result = (result | nan) if predicate.startswith("u") else (result & ~nan)
    return result


def to_float(x, signed):
    if x.dtype == np.bool_:
        return jnp.where(x, -1.0 if signed else 1.0, 0.0)
    if signed:
        return x.astype(np.float64)
    bits = x.dtype.itemsize * 8
    return jnp.where(x < 0, x.astype(np.float64) + 2.0**bits, x.astype(np.float64))


ELEMENTWISE = {
    "rnn.sigmoid": jax.nn.sigmoid,
    "rnn.softplus": lambda x: jnp.logaddexp(x, 0.0),
    "rnn.stop_gradient": lax.stop_gradient,
    "arith.addf": jnp.add, "arith.subf": jnp.subtract, "arith.mulf": jnp.multiply, "arith.divf": jnp.divide,
    "arith.negf": jnp.negative,
    # On ties the gradient goes to the first operand.
    "arith.maximumf": lambda a, b: jnp.where((a >= b) | jnp.isnan(a), a, b),
    "arith.minimumf": lambda a, b: jnp.where((a <= b) | jnp.isnan(a), a, b),
    "arith.select": jnp.where,
    "arith.andi": jnp.bitwise_and, "arith.ori": jnp.bitwise_or, "arith.xori": jnp.bitwise_xor,
    # On i1 arithmetic is modulo 2.
    "arith.addi": lambda a, b: a ^ b if a.dtype == np.bool_ else a + b,
    "arith.subi": lambda a, b: a ^ b if a.dtype == np.bool_ else a - b,
    "arith.muli": lambda a, b: a & b if a.dtype == np.bool_ else a * b,
    "arith.extf": lambda x: x, "arith.truncf": lambda x: x,  # every float is an f64 here
    "arith.sitofp": lambda x: to_float(x, True), "arith.uitofp": lambda x: to_float(x, False),
    "math.exp": jnp.exp, "math.log": jnp.log, "math.log1p": jnp.log1p, "math.sqrt": jnp.sqrt, "math.rsqrt": lax.rsqrt,
    "math.tanh": jnp.tanh, "math.erf": jax.scipy.special.erf, "math.absf": jnp.abs, "math.sin": jnp.sin,
    "math.cos": jnp.cos, "math.powf": jnp.power,
}


def constant(attrs, shape, dtype):
    values = [float(v) if isinstance(v, str) else v for v in attrs["value"]["values"]]
    array = np.array(values).astype(DTYPES[dtype])
    return jnp.asarray(np.full(shape, array[0]) if array.size == 1 else array.reshape(shape))


def apply(op, args, shape, dtype):
    """The value of an op that has no business with time."""
    name, attrs = op["op"], op["attrs"]
    if name in ELEMENTWISE:
        return ELEMENTWISE[name](*args)
    if name == "rnn.linear":
        product = contract(args[1], args[0], {"indexing_maps": [[0, 1], [1], [0]]})
        return product + args[2] if len(args) == 3 else product
    if name == "rnn.contract":
        return contract(*args, attrs)
    if name == "rnn.sum":
        total = jnp.zeros(shape, DTYPES[dtype])
        for term in args:
            total = total ^ term if total.dtype == np.bool_ else total + term
        return total
    if name == "rnn.reduce":
        return reduce(args[0], attrs)
    if name == "rnn.broadcast":
        return jnp.broadcast_to(jnp.expand_dims(args[0], tuple(attrs["dims"])), shape)
    if name == "rnn.gather":
        return gather(*args)
    if name == "rnn.scatter_add":
        return scatter_add(*args, tuple(shape))
    if name == "arith.constant":
        return constant(attrs, shape, dtype)
    if name in ("arith.cmpf", "arith.cmpi"):
        return compare(attrs["predicate"], *args, floats=name == "arith.cmpf")
    if name == "tensor.extract_slice":
        return args[0][slices(attrs)].reshape(shape)
    if name == "tensor.insert_slice":
        region = slices(attrs)
        return args[1].at[region].set(args[0].reshape(args[1][region].shape))
    if name == "tensor.concat":
        return jnp.concatenate(args, axis=attrs["dim"])
    if name in ("tensor.expand_shape", "tensor.collapse_shape"):
        return args[0].reshape(shape)
    raise NotImplementedError(f"the oracle has no rule for '{name}'")


# ===-------------------------------------------------------------------------===#
# Networks
# ===-------------------------------------------------------------------------===#


class Network:
    """One network of a dump: its ops by the value they define, and the rate of every value (rules R1, R2)."""

    def __init__(self, dump):
        self.dump = dump
        self.arguments = {a["id"]: a for a in dump["arguments"]}
        self.ops, self.types = {}, {}
        for op in dump["ops"]:
            for i, result in enumerate(op["results"]):
                self.ops[result["id"]] = (op, i)
                self.types[result["id"]] = (result["shape"], result["dtype"])
        self.reset = next((a for a in dump["arguments"] if a["reset"]), None)
        self.rate = {}
        for value in list(self.arguments) + list(self.ops):
            self.find_rate(value)
        self.depth = {}  # largest carried delay of each source
        self.state_name = {}
        for op in dump["ops"]:
            if op["op"] == "rnn.delay" and is_carried(op["attrs"]) and self.rate[op["operands"][0]] == FRAME:
                source = op["operands"][0]
                self.depth[source] = max(self.depth.get(source, 0), op["attrs"]["by"])
                self.state_name.setdefault(source, op["attrs"].get("state") or op["attrs"].get("name"))

    def find_rate(self, value):
        stack = [value]
        while stack:
            v = stack[-1]
            if v in self.rate:
                stack.pop()
            elif v in self.arguments:
                self.rate[v] = RATES[self.arguments[v]["rate"]]
            else:
                op = self.ops[v][0]
                fixed = own_rate(op)
                missing = [] if fixed is not None else [o for o in op["operands"] if o not in self.rate]
                if missing:
                    stack += missing
                else:
                    self.rate[v] = fixed if fixed is not None else max([self.rate[o] for o in op["operands"]] + [STATIC])


def own_rate(op):
    """The rate of an op that does not take it from its operands, else None."""
    if op["op"] == "rnn.delay":
        return FRAME
    if op["op"] == "rnn.random":
        return RATES[op["attrs"]["rate"]]
    if op["op"] == "rnn.sum_frames" or op["attrs"].get("sum_to"):
        return RATES[op["attrs"].get("sum_to") or "static"]
    return None


def is_carried(attrs):
    return attrs["by"] > 0 and not attrs.get("local")


class Carry:
    """What goes from one chunk to the next: the age of each stream, and older frames of delayed signals."""

    def __init__(self, age, history):
        self.age = np.asarray(age, np.int64)
        self.history = history  # value id -> list of [B, ...], oldest first

    @staticmethod
    def fresh(streams):
        return Carry(np.full(streams, -1), {})

    @staticmethod
    def of_inputs(network, inputs, streams):
        """From `state.<name>` and `state.age` of an input file."""
        history = {}
        for value, name in network.state_name.items():
            if f"state.{name}" in inputs:
                frames = inputs[f"state.{name}"]
                history[value] = [jnp.asarray(f, frames.dtype if frames.dtype.kind != "f" else np.float64) for f in frames]
        age = inputs.get("state.age", np.full(streams, ALL_KNOWN if history else -1))
        return Carry(age, history)

    def as_host_says(self, inputs):
        """A later chunk may come with `state.age`: the host starts streams afresh by -1 (rule T4)."""
        return Carry(inputs["state.age"], self.history) if "state.age" in inputs else self


class Chunk:
    """One chunk of frames of a network, given parameters, arguments and what was carried here."""

    def __init__(self, network, parameters, arguments, carry, frames, streams, live_from=0, old_parameters=None):
        self.net, self.parameters, self.arguments, self.carry = network, parameters, arguments, carry
        self.frames, self.streams = frames, streams
        self.live_from, self.old_parameters = live_from, old_parameters
        self.memo = {}
        self.age = np.zeros((frames, streams), np.int64)
        reset = np.zeros((frames, streams), bool)
        if network.reset is not None:
            reset = np.asarray(arguments[network.reset["name"]], bool)
        before = carry.age
        for t in range(frames):
            self.age[t] = before = np.where(reset[t], 0, np.minimum(before + 1, ALL_KNOWN))

    def value(self, v, t):
        """Value `v` at frame t: [...] for static rate, [B, ...] otherwise."""
        rate = self.net.rate[v]
        old = t < self.live_from
        key = (v, t) if rate == FRAME else (v, "old" if old else "new")
        if key not in self.memo:
            self.memo[key] = self.compute(v, t)
        return self.memo[key]

    def spread(self, v, t):
        """Value `v` at frame t, with the stream dimension whatever its rate (rule R3)."""
        x = self.value(v, t)
        return jnp.broadcast_to(x, (self.streams,) + x.shape) if self.net.rate[v] == STATIC else x

    def compute(self, v, t):
        if v in self.net.arguments:
            argument = self.net.arguments[v]
            array = self.arguments[argument["name"]]
            return jnp.asarray(array[t] if self.net.rate[v] == FRAME else array, DTYPES[argument["dtype"]])
        op, index = self.net.ops[v]
        shape, dtype = self.net.types[v]
        if op["op"] == "rnn.param":
            parameters = self.old_parameters if t < self.live_from else self.parameters
            return parameters[op["attrs"]["parameter"]]
        if op["op"] == "rnn.delay":
            return self.delay(op, t, shape, dtype)
        if op["op"] == "rnn.sum_frames" or op["attrs"].get("sum_to"):
            return self.over_frames(op, shape, dtype)
        if self.net.rate[v] == STATIC:
            return apply(op, [self.value(o, t) for o in op["operands"]], shape, dtype)
        if not op["operands"]:
            return self.spread(v, t)
        axes = [None if self.net.rate[o] == STATIC else 0 for o in op["operands"]]
        rule = lambda *args: apply(op, args, shape, dtype)
        return jax.vmap(rule, in_axes=axes)(*[self.value(o, t) for o in op["operands"]])

    def delay(self, op, t, shape, dtype):
        """Rules T1 to T5."""
        source, d = op["operands"][0], op["attrs"]["by"]
        at = t - d
        if d > 0:
            valid = self.age[t] >= d
            if op["attrs"].get("local") and at < 0:
                valid = np.zeros(self.streams, bool)
        else:
            valid = self.age[at] >= -d if at < self.frames else np.zeros(self.streams, bool)
        init = jnp.zeros((self.streams, *shape), DTYPES[dtype])
        if len(op["operands"]) > 1:
            init = self.spread(op["operands"][1], t)
        if not valid.any():
            return init
        if at >= 0 or self.net.rate[source] != FRAME:
            delayed = self.spread(source, max(at, 0) if self.net.rate[source] == FRAME else t)
        else:
            delayed = self.carry.history[source][at]
        return jnp.where(valid.reshape((-1,) + (1,) * len(shape)), delayed, init)

    def over_frames(self, op, shape, dtype):
        """Sums over the frames of the chunk, and for static results over the streams (rules R2, A6)."""
        plain = dict(op, attrs={k: x for k, x in op["attrs"].items() if k != "sum_to"})
        to_stream = op["attrs"].get("sum_to") == "stream"
        total = jnp.zeros(([self.streams] if to_stream else []) + list(shape), DTYPES[dtype])
        for t in range(self.frames):
            args = [self.spread(o, t) for o in op["operands"]]
            terms = args[0] if op["op"] == "rnn.sum_frames" else \
                jax.vmap(lambda *a: apply(plain, a, shape, dtype))(*args)
            total = total + (terms if to_stream else jnp.sum(terms, axis=0, dtype=terms.dtype))
        return total

    def result(self, result):
        """[T, B, ...], [B, ...] or [...] by the declared rate; lower rates are spread (rule R3)."""
        v, declared = result["id"], RATES[result["rate"]]
        if declared == STATIC:
            return self.value(v, self.frames - 1)
        if declared == STREAM:
            return self.spread(v, self.frames - 1)
        return jnp.stack([self.spread(v, t) for t in range(self.frames)])

    def next_carry(self):
        """Rule T3: the last frames of each delayed signal, with gradients: inside a window they cross chunks."""
        history = {}
        for source, depth in self.net.depth.items():
            frames = self.carry.history.get(source, []) + [self.value(source, t) for t in range(self.frames)]
            history[source] = frames[-depth:]
        return Carry(self.age[-1], history)


# ===-------------------------------------------------------------------------===#
# Modules
# ===-------------------------------------------------------------------------===#


class Oracle:
    """A dumped module. Arrays in and out are named and laid out as in the project's files: [T, B, ...]."""

    def __init__(self, dump):
        if dump.get("format") != 1:
            raise ValueError(f"unknown dump format {dump.get('format')}")
        self.dump = dump
        self.networks = {n["name"]: Network(n) for n in dump["networks"]}
        self.steps = {s["name"]: s for s in dump["train_steps"]}
        self.trainable = [p["name"] for p in dump["parameters"] if p["trainable"]]

    def parameters(self, inputs):
        result = {}
        for p in self.dump["parameters"]:
            if p["name"] not in inputs:
                raise KeyError(f"no value for parameter '{p['name']}'")
            result[p["name"]] = jnp.asarray(np.asarray(inputs[p["name"]]), DTYPES[p["dtype"]])
        return result

    def size(self, network, inputs):
        """(T, B) of the arguments given."""
        frames, streams = None, None
        for a in network.dump["arguments"]:
            if a["name"] in inputs and a["rate"] == "frame":
                frames, streams = inputs[a["name"]].shape[:2]
            elif a["name"] in inputs and a["rate"] == "stream":
                streams = inputs[a["name"]].shape[0]
        return frames, streams

    def run(self, name, inputs):
        """Results of a network over chunks: `inputs` is one dict or a list of them, state carried between."""
        chunks = inputs if isinstance(inputs, list) else [inputs]
        network = self.networks[name]
        parameters = self.parameters(chunks[0])
        carry, outputs = None, []
        for given in chunks:
            frames, streams = self.size(network, given)
            carry = carry.as_host_says(given) if carry else Carry.of_inputs(network, given, streams)
            chunk = Chunk(network, parameters, given, carry, frames, streams)
            out = {r["name"]: np.asarray(chunk.result(r)) for r in network.dump["results"]}
            carry = chunk.next_carry()
            out.update(self.state(network, carry))
            outputs.append(out)
        return outputs if isinstance(inputs, list) else outputs[0]

    def state(self, network, carry):
        out = {"state.age": carry.age}
        for value, frames in carry.history.items():
            if len(frames) == network.depth[value] and network.state_name[value]:
                out["state." + network.state_name[value]] = np.stack([np.asarray(f) for f in frames])
        return out

    def losses(self, step, chunk, given):
        """(total, {sums and counts}) of a chunk (rules S1 to S3)."""
        results = {r["name"]: r for r in chunk.net.dump["results"]}
        mask = np.asarray(given.get("mask", np.ones((chunk.frames, chunk.streams), bool)), bool)
        total, named = 0.0, {}
        for kind in ("losses", "metrics"):
            for loss in step[kind]:
                result = results[loss["result"]]
                values = chunk.result(result)
                if result["rate"] == "static":
                    summed, count = values, 1
                else:
                    counted = jnp.asarray(mask)
                    if loss["mask"]:
                        counted = counted & chunk.result(results[loss["mask"]])
                    summed = jnp.sum(jnp.where(counted, values, 0.0))  # selection, never a product
                    count = int(jnp.sum(counted))
                named["sum." + loss["result"]], named["count." + loss["result"]] = summed, count
                if kind == "losses":
                    mean = loss["reduction"] == "mean"
                    reduced = (summed / count if count else 0.0 * summed) if mean else summed
                    total = total + loss["weight"] * reduced
        return total, named

    def train(self, name, inputs):
        """One or more calls of a train step, each with the parameters of `inputs[0]` (learning rate 0, rule S7).

        Returns one dict per call: loss, sums, counts, grad_norm, `grad.<parameter>`, results, state.
        """
        chunks = inputs if isinstance(inputs, list) else [inputs]
        step = self.steps[name]
        network = self.networks[step["network"]]
        parameters = self.parameters(chunks[0])
        history = max(step["window"] - step["advance"], 0)
        sizes = [self.size(network, given) for given in chunks]
        streams = sizes[0][1]
        starts = np.concatenate([[0], np.cumsum([frames for frames, _ in sizes])])
        carries, outputs = [Carry.of_inputs(network, chunks[0], streams)], []
        for k, given in enumerate(chunks):
            border = max(starts[k] - history, 0)
            first = max(i for i in range(k + 1) if starts[i] <= border)

            def loss(live):
                carry = carries[first]
                for i in range(first, k + 1):
                    carry = carry.as_host_says(chunks[i]) if i > 0 else carry
                    chunk = Chunk(network, {**parameters, **live}, chunks[i], carry, sizes[i][0], streams,
                                  live_from=border - starts[i], old_parameters=parameters)
                    carry = chunk.next_carry()
                total, named = self.losses(step, chunk, given)
                results = {r["name"]: chunk.result(r) for r in network.dump["results"]}
                return total, (named, results, carry.history, carry.age)

            live = {p: parameters[p] for p in self.trainable}
            with_gradient = jax.value_and_grad(loss, has_aux=True)
            (total, (named, results, old, age)), gradients = with_gradient(live)
            carries.append(Carry(age, old))
            out = {"loss": np.asarray(total)}
            out.update({n: np.asarray(x) for n, x in named.items()})
            out.update({f"grad.{p}": np.asarray(g) for p, g in gradients.items()})
            out["grad_norm"] = np.sqrt(sum(np.sum(np.square(g)) for g in gradients.values()))
            out.update({n: np.asarray(x) for n, x in results.items()})
            out.update(self.state(network, carries[-1]))
            outputs.append(out)
        return outputs if isinstance(inputs, list) else outputs[0]


def update(optimizer, parameter, gradient, slots, steps):
    """One update of one parameter by PyTorch's formulas; `steps` counts this one. Returns (parameter, slots)."""
    o = optimizer
    if o["kind"] == "adamw":
        parameter = parameter * (1 - o["lr"] * o["weight_decay"])
    else:
        gradient = gradient + o.get("weight_decay", 0.0) * parameter
    if o["kind"] == "sgd":
        if o["momentum"] == 0.0:
            return parameter - o["lr"] * gradient, slots
        momentum = gradient if steps == 1 else o["momentum"] * slots["momentum"] + gradient
        change = gradient + o["momentum"] * momentum if o.get("nesterov") else momentum
        return parameter - o["lr"] * change, {"momentum": momentum}
    if o["kind"] == "rmsprop":
        v = o["alpha"] * slots.get("v", 0.0) + (1 - o["alpha"]) * gradient**2
        new, power = {"v": v}, v
        if o.get("centered"):
            new["mean"] = o["alpha"] * slots.get("mean", 0.0) + (1 - o["alpha"]) * gradient
            power = v - new["mean"]**2
        change = gradient / (np.sqrt(power) + o["eps"])
        if o["momentum"] != 0.0:
            change = new["momentum"] = o["momentum"] * slots.get("momentum", 0.0) + change
        return parameter - o["lr"] * change, new
    if o["kind"] == "adagrad":
        v = slots.get("v", 0.0) + gradient**2
        rate = o["lr"] / (1 + (steps - 1) * o["lr_decay"])
        return parameter - rate * gradient / (np.sqrt(v) + o["eps"]), {"v": v}
    if o["kind"] == "adadelta":
        v = o["rho"] * slots.get("v", 0.0) + (1 - o["rho"]) * gradient**2
        u = slots.get("u", 0.0)
        change = np.sqrt(u + o["eps"]) / np.sqrt(v + o["eps"]) * gradient
        return parameter - o["lr"] * change, {"v": v, "u": o["rho"] * u + (1 - o["rho"]) * change**2}
    if o["kind"] in ("adam", "adamw"):
        m = o["beta1"] * slots.get("m", 0.0) + (1 - o["beta1"]) * gradient
        v = o["beta2"] * slots.get("v", 0.0) + (1 - o["beta2"]) * gradient**2
        new = {"m": m, "v": v}
        if o.get("amsgrad"):
            v = new["vmax"] = np.maximum(slots.get("vmax", 0.0), v)
        scale = np.sqrt(1 - o["beta2"]**steps)
        return parameter - o["lr"] / (1 - o["beta1"]**steps) * m / (np.sqrt(v) / scale + o["eps"]), new
    raise NotImplementedError(f"the oracle has no rule for optimizer '{o['kind']}'")


def clip(gradients, norm, value=None):
    """Gradients scaled to a total norm of at most `norm`, or each element held within `value`."""
    if value is not None:
        return {p: np.clip(g, -value, value) for p, g in gradients.items()}
    total = np.sqrt(sum(np.sum(np.square(g)) for g in gradients.values()))
    scale = min(1.0, norm / (total + 1e-6)) if norm is not None else 1.0
    return {p: g * scale for p, g in gradients.items()}


def deep(function, *args):
    """Calls a function on a large stack: values that depend on many frames recurse deeply."""
    outcome = {}

    def body():
        try:
            outcome["value"] = function(*args)
        except BaseException as error:  # handed to the caller
            outcome["error"] = error

    sys.setrecursionlimit(1_000_000)
    threading.stack_size(512 << 20)
    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    threading.stack_size(0)
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


def main():
    parser = argparse.ArgumentParser(description="Evaluates a JSON dump of a module with JAX in f64.")
    parser.add_argument("dump")
    parser.add_argument("--input", action="append", default=[])
    parser.add_argument("--output", required=True)
    parser.add_argument("--function")
    options = parser.parse_args()
    with open(options.dump) as f:
        oracle = Oracle(json.load(f))
    inputs = {}
    for path in options.input:
        inputs.update(np.load(path))
    name = options.function or next(iter(oracle.steps), None) or next(iter(oracle.networks))
    call = oracle.train if name in oracle.steps else oracle.run
    np.savez(options.output, **deep(call, name, inputs))


if __name__ == "__main__":
    main()
