//===- CompileTest.cpp - What surrounds a compilation -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Instruments.h"
#include "rnn/Dialect/RNN/IR/Nesting.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "rnn/InitAllDialects.h"
#include "rnn/Target/Compile.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::rnn;

static std::string repeat(llvm::StringRef text, size_t count) {
  std::string result;
  while (count--)
    result += text;
  return result;
}

TEST(Nesting, CountsBracketsOfAllKinds) {
  EXPECT_FALSE(findTooDeepNesting(repeat("([{<", 64)));
  std::optional<TextPosition> place = findTooDeepNesting("\n\n  " + repeat("([{<", 64) + "(");
  ASSERT_TRUE(place);
  EXPECT_EQ(place->line, 3u);
  EXPECT_EQ(place->column, 259u);
}

TEST(Nesting, ClosedBracketsDoNotCount) {
  EXPECT_FALSE(findTooDeepNesting(repeat("(a) -> (b) ", 1000)));
  EXPECT_FALSE(findTooDeepNesting(repeat("tensor<4xf32> ", 1000)));
  EXPECT_FALSE(findTooDeepNesting(repeat("(d0 >= 0) ", 1000)));
  EXPECT_FALSE(findTooDeepNesting(repeat("[ < ] ", 1000)));
}

TEST(Nesting, StringsAndCommentsDoNotCount) {
  EXPECT_FALSE(findTooDeepNesting(repeat("\"((\\\"((\" ", 1000)));
  EXPECT_FALSE(findTooDeepNesting(repeat("// ((((\n", 1000)));
  EXPECT_TRUE(findTooDeepNesting(repeat("\"\n(", 300))) << "a string ends with its line";
}

TEST(Nesting, SignsCount) {
  EXPECT_FALSE(findTooDeepNesting(repeat("-", 256) + "d0"));
  EXPECT_TRUE(findTooDeepNesting(repeat("- ", 257) + "d0"));
  EXPECT_FALSE(findTooDeepNesting(repeat("-1, ", 1000)));
}

TEST(Reproducer, IsReadByTheParser) {
  std::string text = formatReproducer("module {\n}\n", "rnn-run-phase{level=graph passes=builtin.module(rnn-sort)}");
  DialectRegistry registry;
  rnn::registerAllDialects(registry);
  MLIRContext context(registry);
  PassReproducerOptions options;
  ParserConfig config(&context);
  options.attachResourceParser(config);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, config);
  EXPECT_TRUE(module);
  EXPECT_NE(text.find("pipeline: \"builtin.module(rnn-run-phase{level=graph"), std::string::npos);
}

namespace {
/// Puts an op where its verifier does not want it.
struct BreakModule : PassWrapper<BreakModule, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(BreakModule)
  StringRef getArgument() const override { return "break-module"; }
  void runOnOperation() override {
    OpBuilder builder = OpBuilder::atBlockEnd(getOperation().getBody());
    YieldOp::create(builder, getOperation().getLoc());
  }
};
} // namespace

TEST(Instruments, InvalidModuleIsThePassesFault) {
  MLIRContext context;
  context.loadDialect<RNNDialect>();
  context.getDiagEngine().registerHandler([](Diagnostic &) { return success(); });
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>("module {}", &context);
  std::string broken;
  PassManager manager(&context);
  manager.enableVerifier(false);
  manager.addInstrumentation(createVerifyEach(broken));
  manager.addPass(std::make_unique<BreakModule>());
  EXPECT_TRUE(succeeded(manager.run(*module)));
  EXPECT_EQ(broken, "break-module");
}

static const char kNetwork[] = R"(
rnn.parameter @w : tensor<4x4xf32> init(#rnn.uniform<>)
rnn.network @net(%x: tensor<4xf32>) -> (h: tensor<4xf32>) {
  %w = rnn.param @w : tensor<4x4xf32>
  %h = rnn.linear %x, %w : (tensor<4xf32>, tensor<4x4xf32>) -> tensor<4xf32>
  rnn.output %h : tensor<4xf32>
}
)";

TEST(Compile, SeveralContextsInOneProcessAgree) {
  CompileOptions options;
  options.targets = {"interpreter"};
  CompileResult first, second;
  ASSERT_TRUE(compile(kNetwork, "net.mlir", options, CompileTo::Binary, first).ok());
  ASSERT_TRUE(compile(kNetwork, "net.mlir", options, CompileTo::Binary, second).ok());
  EXPECT_EQ(first.output, second.output);
  EXPECT_TRUE(first.reproducer.empty());
}

TEST(Compile, AWrongNetworkIsNoInternalError) {
  CompileResult result;
  runtime::Status status = compile("rnn.network @n(", "net.mlir", CompileOptions(), CompileTo::Binary, result);
  EXPECT_EQ(status.code, runtime::Code::Data);
  EXPECT_TRUE(status.message.empty()) << "it has been printed";
  EXPECT_TRUE(result.output.empty());
  EXPECT_TRUE(result.reproducer.empty());
}
