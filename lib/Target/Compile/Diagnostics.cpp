//===- Diagnostics.cpp - How rnn-compile prints diagnostics ---------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Diagnostics.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::rnn;

static StringRef severityOf(const Diagnostic &diagnostic) {
  switch (diagnostic.getSeverity()) {
  case DiagnosticSeverity::Error:
    return "error";
  case DiagnosticSeverity::Warning:
    return "warning";
  case DiagnosticSeverity::Note:
    return "note";
  case DiagnosticSeverity::Remark:
    return "remark";
  }
  llvm_unreachable("all severities are covered");
}

/// Where a diagnostic points to, or null: a module as a whole has line 0.
static FileLineColLoc getPosition(const Diagnostic &diagnostic) {
  auto file = diagnostic.getLocation()->findInstanceOf<FileLineColLoc>();
  return file && file.getLine() ? file : FileLineColLoc();
}

static void printText(const Diagnostic &diagnostic) {
  llvm::raw_ostream &os = llvm::errs();
  if (FileLineColLoc file = getPosition(diagnostic))
    os << file.getFilename().getValue() << ":" << file.getLine() << ":" << file.getColumn() << ": ";
  else if (diagnostic.getSeverity() != DiagnosticSeverity::Note)
    os << "rnn-compile: ";
  os << severityOf(diagnostic) << ": " << diagnostic.str() << "\n";
}

static llvm::json::Object toJson(const Diagnostic &diagnostic) {
  llvm::json::Object object{{"severity", severityOf(diagnostic)}, {"message", diagnostic.str()}};
  if (FileLineColLoc file = getPosition(diagnostic)) {
    object["file"] = file.getFilename().getValue();
    object["line"] = file.getLine();
    object["column"] = file.getColumn();
  }
  return object;
}

static LogicalResult printDiagnostic(Diagnostic &diagnostic, bool asJson) {
  if (diagnostic.getSeverity() == DiagnosticSeverity::Remark)
    return success();
  if (!asJson) {
    printText(diagnostic);
    for (Diagnostic &note : diagnostic.getNotes())
      printText(note);
    return success();
  }
  llvm::json::Object object = toJson(diagnostic);
  llvm::json::Array notes;
  for (Diagnostic &note : diagnostic.getNotes())
    notes.push_back(toJson(note));
  object["notes"] = std::move(notes);
  llvm::errs() << llvm::json::Value(std::move(object)) << "\n";
  return success();
}

DiagnosticPrinter::DiagnosticPrinter(MLIRContext &context, bool asJson)
    : handler(&context, [this, asJson](Diagnostic &diagnostic) {
        errors += diagnostic.getSeverity() == DiagnosticSeverity::Error;
        return printDiagnostic(diagnostic, asJson);
      }) {}

std::string rnn::formatBytes(int64_t bytes) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (bytes < 1024)
    os << bytes << " bytes";
  else if (bytes < int64_t(1) << 20)
    os << llvm::format("%.1f KiB", bytes / 1024.0);
  else if (bytes < int64_t(1) << 30)
    os << llvm::format("%.1f MiB", bytes / 1048576.0);
  else
    os << llvm::format("%.1f GiB", bytes / 1073741824.0);
  return text;
}
