//===- TestInterpret.cpp - The interpreter in rnn-opt ---------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "TestInterpret.h"
#include "rnn/Interpreter/Probe.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace mlir::rnn;

//===----------------------------------------------------------------------===//
// test-rnn-interpret, test-rnn-gradients
//===----------------------------------------------------------------------===//

/// `name [2,3] 0.5 -1 …`
static void print(StringRef name, const Tensor &tensor, raw_ostream &os) {
  os << "  " << name << " [";
  llvm::interleave(tensor.shape, os, ",");
  os << "]";
  if (tensor.isFloat())
    for (double x : tensor.floats())
      os << " " << llvm::format("%.17g", x);
  else
    for (int64_t x : tensor.integers())
      os << " " << x;
  os << "\n";
}

namespace {
struct TestInterpretPass : PassWrapper<TestInterpretPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(TestInterpretPass)

  TestInterpretPass() = default;
  TestInterpretPass(const TestInterpretPass &other) : PassWrapper(other) {}

  StringRef getArgument() const final { return "test-rnn-interpret"; }
  StringRef getDescription() const final {
    return "Run functions on made-up inputs and print every output of every chunk to stdout";
  }

  void runOnOperation() final {
    ProbeOptions options;
    options.frames = frames;
    options.streams = streams;
    options.chunks = chunks;
    options.seed = static_cast<uint64_t>(seed.getValue());
    bool found = false;
    for (auto function : getOperation().getOps<RNNFunctionInterface>()) {
      StringRef name = getFunctionName(function);
      if (!this->function.empty() && this->function != name)
        continue;
      found = true;
      FailureOr<SmallVector<TensorMap>> outputs = probe(function, options);
      if (failed(outputs))
        return signalPassFailure();
      for (auto [chunk, tensors] : llvm::enumerate(*outputs)) {
        llvm::outs() << "@" << name << " chunk " << chunk << "\n";
        for (auto &[tensor, value] : tensors)
          print(tensor, value, llvm::outs());
      }
    }
    if (!found && !function.empty()) {
      getOperation().emitError() << "no function named '" << function << "'";
      signalPassFailure();
    }
  }

  Option<int64_t> frames{*this, "frames", llvm::cl::desc("Frames of a chunk"), llvm::cl::init(4)};
  Option<int64_t> streams{*this, "streams", llvm::cl::desc("Streams of what has no number of its own"),
                          llvm::cl::init(2)};
  Option<int64_t> chunks{*this, "chunks", llvm::cl::desc("Calls, one after the other"), llvm::cl::init(3)};
  Option<int64_t> seed{*this, "seed", llvm::cl::desc("Seed of the inputs"), llvm::cl::init(0)};
  Option<std::string> function{*this, "function", llvm::cl::desc("The only function to run; empty: all")};
};
} // namespace

namespace {
struct TestGradientsPass : PassWrapper<TestGradientsPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(TestGradientsPass)

  StringRef getArgument() const final { return "test-rnn-gradients"; }
  StringRef getDescription() const final {
    return "Compare the results grad.<parameter> of every train step with central differences of its loss";
  }

  void runOnOperation() final {
    for (auto function : getOperation().getOps<RNNFunctionInterface>()) {
      if (function.getFunctionKind() != FunctionKind::Train)
        continue;
      FailureOr<std::optional<std::string>> difference = checkGradients(function, ProbeOptions());
      if (failed(difference))
        return signalPassFailure();
      if (*difference) {
        function->emitError() << "'@" << getFunctionName(function) << "' has a wrong gradient: " << **difference;
        return signalPassFailure();
      }
    }
  }
};
} // namespace

void rnn::registerTestInterpretPasses() {
  PassRegistration<TestInterpretPass>();
  PassRegistration<TestGradientsPass>();
}

//===----------------------------------------------------------------------===//
// --test-rnn-interpret-each
//===----------------------------------------------------------------------===//

namespace {
class InterpretEach : public PassInstrumentation {
public:
  InterpretEach(bool &failed, std::map<std::string, int64_t> *checked) : hasFailed(failed), checked(checked) {}

  void runBeforePass(Pass *pass, Operation *op) override {
    if (auto module = dyn_cast<ModuleOp>(op); module && !hasStarted) {
      hasStarted = true;
      check(module, "");
    }
  }
  void runAfterPass(Pass *pass, Operation *op) override {
    StringRef name = pass->getArgument().empty() ? pass->getName() : pass->getArgument();
    // A phase is its passes.
    if (auto module = dyn_cast<ModuleOp>(op); module && name != "rnn-run-phase")
      check(module, name);
  }

private:
  /// A function as it was when it could first be run.
  struct Baseline {
    OwningOpRef<ModuleOp> module;
    std::map<int64_t, SmallVector<TensorMap>> outputs; ///< By number of streams.
  };

  void check(ModuleOp module, StringRef pass) {
    // What a pass leaves as it was gives what it gave.
    OperationFingerPrint print(module);
    isSame = before && *before == print;
    before = print;
    for (auto function : module.getOps<RNNFunctionInterface>())
      if (isInterpretable(function) && failed(checkFunction(function, pass)))
        hasFailed = true;
  }

  LogicalResult checkFunction(RNNFunctionInterface function, StringRef pass) {
    StringRef name = getFunctionName(function);
    auto [it, isNew] = baselines.try_emplace(name);
    Baseline &baseline = it->second;
    if (isNew)
      baseline.module = function->getParentOfType<ModuleOp>().clone();
    ProbeOptions options;
    options.streams = getProbeStreams(function, options);
    auto original = cast<RNNFunctionInterface>(SymbolTable::lookupSymbolIn(*baseline.module, name));
    options.chunks += getProbeHistory(original);
    auto [outputs, isFirst] = baseline.outputs.try_emplace(options.streams);
    if (isFirst) {
      FailureOr<SmallVector<TensorMap>> expected = probe(original, options);
      if (failed(expected))
        return failure();
      outputs->second = std::move(*expected);
    }
    if (isNew)
      return success();
    if (checked)
      ++(*checked)[pass.str()];
    if (isSame)
      return success();
    FailureOr<SmallVector<TensorMap>> found = probe(function, options);
    if (failed(found))
      return function->emitError() << "'@" << name << "' cannot be interpreted after '" << pass << "'";
    for (auto [chunk, expected, got] : llvm::enumerate(outputs->second, *found))
      if (std::optional<std::string> difference = findDifference(expected, got))
        return function->emitError() << "'" << pass << "' changed '@" << name << "' in chunk " << chunk << ": "
                                     << *difference;
    return success();
  }

  bool &hasFailed;
  std::map<std::string, int64_t> *checked;
  bool hasStarted = false, isSame = false;
  std::optional<OperationFingerPrint> before;
  llvm::StringMap<Baseline> baselines;
};
} // namespace

std::unique_ptr<PassInstrumentation> rnn::createInterpretEachInstrumentation(bool &failed,
                                                                             std::map<std::string, int64_t> *checked) {
  return std::make_unique<InterpretEach>(failed, checked);
}
