//===- ArtifactTest.cpp - Artifacts, whole and damaged --------------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestArtifact.h"

#include "rnn/Runtime/Artifact.h"
#include "rnn/Runtime/CpuFeatures.h"
#include "rnn/Runtime/Sha256.h"

using namespace mlir::rnn::runtime;
using namespace mlir::rnn::runtime::test;

namespace {

Status open(std::string bytes) {
  std::shared_ptr<const Artifact> artifact;
  return Artifact::fromMemory(std::move(bytes), "m.rnnc", artifact);
}

/// Makes the hash right again after an edit.
std::string seal(std::string bytes) {
  Sha256Digest hash = sha256(bytes.data() + 48, bytes.size() - 48);
  std::memcpy(&bytes[16], hash.data(), hash.size());
  return bytes;
}

template <typename T>
std::string poke(std::string bytes, size_t at, T value) {
  std::memcpy(&bytes[at], &value, sizeof value);
  return bytes;
}

TEST(Artifact, KeepsItsSections) {
  std::string file = packArtifact();
  std::shared_ptr<const Artifact> artifact;
  Status status = Artifact::fromMemory(file, "m.rnnc", artifact);
  ASSERT_TRUE(status.ok()) << status.str();
  EXPECT_EQ(artifact->sections().size(), 3u);
  EXPECT_EQ(artifact->section(SectionKind::Tables), kTables);
  EXPECT_EQ(artifact->section(SectionKind::HostCode), readAll(RNN_TEST_FUNCTIONS));
  EXPECT_EQ(artifact->targets(), "cpu:sse2");
  EXPECT_EQ(file, packArtifact()); // byte for byte

  const Tables &tables = artifact->tables();
  EXPECT_EQ(tables.streams, 3);
  const Function *step = tables.findFunction("step");
  ASSERT_TRUE(step);
  EXPECT_EQ(step->kind, Function::Kind::Train);
  EXPECT_EQ(step->advance, 4);
  EXPECT_EQ(step->learningRate, 0.25);
  EXPECT_EQ(step->losses.size(), 1u);
  EXPECT_EQ(tables.findFunction("acc")->tensors[1].defaultValue, 1.0);
}

TEST(Artifact, WriterRefusesWhatReadersWould) {
  std::string file;
  EXPECT_TRUE(writeArtifact({}, file).failed());
  EXPECT_TRUE(writeArtifact({{SectionKind::Tables, "", ""}}, file).failed());
  EXPECT_TRUE(writeArtifact({{SectionKind::HostCode, std::string(32, 'a'), "x"}}, file).failed());
}

TEST(Artifact, NamesVersionAndDamage) {
  std::string file = packArtifact();
  EXPECT_EQ(open("").message, "'m.rnnc' is not an artifact: magic RNNC is missing");
  EXPECT_EQ(open("RNN").message, "'m.rnnc' is not an artifact: magic RNNC is missing");
  EXPECT_EQ(open(poke<uint32_t>(file, 4, 3)).message, "'m.rnnc' has artifact version 3, this runtime reads 1 to 1");
  EXPECT_EQ(open(poke<char>(file, file.size() - 1, '!')).message, "'m.rnnc' is damaged: hash does not match");
  EXPECT_EQ(open(poke<char>(file, 20, '!')).message, "'m.rnnc' is damaged: hash does not match");
  EXPECT_EQ(open(file.substr(0, 5000)).message,
            "'m.rnnc' is damaged: it should have " + std::to_string(file.size()) + " bytes, the file has 5000");
  Status status = open(file.substr(0, 50));
  EXPECT_EQ(status.message, "'m.rnnc' is damaged: the header is cut off");
  EXPECT_EQ(status.code, Code::Data);
  EXPECT_EQ(status.kind, Kind::File);
}

TEST(Artifact, EveryFlippedByteIsNoticed) {
  std::string file = packArtifact();
  for (size_t at = 0; at < file.size(); at += at < 300 ? 1 : 97) {
    std::string damaged = file;
    damaged[at] ^= 0x40;
    EXPECT_TRUE(open(std::move(damaged)).failed()) << at;
  }
}

TEST(Artifact, EveryTruncationIsNoticed) {
  std::string file = packArtifact();
  for (size_t size = 0; size < file.size(); size += size < 300 ? 1 : 61)
    EXPECT_TRUE(open(file.substr(0, size)).failed()) << size;
  EXPECT_TRUE(open(file + '\0').failed());
}

// Whoever wants to harm us computes the hash: every field is checked itself.
TEST(Artifact, HostileHeadersDoNoHarm) {
  std::string file = packArtifact();
  constexpr size_t entry = 52; // kind 4, offset 8, size 8, target 32
  auto reason = [&](std::string bytes) { return open(seal(std::move(bytes))).message; };
  EXPECT_EQ(reason(poke<uint32_t>(file, 48, 0)), "'m.rnnc' is damaged: 0 sections do not fit");
  EXPECT_EQ(reason(poke<uint32_t>(file, 48, 0xffffffff)), "'m.rnnc' is damaged: 4294967295 sections do not fit");
  EXPECT_EQ(reason(poke<uint32_t>(file, 48, 2)), "'m.rnnc' is damaged: a gap between sections is not zero");
  EXPECT_EQ(reason(poke<uint64_t>(file, entry + 4, 4097)),
            "'m.rnnc' is damaged: section 0 is not at a multiple of 4096");
  EXPECT_EQ(reason(poke<uint64_t>(file, entry + 4, uint64_t(1) << 62)),
            "'m.rnnc' is damaged: section 0 ends outside the file");
  EXPECT_EQ(reason(poke<uint64_t>(file, entry + 12, UINT64_MAX)),
            "'m.rnnc' is damaged: section 0 ends outside the file");
  EXPECT_EQ(reason(poke<uint64_t>(file, entry + 12, 0)), "'m.rnnc' is damaged: section 0 is empty");
  EXPECT_EQ(reason(poke<uint64_t>(file, entry + 4, 0)), "'m.rnnc' is damaged: sections overlap");
  EXPECT_EQ(reason(poke<uint64_t>(file, entry + 52 + 4, 4096)), "'m.rnnc' is damaged: sections overlap");
  EXPECT_EQ(reason(poke<uint8_t>(file, entry + 51, 'x')), "'m.rnnc' is damaged: section 0 has a malformed target");
  EXPECT_EQ(reason(poke<char>(file, 4000, 'x')), "'m.rnnc' is damaged: a gap between sections is not zero");
  EXPECT_EQ(reason(poke<uint64_t>(file + '\0', 8, file.size() + 1)),
            "'m.rnnc' is damaged: bytes after the last section");
}

TEST(Artifact, HostileTablesDoNoHarm) {
  auto reason = [](const std::string &tables) {
    std::string message = open(packArtifact(tables)).message;
    std::string prefix = "'m.rnnc' is damaged: ";
    return message.substr(0, prefix.size()) == prefix ? message.substr(prefix.size()) : "?" + message;
  };
  EXPECT_EQ(reason("{"), "the tables are not a JSON object");
  EXPECT_EQ(reason(std::string(1000000, '[')), "the tables are not a JSON object");
  EXPECT_EQ(reason("[1]"), "the tables are not a JSON object");
  EXPECT_EQ(reason("{}"), "the table has no list 'functions'");
  EXPECT_EQ(reason(editTables("\"streams\": 3", "\"streams\": -3")), "the table has no 'streams' from 1 to 2147483648");
  EXPECT_EQ(reason(editTables("[-1, 3, 4]", "[-1, 3, -4]")), "tensor 'x' of 'acc' has an impossible shape");
  EXPECT_EQ(reason(editTables("[-1, 3, 4]", "[3, -1, 4]")), "tensor 'x' of 'acc' has an impossible shape");
  EXPECT_EQ(reason(editTables("[-1, 3, 4]", "[-1, 3000000000, 4000000000]")),
            "tensor 'x' of 'acc' has an impossible shape");
  EXPECT_EQ(reason(editTables("[-1, 3, 4]", "[1, 1, 1, 1, 1, 1, 1, 1, 1]")),
            "tensor 'x' of 'acc' has an impossible shape");
  EXPECT_EQ(reason(editTables("[-1, 3, 4]", "[1e3]")), "tensor 'x' of 'acc' has an impossible shape");
  EXPECT_EQ(reason(editTables("[1, 3, 4]", "[-1, 3, 4]")), "tensor 'state.h' of 'acc' has an impossible shape");
  EXPECT_EQ(reason(editTables("\"dtype\": \"i1\"", "\"dtype\": \"u8\"")),
            "tensor 'mask' of 'acc' has unknown dtype 'u8'");
  EXPECT_EQ(reason(editTables("\"default\": 1}", "\"default\": 7}")),
            "tensor 'mask' of 'acc' has a value that its dtype cannot hold");
  EXPECT_EQ(reason(editTables("\"fill\": -1", "\"fill\": 1e300")),
            "tensor 'state.age' of 'acc' has a value that its dtype cannot hold");
  EXPECT_EQ(reason(editTables("\"role\": \"argument\"", "\"role\": \"owner\"")),
            "tensor 'x' of 'acc' has unknown role 'owner'");
  EXPECT_EQ(reason(editTables("\"name\": \"mask\"", "\"name\": \"x\"")), "function 'acc' lists 'x' twice");
  EXPECT_EQ(reason(editTables("\"name\": \"mask\"", "\"name\": \"../x\"")), "a tensor has a malformed name");
  EXPECT_EQ(reason(editTables("\"name\": \"step\"", "\"name\": \"acc\"")), "function 'acc' is listed twice");
  EXPECT_EQ(reason(editTables("\"shape\": [4], \"train", "\"shape\": [5], \"train")),
            "tensor 'w' of 'acc' has no matching variable");
  EXPECT_EQ(reason(editTables("\"kind\": \"uniform\"", "\"kind\": \"orthogonal\"")),
            "variable 'w' cannot be orthogonal in these blocks");
  EXPECT_EQ(reason(editTables("\"per_frame\": 16", "\"per_frame\": -16")),
            "function 'acc' has no 'per_frame' from 0 to 281474976710656");
  EXPECT_EQ(reason(editTables("[\"sse2\"]", "\"sse2\"")), "'requires' is not a list of features");
}

// Random edits of the tables end in a loaded artifact or in an error.
TEST(Artifact, MutatedTablesDoNoHarm) {
  uint32_t state = 12345;
  auto next = [&](uint32_t n) { return (state = state * 1664525 + 1013904223) / 65536 % n; };
  std::string tables = kTables;
  const std::string pieces[] = {"-1", "\"\"", "null", "[]", "{}", "1e308", "9223372036854775807", ",", "}", "x"};
  for (int round = 0; round < 2000; ++round) {
    std::string edited = tables;
    for (uint32_t i = 0; i <= next(3); ++i)
      edited.replace(next(uint32_t(edited.size())), next(12), pieces[next(10)]);
    Tables parsed;
    Status status = parseTables(edited, "m.rnnc", parsed);
    EXPECT_TRUE(status.ok() || status.code == Code::Data);
  }
}

TEST(CpuFeatures, NamesOfTheCompiler) {
  CpuFeatures cpu(" fpu lm sse4_1 abm bmi1 avx512_vnni amx_bf16 pni");
  for (const char *name : {"x87", "64bit", "sse4.1", "lzcnt", "bmi", "avx512vnni", "amx-bf16", "sse3"})
    EXPECT_TRUE(cpu.has(name)) << name;
  for (const char *name : {"avx2", "", "bmi2", "avx512"})
    EXPECT_FALSE(cpu.has(name)) << name;
  EXPECT_TRUE(CpuFeatures().has("sse2"));
}

TEST(CpuFeatures, ChoosesTheBestCode) {
  std::string file;
  ASSERT_TRUE(writeArtifact({{SectionKind::Tables, "", R"({"functions": []})"},
                             {SectionKind::HostCode, "cpu:x86-64-v3", "a"},
                             {SectionKind::HostCode, "cpu:x86-64-v4", "b"}},
                            file)
                  .ok());
  std::shared_ptr<const Artifact> artifact;
  ASSERT_TRUE(Artifact::fromMemory(file, "m.rnnc", artifact).ok());
  const std::string level3 = "avx avx2 bmi1 bmi2 f16c fma abm movbe";
  const Section *code = nullptr;
  ASSERT_TRUE(chooseHostCode(*artifact, CpuFeatures(level3), code).ok());
  EXPECT_EQ(code->target, "cpu:x86-64-v3");
  std::string level4 = level3 + " avx512f avx512bw avx512cd avx512dq avx512vl";
  ASSERT_TRUE(chooseHostCode(*artifact, CpuFeatures(level4), code).ok());
  EXPECT_EQ(code->target, "cpu:x86-64-v4");
  Status status = chooseHostCode(*artifact, CpuFeatures("avx"), code);
  EXPECT_EQ(status.message, "'m.rnnc' needs avx2, which this CPU lacks");
  EXPECT_EQ(status.notes, Notes{"recompile with --target=cpu"});
  EXPECT_EQ(status.code, Code::Device);
}

TEST(CpuFeatures, RequirementsOfTheTables) {
  std::shared_ptr<const Artifact> artifact;
  std::string tables = editTables("[\"sse2\"]", "[\"sse2\", \"avx99\"]");
  ASSERT_TRUE(Artifact::fromMemory(packArtifact(tables), "m.rnnc", artifact).ok());
  const Section *code = nullptr;
  EXPECT_EQ(chooseHostCode(*artifact, CpuFeatures("sse2"), code).message, "'m.rnnc' needs avx99, which this CPU lacks");
  // By target: this section needs nothing more.
  tables = editTables("[\"sse2\"]", "{\"cpu:other\": [\"avx99\"]}");
  ASSERT_TRUE(Artifact::fromMemory(packArtifact(tables), "m.rnnc", artifact).ok());
  EXPECT_TRUE(chooseHostCode(*artifact, CpuFeatures("sse2"), code).ok());
}

} // namespace
