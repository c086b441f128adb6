//===- ScheduleTest.cpp - Compiled schedules against the interpreter --------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Networks and hand-written schedules, compiled and run with one and three
// threads; the interpreter is the judge. RNN_TEST_MODULES, a list of files
// separated by ':', adds modules, for instance of the random generator.
//
//===----------------------------------------------------------------------===//

#include "ScheduleRunner.h"
#include "rnn/Dialect/RNN/Schedule/Passes.h"
#include "rnn/Pipelines/Pipelines.h"

#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

#include <fstream>
#include <sstream>

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::test;

namespace {

std::string replaceAll(std::string text, const std::string &from, const std::string &to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

/// Compiles and compares a module, in f64 and in f32. Networks are partitioned
/// first. Returns the first difference.
std::string compare(const std::string &text, const ProbeOptions &options,
                    ArrayRef<const char *> regimes = {"block", "cluster", "grid"},
                    ConvertRNNToGPUOptions kernels = {}) {
  for (bool isDouble : {true, false}) {
    std::unique_ptr<MLIRContext> context = makeContext();
    std::string messages;
    ScopedDiagnosticHandler handler(context.get(), [&](Diagnostic &diagnostic) {
      messages += diagnostic.str() + "\n";
      return success();
    });
    OwningOpRef<ModuleOp> module =
        parseSourceString<ModuleOp>(isDouble ? replaceAll(text, "f32", "f64") : text, context.get());
    if (!module)
      return messages;
    PassManager manager(context.get());
    if (module->getOps<ScheduleOp>().empty()) {
      buildToGraphPipeline(manager, {});
      PartitionOptions partition;
      partition.streams = options.streams;
      manager.addPass(createPartition(partition));
    }
    // A plan of the file is one for its own type.
    manager.addPass(createPlanMemory());
    if (failed(manager.run(*module)))
      return messages;
    const double tolerance = isDouble ? 1e-11 : 2e-5;
    CpuRunner cpu(*module, testTarget(/*wide=*/!isDouble));
    std::string difference = compareSchedules(*module, cpu, options, tolerance);
    for (const char *regime : regimes) {
      if (!difference.empty())
        break;
      kernels.regime = regime;
      EmulatorRunner emulator(*module, kernels);
      difference = compareSchedules(*module, emulator, options, tolerance);
      if (!difference.empty())
        difference = "emulator, regime " + std::string(regime) + ": " + difference;
    }
    if (!difference.empty()) {
      if (getenv("RNN_TEST_VERBOSE"))
        module->dump();
      return (isDouble ? "f64 " : "f32 ") + difference + "\n" + messages;
    }
  }
  return "";
}

const char *kElementwise = R"(
rnn.network @n(%x: tensor<3x7xf32>, %i: tensor<3x7xi32>, %s: tensor<21xf32> {rnn.rate = "stream"})
    -> (a: tensor<3x7xf32>, b: tensor<21xf32>, c: tensor<3x7xi1>, d: tensor<f32>, e: tensor<2x3xf32>) {
  %half = arith.constant dense<0.5> : tensor<3x7xf32>
  %t = math.tanh %x : tensor<3x7xf32>
  %u = rnn.sigmoid %t : tensor<3x7xf32>
  %v = rnn.softplus %u : tensor<3x7xf32>
  %w = math.exp %v : tensor<3x7xf32>
  %l = math.log %w : tensor<3x7xf32>
  %l1 = math.log1p %u : tensor<3x7xf32>
  %q = math.sqrt %w : tensor<3x7xf32>
  %rq = math.rsqrt %w : tensor<3x7xf32>
  %er = math.erf %x : tensor<3x7xf32>
  %sn = math.sin %x : tensor<3x7xf32>
  %cs = math.cos %x : tensor<3x7xf32>
  %ab = math.absf %x : tensor<3x7xf32>
  %pw = math.powf %w, %half : tensor<3x7xf32>
  %mx = arith.maximumf %x, %half : tensor<3x7xf32>
  %mn = arith.minimumf %x, %half : tensor<3x7xf32>
  %a = rnn.sum %l, %l1, %q, %rq, %er, %sn, %cs, %ab, %pw, %mx, %mn : tensor<3x7xf32>
  %flat = tensor.collapse_shape %a [[0, 1]] : tensor<3x7xf32> into tensor<21xf32>
  %b = arith.mulf %flat, %s : tensor<21xf32>
  %f = arith.sitofp %i : tensor<3x7xi32> to tensor<3x7xf32>
  %c = arith.cmpf olt, %f, %x : tensor<3x7xf32>
  %sel = arith.select %c, %f, %x : tensor<3x7xi1>, tensor<3x7xf32>
  %table = arith.constant dense<[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], [0.5, 0.25, 1.5, 1.0, 2.0, 3.0, 4.0], [9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0]]> : tensor<3x7xf32>
  %weighted = arith.divf %sel, %table : tensor<3x7xf32>
  %d = rnn.reduce sum %weighted over [0, 1] : tensor<3x7xf32> to tensor<f32>
  %corner = tensor.extract_slice %a[0, 1] [2, 3] [2, 2] : tensor<3x7xf32> to tensor<2x3xf32>
  %e = math.tanh %corner : tensor<2x3xf32>
  rnn.output %a, %b, %c, %d, %e : tensor<3x7xf32>, tensor<21xf32>, tensor<3x7xi1>, tensor<f32>, tensor<2x3xf32>
})";

