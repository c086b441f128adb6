# ===- excerpts.py - Compares the excerpts of a page with the sources -----------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
#   excerpts.py <top of the sources> <page>
#
# An excerpt is a block of code behind a line that consists of a file's name. All that the page names in backquotes with
# a folder must exist, too.
#
# ===-------------------------------------------------------------------------===#

import os
import re
import sys

source, page = sys.argv[1:3]
with open(os.path.join(source, page)) as f:
    text = f.read()

failed = False


def expect(holds, message):
    global failed
    if not holds:
        print(f"{page}: error: {message}")
        failed = True


excerpts = re.findall(r"^`(\S+)`\n```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
for name, excerpt in excerpts:
    with open(os.path.join(source, name)) as f:
        expect(excerpt in f.read(), f"'{name}' does not have these lines:\n{excerpt}")
for name in set(re.findall(r"`((?:docs|include|lib|scripts|test|unittests)/[\w./-]+)`", text)):
    expect(os.path.exists(os.path.join(source, name)), f"there is no '{name}'")
print(f"{len(excerpts)} excerpts")
sys.exit(failed)
