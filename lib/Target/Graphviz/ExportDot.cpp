//===- ExportDot.cpp - Pictures of networks -------------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A signal is a node, a delay a dotted edge, a parameter the label of an edge; a loop is a filled cluster. A delay
// whose result is delayed again, or that nothing reads, is a node of its own: every edge then has one delay, and rings
// of delays have nodes. Everything comes in the order of the text.
//
//===----------------------------------------------------------------------===//
#include "mlir/Pass/PassManager.h"
#include "rnn/Analysis/AffineRecurrence.h"
#include "rnn/Dialect/RNN/IR/SignalNames.h"
#include "rnn/Dialect/RNN/Transforms/Passes.h"
#include "rnn/Target/Graphviz.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace mlir::rnn;

/// Fills of loops that people with any kind of colour vision can tell apart (P. Tol, "Colour schemes", 2021, "light").
static constexpr StringRef kLoopFills[] = {"#77AADD", "#EE8866", "#EEDD88", "#FFAABB",
                                           "#99DDFF", "#44BB99", "#BBCC33", "#AAAA00"};
static constexpr StringRef kGrey = "#DDDDDD";

/// A string of the language, in quotes.
static std::string quote(StringRef text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '\n') {
      quoted += "\\n";
      continue;
    }
    if (c == '"' || c == '\\')
      quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

/// `1024x256`, or the element type of a scalar.
static std::string formatShape(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  std::string text;
  llvm::raw_string_ostream os(text);
  if (tensor.getRank() == 0)
    os << tensor.getElementType();
  else
    llvm::interleave(tensor.getShape(), os, "x");
  return text;
}

namespace {
/// The picture of a function, with the losses of a train step where one is given.
class Picture {
public:
  Picture(RNNFunctionInterface function, TrainStepOp step, const SymbolTable &symbols, raw_ostream &os)
      : function(function), step(step), symbols(symbols), os(os), analysis(function), names(function) {}

  void draw(StringRef name);

private:
  /// A delay that is no node but an edge, or null.
  static DelayOp getDelayEdge(Value value);
  bool isNode(Operation *op) const {
    return !isa<ParamOp>(op) && !op->hasTrait<OpTrait::IsTerminator>() &&
           (op->getNumResults() != 1 || !getDelayEdge(op->getResult(0)));
  }

  void drawArguments();
  void drawOps();
  void drawLoop(const Component &component, unsigned number);
  void drawOp(Operation *op, StringRef fill, StringRef indent);
  void drawResults();
  void drawLosses();
  void drawLegend();

  std::string getNode(Value value) const;
  std::string getLabel(Operation *op) const;
  SmallVector<std::string> getParameters(Operation *op) const;
  void drawEdge(StringRef from, StringRef to, ArrayRef<std::string> labels, bool isDelayed = false);
  /// Draws the edges into node `to` from what `operands` are, with the parameters among them and `parameters` as
  /// labels.
  void drawEdges(OperandRange operands, StringRef to, SmallVector<std::string> parameters);
  void drawEdge(Value operand, StringRef to, SmallVector<std::string> labels);
  void drawEdge(Value source, DelayOp delay, StringRef to, SmallVector<std::string> labels);

  RNNFunctionInterface function;
  TrainStepOp step;
  const SymbolTable &symbols;
  raw_ostream &os;
  RecurrenceAnalysis analysis;
  SignalNames names;
  unsigned loops = 0;  ///< drawn so far
  unsigned points = 0; ///< nodes that stand where an edge has a parameter and no signal to begin at
};
} // namespace

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

DelayOp Picture::getDelayEdge(Value value) {
  auto delay = value.getDefiningOp<DelayOp>();
  if (!delay || delay->use_empty() || llvm::any_of(delay->getUsers(), llvm::IsaPred<DelayOp>))
    return {};
  return delay;
}

std::string Picture::getNode(Value value) const {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return "a" + std::to_string(argument.getArgNumber());
  return "n" + std::to_string(analysis.getGraph().getNode(value.getDefiningOp()));
}

/// `wx 1024x256`.
static std::string formatParameter(StringRef name, Type type) { return (name + " " + formatShape(type)).str(); }

