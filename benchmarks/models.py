# ===- models.py - The networks that gpu.py times ------------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Points (a cell, its sizes), their text in MLIR, their numbers, and one frame of their cells in any array library."""

from typing import NamedTuple

import numpy as np

from lstm import LEARNING_RATE

# cell: (gates, further parameters and their elements per unit, vectors carried from frame to frame). `gru` has its reset
# gate after the product, as cuDNN's, `gru-before` before it; `projection` is the LSTM whose h is a product of a quarter
# as many elements; `layernorm` is the LSTM with layer norms; `slstm` that of xLSTM, its recurrent matrices
# block-diagonal; `indrnn` has no recurrent matrix; `invented` is a cell that no library has.
CELLS = {"lstm": (4, {}, 2), "gru": (3, {}, 1), "peephole": (4, {"pi": 1, "pf": 1, "po": 1}, 2),
         "invented": (3, {"a": 1}, 2), "layernorm": (4, {"ax": 4, "ah": 4, "ac": 1, "bc": 1}, 2), "slstm": (4, {}, 4),
         "indrnn": (1, {"u": 1}, 1), "projection": (4, {}, 2), "gru-before": (3, {}, 1)}
HEADS = 4


class Point(NamedTuple):
    cell: str
    hidden: int
    streams: int = 1
    layers: int = 1
    frames: int = 1024
    precision: str = "f32"  # of our products

    @property
    def name(self):
        layers = f"-L{self.layers}" if self.layers > 1 else ""
        precision = f"-{self.precision}" if self.precision != "f32" else ""
        return f"{self.cell}-H{self.hidden}-B{self.streams}{layers}{precision}"

    @property
    def width(self):
        """Elements of h, and of the input."""
        return self.hidden // 4 if self.cell == "projection" else self.hidden


# In order of importance: a run that is cut short has the first ones.
POINTS = [Point("lstm", 512), Point("lstm", 256), Point("lstm", 1024), Point("lstm", 64), Point("lstm", 128),
          Point("lstm", 512, layers=4), Point("gru", 512), Point("invented", 512), Point("peephole", 512),
          Point("lstm", 256, layers=4), Point("lstm", 512, 16), Point("lstm", 256, 4), Point("lstm", 256, 16),
          Point("lstm", 768, 16), Point("layernorm", 512), Point("slstm", 512), Point("indrnn", 512),
          Point("layernorm", 256), Point("slstm", 512, 16), Point("indrnn", 512, 16), Point("lstm", 2048),
          Point("lstm", 512, 64), *(Point("lstm", hidden, streams, precision="bf16")
                                    for hidden, streams in ((512, 16), (768, 16), (256, 16), (512, 64))),
          Point("lstm", 512, 8), Point("projection", 512), Point("gru-before", 512)]
# What the emulator runs in seconds.
QUICK_POINTS = [Point("lstm", 16, frames=16), Point("gru", 8, 2, frames=16), Point("peephole", 8, frames=16),
                Point("invented", 8, layers=2, frames=16), Point("layernorm", 8, frames=16),
                Point("slstm", 16, 2, frames=16), Point("indrnn", 8, frames=16),
                Point("lstm", 8, 5, frames=16, precision="bf16"), Point("projection", 32, layers=2, frames=16),
                Point("gru-before", 8, 2, frames=16)]


