# ===- fake_compile.py - Stands in for rnn-compile ----------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
"""Understands the command line that the tools use, notes it, and writes a hand-made artifact.

The model's text names the artifact: "model: bigram". A text with "broken" or "crash" in it fails like the
real compiler does.
"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import tiny_models


def main(arguments):
    with open(pathlib.Path(sys.argv[0]).with_suffix(".log"), "a", encoding="utf-8") as log:
        log.write(json.dumps(arguments) + "\n")
    model = arguments[0]
    options = dict(a[2:].partition("=")[::2] for a in arguments if a.startswith("--"))
    text = pathlib.Path(model).read_text(encoding="utf-8")
    if "broken" in text:
        print(f"{model}:1:1: error: 'scf.for' op is not allowed in a network", file=sys.stderr)
        return 1
    if "crash" in text and "describe" not in options:
        reproducer = pathlib.Path(arguments[arguments.index("-o") + 1]).with_suffix(".repro.mlir")
        reproducer.write_text(text)
        print(f"rnn-compile: internal error: crashed\nnote: reproduce with: rnn-opt --run-reproducer {reproducer}",
              file=sys.stderr)
        return 70
    kind = "linear" if "model: linear" in text else "bigram"
    window, advance = (int(n) for n in options.get("bptt", "8,8").split(","))
    if "describe" in options:
        tables = tiny_models.MODELS[kind][0](4321, window, advance)
        tables["streams"] = None
        print(json.dumps(tables).replace("4321", '"B"'))
        return 0
    if "report" in options:
        print("network " + kind)
    tiny_models.build(arguments[arguments.index("-o") + 1], kind, int(options["streams"]), window, advance)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
