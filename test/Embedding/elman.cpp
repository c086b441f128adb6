//===- elman.cpp - Builds a network in C++ and lowers it -------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/InitAllDialects.h"
#include "rnn/InitAllPipelines.h"

#include "rnn/Dialect/RNN/IR/BackedgeBuilder.h"
#include "rnn/Dialect/RNN/IR/RNN.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;

/// h = tanh(x + wh * h[t-1]).
static OwningOpRef<ModuleOp> buildElman(MLIRContext &ctx) {
  OpBuilder b(&ctx);
  Location loc = b.getUnknownLoc();
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  b.setInsertionPointToEnd(module->getBody());
  auto vec = RankedTensorType::get({256}, b.getF32Type()), mat = RankedTensorType::get({256, 256}, b.getF32Type());
  rnn::ParameterOp::create(b, loc, "wh", mat, rnn::OrthogonalAttr::get(&ctx));
  auto net = rnn::NetworkOp::create(b, loc, "elman", {{"x", vec}}, {{"h", vec}});
  b.setInsertionPointToEnd(net.getBodyBlock());
  rnn::BackedgeBuilder edges(b, loc);
  rnn::Backedge h = edges.get(vec); // h is used before it exists
  Value h1 = rnn::DelayOp::create(b, loc, h, /*by=*/1, /*name=*/"h");
  Value wh = rnn::ParamOp::create(b, loc, mat, "wh");
  Value u = rnn::LinearOp::create(b, loc, h1, wh);
  Value next = math::TanhOp::create(b, loc, arith::AddFOp::create(b, loc, net.getArgument("x"), u));
  h.setValue(next);
  rnn::OutputOp::create(b, loc, next);
  if (failed(edges.close()))
    return nullptr;
  return module;
}

int main() {
  DialectRegistry registry;
  rnn::registerAllDialects(registry);
  MLIRContext ctx(registry);
  ctx.loadAllAvailableDialects();
  OwningOpRef<ModuleOp> module = buildElman(ctx);
  if (!module || failed(verify(*module)))
    return 1;

  PassManager pm(&ctx);
  rnn::buildToLinalgPipeline(pm, rnn::ToLinalgOptions());
  if (failed(pm.run(*module)))
    return 2;
  return module->lookupSymbol<func::FuncOp>("elman") ? 0 : 3;
}
