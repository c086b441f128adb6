# ===- readme.py - Runs the commands of README.md -------------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
#   readme.py <top of the sources> <empty folder to work in>
#
# The tools are those on PATH. Commands of scripts/ are not run, only looked for; links to files are looked for too.
#
# ===-------------------------------------------------------------------------===#

import os
import re
import shutil
import subprocess
import sys

source, work = map(os.path.abspath, sys.argv[1:3])
with open(os.path.join(source, "README.md")) as f:
    readme = f.read()

os.makedirs(os.path.join(work, "build"))
os.symlink(os.path.dirname(shutil.which("rnn-opt")), os.path.join(work, "build", "bin"))
os.symlink(os.path.join(source, "examples"), os.path.join(work, "examples"))
with open(os.path.join(work, "book.txt"), "w") as f:
    f.write(readme * 8)

failed = False


def report(ok, what):
    global failed
    failed |= not ok
    print("ok:" if ok else "failed:", what, flush=True)


def run(command, **options):
    return subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=work, stdout=subprocess.DEVNULL, **options)


for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", readme, flags=re.MULTILINE | re.DOTALL):
    if language == "mlir":
        report(run("rnn-opt --rnn-to-cpu", input=block, text=True).returncode == 0, "rnn.network")
        continue
    for command in filter(None, (line.split("#")[0].strip() for line in block.splitlines())):
        if command.startswith("./"):
            report(os.access(os.path.join(source, command.split()[0]), os.X_OK), command)
        else:
            report(run(command).returncode == 0, command)
for link in re.findall(r"\]\(([\w./-]+)\)", readme):
    report(os.path.exists(os.path.join(source, link)), link)
sys.exit(failed)
