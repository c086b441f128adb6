//===- GeneratedKernelsTest.cpp - Faults in generated kernels are found out ---===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The kernels of small networks, as the compiler makes them, with one fault each.
// Every one must be found by what finds faults in our other tests: results that
// are not the interpreter's, or not the same for all orders of threads, a stall,
// lanes that part ways, or a race that ThreadSanitizer sees (RNNRaceTests, of the
// same source). What cannot be found, since it makes no difference, is listed with
// the reason.
//
// RNN_TEST_MUTANTS=1 prints how each was found.
//
//===----------------------------------------------------------------------===//

#include "../Conversion/ScheduleRunner.h"
#include "Mutants.h"
#include "Races.h"

#include "rnn/Dialect/RNN/Schedule/Passes.h"
#include "rnn/Pipelines/Pipelines.h"

#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::test;

// A thread costs ThreadSanitizer much; races show in any order.
constexpr int64_t kOrders = kFindsRaces ? 1 : 4, kFrames = kFindsRaces ? 9 : 21;

namespace {

/// A loop whose units publish one element each, with streams that begin anew.
const char *kOne = R"(
rnn.parameter @wx : tensor<64x40xf32> init(#rnn.zeros)
rnn.parameter @wh : tensor<64x64xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<40xf32>, %r: tensor<i1> {rnn.reset}) -> (h: tensor<64xf32>) {
  %wx = rnn.param @wx : tensor<64x40xf32>
  %wh = rnn.param @wh : tensor<64x64xf32>
  %h1 = rnn.delay %h by 1 : tensor<64xf32>
  %gx = rnn.linear %x, %wx : (tensor<40xf32>, tensor<64x40xf32>) -> tensor<64xf32>
  %gh = rnn.linear %h1, %wh : (tensor<64xf32>, tensor<64x64xf32>) -> tensor<64xf32>
  %g = rnn.sum %gx, %gh : tensor<64xf32>
  %h = math.tanh %g : tensor<64xf32>
  rnn.output %h : tensor<64xf32>
})";

/// Units publish two elements each, and time runs backwards, as in an adjoint.
const char *kTwo = R"(
rnn.parameter @w : tensor<64x128xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<64xf32>) -> (p: tensor<64xf32>, q: tensor<64xf32>) {
  %w = rnn.param @w : tensor<64x128xf32>
  %both = tensor.concat dim(0) %p, %q : (tensor<64xf32>, tensor<64xf32>) -> tensor<128xf32>
  %next = rnn.delay %both by -1 : tensor<128xf32>
  %g = rnn.linear %next, %w : (tensor<128xf32>, tensor<64x128xf32>) -> tensor<64xf32>
  %s = rnn.sum %g, %x : tensor<64xf32>
  %p = math.tanh %s : tensor<64xf32>
  %q = rnn.sigmoid %s : tensor<64xf32>
  rnn.output %p, %q : tensor<64xf32>, tensor<64xf32>
})";

/// As the first, on tensor cores: units publish pairs of bf16, two for one.
const char *kRounded = R"(
rnn.parameter @wh : tensor<32x32xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<32xf32>, %r: tensor<i1> {rnn.reset}) -> (h: tensor<32xf32>) {
  %wh = rnn.param @wh : tensor<32x32xf32>
  %h1 = rnn.delay %h by 1 : tensor<32xf32>
  %gh = rnn.contract %wh, %h1 [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] round_to bf16
    : (tensor<32x32xf32>, tensor<32xf32>) -> tensor<32xf32>
  %g = rnn.sum %x, %gh : tensor<32xf32>
  %h = math.tanh %g : tensor<32xf32>
  rnn.output %h : tensor<32xf32>
})";

