//===- NativeCode.h - Runs generated code inside a test -----------*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef RNN_UNITTESTS_CONVERSION_NATIVECODE_H
#define RNN_UNITTESTS_CONVERSION_NATIVECODE_H

#include "rnn/Dialect/RNN/IR/RNN.h"
#include "rnn/Target/CPU/HostCode.h"

#include "mlir/InitAllDialects.h"

#include <dlfcn.h>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace mlir::rnn::test {

/// The target that tests run on: AVX-512 where the machine has it, if asked.
inline HostTarget testTarget(bool wide = false) {
  HostTarget target;
  if (wide && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw"))
    target.cpu = "x86-64-v4";
  return target;
}

/// A context with the dialects of generated code.
inline std::unique_ptr<MLIRContext> makeContext() {
  DialectRegistry registry;
  registerAllDialects(registry);
  registry.insert<RNNDialect>();
  auto context = std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  context->loadAllAvailableDialects();
  return context;
}

/// A module compiled and loaded into this process; null symbols on failure.
class NativeCode {
public:
  NativeCode(ModuleOp module, const HostTarget &target) {
    if (getenv("RNN_TEST_VERBOSE"))
      module.dump();
    FailureOr<std::vector<char>> bytes = emitSharedObject(module, target);
    if (failed(bytes))
      return;
    file = memfd_create("rnn-test", 0);
    if (file < 0 || write(file, bytes->data(), bytes->size()) != ssize_t(bytes->size()))
      return;
    std::string path = "/proc/self/fd/" + std::to_string(file);
    library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  }
  NativeCode(const NativeCode &) = delete;
  ~NativeCode() {
    if (library)
      dlclose(library);
    if (file >= 0)
      close(file);
  }
  bool isLoaded() const { return library; }
  template <typename Function>
  Function *symbol(const std::string &name) {
    return library ? reinterpret_cast<Function *>(dlsym(library, name.c_str())) : nullptr;
  }

private:
  int file = -1;
  void *library = nullptr;
};

} // namespace mlir::rnn::test

#endif // RNN_UNITTESTS_CONVERSION_NATIVECODE_H
