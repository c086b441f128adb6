# ===- lit.cfg.py - The lit suite of rnn-mlir --------------------------------===#
#
# Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ===-------------------------------------------------------------------------===#
#
# Run it with `lit build/test`, one file with `lit build/test/<path below test>`.
# Tests name the tools as they are installed: rnn-opt, rnn-compile, FileCheck, not, mlir-opt.
# %t is a path of the test's own, %rnn_plugin the plugin, %rnn_source the top of the sources,
# %fake_cuda a folder with a libcuda.so.1 that needs no GPU.
#
# ===-------------------------------------------------------------------------===#

import os

import lit.formats
import lit.util

config.name = "rnn-mlir"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "Python", "Train", "Oracle", "Embedding", "corpus"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.rnn_obj_root, "test")

path = [config.rnn_tools_dir, config.llvm_tools_dir, config.environment["PATH"]]
# Where rnn-compile looks for ptxas too; behind all others, for that folder has more than ptxas.
cuda = "/usr/local/cuda/bin"
if os.path.exists(os.path.join(cuda, "ptxas")):
    path.append(cuda)
config.environment["PATH"] = os.path.pathsep.join(path)
config.environment["NO_COLOR"] = "1"
config.environment["RNN_CACHE_DIR"] = os.path.join(config.rnn_obj_root, "test", "cache")
for name in ("RNN_NUM_THREADS", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

plugin = os.path.join(config.rnn_lib_dir, "librnn-plugin.so")
config.substitutions.append(("%rnn_plugin", plugin))
config.substitutions.append(("%rnn_source", config.rnn_src_root))
config.substitutions.append(("%python", config.python_executable))
fake_cuda = os.path.join(config.rnn_obj_root, "unittests", "Runtime", "FakeCuda")
config.substitutions.append(("%fake_cuda", fake_cuda))

# A test that needs a tool which a configuration leaves out says `REQUIRES: <tool>`.
for tool in ("rnn-opt", "rnn-translate", "rnn-compile", "rnn-run", "rnn-train", "rnn-reduce", "rnn-lsp-server",
             "mlir-opt", "cc", "dot", "xz", "ptxas"):
    if lit.util.which(tool, config.environment["PATH"]):
        config.available_features.add(tool)
if os.path.exists(os.path.join(fake_cuda, "libcuda.so.1")):
    config.available_features.add("fake-cuda")
if os.path.exists(plugin):
    config.available_features.add("plugin")
if config.rnn_fuzzers == "ON":
    config.available_features.add("fuzzers")