/// Two exchanges per frame: of the last frame and of this one.
const char *kStages = R"(
rnn.parameter @w1 : tensor<32x32xf32> init(#rnn.zeros)
rnn.parameter @w2 : tensor<32x32xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<32xf32>, %r: tensor<i1> {rnn.reset}) -> (h: tensor<32xf32>) {
  %w1 = rnn.param @w1 : tensor<32x32xf32>
  %w2 = rnn.param @w2 : tensor<32x32xf32>
  %h1 = rnn.delay %h by 1 : tensor<32xf32>
  %a = rnn.linear %h1, %w1 : (tensor<32xf32>, tensor<32x32xf32>) -> tensor<32xf32>
  %s = rnn.sum %a, %x : tensor<32xf32>
  %t = math.tanh %s : tensor<32xf32>
  %b = rnn.linear %t, %w2 : (tensor<32xf32>, tensor<32x32xf32>) -> tensor<32xf32>
  %h = math.tanh %b : tensor<32xf32>
  rnn.output %h : tensor<32xf32>
})";

/// Reductions over all units: of the last frame, before the product, and of this one after it.
const char *kReductions = R"(
rnn.parameter @wh : tensor<64x64xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<64xf32>, %r: tensor<i1> {rnn.reset}) -> (h: tensor<64xf32>) {
  %quarter = arith.constant dense<0.25> : tensor<f32>
  %count = arith.constant dense<64.0> : tensor<f32>
  %wh = rnn.param @wh : tensor<64x64xf32>
  %h1 = rnn.delay %h by 1 : tensor<64xf32>
  %c1 = rnn.delay %c by 1 : tensor<64xf32>
  %most = rnn.reduce max %c1 over [0] : tensor<64xf32> to tensor<f32>
  %gh = rnn.linear %h1, %wh : (tensor<64xf32>, tensor<64x64xf32>) -> tensor<64xf32>
  %some = arith.mulf %quarter, %most : tensor<f32>
  %all = rnn.broadcast %some along [0] : tensor<f32> to tensor<64xf32>
  %c = rnn.sum %x, %gh, %all : tensor<64xf32>
  %sum = rnn.reduce sum %c over [0] : tensor<64xf32> to tensor<f32>
  %mean = arith.divf %sum, %count : tensor<f32>
  %means = rnn.broadcast %mean along [0] : tensor<f32> to tensor<64xf32>
  %s = arith.subf %c, %means : tensor<64xf32>
  %h = math.tanh %s : tensor<64xf32>
  rnn.output %h : tensor<64xf32>
})";

/// Elements that belong to no units: op by op.
const char *kNoUnits = R"(
rnn.parameter @w : tensor<33x40xf32> init(#rnn.zeros)
rnn.parameter @v : tensor<40x33xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<40xf32>, %r: tensor<i1> {rnn.reset}) -> (h: tensor<40xf32>) {
  %w = rnn.param @w : tensor<33x40xf32>
  %v = rnn.param @v : tensor<40x33xf32>
  %h1 = rnn.delay %h by 1 : tensor<40xf32>
  %a = rnn.linear %h1, %w : (tensor<40xf32>, tensor<33x40xf32>) -> tensor<33xf32>
  %t = math.tanh %a : tensor<33xf32>
  %b = rnn.linear %t, %v : (tensor<33xf32>, tensor<40x33xf32>) -> tensor<40xf32>
  %s = rnn.sum %b, %x : tensor<40xf32>
  %h = math.tanh %s : tensor<40xf32>
  rnn.output %h : tensor<40xf32>
})";

struct Case {
  const char *name, *text, *regime;
  int64_t streams = 0; ///< 0: as many as others have
};

void PrintTo(const Case &what, std::ostream *out) { *out << what.name; }

