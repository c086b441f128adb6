//===- Instruments.cpp - What rnn-compile watches passes with -*- C++ -*-===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Instruments.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/Pass.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::rnn;

/// True for passes that only run others.
static bool isContainer(Pass *pass) { return pass->getArgument().empty() || pass->getArgument() == "rnn-run-phase"; }

namespace {
class SaveTemps : public PassInstrumentation {
public:
  SaveTemps(std::string folder, unsigned &next) : folder(std::move(folder)), next(next) {}

  void runAfterPass(Pass *pass, Operation *op) override {
    if (isContainer(pass))
      return;
    std::string name = llvm::formatv("{0}/{1,0+2}-{2}.mlir", folder, next++, pass->getArgument());
    std::error_code error;
    llvm::raw_fd_ostream stream(name, error);
    if (error)
      return;
    op->print(stream);
    stream << "\n";
    stream.close();
    stream.clear_error();
  }

private:
  std::string folder;
  unsigned &next;
};

class VerifyEach : public PassInstrumentation {
public:
  explicit VerifyEach(std::string &broken) : broken(broken) {}

  void runAfterPass(Pass *pass, Operation *op) override {
    if (broken.empty() && !isContainer(pass) && failed(verify(op)))
      broken = pass->getArgument().str();
  }

private:
  std::string &broken;
};
} // namespace

std::unique_ptr<PassInstrumentation> rnn::createSaveTemps(std::string folder, unsigned &next) {
  return std::make_unique<SaveTemps>(std::move(folder), next);
}

std::unique_ptr<PassInstrumentation> rnn::createVerifyEach(std::string &broken) {
  return std::make_unique<VerifyEach>(broken);
}
