# ===- plot.py - Bars of a run ----------------------------------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
#   plot.py <results>.json [--forward] [-o <file>.svg]
#
# Draws what gpu.py or lstm.py has measured: for each point a group of bars, ours first, then each peer, the fastest
# first, in microseconds per frame of a training step on a logarithmic axis. --forward draws the forward part of a run
# of gpu.py instead. A peer without a number has no bar. The date is that of the file's name. Nothing but Python's
# standard library is needed, and equal input gives equal bytes.
#
# ===-------------------------------------------------------------------------===#

import argparse
import json
import math
import pathlib
import re
import sys
from xml.sax.saxutils import escape

# Microseconds of all streams for gpu.py, of one for lstm.py: its rates count every stream's frames.
UNITS = {"gpu": "microseconds per frame", "cpu": "microseconds per frame and stream"}
COLOURS = {"ours": "#0072b2", "torch": "#e69f00", "jax": "#009e73"}  # told apart by those who are colour-blind
NAMES = {"ours": "rnn-mlir", "torch": "PyTorch", "jax": "JAX"}
COLUMN, LABELS, NUMBERS, BAR, HEAD, TOP, MARGIN = 460, 118, 44, 13, 24, 76, 12


class Problem(Exception):
    """The file is not a run of gpu.py or lstm.py."""


def of_gpu(result, what):
    """(name, [(label, microseconds)]) of each point of gpu.py."""
    for point in result["points"]:
        rows = [("ours", point.get("ours", {}))] + list(point.get("peers", {}).items())
        yield point["name"], [(label, row[what]) for label, row in rows if what in row]


def of_cpu(result):
    for row in result["training"]:
        labels = {"rnn-mlir": "ours", "pytorch": "torch f32", "jax": "jax f32 scan"}
        bars = [(label, 1e6 / row[key]["frames_per_s"]) for key, label in labels.items() if key in row]
        yield f"lstm-H{row['hidden']}-B{row['streams']}", bars


def read(path, what="train"):
    """Title, unit and groups of bars, ours first."""
    result = json.loads(path.read_text())
    machine = result.get("machine") if isinstance(result, dict) else None
    if not machine or not ("points" in result or "training" in result):
        raise Problem(f"'{path}' is no run of gpu.py or lstm.py: it has no points and no training")
    kind = "gpu" if "points" in result else "cpu"
    if kind == "cpu" and what != "train":
        raise Problem(f"'{path}' has no forward part: it is a run of lstm.py")
    on = machine["cpu"] + f", {machine['cores']} cores"
    if "nvidia-smi" in machine:
        card, driver = machine["nvidia-smi"].split(", ")[:2]
        on = f"{card}, driver {driver}"
    date = re.match(r"\d{4}-\d\d-\d\d", path.name)
    title = ", ".join([{"train": "Training step", "forward": "Forward part"}[what], on] + ([date[0]] if date else []))
    groups = []
    for name, bars in of_gpu(result, what) if kind == "gpu" else of_cpu(result):
        if bars:
            groups.append((name, sorted(bars, key=lambda bar: (bar[0] != "ours", bar[1]))))
    if not groups:
        raise Problem(f"'{path}' has no numbers")
    return title, UNITS[kind], groups


def columns(groups, count):
    """The groups in so many columns of about the same height, in their order."""
    height = lambda group: HEAD + BAR * len(group[1])
    total, done, out = sum(map(height, groups)), 0, [[] for _ in range(count)]
    for group in groups:
        out[min(count - 1, int((done + height(group) / 2) * count / total))].append(group)
        done += height(group)
    return [column for column in out if column]


def number(value):
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def svg(title, unit, groups):
    values = [value for _, bars in groups for _, value in bars]
    low = math.floor(math.log10(min(values)) - 0.1)  # the shortest bar can be seen
    high = max(low + 1, math.log10(max(values)))
    scale = (COLUMN - LABELS - NUMBERS - MARGIN) / (high - low)
    placed = columns(groups, 3 if len(groups) > 8 else 1)
    inner = max(sum(HEAD + BAR * len(bars) for _, bars in column) for column in placed)
    width, height = COLUMN * len(placed) + 2 * MARGIN, TOP + inner + 2 * MARGIN
    width = max(width, 640)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
             f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="10">', f"<title>{escape(title)}</title>",
             f'<rect width="{width}" height="{height}" fill="white"/>']

    def text(x, y, content, more=""):
        lines.append(f'<text x="{x:.1f}" y="{y:.1f}"{more}>{escape(content)}</text>')

    text(MARGIN, 22, title, ' font-size="15"')
    text(MARGIN, 40, f"{unit}, logarithmic; shorter is faster", ' font-size="11"')
    x = MARGIN + 380
    drawn = {label.split()[0] for _, bars in groups for label, _ in bars}
    for kind in filter(drawn.__contains__, COLOURS):
        lines.append(f'<rect x="{x}" y="32" width="9" height="9" fill="{COLOURS[kind]}"/>')
        text(x + 13, 40, NAMES[kind], ' font-size="11"')
        x += 90
    for number_of_column, column in enumerate(placed):
        left = MARGIN + COLUMN * number_of_column + LABELS
        for decade in range(low, math.floor(high) + 1):
            x = left + scale * (decade - low)
            lines.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{TOP + inner}" stroke="#dddddd"/>')
            text(x, TOP - 12, f"{10.0**decade:g}", ' text-anchor="middle" fill="#666666"')
        y = TOP
        for name, bars in column:
            text(left - LABELS, y + 14, name, ' font-weight="bold" font-size="11"')
            y += HEAD - 5
            for label, value in bars:
                length = scale * (math.log10(value) - low)
                text(left - 5, y + 9, NAMES["ours"] if label == "ours" else label, ' text-anchor="end"')
                lines.append(f'<rect class="bar" x="{left:.1f}" y="{y}" width="{length:.2f}" height="{BAR - 3}" '
                             f'fill="{COLOURS[label.split()[0]]}"/>')
                text(left + length + 4, y + 9, number(value))
                y += BAR
            y += 5
    return "\n".join(lines + ["</svg>", ""])


def main():
    parser = argparse.ArgumentParser(description="Draws the bars of a run of gpu.py or lstm.py.")
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--forward", action="store_true", help="the forward part instead of the training step")
    parser.add_argument("-o", "--output", type=pathlib.Path, help="the file beside, with .svg")
    options = parser.parse_args()
    output = options.output or options.file.with_suffix(".svg")
    output.write_text(svg(*read(options.file, "forward" if options.forward else "train")))


if __name__ == "__main__":
    try:
        main()
    except (Problem, OSError, json.JSONDecodeError) as error:
        sys.exit(f"plot: error: {error}")