/// The parameters that an op names itself, as cells do.
SmallVector<std::string> Picture::getParameters(Operation *op) const {
  SmallVector<std::string> labels;
  if (!isa<CompositeOpInterface>(op))
    return labels;
  auto add = [&](Attribute attribute) {
    if (auto name = dyn_cast<FlatSymbolRefAttr>(attribute))
      if (auto parameter = symbols.lookup<ParameterOp>(name.getAttr()))
        labels.push_back(formatParameter(name.getValue(), parameter.getType()));
  };
  for (StringAttr name : op->getRegisteredInfo()->getAttributeNames()) {
    std::optional<Attribute> attribute = op->getInherentAttr(name);
    if (!attribute || !*attribute)
      continue;
    if (auto list = dyn_cast<ArrayAttr>(*attribute))
      llvm::for_each(list, add);
    else
      add(*attribute);
  }
  return labels;
}

std::string Picture::getLabel(Operation *op) const {
  std::string what = op->getName().stripDialect().str();
  if (auto assign = dyn_cast<AssignOp>(op))
    return what + " " + assign.getParameter().str() + "\n" + formatShape(assign.getValue().getType());
  if (auto call = dyn_cast<CallOp>(op))
    what = call.getCallee().str();
  else if (isa<CompositeOpInterface>(op) && op->hasAttr("reverse"))
    what += " reverse";
  if (op->getNumResults() != 1 || isa<CompositeOpInterface, CallOp>(op)) {
    auto name = op->getAttrOfType<StringAttr>("name");
    std::string shapes = llvm::join(llvm::map_range(op->getResultTypes(), formatShape), ", ");
    return (name ? name.getValue() + "\n" : Twine()).str() + what + (shapes.empty() ? "" : "\n") + shapes;
  }
  Value result = op->getResult(0);
  if (StringRef name = names.getRecordedName(result); !name.empty())
    what = name.str();
  else if (auto constant = dyn_cast<arith::ConstantOp>(op))
    if (auto elements = dyn_cast<DenseElementsAttr>(constant.getValue()); elements && elements.isSplat()) {
      what.clear();
      llvm::raw_string_ostream value(what);
      if (isa<FloatType>(elements.getElementType()))
        value << llvm::format("%g", elements.getSplatValue<APFloat>().convertToDouble());
      else
        elements.getSplatValue<Attribute>().print(value, /*elideType=*/true);
    }
  return what + "\n" + formatShape(result.getType());
}

void Picture::drawArguments() {
  for (BlockArgument argument : function.getBodyBlock()->getArguments()) {
    unsigned i = argument.getArgNumber();
    std::string label = function.getArgName(i).str() + "\n" + formatShape(argument.getType());
    if (function.getArgRate(i) != Rate::Frame)
      label += "\n" + stringifyRate(function.getArgRate(i)).str();
    if (function.getResetIndex() == i)
      label += "\nreset";
    os << "  a" << i << " [shape=box, label=" << quote(label) << "];\n";
  }
}

void Picture::drawOp(Operation *op, StringRef fill, StringRef indent) {
  if (!isNode(op))
    return;
  os << indent << "n" << analysis.getGraph().getNode(op) << " [";
  if (isa<CompositeOpInterface, CallOp>(op) || op->getNumResults() == 0)
    os << "shape=box, ";
  if (fill != kGrey)
    os << "fillcolor=" << quote(fill) << ", ";
  os << "label=" << quote(getLabel(op)) << ", tooltip=" << quote(op->getName().getStringRef()) << "];\n";
}

void Picture::drawLoop(const Component &component, unsigned number) {
  AffineRecurrence affine = findAffineRecurrence(analysis, component);
  std::string label =
      "component " + std::to_string(number) + ": " + (affine.isScan() ? "scan " : "recurrent ") +
      stringifyDirection(component.direction).str() +
      (affine.isScan() ? ", order " + std::to_string(affine.order) : ", stages " + std::to_string(component.stages));
  os << "  subgraph cluster_" << number << " {\n"
     << "    style=" << (affine.isScan() ? "\"filled,dashed\"" : "filled") << ";\n"
     << "    fillcolor=" << quote(kLoopFills[loops++ % std::size(kLoopFills)]) << ";\n"
     << "    label=" << quote(label) << ";\n";
  SmallVector<unsigned> nodes;
  for (Operation *op : component.ops)
    nodes.push_back(analysis.getGraph().getNode(op));
  llvm::sort(nodes);
  for (unsigned node : nodes)
    drawOp(analysis.getGraph().getOp(node), "white", "    ");
  os << "  }\n";
}

