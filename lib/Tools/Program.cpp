//===- Program.cpp - Artifacts for tools ----------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Tools/Program.h"
#include "CStatus.h"
#include "rnn/Runtime/ArtifactFormat.h"
#include "rnn/Runtime/AtomicFile.h"

#include <algorithm>
#include <set>

namespace mlir::rnn::tools {

using namespace runtime;

Status statusOf(RnnStatus code) {
  if (code == RNN_OK)
    return Status::success();
  std::string text = rnnLastError();
  const std::string separator = "\nnote: ";
  Status status = Status::error(Code(code), Kind(rnnLastErrorKind()), text.substr(0, text.find(separator)));
  for (size_t at = text.find(separator); at != std::string::npos;) {
    size_t begin = at + separator.size();
    at = text.find(separator, begin);
    status.notes.push_back(text.substr(begin, at == std::string::npos ? at : at - begin));
  }
  return status;
}

std::vector<int64_t> shapeFor(const TensorDesc &tensor, int64_t frames) {
  std::vector<int64_t> shape = tensor.shape;
  if (tensor.hasFrames())
    shape[0] = frames;
  return shape;
}

Status Program::open(const std::string &file, const std::string &shownAs) {
  path = file;
  shown = shownAs;
  RnnArtifact *opened = nullptr;
  if (Status status = statusOf(rnnArtifactOpen(path.c_str(), &opened)); status.failed())
    return status;
  artifact.reset(opened);

  if (Status status = readFile(path, bytes); status.failed())
    return status;
  std::vector<Section> sections;
  if (Status status = readArtifact(bytes, shown, sections); status.failed())
    return status;
  for (const Section &section : sections) {
    if (section.kind == SectionKind::Tables)
      tableJson = section.bytes;
    else if (section.kind == SectionKind::Provenance)
      provenanceJson = section.bytes;
    // A target may have several sections.
    if (!section.target.empty() &&
        std::find(codeTargets.begin(), codeTargets.end(), section.target) == codeTargets.end())
      codeTargets.push_back(section.target);
  }
  return parseTables(tableJson, shown, table);
}

Binding bind(const std::string &name, HostTensor &tensor) {
  return {name, tensor.dtype, tensor.shape, tensor.data.data()};
}

Binding bindFrames(const std::string &name, HostTensor &tensor, int64_t begin, int64_t end) {
  Binding binding = bind(name, tensor);
  size_t frameBytes = tensor.shape[0] ? tensor.data.size() / size_t(tensor.shape[0]) : 0;
  binding.shape[0] = end - begin;
  binding.data = tensor.data.data() + size_t(begin) * frameBytes;
  return binding;
}

std::vector<TensorDesc> sessionTensors(const std::vector<const Function *> &functions) {
  std::vector<TensorDesc> result;
  std::set<std::string> seen;
  for (const Function *function : functions)
    for (const TensorDesc &tensor : function->tensors)
      if (livesInSession(tensor.role) && tensor.name != "seed" && seen.insert(tensor.name).second)
        result.push_back(tensor);
  return result;
}

std::vector<const Function *> allFunctions(const Tables &tables) {
  std::vector<const Function *> result;
  for (const Function &function : tables.functions)
    result.push_back(&function);
  return result;
}

} // namespace mlir::rnn::tools
