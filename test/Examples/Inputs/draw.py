# ===- draw.py - Draws networks with Graphviz ----------------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
#   draw.py <folder for the pictures> <network.mlir>…
#
# ===-------------------------------------------------------------------------===#

import os
import subprocess
import sys

folder, networks = sys.argv[1], sys.argv[2:]
for network in networks:
    for options in ([], ["--expand"]):
        text = subprocess.run(["rnn-translate", "--rnn-to-dot", *options, network], check=True, capture_output=True)
        svg = subprocess.run(["dot", "-Tsvg"], input=text.stdout, check=True, capture_output=True)
        assert not svg.stderr, svg.stderr.decode()
        digraphs = text.stdout.count(b"\ndigraph ") + text.stdout.startswith(b"digraph ")
        assert digraphs and svg.stdout.count(b"<svg ") == digraphs, network
        with open(os.path.join(folder, os.path.basename(network) + "".join(options) + ".svg"), "wb") as f:
            f.write(svg.stdout)
