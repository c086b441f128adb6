//===- LaunchTableTest.cpp - Launch tables, honest and hostile ------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestKernels.h"

#include "rnn/Runtime/LaunchTable.h"

using namespace mlir::rnn::runtime;
using namespace mlir::rnn::runtime::test;

namespace {

Tables tablesOfTest() {
  Tables tables;
  EXPECT_TRUE(parseTables(kTables, "m.rnnc", tables).ok());
  return tables;
}

TEST(LaunchTable, ListsStandInTheOrderOfTheFunctions) {
  LaunchTable table;
  Status status = parseLaunchTable(kLaunches, tablesOfTest(), "m.rnnc", table);
  ASSERT_TRUE(status.ok()) << status.str();
  EXPECT_EQ(table.staticSharedBytes, 64u);
  ASSERT_EQ(table.lists.size(), 2u);
  const LaunchList &acc = table.lists[0];
  EXPECT_EQ(acc.memory.constant, 64u);
  EXPECT_EQ(acc.memory.perFrame, 16u);
  EXPECT_FALSE(acc.flags);
  ASSERT_EQ(acc.launches.size(), 2u);
  EXPECT_EQ(acc.launches[0].kernel, "acc_loop");
  EXPECT_EQ(acc.launches[0].block, 2u);
  EXPECT_EQ(acc.launches[0].cluster, 1u);
  EXPECT_FALSE(acc.launches[0].cooperative);
  EXPECT_EQ(table.lists[1].launches[0].kernel, "step");
}

TEST(LaunchTable, FlagsAreInTheWorkspace) {
  const std::string at = R"("per_frame": 16},)";
  auto parse = [&](const std::string &flags, LaunchTable &table) {
    return parseLaunchTable(editLaunches(at, R"("per_frame": 16}, "flags": )" + flags + ","), tablesOfTest(), "m.rnnc",
                            table);
  };
  LaunchTable table;
  ASSERT_TRUE(parse(R"({"constant": 60, "per_frame": 8})", table).ok());
  ASSERT_TRUE(table.lists[0].flags);
  EXPECT_EQ(table.lists[0].flags->constant, 60u);
  EXPECT_EQ(table.lists[0].flags->perFrame, 8u);
  EXPECT_FALSE(table.lists[1].flags);
  for (const char *outside : {R"({"constant": 61})", R"({"constant": 281474976710656})", R"({"per_frame": 17})"})
    EXPECT_EQ(parse(outside, table).message,
              "'m.rnnc' is damaged: launch list 'rnn_test_run' has flags outside its workspace");
  EXPECT_EQ(parse(R"({"constant": -1})", table).message,
            "'m.rnnc' is damaged: launch list 'rnn_test_run' has no 'constant' from 0 to 281474976710656");
}

TEST(LaunchTable, LaunchesOfWavefrontsSayWhatTheyWaitFor) {
  auto parse = [&](const std::string &wavefronts, const std::string &first, const std::string &second,
                   LaunchTable &table) {
    std::string launches =
        editLaunches(R"("per_frame": 16},)", R"("per_frame": 16}, "wavefronts": )" + wavefronts + ",");
    auto add = [&](const std::string &kernel, const std::string &text) {
      const std::string name = "\"kernel\": \"" + kernel + "\", ";
      launches.replace(launches.find(name), name.size(), name + text);
    };
    add("acc_loop", first);
    add("acc_total", second);
    return parseLaunchTable(launches, tablesOfTest(), "m.rnnc", table);
  };
  const std::string one = R"([{"older": 3, "frames": 4, "pieces": 16}])";
  const std::string first = R"("wavefront": 0, "after": [], "behind": [0, 1], )",
                    second = R"("wavefront": 0, "reversed": true, "after": [0], "behind": [1], )";
  LaunchTable table;
  Status status = parse(one, first, second, table);
  ASSERT_TRUE(status.ok()) << status.str();
  const LaunchList &acc = table.lists[0];
  ASSERT_EQ(acc.wavefronts.size(), 1u);
  EXPECT_EQ(acc.wavefronts[0].older, 3u);
  EXPECT_EQ(acc.wavefronts[0].pieceFrames, 4u);
  EXPECT_EQ(acc.wavefronts[0].mostPieces, 16u);
  EXPECT_EQ(acc.wavefronts[0].first, 0u);
  EXPECT_EQ(acc.wavefronts[0].count, 2u);
  EXPECT_EQ(acc.launches[0].behind, (std::vector<uint32_t>{0, 1}));
  EXPECT_FALSE(acc.launches[0].reversed);
  EXPECT_EQ(acc.launches[1].after, std::vector<uint32_t>{0});
  EXPECT_TRUE(acc.launches[1].reversed);
  EXPECT_EQ(table.lists[1].launches[0].wavefront, Launch::kNoWavefront);

  auto reason = [&](const std::string &wavefronts, const std::string &first, const std::string &second) {
    const std::string prefix = "'m.rnnc' is damaged: ";
    std::string message = parse(wavefronts, first, second, table).message;
    return message.substr(0, prefix.size()) == prefix ? message.substr(prefix.size()) : "?" + message;
  };
  EXPECT_EQ(reason("[]", first, ""), "launch of 'acc_loop' is of no wavefront of its list");
  EXPECT_EQ(reason("7", "", ""), "launch list 'rnn_test_run' has no list 'wavefronts'");
  EXPECT_EQ(reason(R"([{"frames": 0, "pieces": 1}])", "", ""),
            "a wavefront of launch list 'rnn_test_run' has no 'frames' from 1 to 1099511627776");
  EXPECT_EQ(reason(R"([{"frames": 1, "pieces": 5000}])", "", ""),
            "a wavefront of launch list 'rnn_test_run' has no 'pieces' from 1 to 4096");
  EXPECT_EQ(reason(one, R"("wavefront": 0, "after": [0], "behind": [], )", ""),
            "launch of 'acc_loop' waits for no launch of its wavefront in 'after'");
  EXPECT_EQ(reason(one, R"("wavefront": 0, "after": [], "behind": [2], )", second),
            "launch of 'acc_loop' waits for no launch of its wavefront in 'behind'");
  EXPECT_EQ(reason(one, R"("wavefront": 0, "after": [], )", second), "launch of 'acc_loop' has no list 'behind'");
  EXPECT_EQ(reason(one, R"("wavefront": 0, "after": [-1], "behind": [], )", second),
            "launch of 'acc_loop' waits for no launch of its wavefront in 'after'");
}

TEST(BlockCount, IsRoundedUpAndBounded) {
  EXPECT_EQ((BlockCount{5, 12, 256}.at(1)), 1u);
  EXPECT_EQ((BlockCount{5, 12, 256}.at(20)), 1u);
  EXPECT_EQ((BlockCount{5, 12, 256}.at(21)), 2u);
  EXPECT_EQ((BlockCount{-3, 4, 1}.at(1)), 1u);
  EXPECT_EQ((BlockCount{0, int64_t(1) << 40, 1}.at(int64_t(1) << 40)), 2147483647u);
  EXPECT_EQ((BlockCount{0, 1, 1}.at(int64_t(1) << 32)), 2147483647u);
}

// Whoever wants to harm us computes the hash of the artifact too.
TEST(LaunchTable, HostileTablesDoNoHarm) {
  Tables tables = tablesOfTest();
  auto reason = [&](const std::string &json) {
    LaunchTable table;
    Status status = parseLaunchTable(json, tables, "m.rnnc", table);
    EXPECT_EQ(status.code, Code::Data);
    std::string prefix = "'m.rnnc' is damaged: ";
    return status.message.substr(0, prefix.size()) == prefix ? status.message.substr(prefix.size())
                                                             : "?" + status.message;
  };
  auto edited = [&](const std::string &from, const std::string &to) { return reason(editLaunches(from, to)); };
  EXPECT_EQ(reason(""), "the launch table is not a JSON object");
  EXPECT_EQ(reason("[1]"), "the launch table is not a JSON object");
  EXPECT_EQ(reason(std::string(1000000, '[')), "the launch table is not a JSON object");
  EXPECT_EQ(reason("{}"), "the launch table has no list 'functions'");
  EXPECT_EQ(reason(R"({"functions": {}})"), "the launch table has no list 'functions'");
  EXPECT_EQ(reason(R"({"functions": [1]})"), "a launch list has no string 'symbol'");
  EXPECT_EQ(reason(R"({"functions": []})"), "'acc' has no launch list 'rnn_test_run'");
  EXPECT_EQ(edited("\"static_shared_bytes\": 64", "\"static_shared_bytes\": -1"),
            "the launch table has no 'static_shared_bytes' from 0 to 262144");
  EXPECT_EQ(edited("\"symbol\": \"rnn_test_step\"", "\"symbol\": 7"), "a launch list has no string 'symbol'");
  EXPECT_EQ(edited("rnn_test_step", "rnn_test_run"), "launch list 'rnn_test_run' is there twice");
  EXPECT_EQ(edited("rnn_test_step", "other"), "'step' has no launch list 'rnn_test_step'");
  EXPECT_EQ(edited("\"launches\"", "\"launch\""), "launch list 'rnn_test_step' has no list 'launches'");
  EXPECT_EQ(edited("\"per_frame\": 16", "\"per_frame\": -16"),
            "launch list 'rnn_test_run' has no 'per_frame' from 0 to 281474976710656");
  EXPECT_EQ(edited("\"constant\": 64", "\"constant\": \"64\""),
            "launch list 'rnn_test_run' has no 'constant' from 0 to 281474976710656");
  EXPECT_EQ(edited("\"kernel\": \"step\"", "\"kernel\": null"), "launch list 'rnn_test_step' has no string 'kernel'");
  EXPECT_EQ(edited("\"kernel\": \"step\",", ""), "launch list 'rnn_test_step' has no string 'kernel'");
  EXPECT_EQ(edited("\"grid\": {\"constant\": 11", "\"gird\": {\"constant\": 11"),
            "launch of 'acc_loop' has no 'constant' from -1099511627776 to 1099511627776");
  EXPECT_EQ(edited("{\"constant\": 11, \"per_frame\": 1, \"divisor\": 2}", "12"),
            "launch of 'acc_loop' has no 'constant' from -1099511627776 to 1099511627776");
  EXPECT_EQ(edited("\"constant\": 11", "\"constant\": 1e300"),
            "launch of 'acc_loop' has no 'constant' from -1099511627776 to 1099511627776");
  EXPECT_EQ(edited("\"per_frame\": 1, \"divisor\": 2", "\"per_frame\": -1, \"divisor\": 2"),
            "launch of 'acc_loop' has no 'per_frame' from 0 to 1099511627776");
  EXPECT_EQ(edited("\"divisor\": 2", "\"divisor\": 0"),
            "launch of 'acc_loop' has no 'divisor' from 1 to 1099511627776");
  EXPECT_EQ(edited(", \"divisor\": 2", ""), "launch of 'acc_loop' has no 'divisor' from 1 to 1099511627776");
  EXPECT_EQ(edited("\"constant\": 11", "\"constant\": -1"), "launch of 'acc_loop' has no block for one frame");
  EXPECT_EQ(edited("\"block\": 2", "\"block\": 2048"), "launch of 'acc_loop' has no 'block' from 1 to 1024");
  EXPECT_EQ(edited("\"block\": 2,", ""), "launch of 'acc_loop' has no 'block' from 1 to 1024");
  EXPECT_EQ(edited("\"shared_bytes\": 0", "\"shared_bytes\": 999999"),
            "launch of 'acc_loop' has no 'shared_bytes' from 0 to 262144");
  EXPECT_EQ(edited("\"cluster\": 1", "\"cluster\": 32"), "launch of 'acc_loop' has no 'cluster' from 1 to 16");
  EXPECT_EQ(edited("\"cooperative\": false", "\"cooperative\": \"no\""),
            "launch of 'acc_loop' has no number 'cooperative'");
}

// Random edits end in a table or in an error.
TEST(LaunchTable, MutatedTablesDoNoHarm) {
  Tables tables = tablesOfTest();
  uint32_t state = 4321;
  auto next = [&](uint32_t n) { return (state = state * 1664525 + 1013904223) / 65536 % n; };
  const std::string pieces[] = {"-1", "\"\"", "null", "[]", "{}", "1e308", "9223372036854775807", ",", "}", "x"};
  for (int round = 0; round < 2000; ++round) {
    std::string edited = kLaunches;
    for (uint32_t i = 0; i <= next(3); ++i)
      edited.replace(next(uint32_t(edited.size())), next(12), pieces[next(10)]);
    LaunchTable table;
    Status status = parseLaunchTable(edited, tables, "m.rnnc", table);
    EXPECT_TRUE(status.ok() || status.code == Code::Data);
  }
}

} // namespace
