//===- DeviceCodeTest.cpp - What an artifact holds for a GPU --------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#include "Report.h"
#include "mlir/Parser/Parser.h"
#include "rnn/InitAllDialects.h"
#include "rnn/Runtime/PtxVersion.h"
#include "rnn/Target/GPU/DeviceCode.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mlir::rnn;
using runtime::SectionKind;

static const char kModule[] = R"(
module attributes {gpu.container_module, rnn.level = "lowered"} {
  gpu.module @rnn_kernels {
    gpu.func @rnn_fn_0_k0(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: i64) kernel
        attributes {known_block_size = array<i32: 32, 1, 1>} {
      llvm.store %frames, %workspace : i64, !llvm.ptr<1>
      gpu.return
    }
  }
  func.func @rnn_fn_0(%workspace: !llvm.ptr<1>, %tensors: !llvm.ptr<1>, %frames: index) {
    %c1 = arith.constant 1 : index
    %c32 = arith.constant 32 : index
    %t = arith.index_cast %frames : index to i64
    gpu.launch_func @rnn_kernels::@rnn_fn_0_k0 blocks in (%frames, %c1, %c1) threads in (%c32, %c1, %c1)
        args(%workspace : !llvm.ptr<1>, %tensors : !llvm.ptr<1>, %t : i64)
    gpu.launch_func @rnn_kernels::@rnn_fn_0_k0 blocks in (%c1, %c1, %c1) threads in (%c32, %c1, %c1)
        args(%workspace : !llvm.ptr<1>, %tensors : !llvm.ptr<1>, %t : i64)
    return
  }
}
)";

namespace {
class DeviceCodeTest : public testing::Test {
protected:
  DeviceCodeTest() {
    DialectRegistry registry;
    rnn::registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }
  DeviceCode emit(StringRef target) {
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(kModule, &context);
    FailureOr<DeviceCode> code = emitDeviceCode(*module, target);
    EXPECT_TRUE(succeeded(code));
    return succeeded(code) ? std::move(*code) : DeviceCode();
  }
  MLIRContext context;
};
} // namespace

TEST_F(DeviceCodeTest, CudaHasLaunchesAndPtx) {
  DeviceCode code = emit("cuda:sm_90");
  ASSERT_GE(code.sections.size(), 2u);
  EXPECT_EQ(code.sections[0].first, SectionKind::Launches);
  EXPECT_EQ(code.sections[1].first, SectionKind::Ptx);
  std::string ptx(code.sections[1].second.begin(), code.sections[1].second.end());
  EXPECT_NE(ptx.find(".target sm_90"), std::string::npos);
  EXPECT_EQ(code.ptx, "8.0");
  std::optional<Ptxas> ptxas = findPtxas();
  if (!ptxas) {
    EXPECT_EQ(code.sections.size(), 2u);
    EXPECT_EQ(code.cubin, "none: ptxas not found");
    return;
  }
  ASSERT_EQ(code.sections.size(), 3u);
  EXPECT_EQ(code.sections[2].first, SectionKind::Cubin);
  EXPECT_EQ(std::string(code.sections[2].second.begin(), code.sections[2].second.begin() + 4), "\177ELF");
  EXPECT_EQ(code.cubin, ptxas->getName());
  ASSERT_EQ(code.kernels.size(), 1u);
  EXPECT_EQ(code.kernels[0].name, "rnn_fn_0_k0");
}

TEST_F(DeviceCodeTest, EmulatorHasLaunchesAndCode) {
  DeviceCode code = emit("emulator");
  ASSERT_EQ(code.sections.size(), 2u);
  EXPECT_EQ(code.sections[0].first, SectionKind::Launches);
  EXPECT_EQ(code.sections[1].first, SectionKind::EmulatorCode);
  EXPECT_EQ(code.launches.getInteger("static_shared_bytes"), 0);
  EXPECT_EQ(code.ptx, "");
  EXPECT_FALSE(code.requirements.empty());
}

TEST_F(DeviceCodeTest, EqualModulesGiveEqualBytes) {
  EXPECT_EQ(emit("cuda:sm_100").sections, emit("cuda:sm_100").sections);
  EXPECT_EQ(emit("emulator").sections, emit("emulator").sections);
}

TEST_F(DeviceCodeTest, ReportCountsLaunches) {
  DeviceReport report;
  EXPECT_EQ(report.getLaunches("rnn_fn_0"), 1) << "a CPU enters a function once";
  report.add("cuda:sm_90", emit("cuda:sm_90"));
  EXPECT_EQ(report.getLaunches("rnn_fn_0"), 2);
  const llvm::json::Object &entry = *report.code[0].getAsObject();
  EXPECT_EQ(entry.getString("target"), StringRef("cuda:sm_90"));
  EXPECT_EQ(entry.getString("ptx"), StringRef("8.0"));
  EXPECT_TRUE(entry.getString("cubin"));
}

TEST(Ptxas, OldOnesDoNotKnowNewCode) {
  PtxCode code{"", 86};
  EXPECT_FALSE(canAssemble({"", 12, 6}, code, "sm_100"));
  EXPECT_TRUE(canAssemble({"", 12, 7}, code, "sm_100"));
  EXPECT_TRUE(canAssemble({"", 13, 0}, code, "sm_100"));
}

TEST(PtxVersion, BelongsToARelease) {
  EXPECT_EQ(runtime::cudaReleaseOf(80), 12000);
  EXPECT_EQ(runtime::cudaReleaseOf(85), 12050);
  EXPECT_EQ(runtime::cudaReleaseOf(86), 12070);
  EXPECT_EQ(runtime::cudaReleaseOf(87), 12080);
  EXPECT_EQ(runtime::cudaReleaseOf(90), 13000);
}
