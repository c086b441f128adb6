//===- RNNInterfaces.td - Interfaces of the rnn dialect -*- tablegen -*- ===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef RNN_DIALECT_RNN_IR_RNNINTERFACES_TD
#define RNN_DIALECT_RNN_IR_RNNINTERFACES_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/Interfaces.td"

def RNN_FunctionInterface : OpInterface<"RNNFunctionInterface"> {
  let cppNamespace = "::mlir::rnn";
  let description = [{
    What `rnn.network`, `rnn.step` and `rnn.schedule` share: a symbol with named arguments and results and one block.
    Implementers keep the attributes `sym_name`, `function_type`, `arg_names`, `result_names`, `arg_attrs` and `res_attrs`.
  }];
  let methods = [
    InterfaceMethod<"The names of the arguments, in order.", "::mlir::ArrayAttr", "getArgNames">,
    InterfaceMethod<"The names of the results, in order.", "::mlir::ArrayAttr", "getResultNames">,
    InterfaceMethod<"One dictionary per argument, or null.", "::mlir::ArrayAttr", "getArgAttrsAttr">,
    InterfaceMethod<"One dictionary per result, or null.", "::mlir::ArrayAttr", "getResAttrsAttr">,
    InterfaceMethod<"The types of the arguments and results.", "::mlir::FunctionType", "getFunctionType">,
    InterfaceMethod<"What the function is for.", "::mlir::rnn::FunctionKind", "getFunctionKind">,
    InterfaceMethod<"The only block.", "::mlir::Block *", "getBodyBlock", (ins), "",
      "return &$_op->getRegion(0).front();">
  ];
  let extraSharedClassDeclaration = [{
    /// The name of argument or result `i`.
    ::llvm::StringRef getArgName(unsigned i) {
      return ::llvm::cast<::mlir::StringAttr>($_op.getArgNames()[i]).getValue();
    }
    ::llvm::StringRef getResultName(unsigned i) {
      return ::llvm::cast<::mlir::StringAttr>($_op.getResultNames()[i]).getValue();
    }
    /// The attribute `name` of argument or result `i`, or null.
    ::mlir::Attribute getArgAttr(unsigned i, ::llvm::StringRef name) {
      return ::mlir::rnn::detail::getDictAttr($_op.getArgAttrsAttr(), i, name);
    }
    ::mlir::Attribute getResAttr(unsigned i, ::llvm::StringRef name) {
      return ::mlir::rnn::detail::getDictAttr($_op.getResAttrsAttr(), i, name);
    }
    /// The declared rate of argument or result `i` (rule R1: frame by default).
    ::mlir::rnn::Rate getArgRate(unsigned i) {
      return ::mlir::rnn::detail::getRate(getArgAttr(i, "rnn.rate"));
    }
    ::mlir::rnn::Rate getResRate(unsigned i) {
      return ::mlir::rnn::detail::getRate(getResAttr(i, "rnn.rate"));
    }
    /// The index of the argument marked `rnn.reset`, if there is one.
    std::optional<unsigned> getResetIndex() {
      for (unsigned i = 0, e = $_op.getArgNames().size(); i < e; ++i)
        if (getArgAttr(i, "rnn.reset"))
          return i;
      return std::nullopt;
    }
    /// The index of the argument or result called `name`, if there is one.
    std::optional<unsigned> findArg(::llvm::StringRef name) {
      return ::mlir::rnn::detail::findName($_op.getArgNames(), name);
    }
    std::optional<unsigned> findResult(::llvm::StringRef name) {
      return ::mlir::rnn::detail::findName($_op.getResultNames(), name);
    }
    /// The block argument called `name`, which must exist.
    ::mlir::BlockArgument getArgument(::llvm::StringRef name) {
      return $_op.getBodyBlock()->getArgument(*findArg(name));
    }
  }];
}

def RNN_CompositeInterface : OpInterface<"CompositeOpInterface"> {
  let cppNamespace = "::mlir::rnn";
  let description = [{
    An op that stands for a subgraph of level-1 ops.
    Nothing after `rnn-expand-cells` knows composites; a new cell is one op with this interface.
  }];
  let methods = [
    InterfaceMethod<[{
      Builds the subgraph at the builder's insertion point, before the op, and returns one value per result.
      On failure an error has been emitted on the op.
    }], "::llvm::FailureOr<::llvm::SmallVector<::mlir::Value>>", "expand", (ins "::mlir::OpBuilder &":$builder)>
  ];
}

def RNN_AdjointInterface : OpInterface<"AdjointOpInterface"> {
  let cppNamespace = "::mlir::rnn";
  let description = [{
    The derivative rule of an op with one result.
    All rules are external models, in `AdjointRules.cpp`; `rnn-differentiate` is their only user.
  }];
  let methods = [
    InterfaceMethod<[{
      Builds what the error of the result, `adjoint.getError()`, contributes to the error of the floating-point operand number `operand`, as if both had the rate at which the op works; null if that is nothing.
      Sums over frames that a lower rate of the operand asks for (rule R3) are the caller's.
    }], "::mlir::Value", "buildAdjoint", (ins "::mlir::rnn::AdjointBuilder &":$adjoint, "unsigned":$operand)>
  ];
}

def RNN_InitializerAttrInterface : AttrInterface<"InitializerAttrInterface"> {
  let cppNamespace = "::mlir::rnn";
  let description = "How the runtime draws the first value of a parameter (rule N1b).";
  let methods = [
    InterfaceMethod<"The `init` object of the artifact's tensor table.", "::llvm::json::Object", "toJSON", (ins)>
  ];
}

def RNN_OptimizerAttrInterface : AttrInterface<"OptimizerAttrInterface"> {
  let cppNamespace = "::mlir::rnn";
  let description = [{
    An update rule. A new optimizer is one attribute with this interface and nothing else.
  }];
  let methods = [
    InterfaceMethod<"The default learning rate; a step takes `lr` as an argument.", "double", "getLearningRate", (ins)>,
    InterfaceMethod<"The names of the slots kept per parameter (`opt.<slot>.<parameter>`), zero at first.",
      "::llvm::SmallVector<::llvm::StringRef>", "getSlots", (ins)>,
    InterfaceMethod<[{
      Builds the update of one parameter as static elementwise arithmetic.
      `param`, `grad` and `slots` have the same shape; `lr` is a scalar tensor of their element type;
      `step` (tensor<i64>) counts updates, this one included.
      Returns the new parameter, then the new slots.
    }], "::llvm::SmallVector<::mlir::Value>", "buildUpdate",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc, "::mlir::Value":$param, "::mlir::Value":$grad,
           "::mlir::ValueRange":$slots, "::mlir::Value":$lr, "::mlir::Value":$step)>
  ];
}

#endif // RNN_DIALECT_RNN_IR_RNNINTERFACES_TD