class GeneratedKernels : public ::testing::TestWithParam<Case> {
protected:
  void SetUp() override {
    context = makeContext();
    handler = std::make_unique<ScopedDiagnosticHandler>(context.get(), [&](Diagnostic &diagnostic) {
      messages += diagnostic.str() + "\n";
      return success();
    });
    module = parseSourceString<ModuleOp>(GetParam().text, context.get());
    ASSERT_TRUE(module) << messages;
    options.frames = kFrames;
    options.chunks = 2;
    if (GetParam().streams)
      options.streams = GetParam().streams;
    PassManager manager(context.get());
    buildToGraphPipeline(manager, {});
    PartitionOptions partition;
    partition.streams = options.streams;
    manager.addPass(createPartition(partition));
    manager.addPass(createPlanMemory());
    ASSERT_TRUE(succeeded(manager.run(*module))) << messages;
    schedule = *module->getOps<ScheduleOp>().begin();
    auto function = cast<RNNFunctionInterface>(schedule.getOperation());
    FailureOr<SmallVector<TensorMap>> outputs = probe(function, options);
    ASSERT_TRUE(succeeded(outputs)) << messages;
    // The second chunk begins with what the first has left.
    inputs = getProbeInputs(function, options, 1);
    for (auto &[name, tensor] : outputs->front())
      inputs[name] = tensor;
    frames = getProbeFrames(function, options, 1);
    expected = outputs->back();
    // Few blocks: races of many threads are missed.
    ConvertRNNToGPUOptions kernels;
    kernels.regime = GetParam().regime;
    kernels.multiprocessors = 4;
    runner = std::make_unique<EmulatorRunner>(*module, kernels, mutantTarget());
    ASSERT_TRUE(runner->isValid()) << messages;
  }

  /// Runs in some orders of threads. `judge` looks at the outputs of each run and says what is wrong with them. Returns
  /// what is wrong first, or an empty text.
  std::string findFault(function_ref<std::string(const TensorMap &)> judge) {
    for (int64_t seed = 1; seed <= kOrders; ++seed) {
      const int64_t before = getRaces().races;
      TensorMap outputs;
      std::string problem;
      {
        Quiet quiet;
        problem = runner->run(0, schedule, inputs, frames, seed, outputs);
      }
      if (!problem.empty())
        return problem.substr(0, problem.find('\n'));
      if (std::string wrong = judge(outputs); !wrong.empty())
        return wrong;
      // Lanes and warps that compute the same element store it with one instruction, several times the same value: that
      // is how loops by units are made. If the values differ, results show it.
      if (getRaces().races > before)
        return "race";
    }
    return "";
  }

  /// Compares all results with the interpreter's and with those of other orders.
  std::string findWrongResults() {
    TensorMap first;
    return findFault([&](const TensorMap &outputs) -> std::string {
      if (auto difference = findDifference(expected, outputs, 2e-5))
        return "wrong results: " + *difference;
      if (first.empty())
        first = outputs;
      return isSame(first, outputs) ? "" : "other bits in another order";
    });
  }

  /// Compares what the changed kernel leaves in memory with `right`; takes it if it is empty.
  std::string findWrongMemory(EmulatorRunner::Memory &right) {
    return findFault([&](const TensorMap &) -> std::string {
      if (right.empty())
        right = runner->getMemory();
      return right == runner->getMemory() ? "" : "wrong results";
    });
  }

  std::unique_ptr<MLIRContext> context;
  std::string messages;
  std::unique_ptr<ScopedDiagnosticHandler> handler;
  OwningOpRef<ModuleOp> module;
  ScheduleOp schedule;
  ProbeOptions options;
  TensorMap inputs, expected;
  int64_t frames = 0;
  std::unique_ptr<EmulatorRunner> runner;
};

/// What makes no difference, with the reason.
struct Equivalent {
  const char *test, *kernel, *mutant, *reason;
};

const char *kFirstSlice = "a mask of the product's first slice, which lies inside; those of the next ones are found";
const char *kClusterFollows = "the barrier of the cluster that follows is one of its blocks, too";
const char *kAllHasCome = "a block has waited for all that others send to it before it comes there";
const char *kTold =
    "a lane's own message of the other exchange tells that it has read, before anybody writes there again";
const char *kNoSuchResult = "no result of these inputs has the bits of a word that is not there yet";

const char *kTooEarly =
    "it only keeps warps that own no elements from polling too early; the words themselves order the frames";
const char *kCombined =
    "every lane's part is in the words of a reduction, which all have waited for before anybody writes there again";