void Picture::drawOps() {
  llvm::BitVector isDrawn(analysis.getComponents().size());
  for (Operation *op : analysis.getGraph().getOps()) {
    unsigned index = analysis.getIndex(op);
    const Component &component = analysis.getComponents()[index];
    if (!component.isRecurrent()) {
      drawOp(op, kGrey, "  ");
      continue;
    }
    if (!isDrawn.test(index))
      drawLoop(component, index + 1);
    isDrawn.set(index);
  }
}

void Picture::drawResults() {
  for (OpOperand &operand : function.getBodyBlock()->getTerminator()->getOpOperands()) {
    unsigned i = operand.getOperandNumber();
    std::string label = function.getResultName(i).str() + "\n" + formatShape(operand.get().getType());
    os << "  r" << i << " [shape=box, label=" << quote(label) << "];\n";
  }
}

//===----------------------------------------------------------------------===//
// Edges
//===----------------------------------------------------------------------===//

void Picture::drawEdge(StringRef from, StringRef to, ArrayRef<std::string> labels, bool isDelayed) {
  os << "  " << from << " -> " << to;
  SmallVector<std::string> attributes;
  if (isDelayed)
    attributes.push_back("style=dotted");
  if (!labels.empty())
    attributes.push_back("label=" + quote(llvm::join(labels, "\n")));
  if (!attributes.empty())
    os << " [" << llvm::join(attributes, ", ") << "]";
  os << ";\n";
}

void Picture::drawEdge(Value source, DelayOp delay, StringRef to, SmallVector<std::string> labels) {
  // Which of several results travels along the edge.
  auto isUsed = [](OpResult result) { return !result.use_empty(); };
  if (auto result = dyn_cast<OpResult>(source); result && llvm::count_if(result.getOwner()->getResults(), isUsed) > 1) {
    StringRef name = names.getRecordedName(source);
    labels.insert(labels.begin(), name.empty() ? "#" + std::to_string(result.getResultNumber()) : name.str());
  }
  if (delay)
    labels.insert(labels.begin(), std::to_string(delay.getBy()));
  if (delay && delay.getInit()) {
    if (auto param = delay.getInit().getDefiningOp<ParamOp>())
      labels.push_back("init " + formatParameter(param.getParameter(), param.getType()));
    else
      drawEdge(getNode(delay.getInit()), to, {"init"});
  }
  if (auto param = source.getDefiningOp<ParamOp>()) {
    labels.push_back(formatParameter(param.getParameter(), param.getType()));
    std::string point = "p" + std::to_string(points++);
    os << "  " << point << " [shape=point];\n";
    return drawEdge(point, to, labels, delay != nullptr);
  }
  drawEdge(getNode(source), to, labels, delay != nullptr);
}

void Picture::drawEdge(Value operand, StringRef to, SmallVector<std::string> labels) {
  DelayOp delay = getDelayEdge(operand);
  drawEdge(delay ? delay.getSource() : operand, delay, to, std::move(labels));
}

void Picture::drawEdges(OperandRange operands, StringRef to, SmallVector<std::string> parameters) {
  // Parameters label the first edge from a signal; where there is none they have edges of their own.
  auto isSignal = [](Value operand) { return !operand.getDefiningOp<ParamOp>(); };
  bool hasSignal = llvm::any_of(operands, isSignal);
  if (hasSignal)
    for (Value operand : operands)
      if (auto param = operand.getDefiningOp<ParamOp>())
        parameters.push_back(formatParameter(param.getParameter(), param.getType()));
  for (Value operand : operands)
    if (!hasSignal || isSignal(operand))
      drawEdge(operand, to, std::exchange(parameters, {}));
}

//===----------------------------------------------------------------------===//
// The whole
//===----------------------------------------------------------------------===//

