//===- GeneratedLoopsTest.cpp - Faults in functions for the CPU are found out -===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What convert-rnn-to-cpu makes of small networks, with one fault each, as
// machine code. Every one must be found by the comparison that all tests of the
// CPU make: with the interpreter, within the same bound, with one thread and with
// three, in two orders; and a barrier that is gone also by ThreadSanitizer, with
// three threads at the same time (RNNRaceTests, of the same source). What makes no
// difference is listed with the reason.
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

#include <csignal>
#include <sys/wait.h>

using namespace mlir;
using namespace mlir::rnn;
using namespace mlir::rnn::test;

namespace {

/// Products of all frames: by a weight that is transposed into panels, the last one narrower, and a sum over more
/// frames than a block of a sum has.
const char *kProducts = R"(
rnn.parameter @w : tensor<51x11xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<11xf32>, %y: tensor<5xf32>) -> (a: tensor<51xf32>, b: tensor<5x11xf32>) {
  %w = rnn.param @w : tensor<51x11xf32>
  %a = rnn.linear %x, %w : (tensor<11xf32>, tensor<51x11xf32>) -> tensor<51xf32>
  %b = rnn.contract %y, %x [(d0, d1) -> (d0), (d0, d1) -> (d1), (d0, d1) -> (d0, d1)] sum_to static
    : (tensor<5xf32>, tensor<11xf32>) -> tensor<5x11xf32>
  rnn.output %a, %b : tensor<51xf32>, tensor<5x11xf32>
})";

/// A loop with a product, older frames of two ages and streams that begin anew, and one that runs backwards.
const char *kLoops = R"(
rnn.parameter @w : tensor<19x19xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<19xf32>, %r: tensor<i1> {rnn.reset}) -> (h: tensor<19xf32>, back: tensor<19xf32>) {
  %w = rnn.param @w : tensor<19x19xf32>
  %half = arith.constant dense<0.5> : tensor<19xf32>
  %h1 = rnn.delay %h by 1 : tensor<19xf32>
  %h3 = rnn.delay %h by 3 : tensor<19xf32>
  %g = rnn.linear %h1, %w : (tensor<19xf32>, tensor<19x19xf32>) -> tensor<19xf32>
  %s = rnn.sum %x, %g, %h3 : tensor<19xf32>
  %h = math.tanh %s : tensor<19xf32>
  %next = rnn.delay %back by -2 : tensor<19xf32>
  %part = arith.mulf %next, %half : tensor<19xf32>
  %back = rnn.sum %h, %part : tensor<19xf32>
  rnn.output %h, %back : tensor<19xf32>, tensor<19xf32>
})";

/// Reductions within a frame and over the frames of a stream; rows of a table, and rows added to one.
const char *kSums = R"(
rnn.parameter @table : tensor<3x11xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<3x11xf32>, %i: tensor<3xi32>)
    -> (a: tensor<11xf32>, b: tensor<3xf32>, c: tensor<11xf32>, d: tensor<3x11xf32>) {
  %table = rnn.param @table : tensor<3x11xf32>
  %rows = rnn.gather %table, %i : (tensor<3x11xf32>, tensor<3xi32>) -> tensor<3x11xf32>
  %y = arith.mulf %x, %rows : tensor<3x11xf32>
  %a = rnn.reduce sum %y over [0] : tensor<3x11xf32> to tensor<11xf32>
  %size = math.absf %x : tensor<3x11xf32>
  %below = arith.negf %size : tensor<3x11xf32>
  %b = rnn.reduce max %below over [1] : tensor<3x11xf32> to tensor<3xf32>
  %c = rnn.sum_frames %a {sum_to = #rnn.rate<stream>} : tensor<11xf32>
  %d = rnn.scatter_add %x, %i : (tensor<3x11xf32>, tensor<3xi32>) -> tensor<3x11xf32>
  rnn.output %a, %b, %c, %d : tensor<11xf32>, tensor<3xf32>, tensor<11xf32>, tensor<3x11xf32>
})";

