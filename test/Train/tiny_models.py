# ===- tiny_models.py - Artifacts written by hand -----------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Two small models in C, so that the tools are tested without the compiler.

`bigram` is a byte model: the logits are a row for the last byte plus a row for the byte before it, which is carried
state. `linear` predicts one number from two and sums its inputs since the last reset, to show state and resets.
"""

import hashlib
import json
import pathlib
import struct
import subprocess

COMMON = r"""
#include <stdint.h>
typedef struct RnnContext {
  int64_t frames;
  void *const *tensors;
  void *workspace;
  void (*barrier)(struct RnnContext *, int64_t);
  int32_t threads, reserved;
} RnnContext;
static double exp_(double x) { /* e^x by halving, then a series */
  if (x < -700) return 0;
  int k = 0;
  while (x < -0.5 || x > 0.5) { x *= 0.5; ++k; }
  double term = 1, sum = 1;
  for (int i = 1; i < 20; ++i) { term *= x / i; sum += term; }
  while (k--) sum *= sum;
  return sum;
}
static double log_(double x) { /* Newton on exp */
  double y = 0;
  while (x > 2) { x *= 0.5; y += 0.69314718055994530942; }
  double z = x - 1;
  for (int i = 0; i < 30; ++i) z += x * exp_(-z) - 1;
  return y + z;
}
static int finite_(double x) { return x - x == 0; }
static double root(double x) { double r = x > 1 ? x : 1; for (int i = 0; i < 60; ++i) r = 0.5 * (r + x / r); return r; }
"""

BIGRAM = r"""
static void logits_of(const float *w, const float *v, int32_t x, int32_t before, double *logits) {
  for (int i = 0; i < 256; ++i) logits[i] = w[x * 256 + i] + (before >= 0 ? v[before * 256 + i] : 0);
}
static int32_t before_of(int64_t t, int b, const int32_t *x, const int32_t *prev, const int64_t *age) {
  if (t > 0) return x[(t - 1) * B + b];
  return age[b] >= 0 ? prev[b] : -1;
}
static void carry(int64_t T, const int32_t *x, int32_t *prev, int64_t *age) {
  for (int b = 0; b < B; ++b) { prev[b] = x[(T - 1) * B + b]; age[b] += T; }
}
static double loss_of(int64_t T, const int32_t *x, const int32_t *target, const uint8_t *mask, const float *w,
                      const float *v, const int32_t *prev, const int64_t *age, float *gw, float *gv, int64_t *count) {
  double sum = 0, p[256];
  *count = 0;
  for (int64_t i = 0; i < T * B; ++i) *count += mask[i];
  for (int64_t t = 0; t < T; ++t)
    for (int b = 0; b < B; ++b) {
      if (!mask[t * B + b]) continue;
      int32_t in = x[t * B + b], before = before_of(t, b, x, prev, age);
      logits_of(w, v, in, before, p);
      double top = p[0], total = 0, wanted = p[target[t * B + b]];
      for (int i = 1; i < 256; ++i) top = p[i] > top ? p[i] : top;
      for (int i = 0; i < 256; ++i) total += p[i] = exp_(p[i] - top);
      sum += log_(total) + top - wanted;
      for (int i = 0; gw && i < 256; ++i) {
        double e = (p[i] / total - (i == target[t * B + b])) / *count;
        gw[in * 256 + i] += e;
        if (before >= 0) gv[before * 256 + i] += e;
      }
    }
  return sum;
}
/* x target mask lr w v opt.step state.prev state.age ring.0 loss sum count grad_norm flags */
void rnn_fn_0(RnnContext *c, int64_t thread, int64_t threads) {
  if (thread) return;
  int64_t T = c->frames, count;
  const int32_t *x = c->tensors[0], *target = c->tensors[1];
  const uint8_t *mask = c->tensors[2];
  float lr = *(float *)c->tensors[3], *w = c->tensors[4], *v = c->tensors[5];
  int32_t *prev = c->tensors[7];
  int64_t *age = c->tensors[8];
  float *gw = c->workspace, *gv = gw + 65536, *ring = c->tensors[9];
  for (int i = 0; i < 2 * 65536; ++i) gw[i] = 0;
  double sum = loss_of(T, x, target, mask, w, v, prev, age, gw, gv, &count), norm = 0;
  for (int i = 0; i < 2 * 65536; ++i) norm += (double)gw[i] * gw[i];
  norm = norm > 0 ? root(norm) : norm;
  double loss = count ? sum / count : 0;
  for (int64_t i = 0; i < T * B; ++i) if (x[i] == POISON) loss = 0.0 / 0.0;
  int bad = !finite_(loss) || !finite_(norm);
  if (!bad) {
    for (int i = 0; i < 65536; ++i) { w[i] -= lr * gw[i]; v[i] -= lr * gv[i]; }
    ++*(int64_t *)c->tensors[6];
    carry(T, x, prev, age);
    for (int b = 0; b < B; ++b) ring[b] = 0.5f * ring[b] + x[b];
  }
  *(float *)c->tensors[10] = loss;
  *(float *)c->tensors[11] = sum;
  *(int64_t *)c->tensors[12] = count;
  *(float *)c->tensors[13] = norm;
  *(int32_t *)c->tensors[14] = bad;
}
/* x target mask w v state.prev state.age sum count flags */
void rnn_fn_1(RnnContext *c, int64_t thread, int64_t threads) {
  if (thread) return;
  int64_t count;
  double sum = loss_of(c->frames, c->tensors[0], c->tensors[1], c->tensors[2], c->tensors[3], c->tensors[4],
                       c->tensors[5], c->tensors[6], 0, 0, &count);
  carry(c->frames, c->tensors[0], c->tensors[5], c->tensors[6]);
  *(float *)c->tensors[7] = sum;
  *(int64_t *)c->tensors[8] = count;
  *(int32_t *)c->tensors[9] = 0;
}
/* x w v state.prev state.age logits */
void rnn_fn_2(RnnContext *c, int64_t thread, int64_t threads) {
  if (thread) return;
  const int32_t *x = c->tensors[0];
  float *out = c->tensors[5];
  double p[256];
  for (int64_t t = 0; t < c->frames; ++t)
    for (int b = 0; b < B; ++b) {
      logits_of(c->tensors[1], c->tensors[2], x[t * B + b], before_of(t, b, x, c->tensors[3], c->tensors[4]), p);
      for (int i = 0; i < 256; ++i) out[(t * B + b) * 256 + i] = p[i];
    }
  carry(c->frames, x, c->tensors[3], c->tensors[4]);
}
"""

LINEAR = r"""
/* One frame: prediction, and the sum of the first input since the start of its stream. */
static void frame_of(const float *x, const float *w, float bias, float *y, float *total, int64_t *age) {
  *y = w[0] * x[0] + w[1] * x[1] + bias;
  *total = (*age >= 0 ? *total : 0) + x[0];
  ++*age;
}
static double run(int64_t T, const float *x, const float *target, const uint8_t *mask, const float *w, float bias,
                  float *total, int64_t *age, double *g, int64_t *count) {
  double sum = 0;
  *count = 0;
  for (int64_t t = 0; t < T; ++t)
    for (int b = 0; b < B; ++b) {
      int64_t i = t * B + b;
      float y;
      frame_of(x + 2 * i, w, bias, &y, total + b, age + b);
      if (!mask[i]) continue;
      double e = y - target[i];
      sum += e * e;
      g[0] += 2 * e * x[2 * i]; g[1] += 2 * e * x[2 * i + 1]; g[2] += 2 * e;
      ++*count;
    }
  return sum;
}
/* x target mask lr w b state.total state.age loss sum count grad_norm flags */
void rnn_fn_0(RnnContext *c, int64_t thread, int64_t threads) {
  if (thread) return;
  float lr = *(float *)c->tensors[3], *w = c->tensors[4], *bias = c->tensors[5];
  double g[3] = {0, 0, 0};
  int64_t count;
  double sum = run(c->frames, c->tensors[0], c->tensors[1], c->tensors[2], w, *bias, c->tensors[6], c->tensors[7], g,
                   &count);
  for (int i = 0; i < 3; ++i) g[i] /= count ? count : 1;
  w[0] -= lr * g[0]; w[1] -= lr * g[1]; *bias -= lr * g[2];
  *(float *)c->tensors[8] = count ? sum / count : 0;
  *(float *)c->tensors[9] = sum;
  *(int64_t *)c->tensors[10] = count;
  *(float *)c->tensors[11] = root(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]);
  *(int32_t *)c->tensors[12] = 0;
}
/* x target mask w b state.total state.age sum count flags */
void rnn_fn_1(RnnContext *c, int64_t thread, int64_t threads) {
  if (thread) return;
  double g[3];
  int64_t count;
  *(float *)c->tensors[7] = run(c->frames, c->tensors[0], c->tensors[1], c->tensors[2], c->tensors[3],
                                *(float *)c->tensors[4], c->tensors[5], c->tensors[6], g, &count);
  *(int64_t *)c->tensors[8] = count;
  *(int32_t *)c->tensors[9] = 0;
}
/* x w b state.total state.age y total */
void rnn_fn_2(RnnContext *c, int64_t thread, int64_t threads) {
  if (thread) return;
  for (int64_t i = 0; i < c->frames * B; ++i) {
    float *total = (float *)c->tensors[3] + i % B;
    frame_of((float *)c->tensors[0] + 2 * i, c->tensors[1], *(float *)c->tensors[2], (float *)c->tensors[5] + i, total,
             (int64_t *)c->tensors[4] + i % B);
    ((float *)c->tensors[6])[i] = *total;
  }
}
"""


def tensor(name, role, dtype, shape, **more):
    return {"name": name, "role": role, "dtype": dtype, "shape": list(shape), **more}


def argument(name, dtype, shape, rate="frame", **more):
    return tensor(name, "argument", dtype, shape, rate=rate, **more)


def result(name, dtype, shape, rate="static"):
    return tensor(name, "result", dtype, shape, rate=rate)


def step_results(loss, train):
    results = [result(f"sum.{loss}", "f32", []), result(f"count.{loss}", "i64", [])]
    if train:
        results = [result("loss", "f32", [])] + results + [result("grad_norm", "f32", [])]
    return results + [result("flags", "i32", [])]


def bigram_tables(streams, window, advance, lr=0.5):
    b = streams
    x = argument("x", "i32", [-1, b])
    target = argument("target", "i32", [-1, b])
    mask = argument("mask", "i1", [-1, b], default=1)
    rate = argument("lr", "f32", [], rate="static", default=lr)
    params = [tensor(n, "parameter", "f32", [256, 256], rate="static") for n in ("w", "v")]
    state = [tensor("state.prev", "state", "i32", [1, b], fill=0), tensor("state.age", "state", "i64", [b], fill=-1)]
    train = [x, target, mask, rate, *params, tensor("opt.step", "optimizer", "i64", [], rate="static"), *state,
             tensor("ring.0", "ring", "f32", [1, b], fill=0), *step_results("nll", True)]
    loss = {"losses": [{"name": "nll", "reduction": "mean", "weight": 1.0}], "metrics": [], "network": "bigram"}
    return {
        "network_hash": "3f2a" + "0" * 60, "streams": b, "requires": [],
        "variables": [{"name": n, "kind": "parameter", "dtype": "f32", "shape": [256, 256], "trainable": True,
                       "init": {"kind": "uniform", "low": -0.01, "high": 0.01}} for n in ("w", "v")] +
                     [{"name": "opt.step", "kind": "optimizer", "dtype": "i64", "shape": [], "init": {"kind": "zeros"}}],
        "functions": [
            {"name": "step", "kind": "train", "symbol": "rnn_fn_0", "window": window, "advance": advance, "lr": lr,
             **loss, "memory": {"constant": 4 * 2 * 65536, "per_thread": 0, "per_frame": 0}, "tensors": train},
            {"name": "step.eval", "kind": "eval", "symbol": "rnn_fn_1", "window": window, "advance": advance, **loss,
             "memory": {}, "tensors": [x, target, mask, *params, *state, *step_results("nll", False)]},
            {"name": "bigram", "kind": "infer", "network": "bigram", "symbol": "rnn_fn_2", "memory": {},
             "tensors": [x, *params, *state, result("logits", "f32", [-1, b, 256], "frame")]},
        ],
    }


def linear_tables(streams, window, advance, lr=0.05):
    b = streams
    x = argument("x", "f32", [-1, b, 2])
    target = argument("target", "f32", [-1, b, 1])
    mask = argument("mask", "i1", [-1, b], default=1)
    rate = argument("lr", "f32", [], rate="static", default=lr)
    params = [tensor("w", "parameter", "f32", [1, 2], rate="static"), tensor("b", "parameter", "f32", [1], rate="static")]
    state = [tensor("state.total", "state", "f32", [1, b], fill=0), tensor("state.age", "state", "i64", [b], fill=-1)]
    loss = {"losses": [{"name": "mse", "reduction": "mean", "weight": 1.0}], "metrics": [], "network": "linear"}
    return {
        "network_hash": "91bc" + "0" * 60, "streams": b, "requires": [],
        "variables": [{"name": "w", "kind": "parameter", "dtype": "f32", "shape": [1, 2], "trainable": True,
                       "init": {"kind": "zeros"}},
                      {"name": "b", "kind": "parameter", "dtype": "f32", "shape": [1], "trainable": True,
                       "init": {"kind": "zeros"}}],
        "functions": [
            {"name": "step", "kind": "train", "symbol": "rnn_fn_0", "window": window, "advance": advance, "lr": lr,
             **loss, "memory": {}, "tensors": [x, target, mask, rate, *params, *state, *step_results("mse", True)]},
            {"name": "step.eval", "kind": "eval", "symbol": "rnn_fn_1", "window": window, "advance": advance, **loss,
             "memory": {}, "tensors": [x, target, mask, *params, *state, *step_results("mse", False)]},
            {"name": "linear", "kind": "infer", "network": "linear", "symbol": "rnn_fn_2", "memory": {},
             "tensors": [x, *params, *state, result("y", "f32", [-1, b, 1], "frame"),
                         result("total", "f32", [-1, b], "frame")]},
        ],
    }


MODELS = {"bigram": (bigram_tables, BIGRAM), "linear": (linear_tables, LINEAR)}


def pack(sections):
    """The bytes of an artifact (docs/Artifact.md)."""
    entries, body, offset = b"", b"", 4096
    for kind, target, content in sections:
        gap = offset - 4096 - len(body)
        body += b"\0" * gap + content
        entries += struct.pack("<IQQ32s", kind, offset, len(content), target.encode())
        offset = (offset + len(content) + 4095) // 4096 * 4096
    head = struct.pack("<I", len(sections)) + entries
    rest = head + b"\0" * (4096 - 48 - len(head)) + body
    return b"RNNC" + struct.pack("<IQ", 1, 48 + len(rest)) + hashlib.sha256(rest).digest() + rest


def build(path, model="bigram", streams=4, window=8, advance=8, poison=-1, change=None, **options):
    """Writes an artifact; `poison` is a byte that makes the loss NaN, `change` edits the tables."""
    make_tables, source = MODELS[model]
    tables = make_tables(streams, window, advance, **options)
    if change:
        change(tables)
    path = pathlib.Path(path)
    c_file, library = path.with_suffix(".c"), path.with_suffix(".so")
    c_file.write_text(f"#define B {streams}\n#define POISON {poison}\n" + COMMON + source)
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-ffreestanding", "-nostdlib", "-o", library, c_file], check=True)
    path.write_bytes(pack([(1, "", json.dumps(tables).encode()), (2, "cpu:x86-64", library.read_bytes()),
                           (4, "", b'{"version": "0.1.0", "llvm": "none", "options": []}')]))
    return path


def greedy(w, v, prime, count):
    """The likeliest bytes that the bigram model adds to a prime."""
    read = [ord(c) for c in prime]
    for _ in range(count):
        read.append(int((w[read[-1]] + v[read[-2]]).argmax()))
    return "".join(map(chr, read[len(prime) :]))