void Picture::drawLosses() {
  unsigned number = 0;
  os << "  loss [shape=box, label=\"loss\"];\n";
  auto drawList = [&](ArrayAttr losses, bool isLoss) {
    for (auto loss : losses.getAsRange<LossAttr>()) {
      std::string node = "l" + std::to_string(number++);
      std::string label = stringifyLossReduction(loss.getReduction()).str();
      if (!isLoss)
        label += " " + loss.getResult().str();
      os << "  " << node << " [label=" << quote(label) << "];\n";
      drawEdge("r" + std::to_string(*function.findResult(loss.getResult())), node, {});
      if (!loss.getMask().empty())
        drawEdge("r" + std::to_string(*function.findResult(loss.getMask())), node, {"mask"});
      SmallVector<std::string> labels;
      if (loss.getWeight() != 1.0) {
        labels.emplace_back();
        llvm::raw_string_ostream(labels.back()) << llvm::format("%g", loss.getWeight().value);
      }
      if (isLoss)
        drawEdge(node, "loss", labels);
    }
  };
  drawList(step.getLosses(), true);
  drawList(step.getMetrics(), false);
}

/// What the signs mean, as a small picture; the same in every digraph.
void Picture::drawLegend() {
  os << "  subgraph cluster_legend {\n"
     << "    label=\"legend\";\n"
     << "    legend_parallel [label=\"all frames at once\"];\n"
     << "    subgraph cluster_legend_loop {\n"
     << "      style=filled;\n      fillcolor=" << quote(kLoopFills[0]) << ";\n      label=\"a loop over frames\";\n"
     << "      legend_loop [fillcolor=white, label=\"signal\\nshape\"];\n"
     << "    }\n"
     << "    subgraph cluster_legend_scan {\n"
     << "      style=\"filled,dashed\";\n      fillcolor=" << quote(kLoopFills[1])
     << ";\n      label=\"a loop that can run as a scan\";\n"
     << "      legend_scan [fillcolor=white, label=\"signal\\nshape\"];\n"
     << "    }\n"
     << "    legend_parallel -> legend_loop [label=\"same frame\\nparameter shape\"];\n"
     << "    legend_loop -> legend_scan [style=dotted, label=\"n: n frames earlier\"];\n"
     << "  }\n";
}

void Picture::draw(StringRef name) {
  os << "digraph " << quote(name) << " {\n"
     << "  label="
     << quote((function->getName().stripDialect() + " " + SymbolTable::getSymbolName(function).getValue() +
               (step ? " in train step " + name : Twine()))
                  .str())
     << ";\n  labelloc=t;\n  node [style=filled, fillcolor=" << quote(kGrey) << "];\n";
  drawArguments();
  drawOps();
  drawResults();
  for (Operation *op : analysis.getGraph().getOps())
    if (isNode(op)) {
      std::string node = "n" + std::to_string(analysis.getGraph().getNode(op));
      // A delay that is a node has its number, and what comes before the first frame, on the edges into it.
      if (auto delay = dyn_cast<DelayOp>(op)) {
        drawEdge(delay.getSource(), delay, node, {});
        continue;
      }
      drawEdges(op->getOperands(), node, getParameters(op));
    }
  for (OpOperand &operand : function.getBodyBlock()->getTerminator()->getOpOperands())
    drawEdge(operand.get(), "r" + std::to_string(operand.getOperandNumber()), {});
  if (step)
    drawLosses();
  drawLegend();
  os << "}\n";
}

LogicalResult rnn::exportToDot(ModuleOp module, raw_ostream &os, const DotOptions &options) {
  OwningOpRef<ModuleOp> copy;
  if (options.expand) {
    copy = module.clone();
    PassManager manager(module.getContext());
    manager.addPass(createInline());
    manager.addPass(createExpandCells());
    if (failed(manager.run(*copy)))
      return failure();
    module = *copy;
  }
  SymbolTable symbols(module);
  for (Operation &op : *module.getBody()) {
    if (auto step = dyn_cast<TrainStepOp>(op)) {
      auto network = symbols.lookup<NetworkOp>(step.getNetwork());
      Picture(network, step, symbols, os).draw(step.getSymName());
    } else if (isa<NetworkOp, StepOp>(op)) {
      Picture(cast<RNNFunctionInterface>(op), {}, symbols, os).draw(SymbolTable::getSymbolName(&op).getValue());
    }
  }
  return success();
}
