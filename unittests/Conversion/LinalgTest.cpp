//===- LinalgTest.cpp - The exit to linalg against the interpreter ----------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Networks and steps go through rnn-to-linalg and stock passes and run; the
// interpreter runs the graphs. With streams=0 one compiled module serves any
// number of streams. RNN_TEST_MODULES, a list of files separated by ':', adds
// modules.
//
//===----------------------------------------------------------------------===//

#include "LinalgRunner.h"
#include "NativeCode.h"
#include "rnn/Interpreter/Probe.h"
#include "rnn/Pipelines/Pipelines.h"

#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/Transforms/FuncBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Linalg/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/SCF/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "gtest/gtest.h"

#include <fstream>
#include <sstream>

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::test;

namespace {

/// The first difference between two maps in any tensor, states and rings included.
std::optional<std::string> findAnyDifference(const TensorMap &expected, const TensorMap &found) {
  constexpr double kTolerance = 1e-11;
  auto isState = [](StringRef name) { return name.starts_with("state.") || name.starts_with("ring."); };
  TensorMap expectedStates, foundStates;
  for (auto &[name, tensor] : expected) {
    auto it = found.find(name);
    if (it == found.end()) {
      if (isState(name))
        return "'" + name + "' is no result";
    } else if (isState(name)) {
      expectedStates["session " + name] = tensor;
      foundStates["session " + name] = it->second;
    }
  }
  if (auto difference = findDifference(expected, found, kTolerance))
    return difference;
  return findDifference(expectedStates, foundStates, kTolerance);
}

/// Compiles `text` for `streams` streams (0: any) and runs all its functions with each number of `counts`. Returns the
/// first difference from the interpreter.
std::string compare(const std::string &text, const std::string &mode, int64_t streams, ArrayRef<int64_t> counts) {
  std::unique_ptr<MLIRContext> context = makeContext();
  DialectRegistry registry;
  arith::registerBufferizableOpInterfaceExternalModels(registry);
  bufferization::func_ext::registerBufferizableOpInterfaceExternalModels(registry);
  linalg::registerBufferizableOpInterfaceExternalModels(registry);
  scf::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerBufferizableOpInterfaceExternalModels(registry);
  context->appendDialectRegistry(registry);
  std::string messages;
  ScopedDiagnosticHandler handler(context.get(), [&](Diagnostic &diagnostic) {
    messages += diagnostic.str() + "\n";
    return success();
  });

  OwningOpRef<ModuleOp> graphs = parseSourceString<ModuleOp>(text, context.get());
  if (!graphs)
    return messages;
  ToLinalgOptions options;
  options.type = "f64";
  options.mode = mode;
  options.streams = streams;
  PassManager toGradient(context.get());
  buildToGradientPipeline(toGradient, options);
  if (failed(toGradient.run(*graphs)))
    return messages;
  OwningOpRef<ModuleOp> lowered = graphs->clone();
  PassManager toLinalg(context.get());
  buildToLinalgPipeline(toLinalg, options);
  if (failed(toLinalg.run(*lowered)))
    return messages;
  if (getenv("RNN_TEST_VERBOSE"))
    lowered->dump();
  LinalgRunner runner(*lowered);
  if (!runner.isValid())
    return "does not compile\n" + messages;

  for (auto function : graphs->getOps<RNNFunctionInterface>()) {
    std::string name = SymbolTable::getSymbolName(function).str();
    for (int64_t count : counts) {
      ProbeOptions probed;
      probed.streams = count;
      FailureOr<SmallVector<TensorMap>> expected = probe(function, probed);
      if (failed(expected))
        return "is not interpretable\n" + messages;
      TensorMap found;
      for (int64_t chunk = 0; chunk < probed.chunks; ++chunk) {
        TensorMap inputs = getProbeInputs(function, probed, chunk);
        // Each chunk goes on from what the code has left, as the probe does.
        for (auto &[output, tensor] : found)
          inputs[output] = tensor;
        if (chunk == 2)
          for (const char *age : {"state.age", "ring.age"})
            if (auto it = inputs.find(age); it != inputs.end())
              for (int64_t i = 0; i < it->second.size(); i += count)
                it->second.integers()[i] = -1;
        found.clear();
        std::string problem =
            runner.run(name, getAbi(function, count), inputs, getProbeFrames(function, probed, chunk), count, found);
        if (problem.empty())
          if (auto difference = findAnyDifference((*expected)[chunk], found))
            problem = *difference;
        if (!problem.empty())
          return "@" + name + ", " + std::to_string(count) + " streams, chunk " + std::to_string(chunk) + ": " +
                 problem + "\n" + messages;
      }
    }
  }
  return "";
}

const char *kLstm = R"(
rnn.parameter @wx : tensor<20x3xf32> init(#rnn.zeros)
rnn.parameter @wh : tensor<20x5xf32> init(#rnn.zeros)
rnn.parameter @b : tensor<20xf32> init(#rnn.zeros)
rnn.network @lstm(%x: tensor<3xf32>) -> (h: tensor<5xf32>, c: tensor<5xf32>) {
  %h, %c = rnn.lstm "l0" %x wx(@wx) wh(@wh) b(@b) : tensor<3xf32> -> tensor<5xf32>
  rnn.output %h, %c : tensor<5xf32>, tensor<5xf32>
})";

/// Delays of both signs, inits, resets, scalars, and values per stream.
const char *kDelays = R"(
rnn.parameter @w : tensor<5x5xf32> init(#rnn.zeros)
rnn.parameter @first : tensor<5xf32> init(#rnn.zeros)
rnn.network @delays(%r: tensor<i1> {rnn.reset}, %x: tensor<5xf32>, %y: tensor<f32>, %g: tensor<5xf32> {rnn.rate = "stream"})
    -> (h: tensor<5xf32>, back: tensor<5xf32>, late: tensor<5xf32>, soon: tensor<f32>, sum: tensor<f32>,
        perStream: tensor<5xf32> {rnn.rate = "stream"}, total: tensor<5xf32> {rnn.rate = "static"}) {
  %w = rnn.param @w : tensor<5x5xf32>
  %first = rnn.param @first : tensor<5xf32>
  %h1 = rnn.delay %h by 1 init(%first) : tensor<5xf32>
  %h6 = rnn.delay %h by 6 : tensor<5xf32>
  %u = rnn.linear %h1, %w : (tensor<5xf32>, tensor<5x5xf32>) -> tensor<5xf32>
  %gx = arith.mulf %g, %x : tensor<5xf32>
  %s = rnn.sum %gx, %u, %h6 : tensor<5xf32>
  %h = math.tanh %s : tensor<5xf32>
  %next = rnn.delay %back by -2 : tensor<5xf32>
  %half = arith.constant dense<0.5> : tensor<5xf32>
  %damped = arith.mulf %next, %half : tensor<5xf32>
  %back = rnn.sum %h, %damped : tensor<5xf32>
  %late = rnn.delay %x by 2 init(%g) : tensor<5xf32>
  %soon = rnn.delay %y by -1 : tensor<f32>
  %sum1 = rnn.delay %sum by 1 : tensor<f32>
  %sum = arith.addf %sum1, %y : tensor<f32>
  %perStream = rnn.sum_frames %h {sum_to = #rnn.rate<stream>} : tensor<5xf32>
  %total = rnn.sum_frames %back : tensor<5xf32>
  rnn.output %h, %back, %late, %soon, %sum, %perStream, %total : tensor<5xf32>, tensor<5xf32>, tensor<5xf32>, tensor<f32>, tensor<f32>, tensor<5xf32>, tensor<5xf32>
})";

/// Everything that changes shapes.
const char *kShapes = R"(
rnn.parameter @p : tensor<4x6xf32> init(#rnn.zeros)
rnn.parameter @emb : tensor<3x7xf32> init(#rnn.zeros)
rnn.network @shapes(%x: tensor<4xf32>, %y: tensor<6xf32>, %i: tensor<2xi32>, %k: tensor<i32>, %z: tensor<2x7xf32>)
    -> (a: tensor<4x6xf32>, b: tensor<10xf32>, c: tensor<4xf32>, d: tensor<2x7xf32>, e: tensor<3x7xf32>, f: tensor<7xf32>,
        g: tensor<4x6xf32>, h: tensor<24xf32>, l: tensor<6x4xf32>, m: tensor<3xf32>, n: tensor<2x3x4xf32>) {
  %p = rnn.param @p : tensor<4x6xf32>
  %emb = rnn.param @emb : tensor<3x7xf32>
  %xs = rnn.broadcast %x along [1] : tensor<4xf32> to tensor<4x6xf32>
  %ys = rnn.broadcast %y along [0] : tensor<6xf32> to tensor<4x6xf32>
  %xy = arith.mulf %xs, %ys : tensor<4x6xf32>
  %a = arith.addf %xy, %p : tensor<4x6xf32>
  %b = tensor.concat dim(0) %x, %y : (tensor<4xf32>, tensor<6xf32>) -> tensor<10xf32>
  %c = rnn.reduce max %a over [1] : tensor<4x6xf32> to tensor<4xf32>
  %d = rnn.gather %emb, %i : (tensor<3x7xf32>, tensor<2xi32>) -> tensor<2x7xf32>
  %e = rnn.scatter_add %z, %i : (tensor<2x7xf32>, tensor<2xi32>) -> tensor<3x7xf32>
  %f = rnn.gather %emb, %k : (tensor<3x7xf32>, tensor<i32>) -> tensor<7xf32>
  %part = tensor.extract_slice %a[1, 2] [2, 3] [1, 1] : tensor<4x6xf32> to tensor<2x3xf32>
  %g = tensor.insert_slice %part into %p[0, 1] [2, 3] [2, 1] : tensor<2x3xf32> into tensor<4x6xf32>
  %turned = rnn.contract %a, %x [(d0, d1) -> (d1, d0), (d0, d1) -> (d1), (d0, d1) -> (d1, d0)] : (tensor<4x6xf32>, tensor<4xf32>) -> tensor<4x6xf32>
  %h = tensor.collapse_shape %turned [[0, 1]] : tensor<4x6xf32> into tensor<24xf32>
  %s = rnn.sigmoid %h : tensor<24xf32>
  %l = tensor.expand_shape %s [[0, 1]] output_shape [6, 4] : tensor<24xf32> into tensor<6x4xf32>
  %m = tensor.extract_slice %a[2, 0] [1, 3] [1, 2] : tensor<4x6xf32> to tensor<3xf32>
  %n = tensor.expand_shape %h [[0, 1, 2]] output_shape [2, 3, 4] : tensor<24xf32> into tensor<2x3x4xf32>
  rnn.output %a, %b, %c, %d, %e, %f, %g, %h, %l, %m, %n : tensor<4x6xf32>, tensor<10xf32>, tensor<4xf32>, tensor<2x7xf32>, tensor<3x7xf32>, tensor<7xf32>, tensor<4x6xf32>, tensor<24xf32>, tensor<6x4xf32>, tensor<3xf32>, tensor<2x3x4xf32>
})";

/// Steps: one whose window is its chunk, with a look ahead; one that goes back over older frames. Tables, resets,
/// masks.
const char *kSteps = R"(
rnn.parameter @emb : tensor<20x5xf32> init(#rnn.zeros)
rnn.parameter @wh : tensor<20x5xf32> init(#rnn.zeros)
rnn.parameter @v : tensor<3x5xf32> init(#rnn.zeros)
rnn.network @net(%r: tensor<i1> {rnn.reset}, %x: tensor<i32>, %target: tensor<i32>) -> (logits: tensor<3xf32>, nll: tensor<f32>) {
  %emb = rnn.param @emb : tensor<20x5xf32>
  %wh = rnn.param @wh : tensor<20x5xf32>
  %v = rnn.param @v : tensor<3x5xf32>
  %turned = rnn.contract %emb, %one [(d0, d1) -> (d0, d1), (d0, d1) -> (), (d0, d1) -> (d1, d0)] : (tensor<20x5xf32>, tensor<f32>) -> tensor<5x20xf32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %gx = rnn.gather %turned, %x : (tensor<5x20xf32>, tensor<i32>) -> tensor<20xf32>
  %h1 = rnn.delay %h by 1 : tensor<5xf32>
  %gh = rnn.linear %h1, %wh : (tensor<5xf32>, tensor<20x5xf32>) -> tensor<20xf32>
  %gates = rnn.sum %gx, %gh : tensor<20xf32>
  %i0 = tensor.extract_slice %gates[0] [5] [1] : tensor<20xf32> to tensor<5xf32>
  %f0 = tensor.extract_slice %gates[5] [5] [1] : tensor<20xf32> to tensor<5xf32>
  %g0 = tensor.extract_slice %gates[10] [5] [1] : tensor<20xf32> to tensor<5xf32>
  %o0 = tensor.extract_slice %gates[15] [5] [1] : tensor<20xf32> to tensor<5xf32>
  %i = rnn.sigmoid %i0 : tensor<5xf32>
  %f = rnn.sigmoid %f0 : tensor<5xf32>
  %g = math.tanh %g0 : tensor<5xf32>
  %o = rnn.sigmoid %o0 : tensor<5xf32>
  %c1 = rnn.delay %c by 1 : tensor<5xf32>
  %keep = arith.mulf %f, %c1 : tensor<5xf32>
  %write = arith.mulf %i, %g : tensor<5xf32>
  %c = arith.addf %keep, %write : tensor<5xf32>
  %tc = math.tanh %c : tensor<5xf32>
  %h = arith.mulf %o, %tc : tensor<5xf32>
  %logits = rnn.linear %h, %v : (tensor<5xf32>, tensor<3x5xf32>) -> tensor<3xf32>
  %nll = rnn.softmax_cross_entropy %logits, %target : (tensor<3xf32>, tensor<i32>) -> tensor<f32>
  rnn.output %logits, %nll : tensor<3xf32>, tensor<f32>
}
rnn.network @ahead(%x: tensor<5xf32>) -> (mse: tensor<f32>) {
  %v = rnn.param @v : tensor<3x5xf32>
  %later = rnn.delay %x by -1 : tensor<5xf32>
  %b1 = rnn.delay %b by -2 : tensor<3xf32>
  %u = rnn.linear %later, %v : (tensor<5xf32>, tensor<3x5xf32>) -> tensor<3xf32>
  %s = rnn.sum %u, %b1 : tensor<3xf32>
  %b = math.tanh %s : tensor<3xf32>
  %square = arith.mulf %b, %b : tensor<3xf32>
  %mse = rnn.reduce sum %square over [0] : tensor<3xf32> to tensor<f32>
  rnn.output %mse : tensor<f32>
}
rnn.train_step @step of @net loss("nll" mean) optimizer(#rnn.adam<lr = 0.01>) clip<norm = 1.0> bptt<window = 6, advance = 3>
rnn.train_step @look of @ahead loss("mse" mean) optimizer(#rnn.sgd<lr = 0.1>)
)";

class LinalgTest : public ::testing::TestWithParam<const char *> {};

TEST_P(LinalgTest, OneModuleRunsAnyNumberOfStreams) {
  for (const char *mode : {"split", "sequential"})
    EXPECT_EQ(compare(GetParam(), mode, 0, {1, 2, 5}), "") << mode;
}

TEST_P(LinalgTest, AFixedNumberOfStreams) {
  for (const char *mode : {"split", "sequential"})
    for (int64_t streams : {1, 3})
      EXPECT_EQ(compare(GetParam(), mode, streams, {streams}), "") << mode << ", " << streams;
}

INSTANTIATE_TEST_SUITE_P(Networks, LinalgTest, ::testing::Values(kLstm, kDelays, kShapes, kSteps));

TEST(LinalgFiles, MatchTheInterpreter) {
  const char *list = getenv("RNN_TEST_MODULES");
  std::stringstream files(list ? list : "");
  std::string file;
  while (std::getline(files, file, ':')) {
    std::stringstream text;
    text << std::ifstream(file).rdbuf();
    for (const char *mode : {"split", "sequential"})
      EXPECT_EQ(compare(text.str(), mode, 0, {1, 3}), "") << file << ", " << mode;
  }
}

} // namespace
