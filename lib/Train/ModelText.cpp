//===- ModelText.cpp - A model fitted to data -----------------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Train/ModelText.h"
#include "rnn/Runtime/TensorRef.h"

#include <algorithm>
#include <charconv>
#include <regex>

namespace mlir::rnn::train {
namespace {

using namespace runtime;

/// What the network reads or predicts.
struct Signal {
  std::string name;
  bool classes = false; ///< a class number; else a vector
  int64_t size = 0;     ///< classes or elements
};

std::string vectorType(int64_t size) { return "tensor<" + std::to_string(size) + "xf32>"; }

std::string matrixType(int64_t rows, int64_t columns) {
  return "tensor<" + std::to_string(rows) + "x" + std::to_string(columns) + "xf32>";
}

std::string signalType(const Signal &signal) { return signal.classes ? "tensor<i32>" : vectorType(signal.size); }

int64_t largest(const HostTensor &values) {
  int64_t top = 0;
  size_t width = dtypeSize(std::string_view(values.dtype));
  for (size_t i = 0; i < values.data.size() / width; ++i) {
    int64_t value = width == 8   ? values.as<int64_t>()[i]
                    : width == 4 ? values.as<int32_t>()[i]
                    : width == 2 ? values.as<int16_t>()[i]
                                 : int64_t(values.as<uint8_t>()[i]);
    top = std::max(top, value);
  }
  return top;
}

Status fit(const Data &data, const Column &column, Signal &signal) {
  const HostTensor &values = *column.values;
  signal.name = column.name.empty() ? "x" : column.name;
  if (data.kind == Data::Kind::Bytes) {
    signal.classes = true;
    signal.size = 256;
    return Status::success();
  }
  bool integer = values.dtype[0] == 'i' || values.dtype[0] == 'u';
  if (integer && values.shape.size() == 1) {
    signal.classes = true;
    signal.size = largest(values) + 1;
    return Status::success();
  }
  if (!integer && values.shape.size() == 2) {
    signal.size = values.shape[1];
    return Status::success();
  }
  return usageError("no model can be fitted to '" + column.name + "' of '" + data.path +
                    "'; expected whole numbers [T,N] or floats [T,N,F]");
}

/// What an argument of the written model may be called: a name that is legal, not reserved, and not used in it.
bool isFreeName(const std::string &name) {
  static const std::regex legal("[A-Za-z_][A-Za-z0-9_.]*");
  static const std::regex taken(
      "mask|lengths|loss|lr|grad_norm|flags|seed|tape|age|(state|grad|opt|ring|data|sum|count|"
      "out|l[0-9]+)\\..*|[hc][0-9]+|w|b|y|logits|nll|mse|accuracy|best|score|hit");
  return std::regex_match(name, legal) && !std::regex_match(name, taken);
}

std::string parameter(const std::string &name, const std::string &type, const std::string &init) {
  return "rnn.parameter @" + name + " : " + type + " init(#rnn." + init + ")\n";
}

} // namespace

std::string floatText(double value) {
  char buffer[40];
  std::string text(buffer, std::to_chars(buffer, buffer + sizeof(buffer), value).ptr);
  size_t exponent = text.find('e');
  if (text.find('.') == std::string::npos)
    text.insert(std::min(exponent, text.size()), ".0");
  return text;
}

std::vector<std::pair<std::string, double>> optimizerFields(const Options &options) {
  const std::string &kind = options.optimizer;
  std::vector<std::pair<std::string, double>> fields{{"lr", options.lr}};
  if (kind == "sgd" || (kind == "rmsprop" && options.momentum != 0))
    fields.push_back({"momentum", options.momentum});
  // The attribute's own default is PyTorch's: 0.01 for adamw.
  if (kind == "adamw" || options.weightDecay != 0)
    fields.push_back({"weight_decay", options.weightDecay});
  return fields;
}

Status writeModelText(const Options &options, const Data &data, std::string &text) {
  Signal input, target;
  for (const Column &column : data.columns) {
    if (column.name == "mask")
      continue;
    Signal &signal = column.name == "target" ? target : input;
    if (signal.size)
      return usageError("'" + data.path + "' has several inputs; write a model for it",
                        {"the array to predict is named 'target'"});
    if (!column.name.empty() && column.name != "target" && !isFreeName(column.name))
      return fileError("'" + column.name + "' of '" + data.path + "' cannot name the input of a written model",
                       {"call it 'x', or write a model"});
    if (Status status = fit(data, column, signal); status.failed())
      return status;
  }
  if (!input.size || !target.size)
    return fileError("'" + data.path + "' has no array named '" + (input.size ? "target" : "x") + "'");

  int64_t usual = options.advance && 128 % options.advance ? options.advance : 128;
  int64_t window = options.window ? options.window : usual;
  int64_t advance = options.advance ? options.advance : window;
  if (window % advance != 0)
    return compileError("bptt window " + std::to_string(window) + " is not a multiple of advance " +
                        std::to_string(advance));

  // Looked-up inputs must differ for a cell to tell them apart, and a recurrence that begins below one cannot run away.
  bool peephole = options.cell == "peephole-lstm", isLstm = peephole || options.cell == "lstm";
  int64_t hidden = options.hiddenSize, blocks = isLstm ? 4 : options.cell == "gru" ? 3 : 1, gates = blocks * hidden;
  const std::string scaled = "uniform<>", table = "uniform<-2.0, 2.0>",
                    orthogonal =
                        "orthogonal<gain = 0.5" + (blocks > 1 ? ", blocks = " + std::to_string(blocks) : "") + ">";
  std::string state = vectorType(hidden), cells, parameters;
  std::string previous = "%" + input.name, previousType = signalType(input);
  for (int64_t layer = 0; layer < options.layers; ++layer) {
    std::string l = "l" + std::to_string(layer), n = std::to_string(layer);
    bool isTable = layer == 0 && input.classes;
    int64_t width = layer == 0 ? input.size : hidden;
    parameters +=
        parameter(l + ".wx", isTable ? matrixType(width, gates) : matrixType(gates, width), isTable ? table : scaled);
    parameters += parameter(l + ".wh", matrixType(gates, hidden), orthogonal);
    parameters += parameter(l + ".b", vectorType(gates), "zeros");
    std::string peepholes;
    for (const char *gate : {"pi", "pf", "po"}) {
      if (!peephole)
        break;
      parameters += parameter(l + "." + gate, state, "zeros");
      peepholes += (peepholes.empty() ? " peephole(@" : ", @") + l + "." + gate;
    }
    cells += "  %h" + n + (isLstm ? ", %c" + n + " = rnn.lstm \"" : " = rnn." + options.cell + " \"") + l + "\" " +
             previous + " wx(@" + l + ".wx) wh(@" + l + ".wh) b(@" + l + ".b)" + peepholes + (peephole ? ")" : "") +
             " : " + previousType + " -> " + state + "\n";
    previous = "%h" + n;
    previousType = state;
    parameters += "\n";
  }
  std::string outType = vectorType(target.size), weightType = matrixType(target.size, hidden);
  parameters += parameter("out.w", weightType, scaled) + parameter("out.b", outType, "zeros");

  // Bits per byte say more of a text than the share of bytes that are guessed right.
  bool accuracy = target.classes && data.kind != Data::Kind::Bytes;
  std::string output = target.classes ? "logits" : "y", loss = target.classes ? "nll" : "mse";
  text = "// Written by rnn-train: " + std::to_string(options.layers) + " layers of " + std::to_string(hidden) + " " +
         options.cell + " units. Change it and train again with: rnn-train model.mlir --data=...\n\n" + parameters +
         "\nrnn.network @net(%" + input.name + ": " + signalType(input) + ", %target: " + signalType(target) +
         ") -> (" + output + ": " + outType + ", " + loss + ": tensor<f32>" +
         (accuracy ? ", accuracy: tensor<f32>" : "") + ") {\n" + cells + "  %w = rnn.param @out.w : " + weightType +
         "\n  %b = rnn.param @out.b : " + outType + "\n  %" + output + " = rnn.linear " + previous + ", %w, %b : (" +
         state + ", " + weightType + ", " + outType + ") -> " + outType + "\n";
  if (target.classes)
    text += "  %nll = rnn.softmax_cross_entropy %logits, %target : (" + outType + ", tensor<i32>) -> tensor<f32>\n";
  else
    text += "  %mse = rnn.mean_squared_error %y, %target : (" + outType + ", " + outType + ") -> tensor<f32>\n";
  if (accuracy)
    text += "  %best = rnn.reduce max %logits over [0] : " + outType + " to tensor<f32>\n" +
            "  %score = rnn.gather %logits, %target : (" + outType + ", tensor<i32>) -> tensor<f32>\n" +
            "  %hit = arith.cmpf oge, %score, %best : tensor<f32>\n" +
            "  %accuracy = arith.uitofp %hit : tensor<i1> to tensor<f32>\n";
  text += "  rnn.output %" + output + ", %" + loss + (accuracy ? ", %accuracy" : "") + " : " + outType +
          ", tensor<f32>" + (accuracy ? ", tensor<f32>" : "") + "\n}\n\n";

  std::string optimizer;
  for (const auto &[field, value] : optimizerFields(options))
    optimizer += (optimizer.empty() ? "#rnn." + options.optimizer + "<" : ", ") + field + " = " + floatText(value);
  text += "rnn.train_step @step of @net loss(\"" + loss + "\" mean)" + (accuracy ? " metric(\"accuracy\" mean)" : "") +
          " optimizer(" + optimizer + ">)";
  if (options.clipNorm > 0)
    text += " clip<norm = " + floatText(options.clipNorm) + ">";
  if (options.clipValue > 0)
    text += " clip<value = " + floatText(options.clipValue) + ">";
  text += " bptt<window = " + std::to_string(window) + ", advance = " + std::to_string(advance) + ">\n";
  return Status::success();
}

} // namespace mlir::rnn::train