def parameters(point):
    """Shapes by name; all inputs are as wide as the state."""
    gates, vectors, _ = CELLS[point.cell]
    n, shapes = point.hidden, {}
    for layer in range(point.layers):
        shapes[f"l{layer}.wx"] = (gates * n, point.width)
        if point.cell == "slstm":
            shapes[f"l{layer}.wh"] = (gates, HEADS, n // HEADS, n // HEADS)
        elif point.cell != "indrnn":
            shapes[f"l{layer}.wh"] = (gates * n, point.width)
        if point.cell == "projection":
            shapes[f"l{layer}.wp"] = (point.width, n)
        shapes[f"l{layer}.b"] = (gates * n,)
        shapes.update({f"l{layer}.{vector}": (count * n,) for vector, count in vectors.items()})
    return shapes


def arrays(point, frames):
    """The same numbers for everybody: parameters, input, target."""
    rng = np.random.default_rng(point.hidden + point.streams)
    draw = lambda scale, shape: (rng.normal(size=shape) * scale).astype(np.float32)
    values = {name: draw(shape[-1]**-0.5 if len(shape) > 1 else 0.1, shape)
              for name, shape in parameters(point).items()}
    shape = (frames, point.streams, point.width)
    return {**values, "x": draw(1.0, shape), "target": draw(0.5, shape)}


def state_sizes(point):
    """Elements of the vectors that a layer carries from frame to frame, h first."""
    return [point.width] + [point.hidden] * (CELLS[point.cell][2] - 1)


# ===-------------------------------------------------------------------------===#
# In MLIR
# ===-------------------------------------------------------------------------===#

GRU = """
  %{l}.h1 = rnn.delay %{l}.h by 1 : !V
  %{l}.pwx = rnn.param @{l}.wx : !W
  %{l}.pwh = rnn.param @{l}.wh : !W
  %{l}.pb = rnn.param @{l}.b : !G
  %{l}.gx = rnn.linear {x}, %{l}.pwx, %{l}.pb : (!V, !W, !G) -> !G
  %{l}.gh = rnn.linear %{l}.h1, %{l}.pwh : (!V, !W) -> !G
  %{l}.xr, %{l}.xz, %{l}.xn = split %{l}.gx
  %{l}.hr, %{l}.hz, %{l}.hn = split %{l}.gh
  %{l}.sr = arith.addf %{l}.xr, %{l}.hr : !V
  %{l}.sz = arith.addf %{l}.xz, %{l}.hz : !V
  %{l}.r = rnn.sigmoid %{l}.sr : !V
  %{l}.z = rnn.sigmoid %{l}.sz : !V
  %{l}.seen = arith.mulf %{l}.r, %{l}.hn : !V
  %{l}.sn = arith.addf %{l}.xn, %{l}.seen : !V
  %{l}.n = math.tanh %{l}.sn : !V
  %{l}.old = arith.subf %{l}.h1, %{l}.n : !V
  %{l}.kept = arith.mulf %{l}.z, %{l}.old : !V
  %{l}.h = arith.addf %{l}.n, %{l}.kept : !V
"""
# c = c[t-1] + sigmoid(z) * (tanh(n) - c[t-1]); h = sigmoid(o) * tanh(c + a * h[t-1])
INVENTED = """
  %{l}.h1 = rnn.delay %{l}.h by 1 : !V
  %{l}.c1 = rnn.delay %{l}.c by 1 : !V
  %{l}.pwx = rnn.param @{l}.wx : !W
  %{l}.pwh = rnn.param @{l}.wh : !W
  %{l}.pb = rnn.param @{l}.b : !G
  %{l}.pa = rnn.param @{l}.a : !V
  %{l}.gx = rnn.linear {x}, %{l}.pwx, %{l}.pb : (!V, !W, !G) -> !G
  %{l}.gh = rnn.linear %{l}.h1, %{l}.pwh : (!V, !W) -> !G
  %{l}.g = rnn.sum %{l}.gx, %{l}.gh : !G
  %{l}.sz, %{l}.sn, %{l}.so = split %{l}.g
  %{l}.z = rnn.sigmoid %{l}.sz : !V
  %{l}.n = math.tanh %{l}.sn : !V
  %{l}.o = rnn.sigmoid %{l}.so : !V
  %{l}.new = arith.subf %{l}.n, %{l}.c1 : !V
  %{l}.part = arith.mulf %{l}.z, %{l}.new : !V
  %{l}.c = arith.addf %{l}.c1, %{l}.part : !V
  %{l}.ah = arith.mulf %{l}.pa, %{l}.h1 : !V
  %{l}.sum = arith.addf %{l}.c, %{l}.ah : !V
  %{l}.tanh = math.tanh %{l}.sum : !V
  %{l}.h = arith.mulf %{l}.o, %{l}.tanh : !V
"""
# As in examples/slstm.mlir.
SLSTM = """
  %{l}.h1 = rnn.delay %{l}.h by 1 : !V
  %{l}.c1 = rnn.delay %{l}.c by 1 : !V
  %{l}.n1 = rnn.delay %{l}.n by 1 : !V
  %{l}.m1 = rnn.delay %{l}.m by 1 : !V
  %{l}.pwx = rnn.param @{l}.wx : !W
  %{l}.pwh = rnn.param @{l}.wh : !R
  %{l}.pb = rnn.param @{l}.b : !G
  %{l}.gx = rnn.linear {x}, %{l}.pwx, %{l}.pb : (!V, !W, !G) -> !G
  %{l}.heads = tensor.expand_shape %{l}.h1 [[0, 1]] output_shape [4, {k}] : !V into tensor<4x{k}xf32>
  %{l}.r = rnn.contract %{l}.pwh, %{l}.heads
           [(d0, d1, d2, d3) -> (d0, d1, d2, d3), (d0, d1, d2, d3) -> (d1, d3), (d0, d1, d2, d3) -> (d0, d1, d2)]
           : (!R, tensor<4x{k}xf32>) -> tensor<4x4x{k}xf32>
  %{l}.gh = tensor.collapse_shape %{l}.r [[0, 1, 2]] : tensor<4x4x{k}xf32> into !G
  %{l}.g = rnn.sum %{l}.gx, %{l}.gh : !G
  %{l}.ai, %{l}.af, %{l}.az, %{l}.ao = split %{l}.g
  %{l}.minus.af = arith.negf %{l}.af : !V
  %{l}.minus.logf = rnn.softplus %{l}.minus.af : !V
  %{l}.kept = arith.subf %{l}.m1, %{l}.minus.logf : !V
  %{l}.larger = arith.maximumf %{l}.kept, %{l}.ai : !V
  %{l}.m = rnn.stop_gradient %{l}.larger : !V
  %{l}.logi = arith.subf %{l}.ai, %{l}.m : !V
  %{l}.logf = arith.subf %{l}.kept, %{l}.m : !V
  %{l}.i = math.exp %{l}.logi : !V
  %{l}.f = math.exp %{l}.logf : !V
  %{l}.z = math.tanh %{l}.az : !V
  %{l}.o = rnn.sigmoid %{l}.ao : !V
  %{l}.fc = arith.mulf %{l}.f, %{l}.c1 : !V
  %{l}.iz = arith.mulf %{l}.i, %{l}.z : !V
  %{l}.c = arith.addf %{l}.fc, %{l}.iz : !V
  %{l}.fn = arith.mulf %{l}.f, %{l}.n1 : !V
  %{l}.n = arith.addf %{l}.fn, %{l}.i : !V
  %{l}.mean = arith.divf %{l}.c, %{l}.n : !V
  %{l}.h = arith.mulf %{l}.o, %{l}.mean : !V
"""
INDRNN = '  %{l}.h = rnn.indrnn "{l}" {x} wx(@{l}.wx) u(@{l}.u) b(@{l}.b) : !V -> !V\n'
LSTM = '  %{l}.h, %{l}.c = rnn.lstm "{l}" {x} wx(@{l}.wx) wh(@{l}.wh) b(@{l}.b){option} : !V -> !V\n'
PROJECTION = """
  %{l}.h, %{l}.c = rnn.lstm "{l}" {x} wx(@{l}.wx) wh(@{l}.wh) b(@{l}.b) projection(@{l}.wp) : !V -> !V, !C
"""
GRU_BEFORE = '  %{l}.h = rnn.gru "{l}" {x} wx(@{l}.wx) wh(@{l}.wh) b(@{l}.b) reset(before) : !V -> !V\n'


def split(line, n):
    """`%a, %b = split %g`: slices of n elements."""
    names, whole = line.strip().split(" = split ")
    return "\n".join(f"  {name} = tensor.extract_slice {whole}[{i * n}] [{n}] [1] : !G to !V"
                     for i, name in enumerate(names.split(", ")))


def mlir(point):
    """The network @net with the result e per frame and stream, the squared error, and its training step @step."""
    n = point.hidden
    gates = CELLS[point.cell][0] * n
    lines = [f"!V = tensor<{point.width}xf32>", f"!G = tensor<{gates}xf32>", f"!W = tensor<{gates}x{point.width}xf32>"]
    if point.cell == "projection":
        lines.append(f"!C = tensor<{n}xf32>")
    if point.cell == "slstm":
        lines.append(f"!R = tensor<4x{HEADS}x{n // HEADS}x{n // HEADS}xf32>")
    lines += [f"rnn.parameter @{name} : tensor<{'x'.join(map(str, shape))}xf32> init(#rnn.zeros)"
              for name, shape in parameters(point).items()]
    lines.append("rnn.network @net(%x: !V, %target: !V) -> (e: tensor<f32>) {")
    for layer in range(point.layers):
        l, x = f"l{layer}", f"%l{layer - 1}.h" if layer else "%x"
        option = {"peephole": f" peephole(@{l}.pi, @{l}.pf, @{l}.po)",
                  "layernorm": f" layer_norm(@{l}.ax, @{l}.ah, @{l}.ac, @{l}.bc)"}.get(point.cell, "")
        text = {"gru": GRU, "invented": INVENTED, "slstm": SLSTM, "indrnn": INDRNN, "projection": PROJECTION,
                "gru-before": GRU_BEFORE}.get(point.cell, LSTM)
        text = text.format(l=l, x=x, option=option, k=n // HEADS)
        lines += [split(line, n) if " = split " in line else line for line in text.splitlines()]
    lines.append(f"""  %d = arith.subf %l{point.layers - 1}.h, %target : !V
  %dd = arith.mulf %d, %d : !V
  %e = rnn.reduce sum %dd over [0] : !V to tensor<f32>
  rnn.output %e : tensor<f32>
}}
rnn.train_step @step of @net loss("e" mean) optimizer(#rnn.sgd<lr = {LEARNING_RATE}>)
""")
    return "\n".join(lines)


# ===-------------------------------------------------------------------------===#
# In an array library
# ===-------------------------------------------------------------------------===#


def normal(x):
    d = x - x.mean(-1, keepdims=True)
    return d * ((d * d).mean(-1, keepdims=True) + 1e-5)**-0.5


def inputs(cell, x, p):
    """What a layer's frames have of the input x [T,B,n]: [T,B,G]."""
    gx = x @ p["wx"].T
    return (normal(gx) * p["ax"] if cell == "layernorm" else gx) + p["b"]


def frame(cell, gx, state, p, library, sigmoid, chunk):
    """The next state of one layer, h first: gx [B,G] of `inputs`, state and p (wh and vectors) by name."""
    h, tanh = state[0], library.tanh
    if cell == "indrnn":
        h = gx + p["u"] * h
        return (library.maximum(h, 0 * h), )
    if cell == "slstm":
        _, c, n, m = state
        old = (p["wh"] @ h.reshape(len(h), 1, HEADS, -1, 1)).reshape(len(h), -1)
        i, f, z, o = chunk(gx + old, 4)
        kept = library.log(sigmoid(f)) + m
        m = library.maximum(kept, i)
        i, f = library.exp(i - m), library.exp(kept - m)
        c, n = f * c + i * tanh(z), f * n + i
        return sigmoid(o) * c / n, c, n, m
    if cell == "gru":
        (xr, xz, xn), (hr, hz, hn) = chunk(gx, 3), chunk(h @ p["wh"].T, 3)
        n = tanh(xn + sigmoid(xr + hr) * hn)
        return (n + sigmoid(xz + hz) * (h - n), )
    if cell == "gru-before":
        n = h.shape[-1]
        r, z = chunk(sigmoid(gx[..., :2 * n] + h @ p["wh"][:2 * n].T), 2)
        new = tanh(gx[..., 2 * n:] + (r * h) @ p["wh"][2 * n:].T)
        return (new + z * (h - new), )
    c, gh = state[1], h @ p["wh"].T
    if cell == "invented":
        z, n, o = chunk(gx + gh, 3)
        c = c + sigmoid(z) * (tanh(n) - c)
        return sigmoid(o) * tanh(c + p["a"] * h), c
    i, f, g, o = chunk(gx + (normal(gh) * p["ah"] if cell == "layernorm" else gh), 4)
    peephole = cell == "peephole"
    i, f = (i + p["pi"] * c, f + p["pf"] * c) if peephole else (i, f)
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    seen = normal(c) * p["ac"] + p["bc"] if cell == "layernorm" else c
    h = sigmoid(o + p["po"] * c if peephole else o) * tanh(seen)
    return h @ p["wp"].T if cell == "projection" else h, c
