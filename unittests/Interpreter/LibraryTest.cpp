//===- LibraryTest.cpp - librnn-interpreter.so through its border ---------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "rnn/Runtime/InterpreterAbi.h"
#include "gtest/gtest.h"
#include <dlfcn.h>
#include <string>

namespace {

constexpr const char *kModule = R"(
  rnn.parameter @w : tensor<f32> init(#rnn.zeros)
  rnn.step @step.eval eval of @n (%x: tensor<f32>, %i: tensor<i8>) -> (y: tensor<f32>, j: tensor<i1>) {
    %w = rnn.param @w : tensor<f32>
    %y1 = rnn.delay %y by 1 : tensor<f32>
    %p = arith.mulf %w, %x : tensor<f32>
    %y = arith.addf %p, %y1 : tensor<f32>
    %zero = arith.constant dense<0> : tensor<i8>
    %j = arith.cmpi slt, %i, %zero : tensor<i8>
    rnn.output %y, %j : tensor<f32>, tensor<i1>
  })";

class Library : public testing::Test {
protected:
  void SetUp() override {
    library = dlopen(RNN_INTERPRETER_LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    ASSERT_TRUE(library) << dlerror();
    open = reinterpret_cast<RnnInterpreterOpenFn>(dlsym(library, "rnnInterpreterOpen"));
    run = reinterpret_cast<RnnInterpreterRunFn>(dlsym(library, "rnnInterpreterRun"));
    close = reinterpret_cast<RnnInterpreterCloseFn>(dlsym(library, "rnnInterpreterClose"));
    auto version = reinterpret_cast<RnnInterpreterAbiVersionFn>(dlsym(library, "rnnInterpreterAbiVersion"));
    ASSERT_TRUE(open && run && close && version);
    EXPECT_EQ(version(), RNN_INTERPRETER_ABI_VERSION);
  }

  void *library = nullptr;
  RnnInterpreterOpenFn open = nullptr;
  RnnInterpreterRunFn run = nullptr;
  RnnInterpreterCloseFn close = nullptr;
  char error[256] = "";
};

TEST_F(Library, RunsInPlace) {
  RnnInterpreter *interpreter = nullptr;
  ASSERT_EQ(open(kModule, std::string(kModule).size(), &interpreter, error, sizeof error), 0) << error;
  float x[4] = {1, 2, 3, 4}, y[4], state[2] = {10, 20};
  double w = 0.5; // Wider than declared.
  int8_t i[4] = {-1, 1, 0, -128}, j[4];
  int64_t age[2] = {7, -1}, frame = 5;
  int32_t flags = -1;
  const int64_t frames[] = {2, 2}, kept[] = {1, 2};
  RnnInterpreterTensor tensors[] = {{"x", "f32", 2, frames, x},
                                    {"i", "i8", 2, frames, i},
                                    {"w", "f64", 0, nullptr, &w},
                                    {"state.y", "f32", 2, kept, state},
                                    {"state.age", "i64", 1, kept + 1, age},
                                    {"state.frame", "i64", 0, nullptr, &frame},
                                    {"y", "f32", 2, frames, y},
                                    {"j", "i1", 2, frames, j},
                                    {"flags", "i32", 0, nullptr, &flags}};
  RnnInterpreterOptions options{sizeof options, 0, 0};
  ASSERT_EQ(run(interpreter, "step.eval", tensors, 9, 2, &options, error, sizeof error), 0) << error;
  EXPECT_EQ(y[0], 10.5f); // Stream 0 goes on, stream 1 starts.
  EXPECT_EQ(y[1], 1.0f);
  EXPECT_EQ(y[2], 12.0f);
  EXPECT_EQ(y[3], 3.0f);
  EXPECT_EQ(state[0], 12.0f);
  EXPECT_EQ(state[1], 3.0f);
  EXPECT_EQ(age[0], 9);
  EXPECT_EQ(age[1], 1);
  EXPECT_EQ(frame, 7);
  EXPECT_EQ(flags, 0);
  EXPECT_EQ(std::string({char('0' + j[0]), char('0' + j[1]), char('0' + j[2]), char('0' + j[3])}), "1001");
  close(interpreter);
}

TEST_F(Library, Errors) {
  RnnInterpreter *interpreter = nullptr;
  EXPECT_EQ(open("rnn.oops", 8, &interpreter, error, sizeof error), 1);
  EXPECT_NE(std::string(error), "");
  ASSERT_EQ(open(kModule, std::string(kModule).size(), &interpreter, error, sizeof error), 0);
  EXPECT_EQ(run(interpreter, "step", nullptr, 0, 1, nullptr, error, sizeof error), 1);
  EXPECT_STREQ(error, "the module has no function named 'step'");
  EXPECT_EQ(run(interpreter, "step.eval", nullptr, 0, 1, nullptr, error, sizeof error), 1);
  EXPECT_STREQ(error, "no input for 'x' of 'step.eval'");
  close(interpreter);
}

} // namespace