const char *kReductionFollows = "the barrier of a reduction follows before anybody reads what the others have written";

const Equivalent kEquivalents[] = {
    {"OneInABlock", "rnn_fn_0_k1", "mask 0", kFirstSlice},
    {"OneInABlock", "rnn_fn_0_k1", "mask 1", kFirstSlice},
    {"OneInABlock", "rnn_fn_0_k1", "mask 2", kFirstSlice},
    {"OneInABlock", "rnn_fn_0_k1", "mask 3", kFirstSlice},
    {"OneAcrossBlocks", "rnn_fn_0_k1", "mask 0", kFirstSlice},
    {"OneAcrossBlocks", "rnn_fn_0_k1", "mask 1", kFirstSlice},
    {"OneAcrossBlocks", "rnn_fn_0_k1", "mask 2", kFirstSlice},
    {"OneAcrossBlocks", "rnn_fn_0_k1", "mask 3", kFirstSlice},
    {"OneAcrossBlocks", "rnn_fn_0_k3", "sentinel 0", kNoSuchResult},
    {"OneAcrossBlocks", "rnn_fn_0_k3", "barrier 2", kTooEarly},
    {"TwoAcrossBlocks", "rnn_fn_0_k2", "sentinel 0", kNoSuchResult},
    {"TwoAcrossBlocks", "rnn_fn_0_k2", "sentinel 1", kNoSuchResult},
    {"OnTensorCores", "rnn_fn_0_k2", "parity 0", "those who write and those who read find their places by it"},
    {"OneInACluster", "rnn_fn_0_k1", "mask 0", kFirstSlice},
    {"OneInACluster", "rnn_fn_0_k1", "mask 1", kFirstSlice},
    {"OneInACluster", "rnn_fn_0_k1", "mask 2", kFirstSlice},
    {"OneInACluster", "rnn_fn_0_k1", "mask 3", kFirstSlice},
    {"OneInACluster", "rnn_fn_0_k2", "barrier 0", kClusterFollows},
    {"OneInACluster", "rnn_fn_0_k2", "cluster barrier 1", kAllHasCome},
    {"OneInACluster", "rnn_fn_0_k2", "narrow barrier 1", kAllHasCome},
    {"TwoInACluster", "rnn_fn_0_k1", "barrier 0", kClusterFollows},
    {"TwoInACluster", "rnn_fn_0_k1", "cluster barrier 1", kAllHasCome},
    {"TwoInACluster", "rnn_fn_0_k1", "narrow barrier 1", kAllHasCome},
    {"StagesInACluster", "rnn_fn_0_k1", "barrier 0", kClusterFollows},
    {"StagesInACluster", "rnn_fn_0_k1", "cluster barrier 1", kAllHasCome},
    {"StagesInACluster", "rnn_fn_0_k1", "narrow barrier 1", kAllHasCome},
    {"StagesInACluster", "rnn_fn_0_k1", "barrier 1", kTold},
    {"StagesInACluster", "rnn_fn_0_k1", "barrier 2", kTold},
    {"ReductionsInABlock", "rnn_fn_0_k1", "barrier 0", kReductionFollows},
    {"ReductionsInABlock", "rnn_fn_0_k1", "barrier 3", kReductionFollows},
    {"ReductionsAcrossBlocks", "rnn_fn_0_k2", "sentinel 0", kNoSuchResult},
    {"ReductionsAcrossBlocks", "rnn_fn_0_k2", "sentinel 1", kNoSuchResult},
    {"ReductionsAcrossBlocks", "rnn_fn_0_k2", "sentinel 2", kNoSuchResult},
    {"ReductionsAcrossBlocks", "rnn_fn_0_k2", "barrier 0", kTooEarly},
    {"ReductionsAcrossBlocks", "rnn_fn_0_k2", "barrier 3", kTooEarly},
    {"ReductionsAcrossBlocks", "rnn_fn_0_k2", "wait 1",
     "a reduction has waited for words that each block writes behind its elements; only a GPU may show them before"},
    {"ReductionsInACluster", "rnn_fn_0_k1", "barrier 0", kClusterFollows},
    {"ReductionsInACluster", "rnn_fn_0_k1", "barrier 1", kCombined},
    {"ReductionsInACluster", "rnn_fn_0_k1", "barrier 2", kCombined},
    {"ReductionsInACluster", "rnn_fn_0_k1", "barrier 3", kCombined},
    {"ReductionsInACluster", "rnn_fn_0_k1", "cluster barrier 1", kAllHasCome},
    {"ReductionsInACluster", "rnn_fn_0_k1", "narrow barrier 1", kAllHasCome},
};

