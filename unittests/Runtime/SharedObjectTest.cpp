//===- SharedObjectTest.cpp - Code from memory and from the cache folder --===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestArtifact.h"

#include "rnn/Runtime/SharedObject.h"

#include <cstdlib>
#include <filesystem>

using namespace mlir::rnn::runtime;
using namespace mlir::rnn::runtime::test;

namespace {

TEST(SharedObject, LoadsFromMemory) {
  SharedObject first, second;
  std::string problem;
  std::string code = readAll(RNN_TEST_FUNCTIONS);
  ASSERT_TRUE(first.loadFromMemory(code, problem)) << problem;
  ASSERT_TRUE(second.loadFromMemory(code, problem)) << problem;
  ASSERT_TRUE(first.find("rnn_test_run"));
  // Two copies of one code do not share anything.
  EXPECT_NE(first.find("rnn_test_run"), second.find("rnn_test_run"));
  EXPECT_EQ(first.find("nothing"), nullptr);
  EXPECT_EQ(first.find(""), nullptr);
}

TEST(SharedObject, LoadsFromTheCacheFolderAndLeavesNothing) {
  std::string folder = testing::TempDir() + "/rnn-cache-XXXXXX";
  ASSERT_TRUE(::mkdtemp(folder.data()));
  std::string deeper = folder + "/a/b";
  ::setenv("RNN_CACHE_DIR", deeper.c_str(), 1);
  {
    SharedObject object;
    std::string problem;
    ASSERT_TRUE(object.loadFromCache(readAll(RNN_TEST_FUNCTIONS), problem)) << problem;
    EXPECT_TRUE(object.find("rnn_test_step"));
    EXPECT_TRUE(std::filesystem::is_empty(deeper));
  }
  ::setenv("RNN_CACHE_DIR", "/proc/nowhere", 1);
  SharedObject refused;
  std::string problem;
  EXPECT_FALSE(refused.loadFromCache(readAll(RNN_TEST_FUNCTIONS), problem));
  EXPECT_EQ(problem, "there is no cache folder");
  ::unsetenv("RNN_CACHE_DIR");
  std::filesystem::remove_all(folder);
}

TEST(SharedObject, RefusesWhatIsNoCode) {
  SharedObject object;
  EXPECT_EQ(object.load("#!/bin/sh", "m.rnnc").message,
            "'m.rnnc' is damaged: its host code is not a shared object for this machine");
  std::string code = readAll(RNN_TEST_FUNCTIONS);
  std::string otherMachine = code;
  otherMachine[18] = 8; // MIPS
  EXPECT_TRUE(object.load(otherMachine, "m.rnnc").failed());
}

} // namespace
