//===- ExportCHeader.cpp - Names and sizes for C programs -----------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One guarded part per network; all of its macros begin with its name, so that headers of several networks fit
// together.
//
//===----------------------------------------------------------------------===//
#include "mlir/Pass/PassManager.h"
#include "rnn/Analysis/Abi.h"
#include "rnn/Pipelines/Pipelines.h"
#include "rnn/Target/CHeader.h"
#include "rnn/Target/NetworkHash.h"
#include "rnn/Target/Tables.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::rnn;

/// A name as part of an identifier: everything but letters and digits becomes an underscore.
static std::string toIdentifier(StringRef name) {
  std::string text = name.str();
  for (char &c : text)
    if (!llvm::isAlnum(c))
      c = '_';
  return text;
}

/// `[T,B,256] f32`.
static std::string formatType(const AbiTensor &tensor) {
  SmallVector<std::string> shape;
  if (tensor.rate == Rate::Frame)
    shape.push_back("T");
  if (tensor.rate != Rate::Static)
    shape.push_back("B");
  for (int64_t size : tensor.type.getShape())
    shape.push_back(ShapedType::isDynamic(size) ? "B" : std::to_string(size));
  std::string text = "[" + llvm::join(shape, ",") + "] ";
  llvm::raw_string_ostream(text) << tensor.type.getElementType();
  return text;
}

/// The number of elements, T and B counted as 1.
static int64_t getSize(const AbiTensor &tensor) {
  int64_t size = 1;
  for (int64_t dim : tensor.type.getShape())
    size *= ShapedType::isDynamic(dim) ? 1 : dim;
  return size;
}

namespace {
/// Writes the part of one network.
class Header {
public:
  Header(StringRef network, raw_ostream &os) : prefix("rnn_" + toIdentifier(network)), os(os) {}

  void write(StringRef network, StringRef hash, ArrayRef<RNNFunctionInterface> functions);

private:
  /// `#define RNN_<NETWORK>_<NAME> value`; a name that is taken gets a number.
  void define(const Twine &name, const Twine &value, const Twine &comment = "");
  /// The names of a list, ended by a null pointer, and their number.
  void writeNames(const std::string &list, ArrayRef<std::string> names);
  void writeFunction(RNNFunctionInterface function, const std::string &name);

  std::string prefix;
  raw_ostream &os;
  llvm::StringSet<> taken;
};
} // namespace

void Header::define(const Twine &name, const Twine &value, const Twine &comment) {
  std::string macro = StringRef(prefix + "_" + toIdentifier(name.str())).upper();
  std::string unique = macro;
  for (unsigned i = 2; !taken.insert(unique).second; ++i)
    unique = macro + "_" + std::to_string(i);
  os << "#define " << unique << " " << value;
  if (!comment.isTriviallyEmpty())
    os << " /* " << comment << " */";
  os << "\n";
}

void Header::writeNames(const std::string &list, ArrayRef<std::string> names) {
  define(list, Twine(names.size()));
  std::string array = prefix + "_" + toIdentifier(list);
  std::string unique = array;
  for (unsigned i = 2; !taken.insert(unique).second; ++i)
    unique = array + "_" + std::to_string(i);
  os << "static const char *const " << unique << "[] = {";
  for (StringRef name : names)
    os << "\"" << name << "\", ";
  os << "0};\n";
}

void Header::writeFunction(RNNFunctionInterface function, const std::string &name) {
  std::string infix = name.empty() ? "" : name + "_";
  os << "\n/* " << SymbolTable::getSymbolName(function).getValue() << ": "
     << stringifyFunctionKind(function.getFunctionKind()) << " */\n";
  if (auto step = dyn_cast<StepOp>(function.getOperation()); step && step.getBptt()) {
    define(infix + "window", Twine(step.getBptt()->getWindow()));
    define(infix + "advance", Twine(step.getBptt()->getAdvance()));
  }
  SmallVector<AbiTensor> abi = getAbi(function, ShapedType::kDynamic);
  std::pair<AbiRole, StringRef> roles[] = {{AbiRole::Argument, "arguments"},  {AbiRole::Parameter, "parameters"},
                                           {AbiRole::Optimizer, "optimizer"}, {AbiRole::State, "states"},
                                           {AbiRole::Ring, "rings"},          {AbiRole::Result, "results"}};
  for (auto [role, list] : roles) {
    SmallVector<std::string> names;
    for (const AbiTensor &tensor : abi)
      if (tensor.role == role)
        names.push_back(tensor.name);
    writeNames(infix + list.str(), names);
  }
  for (const AbiTensor &tensor : abi)
    define(infix + tensor.name + "_size", Twine(getSize(tensor)), formatType(tensor));
}

void Header::write(StringRef network, StringRef hash, ArrayRef<RNNFunctionInterface> functions) {
  std::string guard = StringRef(prefix + "_h").upper();
  taken.insert(guard);
  os << "/* Network " << network
     << ", written by rnn-translate --rnn-to-c-header. Lists of names end with a null pointer;\n"
     << "   a size is a number of elements with T and B left out. */\n"
     << "#ifndef " << guard << "\n#define " << guard << "\n\n";
  define("hash", "\"" + hash + "\"");
  SmallVector<std::string> names;
  for (RNNFunctionInterface function : functions)
    names.push_back(SymbolTable::getSymbolName(function).str());
  writeNames("functions", names);
  // The network itself needs no second name.
  for (auto [function, name] : llvm::zip_equal(functions, names))
    writeFunction(function, name == network ? "" : name);
  os << "\n#endif /* " << guard << " */\n";
}

static StringRef getNetwork(RNNFunctionInterface function) {
  auto step = dyn_cast<StepOp>(function.getOperation());
  return step ? step.getNetwork() : SymbolTable::getSymbolName(function).getValue();
}

LogicalResult rnn::exportToCHeader(ModuleOp module, raw_ostream &os) {
  if (auto level = module->getAttrOfType<StringAttr>(RNNDialect::kLevelAttrName))
    if (level != stringifyPhase(Phase::Graph))
      return module.emitError() << "expected a module that has not passed the level 'graph', but got " << level;
  OwningOpRef<ModuleOp> copy = module.clone();
  auto run = [&](auto build, const auto &options) {
    PassManager manager(module.getContext());
    build(manager, options);
    return manager.run(*copy);
  };
  if (failed(run(buildToGraphPipeline, ToGraphOptions())))
    return failure();
  std::string hash = getNetworkHash(*copy);
  if (failed(run(buildToGradientPipeline, ToGradientOptions())))
    return failure();

  llvm::MapVector<StringRef, SmallVector<RNNFunctionInterface>> networks;
  for (RNNFunctionInterface function : getFunctions(*copy))
    networks[getNetwork(function)].push_back(function);
  for (auto &[network, functions] : networks) {
    if (network != networks.front().first)
      os << "\n";
    Header(network, os).write(network, hash, functions);
  }
  return success();
}