std::string findReason(StringRef test, StringRef kernel, StringRef mutant) {
  for (const Equivalent &entry : kEquivalents)
    if (test == entry.test && kernel == entry.kernel && mutant == entry.mutant)
      return entry.reason;
  return "";
}

TEST_P(GeneratedKernels, FaultsAreFound) {
  if (!kFindsRaces) {
    ASSERT_EQ(findWrongResults(), "");
  }
  // The preset of words that blocks wait for shows only where other bytes were before.
  runner->setFill(0x7f);
  ASSERT_EQ(findWrongResults(), "");
  auto check = [&](const std::string &kernel, const std::string &mutant, const std::string &found) {
    if (getenv("RNN_TEST_MUTANTS"))
      llvm::outs() << kernel << " " << mutant << ": " << found << "\n";
    std::string reason = findReason(GetParam().name, kernel, mutant);
    if (reason.empty())
      EXPECT_NE(found, "") << kernel << ": " << mutant;
    else
      EXPECT_EQ(found, "") << kernel << ": " << mutant << " should make no difference: " << reason;
  };
  const bool isCluster = StringRef(GetParam().regime) == "cluster";
  for (auto [launch, kernel] : llvm::enumerate(runner->getLaunches(0))) {
    if (!kFindsRaces) {
      ASSERT_TRUE(runner->change(launch, nullptr));
      check(kernel, "left out", findWrongResults());
    }
    // What is not changed is right, in every order and without a race.
    EmulatorRunner::Memory right;
    ASSERT_TRUE(runner->change(launch, makeMutant(runner->getKernels(), kernel))) << messages;
    ASSERT_EQ(findWrongMemory(right), "") << kernel << " as it is";
    for (const Mutant &mutant : listMutants(findKernel(runner->getKernels(), kernel))) {
      // Ordinary accesses to words that blocks exchange are right on this processor, and so are warps of a cluster's
      // loop without their barrier, since shuffles hold their lanes together. All else shows without ThreadSanitizer,
      // under which a thread costs much.
      bool isRace = mutant.fault == Fault::Relaxed || (mutant.fault == Fault::Warp && isCluster);
      if (kFindsRaces != isRace)
        continue;
      ASSERT_TRUE(runner->change(launch, makeMutant(runner->getKernels(), kernel, &mutant))) << messages;
      check(kernel, mutant.name, findWrongMemory(right));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Loops, GeneratedKernels,
    ::testing::Values(Case{"OneInABlock", kOne, "block"}, Case{"OneAcrossBlocks", kOne, "grid"},
                      Case{"TwoInABlock", kTwo, "block"}, Case{"TwoAcrossBlocks", kTwo, "grid"},
                      Case{"OnTensorCores", kRounded, "grid", 6}, Case{"OneInACluster", kOne, "cluster"},
                      Case{"TwoInACluster", kTwo, "cluster"}, Case{"StagesInACluster", kStages, "cluster"},
                      Case{"ReductionsInABlock", kReductions, "block"},
                      Case{"ReductionsAcrossBlocks", kReductions, "grid"},
                      Case{"ReductionsInACluster", kReductions, "cluster"}, Case{"OpsInABlock", kNoUnits, "block"},
                      Case{"OpsAcrossBlocks", kNoUnits, "grid"}),
    [](const auto &info) { return std::string(info.param.name); });

} // namespace