const char *kShapes = R"(
rnn.parameter @p : tensor<4x6xf32> init(#rnn.zeros)
rnn.parameter @emb : tensor<3x20xf32> init(#rnn.zeros)
rnn.network @n(%x: tensor<4xf32>, %y: tensor<6xf32>, %i: tensor<2xi32>, %z: tensor<2x20xf32>)
    -> (a: tensor<4x6xf32>, b: tensor<10xf32>, c: tensor<4xf32>, d: tensor<2x20xf32>, e: tensor<3x20xf32>, g: tensor<4x6xf32>,
        h: tensor<6xf32>, k: tensor<24xf32>, l: tensor<4xf32>) {
  %p = rnn.param @p : tensor<4x6xf32>
  %emb = rnn.param @emb : tensor<3x20xf32>
  %xs = rnn.broadcast %x along [1] : tensor<4xf32> to tensor<4x6xf32>
  %ys = rnn.broadcast %y along [0] : tensor<6xf32> to tensor<4x6xf32>
  %xy = arith.mulf %xs, %ys : tensor<4x6xf32>
  %a = arith.addf %xy, %p : tensor<4x6xf32>
  %b = tensor.concat dim(0) %x, %y : (tensor<4xf32>, tensor<6xf32>) -> tensor<10xf32>
  %c = rnn.reduce max %a over [1] : tensor<4x6xf32> to tensor<4xf32>
  %d = rnn.gather %emb, %i : (tensor<3x20xf32>, tensor<2xi32>) -> tensor<2x20xf32>
  %e = rnn.scatter_add %z, %i : (tensor<2x20xf32>, tensor<2xi32>) -> tensor<3x20xf32>
  %part = tensor.extract_slice %a[1, 2] [2, 3] [1, 1] : tensor<4x6xf32> to tensor<2x3xf32>
  %g = tensor.insert_slice %part into %p[0, 1] [2, 3] [2, 1] : tensor<2x3xf32> into tensor<4x6xf32>
  %h = rnn.reduce sum %a over [0] : tensor<4x6xf32> to tensor<6xf32>
  %turned = rnn.contract %a, %x [(d0, d1) -> (d1, d0), (d0, d1) -> (d1), (d0, d1) -> (d1, d0)] : (tensor<4x6xf32>, tensor<4xf32>) -> tensor<4x6xf32>
  %k = tensor.collapse_shape %turned [[0, 1]] : tensor<4x6xf32> into tensor<24xf32>
  %l = rnn.contract %a, %y [(d0, d1) -> (d0, d1), (d0, d1) -> (d1), (d0, d1) -> (d0)] : (tensor<4x6xf32>, tensor<6xf32>) -> tensor<4xf32>
  rnn.output %a, %b, %c, %d, %e, %g, %h, %k, %l : tensor<4x6xf32>, tensor<10xf32>, tensor<4xf32>, tensor<2x20xf32>, tensor<3x20xf32>, tensor<4x6xf32>, tensor<6xf32>, tensor<24xf32>, tensor<4xf32>
})";

const char *kLoops = R"(
rnn.parameter @w : tensor<40x40xf32> init(#rnn.zeros)
rnn.parameter @v : tensor<40x3xf32> init(#rnn.zeros)
rnn.parameter @first : tensor<40xf32> init(#rnn.zeros)
rnn.network @n(%x: tensor<3xf32>, %r: tensor<i1> {rnn.reset}) -> (h: tensor<40xf32>, back: tensor<40xf32>, late: tensor<3xf32>, s: tensor<40xf32>) {
  %w = rnn.param @w : tensor<40x40xf32>
  %v = rnn.param @v : tensor<40x3xf32>
  %first = rnn.param @first : tensor<40xf32>
  %h1 = rnn.delay %h by 1 init(%first) : tensor<40xf32>
  %h3 = rnn.delay %h by 3 : tensor<40xf32>
  %in = rnn.linear %x, %v : (tensor<3xf32>, tensor<40x3xf32>) -> tensor<40xf32>
  %rec = rnn.linear %h1, %w : (tensor<40xf32>, tensor<40x40xf32>) -> tensor<40xf32>
  %sum = rnn.sum %in, %rec, %h3 : tensor<40xf32>
  %h = math.tanh %sum : tensor<40xf32>
  %b1 = rnn.delay %back by -2 : tensor<40xf32>
  %half = arith.constant dense<0.5> : tensor<40xf32>
  %bs = arith.mulf %b1, %half : tensor<40xf32>
  %back = rnn.sum %h, %bs : tensor<40xf32>
  %late = rnn.delay %x by 2 : tensor<3xf32>
  %s = rnn.sum_frames %h {sum_to = #rnn.rate<stream>} : tensor<40xf32>
  rnn.output %h, %back, %late, %s : tensor<40xf32>, tensor<40xf32>, tensor<3xf32>, tensor<40xf32>
})";

// Products of all layouts: with and without whole vectors, larger and smaller than tiles.
const char *kProducts = R"(
rnn.parameter @w : tensor<72x40xf32> init(#rnn.zeros)
rnn.parameter @odd : tensor<70x37xf32> init(#rnn.zeros)
rnn.parameter @wide : tensor<37x300xf32> init(#rnn.zeros)
rnn.parameter @small : tensor<8x12xf32> init(#rnn.zeros)
rnn.network @n(%x: tensor<40xf32>, %m: tensor<5x8xf32>, %s: tensor<40xf32> {rnn.rate = "stream"}, %i: tensor<20xi32>)
    -> (a: tensor<72xf32>, b: tensor<70xf32>, c: tensor<300xf32>, d: tensor<5x12xf32>, e: tensor<72xf32>, f: tensor<12x5xf32>, g: tensor<72x72xf32>, h: tensor<9xi32>) {
  %w = rnn.param @w : tensor<72x40xf32>
  %odd = rnn.param @odd : tensor<70x37xf32>
  %wide = rnn.param @wide : tensor<37x300xf32>
  %small = rnn.param @small : tensor<8x12xf32>
  %part = tensor.extract_slice %x[3] [37] [1] : tensor<40xf32> to tensor<37xf32>
  %a = rnn.linear %x, %w : (tensor<40xf32>, tensor<72x40xf32>) -> tensor<72xf32>
  %b = rnn.linear %part, %odd : (tensor<37xf32>, tensor<70x37xf32>) -> tensor<70xf32>
  %c = rnn.contract %part, %wide [(d0, d1) -> (d1), (d0, d1) -> (d1, d0), (d0, d1) -> (d0)] : (tensor<37xf32>, tensor<37x300xf32>) -> tensor<300xf32>
  %d = rnn.contract %m, %small [(d0, d1, d2) -> (d0, d2), (d0, d1, d2) -> (d2, d1), (d0, d1, d2) -> (d0, d1)] : (tensor<5x8xf32>, tensor<8x12xf32>) -> tensor<5x12xf32>
  %e = rnn.linear %s, %w : (tensor<40xf32>, tensor<72x40xf32>) -> tensor<72xf32>
  %f = rnn.contract %small, %m [(d0, d1, d2) -> (d2, d0), (d0, d1, d2) -> (d1, d2), (d0, d1, d2) -> (d0, d1)] : (tensor<8x12xf32>, tensor<5x8xf32>) -> tensor<12x5xf32>
  %g = rnn.contract %w, %w [(d0, d1, d2) -> (d0, d2), (d0, d1, d2) -> (d1, d2), (d0, d1, d2) -> (d0, d1)] : (tensor<72x40xf32>, tensor<72x40xf32>) -> tensor<72x72xf32>
  %table = arith.constant dense<[[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
                                 [9, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
                                 [8, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
                                 [7, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
                                 [6, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
                                 [5, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
                                 [4, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
                                 [3, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
                                 [2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 2147483647]]> : tensor<9x20xi32>
  %h = rnn.linear %i, %table : (tensor<20xi32>, tensor<9x20xi32>) -> tensor<9xi32>
  rnn.output %a, %b, %c, %d, %e, %f, %g, %h : tensor<72xf32>, tensor<70xf32>, tensor<300xf32>, tensor<5x12xf32>, tensor<72xf32>, tensor<12x5xf32>, tensor<72x72xf32>, tensor<9xi32>
})";

// Sums over frames of outer products, and of frames that do not exist.
const char *kGradients = R"(
rnn.network @n(%x: tensor<100xf32>, %y: tensor<120xf32>, %z: tensor<29xf32>, %i: tensor<3xi32>)
    -> (a: tensor<100x120xf32>, b: tensor<29x100xf32>, c: tensor<29x3xf32>, d: tensor<3x3xi32>) {
  %a = rnn.contract %x, %y [(d0, d1) -> (d0), (d0, d1) -> (d1), (d0, d1) -> (d0, d1)] sum_to static : (tensor<100xf32>, tensor<120xf32>) -> tensor<100x120xf32>
  %b = rnn.contract %x, %z [(d0, d1) -> (d1), (d0, d1) -> (d0), (d0, d1) -> (d0, d1)] sum_to static : (tensor<100xf32>, tensor<29xf32>) -> tensor<29x100xf32>
  %f = arith.sitofp %i : tensor<3xi32> to tensor<3xf32>
  %c = rnn.contract %z, %f [(d0, d1) -> (d0), (d0, d1) -> (d1), (d0, d1) -> (d0, d1)] sum_to static : (tensor<29xf32>, tensor<3xf32>) -> tensor<29x3xf32>
  %d = rnn.contract %i, %i [(d0, d1) -> (d0), (d0, d1) -> (d1), (d0, d1) -> (d0, d1)] sum_to static : (tensor<3xi32>, tensor<3xi32>) -> tensor<3x3xi32>
  rnn.output %a, %b, %c, %d : tensor<100x120xf32>, tensor<29x100xf32>, tensor<29x3xf32>, tensor<3x3xi32>
})";

// Sums and maxima of many elements: of rows, of columns, of everything, of frames.
const char *kReductions = R"(
rnn.parameter @p : tensor<90x70xf32> init(#rnn.zeros)
rnn.network @n(%x: tensor<3x150xf32>, %y: tensor<40x5xf32>, %i: tensor<33xi32>, %s: tensor<64xf32> {rnn.rate = "stream"})
    -> (a: tensor<3xf32>, b: tensor<3xf32>, c: tensor<5xf32>, d: tensor<f32>, e: tensor<70xf32>, f: tensor<90xf32>, g: tensor<i32>,
        h: tensor<f32>, j: tensor<3x150xf32>, k: tensor<3x150xf32>, l: tensor<f32>, m: tensor<33xi32>, n: tensor<f32>) {
  %p = rnn.param @p : tensor<90x70xf32>
  %a = rnn.reduce max %x over [1] : tensor<3x150xf32> to tensor<3xf32>
  %b = rnn.reduce sum %x over [1] : tensor<3x150xf32> to tensor<3xf32>
  %c = rnn.reduce sum %y over [0] : tensor<40x5xf32> to tensor<5xf32>
  %d = rnn.reduce sum %p over [0, 1] : tensor<90x70xf32> to tensor<f32>
  %e = rnn.reduce max %p over [0] : tensor<90x70xf32> to tensor<70xf32>
  %f = rnn.reduce sum %p over [1] : tensor<90x70xf32> to tensor<90xf32>
  %g = rnn.reduce max %i over [0] : tensor<33xi32> to tensor<i32>
  %h = rnn.reduce sum %s over [0] : tensor<64xf32> to tensor<f32>
  %j = rnn.sum_frames %x {sum_to = #rnn.rate<static>} : tensor<3x150xf32>
  %k = rnn.sum_frames %x {sum_to = #rnn.rate<stream>} : tensor<3x150xf32>
  %t = rnn.reduce sum %y over [0, 1] : tensor<40x5xf32> to tensor<f32>
  %l = rnn.sum_frames %t {sum_to = #rnn.rate<static>} : tensor<f32>
  %m = rnn.sum_frames %i {sum_to = #rnn.rate<static>} : tensor<33xi32>
  %n = rnn.reduce max %p over [0, 1] : tensor<90x70xf32> to tensor<f32>
  rnn.output %a, %b, %c, %d, %e, %f, %g, %h, %j, %k, %l, %m, %n : tensor<3xf32>, tensor<3xf32>, tensor<5xf32>, tensor<f32>, tensor<70xf32>, tensor<90xf32>, tensor<i32>, tensor<f32>, tensor<3x150xf32>, tensor<3x150xf32>, tensor<f32>, tensor<33xi32>, tensor<f32>
})";

// Units that give each other one, three and four elements, of the last frame and of this one.
const char *kUnits = R"(
rnn.parameter @w1 : tensor<48x16xf32> init(#rnn.zeros)
rnn.parameter @w2 : tensor<64x48xf32> init(#rnn.zeros)
rnn.parameter @w3 : tensor<16x64xf32> init(#rnn.zeros)
rnn.parameter @w4 : tensor<16x64xf32> init(#rnn.zeros)
rnn.network @n(%x: tensor<48xf32>) -> (h: tensor<16xf32>, q: tensor<64xf32>) {
  %w1 = rnn.param @w1 : tensor<48x16xf32>
  %w2 = rnn.param @w2 : tensor<64x48xf32>
  %w3 = rnn.param @w3 : tensor<16x64xf32>
  %w4 = rnn.param @w4 : tensor<16x64xf32>
  %h1 = rnn.delay %h by 1 : tensor<16xf32>
  %g1 = rnn.delay %g by 1 : tensor<48xf32>
  %q1 = rnn.delay %q by 1 : tensor<64xf32>
  %a = rnn.linear %h1, %w1 : (tensor<16xf32>, tensor<48x16xf32>) -> tensor<48xf32>
  %b = rnn.linear %g1, %w2 : (tensor<48xf32>, tensor<64x48xf32>) -> tensor<64xf32>
  %c = rnn.linear %q1, %w3 : (tensor<64xf32>, tensor<16x64xf32>) -> tensor<16xf32>
  %s = rnn.sum %a, %x : tensor<48xf32>
  %g = math.tanh %s : tensor<48xf32>
  %q = math.tanh %b : tensor<64xf32>
  %d = rnn.linear %q, %w4 : (tensor<64xf32>, tensor<16x64xf32>) -> tensor<16xf32>
  %t = rnn.sum %c, %d : tensor<16xf32>
  %h = math.tanh %t : tensor<16xf32>
  rnn.output %h, %q : tensor<16xf32>, tensor<64xf32>
})";

// 76,800 weights; partial sums of 300 elements per stream.
const char *kManyWeights = R"(
rnn.parameter @w : tensor<480x160xf32> init(#rnn.zeros)
rnn.network @n(%x: tensor<480xf32>) -> (h: tensor<160xf32>) {
  %w = rnn.param @w : tensor<480x160xf32>
  %h1 = rnn.delay %h by 1 : tensor<160xf32>
  %g = rnn.linear %h1, %w : (tensor<160xf32>, tensor<480x160xf32>) -> tensor<480xf32>
  %s = rnn.sum %g, %x : tensor<480xf32>
  %a = tensor.extract_slice %s[0] [160] [1] : tensor<480xf32> to tensor<160xf32>
  %b = tensor.extract_slice %s[160] [160] [1] : tensor<480xf32> to tensor<160xf32>
  %c = tensor.extract_slice %s[320] [160] [1] : tensor<480xf32> to tensor<160xf32>
  %gate = rnn.sigmoid %a : tensor<160xf32>
  %bound = math.tanh %b : tensor<160xf32>
  %other = math.tanh %c : tensor<160xf32>
  %part = arith.mulf %gate, %bound : tensor<160xf32>
  %h = arith.addf %part, %other : tensor<160xf32>
  rnn.output %h : tensor<160xf32>
})";

class ScheduleTest : public ::testing::TestWithParam<const char *> {};

TEST_P(ScheduleTest, MatchesTheInterpreter) {
  for (int64_t streams : {1, 2, 7}) {
    ProbeOptions options;
    options.streams = streams;
    EXPECT_EQ(compare(GetParam(), options), "");
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, ScheduleTest, ::testing::Values(kElementwise, kShapes, kLoops, kUnits));

/// Work on many frames, as blocks and warps divide it.
class ManyFrames : public ::testing::TestWithParam<const char *> {};

TEST_P(ManyFrames, MatchTheInterpreter) {
  for (auto [frames, streams] : {std::pair(70, 3), {1, 1}}) {
    ProbeOptions options;
    options.frames = frames;
    options.streams = streams;
    options.chunks = 1;
    EXPECT_EQ(compare(GetParam(), options, {"auto"}), "") << frames << " frames of " << streams << " streams";
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, ManyFrames, ::testing::Values(kProducts, kGradients, kReductions));

/// Where registers of few multiprocessors do not hold the weights, these are in shared memory, or some of them in far
/// memory; where static shared memory does not hold the partial sums of many streams, there is more of it.
TEST(FewMultiprocessors, MatchTheInterpreter) {
  for (auto [sharedBytes, streams] : {std::pair(232448, 1), {60000, 2}, {160000, 30}}) {
    ProbeOptions options;
    options.chunks = 1;
    options.streams = streams;
    ConvertRNNToGPUOptions kernels;
    kernels.multiprocessors = 2;
    kernels.sharedBytes = sharedBytes;
    EXPECT_EQ(compare(kManyWeights, options, {"grid"}, kernels), "")
        << sharedBytes << " bytes of shared memory, " << streams << " streams";
  }
}

TEST(ScheduleFiles, MatchTheInterpreter) {
  const char *list = getenv("RNN_TEST_MODULES");
  std::stringstream files(list ? list : "");
  std::string file;
  while (std::getline(files, file, ':')) {
    std::stringstream text;
    text << std::ifstream(file).rdbuf();
    EXPECT_EQ(compare(text.str(), {}), "") << file;
  }
}

} // namespace
