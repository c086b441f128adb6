//===- Ptxas.cpp - The assembler of a CUDA toolkit ------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Runtime/PtxVersion.h"
#include "rnn/Target/GPU/Ptx.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/Regex.h"

using namespace mlir;
using namespace mlir::rnn;

namespace {
/// A folder of files that ptxas reads and writes, removed in the end.
class Workplace {
public:
  Workplace() {
    SmallString<128> path;
    if (!llvm::sys::fs::createUniqueDirectory("rnn-ptxas", path))
      folder = path.str().str();
  }
  ~Workplace() {
    if (isUsable())
      llvm::sys::fs::remove_directories(folder);
  }
  bool isUsable() const { return !folder.empty(); }
  std::string file(StringRef name) const { return folder + "/" + name.str(); }
  std::string read(StringRef name) const {
    auto buffer = llvm::MemoryBuffer::getFile(file(name));
    return buffer ? (*buffer)->getBuffer().str() : std::string();
  }
  /// Runs a program with its output in `log`; true if it ended with 0.
  bool run(ArrayRef<StringRef> command) const {
    std::string log = file("log");
    std::optional<StringRef> redirects[] = {StringRef(""), StringRef(log), StringRef(log)};
    return llvm::sys::ExecuteAndWait(command[0], command, std::nullopt, redirects) == 0;
  }

private:
  std::string folder;
};
} // namespace

std::optional<Ptxas> mlir::rnn::findPtxas() {
  auto path = llvm::sys::findProgramByName("ptxas");
  if (!path)
    path = llvm::sys::findProgramByName("ptxas", {"/usr/local/cuda/bin"});
  Workplace workplace;
  if (!path || !workplace.isUsable() || !workplace.run({*path, "--version"}))
    return std::nullopt;
  // Cuda compilation tools, release 13.0, V13.0.48
  SmallVector<StringRef> parts;
  std::string text = workplace.read("log");
  Ptxas result{*path};
  if (!llvm::Regex("release ([0-9]+)\\.([0-9]+)").match(text, &parts) || parts[1].getAsInteger(10, result.major) ||
      parts[2].getAsInteger(10, result.minor))
    return std::nullopt;
  return result;
}

bool mlir::rnn::canAssemble(const Ptxas &ptxas, const PtxCode &code, StringRef chip) {
  // The version of PTX is at least the one that brought the chip.
  return int(ptxas.major * 1000 + ptxas.minor * 10) >= runtime::cudaReleaseOf(int(code.version));
}

/// Reads what `ptxas -v` says of each kernel:
///   ptxas info    : Compiling entry function 'k' for 'sm_90'
///       0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
///   ptxas info    : Used 242 registers, used 1 barriers, 7296 bytes smem
static SmallVector<KernelUsage> parseUsage(StringRef log) {
  SmallVector<KernelUsage> kernels;
  llvm::Regex begin("Compiling entry function '([^']*)'"), spills("([0-9]+) bytes spill stores, ([0-9]+) bytes spill"),
      registers("Used ([0-9]+) registers"), shared("([0-9]+) bytes smem");
  SmallVector<StringRef> parts;
  auto number = [&](unsigned i) {
    int64_t value = 0;
    (void)parts[i].getAsInteger(10, value);
    return value;
  };
  while (!log.empty()) {
    auto [line, rest] = log.split('\n');
    log = rest;
    if (begin.match(line, &parts)) {
      kernels.emplace_back().name = parts[1].str();
      continue;
    }
    if (kernels.empty())
      continue;
    if (spills.match(line, &parts))
      kernels.back().spillBytes = number(1) + number(2);
    if (registers.match(line, &parts))
      kernels.back().registers = number(1);
    if (shared.match(line, &parts))
      kernels.back().sharedBytes = number(1);
  }
  // ptxas goes through a module backwards.
  llvm::sort(kernels,
             [](const KernelUsage &a, const KernelUsage &b) { return StringRef(a.name).compare_numeric(b.name) < 0; });
  return kernels;
}

FailureOr<Cubin> mlir::rnn::assemble(const Ptxas &ptxas, const PtxCode &code, StringRef chip, Location loc) {
  Workplace workplace;
  std::string input = workplace.file("code.ptx"), output = workplace.file("code.cubin");
  std::error_code error;
  llvm::raw_fd_ostream stream(input, error);
  if (!error)
    stream << code.text;
  stream.close();
  if (!workplace.isUsable() || error || stream.has_error()) {
    stream.clear_error();
    return emitError(loc) << "cannot write '" << input << "'";
  }
  std::string arch = ("-arch=" + chip).str();
  if (!workplace.run({ptxas.path, "-v", "-O3", arch, input, "-o", output}))
    return emitError(loc) << "ptxas failed: " << StringRef(workplace.read("log")).rtrim();
  std::string bytes = workplace.read("code.cubin");
  if (bytes.empty())
    return emitError(loc) << "ptxas wrote no cubin";
  return Cubin{std::vector<char>(bytes.begin(), bytes.end()), parseUsage(workplace.read("log"))};
}