/// A step: errors that go back through a loop, windows that reach into older chunks, a gradient whose norm is limited,
/// an optimizer with memory, and a step that is not taken where a number is not finite.
const char *kStep = R"(
rnn.parameter @wx : tensor<76x11xf32> init(#rnn.zeros)
rnn.parameter @wh : tensor<76x19xf32> init(#rnn.zeros)
rnn.parameter @b : tensor<76xf32> init(#rnn.zeros)
rnn.parameter @wy : tensor<7x19xf32> init(#rnn.zeros)
rnn.network @net(%x: tensor<11xf32>, %label: tensor<i32>, %r: tensor<i1> {rnn.reset}) -> (nll: tensor<f32>) {
  %wy = rnn.param @wy : tensor<7x19xf32>
  %h, %c = rnn.lstm "cell" %x wx(@wx) wh(@wh) b(@b) : tensor<11xf32> -> tensor<19xf32>
  %y = rnn.linear %h, %wy : (tensor<19xf32>, tensor<7x19xf32>) -> tensor<7xf32>
  %nll = rnn.softmax_cross_entropy %y, %label : (tensor<7xf32>, tensor<i32>) -> tensor<f32>
  rnn.output %nll : tensor<f32>
}
rnn.train_step @step of @net loss("nll" mean) optimizer(#rnn.adam<lr = 0.01>) clip<norm = 0.1> bptt<window = 6, advance = 3>)";

struct Case {
  const char *name, *text;
  int64_t frames, streams;
  const char *function = "net";
};

void PrintTo(const Case &what, std::ostream *out) { *out << what.name; }

class GeneratedLoops : public ::testing::TestWithParam<Case> {
protected:
  void SetUp() override {
    context = makeContext();
    handler = std::make_unique<ScopedDiagnosticHandler>(context.get(), [&](Diagnostic &diagnostic) {
      messages += diagnostic.str() + "\n";
      return success();
    });
    module = parseSourceString<ModuleOp>(GetParam().text, context.get());
    ASSERT_TRUE(module) << messages;
    PassManager manager(context.get());
    buildToGradientPipeline(manager, {});
    PartitionOptions partition;
    partition.streams = GetParam().streams;
    manager.addPass(createPartition(partition));
    manager.addPass(createPlanMemory());
    ASSERT_TRUE(succeeded(manager.run(*module))) << messages;
    schedule = module->lookupSymbol<ScheduleOp>(GetParam().function);
    ASSERT_TRUE(schedule);
    for (ScheduleOp other : llvm::make_early_inc_range(module->getOps<ScheduleOp>()))
      if (other != schedule)
        other.erase();
    // Chunks with fewer frames than delays take other ways.
    for (int64_t frames : {GetParam().frames, int64_t(3)})
      ASSERT_TRUE(succeeded(addCall(frames))) << messages;
    runner = std::make_unique<CpuRunner>(*module, mutantTarget());
    ASSERT_TRUE(runner->isValid()) << messages;
  }

  /// The second chunk, one frame shorter, which begins with what the first has left.
  LogicalResult addCall(int64_t frames) {
    ProbeOptions options;
    options.frames = frames;
    options.streams = GetParam().streams;
    options.chunks = 2;
    auto function = cast<RNNFunctionInterface>(schedule.getOperation());
    FailureOr<SmallVector<TensorMap>> outputs = probe(function, options);
    if (failed(outputs))
      return failure();
    Call &call = calls.emplace_back();
    call.frames = getProbeFrames(function, options, 1);
    call.inputs = getProbeInputs(function, options, 1);
    for (auto &[name, tensor] : outputs->front())
      call.inputs[name] = tensor;
    call.expected = outputs->back();
    return success();
  }

  /// Runs all calls with one thread and three. Returns what is wrong first, or an empty text.
  std::string findFault() {
    using Order = CpuRunner::Order;
    SmallVector<std::pair<int, Order>> ways = {{1, Order::Together}, {3, Order::Ascending}, {3, Order::Descending}};
    if (kFindsRaces)
      ways = {{3, Order::Together}};
    for (auto [threads, order] : ways)
      for (const Call &call : calls) {
        runner->setOrder(order);
        const Races before = getRaces();
        TensorMap outputs;
        {
          Quiet quiet;
          if (std::string problem = runner->run(0, schedule, call.inputs, call.frames, threads, outputs);
              !problem.empty())
            return problem;
        }
        if (getRaces().races > before.races || getRaces().sameStores > before.sameStores)
          return "race";
        if (auto difference = findDifferenceOfRun(call.expected, outputs, 2e-5))
          return (Twine(threads) + " thread(s): " + *difference).str();
      }
    return "";
  }

  /// The same in a process of its own, which a fault may end.
  std::string findFaultApart() {
    int ends[2];
    if (pipe(ends))
      return "";
    pid_t child = fork();
    if (child == 0) {
      alarm(120);
      std::string found = findFault();
      (void)!write(ends[1], found.data(), found.size());
      _exit(0);
    }
    close(ends[1]);
    std::string found;
    char buffer[256];
    for (ssize_t size; (size = read(ends[0], buffer, sizeof buffer)) > 0;)
      found.append(buffer, size);
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? std::string("ended by ") + strsignal(WTERMSIG(status)) : found;
  }

  std::unique_ptr<MLIRContext> context;
  std::string messages;
  std::unique_ptr<ScopedDiagnosticHandler> handler;
  OwningOpRef<ModuleOp> module;
  ScheduleOp schedule;
  struct Call {
    TensorMap inputs, expected;
    int64_t frames;
  };
  std::vector<Call> calls;
  std::unique_ptr<CpuRunner> runner;
};

class GeneratedSteps : public GeneratedLoops {};

/// What makes no difference, with the reason.
struct Equivalent {
  const char *test;
  std::vector<StringRef> mutants;
  const char *reason;
};

const char *kNoFlags = "flags are those of a step, and this is a network";
const char *kOwn = "a thread then reads its own part, or what others have written before another barrier, or nothing";
const char *kEitherWay = "columns that are all there are packed alike by squares and one by one";
const char *kPadding = "the column is padding of a panel, which no result takes";
const char *kOneVector = "eight elements of a row are one thread's; RNNRaceTests, with vectors of four, finds it";
const char *kInside = "all columns of this branch lie inside";
const char *kFirst = "the number is 0: there is one square, panel, or panel with whole squares";
const char *kTwice = "some columns are packed twice, each of them once";
const char *kOneTile = "there is one tile, and the loop's step hides it";
const char *kLowerTiles = "the lower tiles that follow do the rest";
const char *kNextRow = "that is the beginning of the next row, which comes later";
const char *kPast = "a frame of the past is never the last one";

const Equivalent kEquivalents[] = {
    {"Products", {"compare 0", "barrier 0"}, kNoFlags},
    {"Products", {"barrier 2", "barrier 4", "barrier 5", "barrier 6"}, kOwn},
    {"Products", {"compare 1"}, kEitherWay},
    {"Products", {"compare 2"}, kInside},
    {"Products", {"early end 4"}, kPadding},
    {"Products", {"factor 3", "factor 25"}, kFirst},
    {"Products", {"place 1"}, "the number of blocks is rounded up to the same"},
    {"Products", {"factor 11", "factor 18"}, kLowerTiles},
    {"Products", {"factor 26"}, kOneTile},
    {"Products", {"compare 6"}, "nothing is done in the last block of a sum alone"},
    {"Products", {"lost store's mask 2", "lost store's mask 3"}, kNextRow},
    {"Loops", {"compare 0"}, kNoFlags},
    {"Loops", {"barrier 0", "barrier 1", "barrier 4", "barrier 6", "barrier 7"}, kOwn},
    {"Loops", {"compare 2"}, kEitherWay},
    {"Loops", {"compare 3"}, kInside},
    {"Loops", {"early end 6"}, kPadding},
    {"Loops", {"factor 2"}, kTwice},
    {"Loops", {"remainder 0", "factor 3", "factor 5"}, kFirst},
    {"Loops", {"compare 5", "compare 7", "compare 10", "compare 11"}, kPast},
    {"Loops", {"factor 15", "factor 18"}, kOneTile},
    {"Sums", {"compare 0", "barrier 0"}, kNoFlags},
    {"Sums", {"choice 0", "choice 1"}, "all rows that are asked for are in the table"},
    {"Sums", {"barrier 2", "barrier 3", "barrier 5"}, kOneVector},
    {"Sums", {"barrier 4", "barrier 6", "barrier 7", "barrier 8", "barrier 9", "barrier 10", "barrier 11"}, kOwn},
};

std::string findReason(StringRef test, StringRef mutant) {
  for (const Equivalent &entry : kEquivalents)
    if (test == entry.test && llvm::is_contained(entry.mutants, mutant) && !(kFindsRaces && entry.reason == kOneVector))
      return entry.reason;
  return "";
}

TEST_P(GeneratedLoops, FaultsAreFound) {
  ASSERT_EQ(findFault(), "");
  for (const Mutant &mutant : listMutants(*runner->getLowered().getOps<func::FuncOp>().begin())) {
    if (kFindsRaces && mutant.fault != Fault::Barrier)
      continue;
    ASSERT_TRUE(runner->change(*makeMutant(runner->getLowered(), mutant))) << mutant.name << ": " << messages;
    // A process with ThreadSanitizer cannot be forked; without a barrier none ends.
    std::string found = kFindsRaces ? findFault() : findFaultApart(), reason = findReason(GetParam().name, mutant.name);
    if (getenv("RNN_TEST_MUTANTS"))
      llvm::outs() << mutant.name << ": " << found << "\n";
    if (reason.empty())
      EXPECT_NE(found, "") << mutant.name;
    else
      EXPECT_EQ(found, "") << mutant.name << " should make no difference: " << reason;
  }
}

/// A step consists of what the networks are, as it is: faults are put into those.
TEST_P(GeneratedSteps, AreRight) { EXPECT_EQ(findFault(), ""); }

INSTANTIATE_TEST_SUITE_P(CPU, GeneratedSteps, ::testing::Values(Case{"Step", kStep, 3, 5, "step"}),
                         [](const auto &info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(CPU, GeneratedLoops,
                         ::testing::Values(Case{"Products", kProducts, 110, 5}, Case{"Loops", kLoops, 9, 5},
                                           Case{"Sums", kSums, 9, 5}),
                         [](const auto &info) { return std::string(info.param.name); });

} // namespace
