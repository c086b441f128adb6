//===- CudaDriverTest.cpp - Sessions on a CUDA driver without a GPU -------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CudaCode.h"
#include "FakeCuda.h"
#include "TestKernels.h"

#include "rnn/Runtime/Emulator.h"
#include "rnn/Runtime/GpuDriver.h"

#include <dlfcn.h>

using namespace mlir::rnn::runtime;
using namespace mlir::rnn::runtime::test;

namespace {

const char *const kPtx = "//\n.version 8.0\n.target sm_90\n";
const char *const kCubin = "\177ELF cubin";

/// Code for one chip; an empty text leaves a section out.
std::vector<Section> cudaSections(const std::string &target, const std::string &launches = kLaunches,
                                  std::string_view ptx = kPtx, std::string_view cubin = kCubin) {
  static std::vector<std::unique_ptr<std::string>> kept; // sections only point
  kept.push_back(std::make_unique<std::string>(launches));
  std::vector<Section> sections{{SectionKind::Launches, target, *kept.back()}};
  if (!ptx.empty())
    sections.push_back({SectionKind::Ptx, target, ptx});
  if (!cubin.empty())
    sections.push_back({SectionKind::Cubin, target, cubin});
  return sections;
}

std::shared_ptr<const Artifact> packCuda(const std::string &launches = kLaunches) {
  return packSections(cudaSections("cuda:sm_90", launches));
}

/// The kernels of EmulatedKernels.c, each as a single thread.
class HostKernels {
public:
  HostKernels() {
    library = ::dlopen(RNN_TEST_EMULATED_KERNELS, RTLD_NOW | RTLD_LOCAL);
    static RnnEmulator table = *Emulator::table();
    table.special = [](int32_t which) { return int32_t(which == RNN_EMULATOR_NTID || which == RNN_EMULATOR_NCTAID); };
    *static_cast<const RnnEmulator **>(::dlsym(library, RNN_EMULATOR_VARIABLE)) = &table;
  }
  ~HostKernels() { ::dlclose(library); }
  FakeKernel get(const char *name) { return reinterpret_cast<void (*)(void **)>(::dlsym(library, name)); }

private:
  void *library;
};

class Cuda : public testing::Test {
protected:
  Cuda() {
    // The runtime's libcuda.so.1 is the one that is loaded already, by its soname.
    static void *library = ::dlopen(RNN_FAKE_CUDA, RTLD_NOW | RTLD_LOCAL);
    gpu = reinterpret_cast<FakeCudaFn>(::dlsym(library, "fakeCuda"))();
    *gpu = FakeCuda();
    for (const char *name : {"acc_loop", "acc_total", "step"})
      gpu->kernels[name] = kernels.get(name);
  }
  /// Whatever a session took is given back with it.
  ~Cuda() override {
    EXPECT_EQ(gpu->current, 0);
    if (gpu->hangs)
      return;
    EXPECT_EQ(gpu->allocations, 0);
    EXPECT_EQ(gpu->graphs, 0);
    EXPECT_EQ(gpu->modules, 0);
    EXPECT_EQ(gpu->streams, 0);
    EXPECT_EQ(gpu->events, 0);
    EXPECT_EQ(gpu->retained, 0);
  }

  std::unique_ptr<Session> open(std::shared_ptr<const Artifact> artifact = packCuda()) {
    SessionOptions options;
    options.seed = 5;
    std::unique_ptr<Session> session;
    Status status = Session::create(std::move(artifact), "cuda:0", options, session);
    EXPECT_TRUE(status.ok()) << status.str();
    return session;
  }
  std::string whyNot(std::shared_ptr<const Artifact> artifact = packCuda(), const char *target = "cuda:0",
                     Code code = Code::Device) {
    std::unique_ptr<Session> session;
    Status status = Session::create(std::move(artifact), target, {}, session);
    EXPECT_EQ(status.code, code);
    return status.str();
  }

  HostKernels kernels;
  FakeCuda *gpu;
};

//===----------------------------------------------------------------------===//
// Driver, device, code
//===----------------------------------------------------------------------===//

TEST_F(Cuda, SaysWhyThereIsNoDevice) {
  EXPECT_EQ(whyNot(packCuda(), "cuda:2"), "no CUDA device 2, 1 found");
  gpu->devices = 0;
  EXPECT_EQ(whyNot(packCuda(), "cuda"), "no CUDA device 0, 0 found");
  gpu->devices = 1;
  gpu->chip = 70;
  EXPECT_EQ(whyNot(), "'Fake GPU' is sm_70; sm_80 or newer is required");
  gpu->version = 11080;
  EXPECT_EQ(whyNot(), "driver supports CUDA 11.8, PTX 8.0 needs 12.0 or newer");
  gpu->version = 12000;
  gpu->missing = "cuGraphLaunch";
  EXPECT_EQ(whyNot(), "the CUDA driver lacks cuGraphLaunch");
  EXPECT_EQ(whyNot(packCuda(), "cuda:x", Code::Usage),
            "unknown target 'cuda:x'\nnote: known: cpu, cuda:0, emulator, interpreter");
}

TEST_F(Cuda, FindsTheTargetToCompileFor) {
  for (auto [chip, name] : {std::pair<int, const char *>{80, "cuda:sm_80"},
                            {87, "cuda:sm_86"},
                            {89, "cuda:sm_89"},
                            {90, "cuda:sm_90"},
                            {120, "cuda:sm_100"}}) {
    gpu->chip = chip;
    std::string target;
    ASSERT_TRUE(detectCudaTarget(0, target).ok());
    EXPECT_EQ(target, name);
  }
  gpu->chip = 75;
  std::string target;
  EXPECT_EQ(detectCudaTarget(0, target).message, "'Fake GPU' is sm_75; sm_80 or newer is required");
}

TEST_F(Cuda, PrefersMachineCode) {
  open();
  EXPECT_EQ(gpu->images, std::vector<std::string>{"cubin"});
  gpu->refusesCubins = true;
  open();
  EXPECT_EQ(gpu->images.back(), "ptx");
  gpu->refusesPtx = true;
  EXPECT_EQ(whyNot(), "cuModuleLoadDataEx failed: CUDA_ERROR_FAKE\n"
                      "note: the driver cannot compile the kernels of 'm.rnnc': ptxas fatal : bad");
  EXPECT_EQ(whyNot(packSections(cudaSections("cuda:sm_90", kLaunches, ""))),
            "cuModuleLoadDataEx failed: CUDA_ERROR_NO_BINARY_FOR_GPU");
}

TEST_F(Cuda, NewPtxNeedsANewDriver) {
  gpu->version = 12000;
  EXPECT_EQ(whyNot(packSections(cudaSections("cuda:sm_90", kLaunches, ".version 8.3\n", ""))),
            "driver supports CUDA 12.0, PTX 8.3 needs 12.3 or newer");
  EXPECT_EQ(whyNot(packSections(cudaSections("cuda:sm_90", kLaunches, "nonsense", "")), "cuda:0", Code::Data),
            "'m.rnnc' is damaged: its code for 'cuda:sm_90' is no PTX");
}

TEST_F(Cuda, KernelsMustBeThere) {
  gpu->missingKernel = "acc_total";
  EXPECT_EQ(whyNot(packCuda(), "cuda:0", Code::Data),
            "'m.rnnc' is damaged: its code for 'cuda:sm_90' has no kernel 'acc_total'");
}

TEST(CudaCode, SuitsTheChip) {
  std::vector<Section> sections;
  for (const char *target : {"cuda:sm_80", "cuda:sm_90", "cuda:sm_90a", "cuda:sm_100", "cuda:sm_x", "cuda:sm_90x"})
    for (Section &section : cudaSections(target))
      sections.push_back(section);
  std::shared_ptr<const Artifact> artifact = packSections(sections);
  auto choose = [&](int chip) {
    cuda::Code code;
    Status status = cuda::chooseCode(*artifact, chip, code);
    if (status.failed())
      return status.str();
    return code.launches->target + (code.cubin ? " cubin" : "") + (code.ptx ? " ptx" : "");
  };
  EXPECT_EQ(choose(80), "cuda:sm_80 cubin ptx");
  EXPECT_EQ(choose(89), "cuda:sm_80 cubin ptx") << "one generation";
  EXPECT_EQ(choose(90), "cuda:sm_90a cubin ptx") << "what is for this chip alone";
  EXPECT_EQ(choose(100), "cuda:sm_100 cubin ptx");
  EXPECT_EQ(choose(120), "cuda:sm_100 ptx") << "compiled by the driver";

  artifact = packSections(cudaSections("cuda:sm_90", kLaunches, ""));
  EXPECT_EQ(choose(100), "'m.rnnc' has no code for 'cuda' on sm_100\nnote: it has: cuda:sm_90");
  artifact = packSections(cudaSections("cuda:sm_90a"));
  EXPECT_EQ(choose(100), "'m.rnnc' has no code for 'cuda' on sm_100\nnote: it has: cuda:sm_90a");
  artifact = packSections(cudaSections("cuda:sm_100"));
  EXPECT_EQ(choose(90), "'m.rnnc' has no code for 'cuda' on sm_90\nnote: it has: cuda:sm_100");
}

TEST(CudaCode, VersionOfPtx) {
  EXPECT_EQ(cuda::ptxVersionOf("//\n.version 8.3\n.target"), 83);
  EXPECT_EQ(cuda::ptxVersionOf(".version 9.0"), 90);
  for (const char *text : {"", ".version ", ".version x", ".version 8", ".version 8.", ".version 8.99", ".version 7.0"})
    EXPECT_EQ(cuda::ptxVersionOf(text), 0) << text;
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

TEST_F(Cuda, ComputesAndCarriesState) {
  auto session = open();
  TensorMap inputs = makeFrames(6), results;
  std::vector<float> w = floatsOf(*session, "w"), x = floatsOf(inputs["x"]), h(12, 0);
  for (int call = 0; call < 4; ++call) { // plain, recorded, again, again
    Status status = session->run("acc", inputs, results);
    ASSERT_TRUE(status.ok()) << status.str();
    std::vector<float> y = floatsOf(results["y"]);
    for (int t = 0; t < 6; ++t)
      for (int i = 0; i < 12; ++i) {
        h[i] = 2.0f * w[i % 4] * x[t * 12 + i] + h[i];
        EXPECT_EQ(y[t * 12 + i], h[i]) << call;
      }
  }
  EXPECT_EQ(floatsOf(*session, "state.h"), h);
}

TEST_F(Cuda, SessionTensorsStayOnTheDevice) {
  auto session = open();
  TensorMap results;
  ASSERT_TRUE(session->run("acc", makeFrames(6), results).ok());
  size_t in = gpu->copiesIn, out = gpu->copiesOut;
  ASSERT_TRUE(session->run("acc", makeFrames(6), results).ok());
  EXPECT_EQ(gpu->copiesIn - in, 1u) << "x; the defaults of mask and gain are there";
  EXPECT_EQ(gpu->copiesOut - out, 2u) << "y, total";
  // Read once, it comes once.
  out = gpu->copiesOut;
  floatsOf(*session, "state.h");
  floatsOf(*session, "state.h");
  EXPECT_EQ(gpu->copiesOut - out, 1u);
  // Set, it goes with the next call.
  HostTensor w = makeTensor("f32", {4});
  in = gpu->copiesIn;
  ASSERT_TRUE(session->set("w", w).ok());
  ASSERT_TRUE(session->run("acc", makeFrames(6), results).ok());
  EXPECT_EQ(gpu->copiesIn - in, 2u);
  EXPECT_EQ(floatsOf(results["y"])[0], floatsOf(results["y"])[12]) << "weights are zero, the state is not";
}

TEST_F(Cuda, LaunchesWithTheirAttributes) {
  std::string launches = editLaunches("\"shared_bytes\": 0, \"cluster\": 1, \"cooperative\": false",
                                      "\"shared_bytes\": 65536, \"cluster\": 4, \"cooperative\": true");
  const std::string grid = "\"constant\": 11, \"per_frame\": 1";
  launches.replace(launches.find(grid), grid.size(), "\"constant\": 16, \"per_frame\": 0");
  auto session = open(packCuda(launches));
  TensorMap results;
  ASSERT_TRUE(session->run("acc", makeFrames(2), results).ok());
  ASSERT_EQ(gpu->launches.size(), 2u);
  const FakeLaunch &loop = gpu->launches[0], &total = gpu->launches[1];
  EXPECT_EQ(loop.kernel, "acc_loop");
  EXPECT_EQ(loop.blocks, 8u);
  EXPECT_EQ(loop.threads, 2u);
  EXPECT_EQ(loop.sharedBytes, 65536u);
  EXPECT_EQ(loop.cluster, 4u);
  EXPECT_TRUE(loop.isCooperative);
  EXPECT_EQ(gpu->attributes["acc_loop"], (std::vector<std::pair<int, int>>{{8, 65536}}));
  EXPECT_EQ(total.kernel, "acc_total");
  EXPECT_EQ(total.blocks, 1u);
  EXPECT_EQ(total.cluster, 1u);
  EXPECT_FALSE(total.isCooperative);
  EXPECT_TRUE(gpu->attributes["acc_total"].empty());
  session.reset();

  EXPECT_EQ(whyNot(packCuda(editLaunches("\"cluster\": 1", "\"cluster\": 16"))),
            "'cuda:0' cannot hold one block of kernel 'acc_loop' of 'acc'");
  EXPECT_EQ(gpu->attributes["acc_loop"].back(), (std::pair<int, int>{14, 1})) << "a cluster of 16 is asked for";
}

TEST_F(Cuda, GridsAreNoLargerThanTheDevice) {
  gpu->processors = 2;
  gpu->blocksPerProcessor = 3;
  auto session = open();
  TensorMap results;
  ASSERT_TRUE(session->run("acc", makeFrames(1), results).ok());
  EXPECT_EQ(gpu->launches[0].blocks, 6u) << "(11 + T) / 2";
  ASSERT_TRUE(session->run("acc", makeFrames(100), results).ok());
  EXPECT_EQ(gpu->launches[2].blocks, 6u);
  EXPECT_EQ(gpu->launches[3].blocks, 1u);
}

TEST_F(Cuda, ExactGridsAreLaunchedWhole) {
  gpu->processors = 2;
  gpu->blocksPerProcessor = 3;
  auto session = open(packCuda(editLaunches("\"cooperative\": false", "\"exact\": true")));
  TensorMap results;
  ASSERT_TRUE(session->run("acc", makeFrames(100), results).ok());
  EXPECT_EQ(gpu->launches[0].blocks, 56u) << "(11 + T) / 2, some after others";
}

TEST_F(Cuda, CooperativeGridsMustFit) {
  auto session = open(packCuda(editLaunches("\"cooperative\": false", "\"cooperative\": true")));
  TensorMap results;
  ASSERT_TRUE(session->run("acc", makeFrames(5), results).ok());
  Status status = session->run("acc", makeFrames(7), results);
  EXPECT_EQ(status.message, "'acc' needs 9 blocks of kernel 'acc_loop' at one time, 'cuda:0' holds 8");
  EXPECT_EQ(status.code, Code::Device);
  EXPECT_TRUE(session->run("acc", makeFrames(5), results).ok()) << "nothing was started";
  session.reset();
  gpu->blocksPerProcessor = 0;
  EXPECT_EQ(whyNot(), "'cuda:0' cannot hold one block of kernel 'acc_loop' of 'acc'");
}

TEST_F(Cuda, SharedMemoryHasALimit) {
  EXPECT_EQ(whyNot(packCuda(editLaunches("\"shared_bytes\": 0", "\"shared_bytes\": 250000"))),
            "kernel 'acc_loop' needs 250000 bytes of shared memory, which 'Fake GPU' does not have");
}

TEST_F(Cuda, ListsThatComeAgainAreRecorded) {
  auto session = open();
  TensorMap results;
  auto run = [&](int64_t frames) {
    size_t before = gpu->graphLaunches;
    EXPECT_TRUE(session->run("acc", makeFrames(frames), results).ok());
    return gpu->graphLaunches - before;
  };
  EXPECT_EQ(run(9), 0u) << "once is not worth it";
  EXPECT_EQ(run(9), 1u);
  EXPECT_EQ(run(9), 1u);
  EXPECT_EQ(gpu->graphsMade, 1u);
  EXPECT_EQ(run(3), 0u);
  EXPECT_EQ(run(3), 1u);
  EXPECT_EQ(run(9), 1u) << "by T";
  EXPECT_EQ(gpu->graphsMade, 2u);
  // More memory has other addresses.
  EXPECT_EQ(run(2000), 0u);
  EXPECT_EQ(run(9), 1u);
  EXPECT_EQ(gpu->graphsMade, 3u);
  // One launch needs no graph.
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(session->run("step", makeSteps(2, 1), results).ok());
  EXPECT_EQ(gpu->graphsMade, 3u);
}

/// `acc` with a wavefront: what `b` makes of a piece of `a` goes to `c`, from the last frame on.
const char *const kWavefront = R"({
  "functions": [
    {"symbol": "rnn_test_step", "launches": [
       {"kernel": "step", "grid": {"constant": 0, "per_frame": 1, "divisor": 1}, "block": 32}]},
    {"symbol": "rnn_test_run", "memory": {"constant": 64, "per_frame": 16},
     "wavefronts": [{"older": 2, "frames": 4, "pieces": 3}],
     "launches": [
       {"kernel": "first", "grid": {"constant": 1, "per_frame": 0, "divisor": 1}, "block": 2},
       {"kernel": "a", "grid": {"constant": 2, "per_frame": 0, "divisor": 1}, "block": 2, "cooperative": true,
        "wavefront": 0, "reversed": true, "after": [], "behind": [0, 1]},
       {"kernel": "b", "grid": {"constant": 0, "per_frame": 1, "divisor": 1}, "block": 2,
        "wavefront": 0, "reversed": true, "after": [0], "behind": [1]},
       {"kernel": "c", "grid": {"constant": 2, "per_frame": 0, "divisor": 1}, "block": 2, "cooperative": true,
        "wavefront": 0, "reversed": true, "after": [1], "behind": [2]},
       {"kernel": "last", "grid": {"constant": 1, "per_frame": 0, "divisor": 1}, "block": 2}
     ]}
  ]
})";

/// `a 8+4`: kernel, first frame and number of frames of a piece.
class WavefrontLog {
public:
  explicit WavefrontLog(FakeCuda &gpu) {
    for (const char *kernel : {"first", "last"})
      gpu.kernels[kernel] = [this, kernel](void **) { entries.push_back(kernel); };
    for (const char *kernel : {"a", "b", "c"})
      gpu.kernels[kernel] = [this, kernel](void **arguments) {
        auto number = [&](int i) { return std::to_string(*static_cast<int64_t *>(arguments[i])); };
        entries.push_back(kernel + (" " + number(3)) + "+" + number(4));
      };
  }
  /// What was logged since the last time.
  std::vector<std::string> take() { return std::exchange(entries, {}); }

private:
  std::vector<std::string> entries;
};

TEST_F(Cuda, WavefrontsAreCutIntoPieces) {
  WavefrontLog log(*gpu);
  auto session = open(packCuda(kWavefront));
  TensorMap results;
  ASSERT_TRUE(session->run("acc", makeFrames(10), results).ok());
  EXPECT_EQ(log.take(), (std::vector<std::string>{"first", "a 8+4", "b 8+4", "c 8+4", "a 4+4", "b 4+4", "c 4+4",
                                                  "a 0+4", "b 0+4", "c 0+4", "last"}));
  EXPECT_EQ(gpu->launches[2].blocks, 4u) << "one for each frame of the piece";
  EXPECT_TRUE(gpu->launches[1].isCooperative) << "nothing runs beside it";
  // As a graph, where the fake runs what comes last first: only what waits is kept back.
  gpu->launches.clear();
  ASSERT_TRUE(session->run("acc", makeFrames(10), results).ok());
  EXPECT_EQ(log.take(), (std::vector<std::string>{"first", "a 8+4", "b 8+4", "a 4+4", "b 4+4", "a 0+4", "b 0+4",
                                                  "c 8+4", "c 4+4", "c 0+4", "last"}));
  EXPECT_FALSE(gpu->launches[1].isCooperative);
  EXPECT_TRUE(gpu->launches[1].isRecorded);
  // The last piece has what is left over; few frames are one piece.
  ASSERT_TRUE(session->run("acc", makeFrames(9), results).ok());
  EXPECT_EQ(log.take(),
            (std::vector<std::string>{"first", "a 6+5", "b 6+5", "c 6+5", "a 0+6", "b 0+6", "c 0+6", "last"}));
  ASSERT_TRUE(session->run("acc", makeFrames(1), results).ok());
  EXPECT_EQ(log.take(), (std::vector<std::string>{"first", "a 0+3", "b 0+3", "c 0+3", "last"}));
}

TEST_F(Cuda, WavefrontsThatDoNotFitKeepTheirOrder) {
  gpu->processors = 3;
  WavefrontLog log(*gpu);
  auto session = open(packCuda(kWavefront));
  TensorMap results;
  for (int call = 0; call < 2; ++call) {
    gpu->launches.clear();
    ASSERT_TRUE(session->run("acc", makeFrames(10), results).ok());
    EXPECT_EQ(log.take(), (std::vector<std::string>{"first", "a 0+12", "b 0+12", "c 0+12", "last"}));
    EXPECT_TRUE(gpu->launches[1].isCooperative);
    EXPECT_EQ(gpu->launches[1].isRecorded, call == 1);
  }
}

TEST_F(Cuda, GraphsAreNotKeptForever) {
  auto session = open();
  TensorMap results;
  for (int64_t frames = 200; frames > 0; --frames)
    for (int call = 0; call < 2; ++call)
      ASSERT_TRUE(session->run("acc", makeFrames(frames), results).ok());
  EXPECT_EQ(gpu->graphsMade, 200u);
  EXPECT_LE(gpu->graphs, 64 * 2);
}

TEST_F(Cuda, RunsWithoutGraphs) {
  gpu->refusesGraphs = true;
  auto session = open();
  TensorMap first, results;
  ASSERT_TRUE(session->run("acc", makeFrames(4), first).ok());
  ASSERT_TRUE(session->reset(nullptr).ok());
  for (int call = 0; call < 3; ++call) {
    ASSERT_TRUE(session->run("acc", makeFrames(4), results).ok());
    EXPECT_EQ(floatsOf(first["y"]) == floatsOf(results["y"]), call == 0);
  }
  EXPECT_EQ(gpu->graphLaunches, 0u);
  EXPECT_EQ(gpu->launches.size(), 8u);
}

TEST_F(Cuda, MemoryIsAskedForFirst) {
  gpu->freeBytes = 100000;
  auto session = open();
  TensorMap results;
  ASSERT_TRUE(session->run("acc", makeFrames(100), results).ok());
  Status status = session->run("acc", makeFrames(10000), results);
  EXPECT_EQ(status.code, Code::Memory);
  // x, y 48 bytes a frame, the mask 3, the workspace 16.
  EXPECT_EQ(status.message.substr(0, 43), "needs 1.1 MiB for T=10000, 'cuda:0' has 97.") << status.message;
  ASSERT_EQ(status.notes.size(), 1u);
  EXPECT_EQ(status.notes[0].substr(0, 31), "largest: activations 1.1 MiB; T");
  EXPECT_TRUE(session->run("acc", makeFrames(100), results).ok()) << "it is as it was";
  session.reset();
  gpu->freeBytes = 20;
  EXPECT_EQ(whyNot(packCuda(), "cuda:0", Code::Memory), "needs 8 bytes for 'opt.step', 'cuda:0' has 4 bytes free");
}

//===----------------------------------------------------------------------===//
// Tensors in the GPU's memory
//===----------------------------------------------------------------------===//

/// A tensor that a caller has on a GPU.
struct GpuTensor {
  HostTensor memory;
  int32_t gpu = 0;

  TensorRef ref() const {
    TensorRef tensor = refTo(memory);
    tensor.gpu = gpu;
    return tensor;
  }
};

/// All that a call of `acc` reads and writes but for the defaults.
struct AccCall {
  GpuTensor x, y, total;

  explicit AccCall(int64_t frames)
      : x{makeFrames(frames)["x"]}, y{makeTensor("f32", {frames, 3, 4})}, total{makeTensor("f64", {})} {}
  std::vector<Binding> bindings() const { return {{"x", x.ref()}, {"y", y.ref()}, {"total", total.ref()}}; }
};

TEST_F(Cuda, UsesTensorsOfTheGpuInPlace) {
  auto expected = open(), session = open();
  TensorMap results;
  void *stream = &results, *ours = &gpu->version;
  for (int call = 0; call < 3; ++call) { // plain, recorded, again; at other addresses each time
    ASSERT_TRUE(expected->run("acc", makeFrames(6), results).ok());
    AccCall mine(6);
    std::vector<Binding> bindings = mine.bindings();
    size_t in = gpu->copiesIn, out = gpu->copiesOut, waits = gpu->waits;
    gpu->orders.clear();
    Status status = session->run("acc", bindings.data(), bindings.size(), stream);
    ASSERT_TRUE(status.ok()) << status.str();
    EXPECT_EQ(floatsOf(mine.y.memory), floatsOf(results["y"])) << call;
    EXPECT_EQ(*mine.total.memory.as<double>(), *results["total"].as<double>());
    EXPECT_EQ(gpu->copiesOut, out);
    EXPECT_EQ(gpu->copiesIn - in, call ? 1u : 6u) << "the addresses; first the session's tensors and the defaults too";
    EXPECT_EQ(gpu->waits, waits) << "the stream waits, not the host";
    EXPECT_EQ(gpu->orders, (decltype(gpu->orders){{stream, ours}, {ours, stream}}));
  }
  EXPECT_EQ(floatsOf(*session, "state.h"), floatsOf(*expected, "state.h"));

  // The same addresses need no copy at all.
  AccCall mine(6);
  std::vector<Binding> bindings = mine.bindings();
  ASSERT_TRUE(session->run("acc", bindings.data(), bindings.size(), stream).ok());
  size_t in = gpu->copiesIn;
  ASSERT_TRUE(session->run("acc", bindings.data(), bindings.size(), stream).ok());
  EXPECT_EQ(gpu->copiesIn, in);
}

TEST_F(Cuda, WaitsWhereTheHostIsConcerned) {
  auto session = open();
  AccCall mine(2);
  std::vector<Binding> bindings = mine.bindings();
  void *ours = &gpu->version;
  // Without a stream: after the default stream, and done when it returns.
  size_t waits = gpu->waits;
  ASSERT_TRUE(session->run("acc", bindings.data(), bindings.size()).ok());
  EXPECT_EQ(gpu->orders, (decltype(gpu->orders){{nullptr, ours}}));
  EXPECT_EQ(gpu->waits, waits + 1);
  // A result for the host.
  bindings[1].tensor.gpu = -1;
  ASSERT_TRUE(session->run("acc", bindings.data(), bindings.size(), &mine).ok());
  EXPECT_EQ(gpu->waits, waits + 2);
  // Tensors of the host alone are ordered with nobody.
  for (Binding &binding : bindings)
    binding.tensor.gpu = -1;
  gpu->orders.clear();
  ASSERT_TRUE(session->run("acc", bindings.data(), bindings.size()).ok());
  EXPECT_TRUE(gpu->orders.empty());
  // Many calls that nobody waits for.
  bindings = mine.bindings();
  waits = gpu->waits;
  for (int call = 0; call < 1000; ++call)
    ASSERT_TRUE(session->run("acc", bindings.data(), bindings.size(), &mine).ok());
  EXPECT_GT(gpu->waits, waits);
  EXPECT_LT(gpu->waits, waits + 100);
}

TEST_F(Cuda, NeedsNoMemoryForTensorsInPlace) {
  gpu->freeBytes = 6000;
  auto session = open();
  AccCall mine(100); // x and y have 4800 bytes each, the workspace 1600, mask 300
  std::vector<Binding> bindings = mine.bindings();
  Status status = session->run("acc", bindings.data(), bindings.size());
  EXPECT_TRUE(status.ok()) << status.str();
  TensorMap results;
  EXPECT_EQ(session->run("acc", makeFrames(100), results).code, Code::Memory);
}

TEST_F(Cuda, TensorsMustBeOnTheSessionsGpu) {
  auto session = open();
  AccCall mine(2);
  mine.y.gpu = 1;
  std::vector<Binding> bindings = mine.bindings();
  Status status = session->run("acc", bindings.data(), bindings.size());
  EXPECT_EQ(status.str(), "tensor 'y' is on 'cuda:1', the session on 'cuda:0'");
  EXPECT_EQ(status.code, Code::Device);
  EXPECT_EQ(session->set("w", mine.y.ref()).code, Code::Data);
  GpuTensor w{makeTensor("f32", {4}), 1};
  EXPECT_EQ(session->set("w", w.ref()).message, "tensor 'w' is on 'cuda:1', the session on 'cuda:0'");
  EXPECT_EQ(session->get("w", w.ref()).message, "tensor 'w' is on 'cuda:1', the session on 'cuda:0'");

  // Nobody looks at the values, so the dtype must be right.
  GpuTensor steps{makeTensor("i64", {2, 3})};
  Binding binding = {"x", steps.ref()};
  EXPECT_EQ(session->run("step", &binding, 1).message, "input 'x' of 'step' is i64 [2,3], expected i32 [T,3]");
  GpuTensor mask{makeTensor("u8", {2, 3})};
  bindings = {{"x", mine.x.ref()}, {"mask", mask.ref()}};
  EXPECT_EQ(session->run("acc", bindings.data(), 2).message, "input 'mask' of 'acc' is u8 [2,3], expected i1 [T,3]");
}

TEST_F(Cuda, CopiesSessionTensorsOnTheGpu) {
  auto session = open();
  GpuTensor w{makeTensor("f32", {4})}, read{makeTensor("f32", {4})};
  std::vector<float> first = floatsOf(*session, "w");
  ASSERT_TRUE(session->get("w", read.ref()).ok());
  EXPECT_EQ(floatsOf(read.memory), first) << "which was newer on the host";
  for (int i = 0; i < 4; ++i)
    w.memory.as<float>()[i] = float(i);
  ASSERT_TRUE(session->set("w", w.ref()).ok());
  EXPECT_EQ(floatsOf(*session, "w"), floatsOf(w.memory));

  // In a call: it replaces the value, and the step goes on from it.
  w.memory.as<float>()[0] = 100;
  HostTensor x = makeSteps(2, 1)["x"];
  std::vector<Binding> bindings = {{"x", refTo(x)}, {"w", w.ref()}};
  ASSERT_TRUE(session->run("step", bindings.data(), bindings.size()).ok());
  EXPECT_EQ(floatsOf(*session, "w"), (std::vector<float>{101.5, 2.5, 3.5, 4.5})) << "plus 0.25 * 6";
  EXPECT_EQ(floatsOf(w.memory)[0], 100) << "the caller's is only read";
  ASSERT_TRUE(session->run("step", bindings.data(), 1).ok());
  EXPECT_EQ(floatsOf(*session, "w")[0], 103) << "the next call begins with the session's";
}

//===----------------------------------------------------------------------===//
// Blocks and kernels that do not come to their ends
//===----------------------------------------------------------------------===//

const char *const kStall = "'acc' stalled on 'cuda:0': one of its blocks never ran\n"
                           "note: nothing of the session can be trusted; create another one";

/// `acc` with flags in its workspace, which its first kernel, of this name, sets.
std::shared_ptr<const Artifact> packFlags(const std::string &kernel = "acc_loop") {
  std::string text =
      editLaunches(R"("per_frame": 16},)", R"("per_frame": 16}, "flags": {"constant": 32, "per_frame": 8},)");
  return packCuda(text.replace(text.find("acc_loop"), std::strlen("acc_loop"), kernel));
}

TEST_F(Cuda, ABlockThatNeverRunsIsReported) {
  auto session = open(packFlags());
  int32_t flags = 2;
  gpu->kernels["acc_loop"] = [&](void **arguments) {
    char *workspace = *static_cast<char **>(arguments[0]);
    int64_t frames = *static_cast<int64_t *>(arguments[2]);
    std::memcpy(workspace + 32 + 8 * frames, &flags, sizeof flags);
  };
  HostTensor x = makeFrames(3)["x"], y = makeTensor("f32", {3, 3, 4});
  Binding bindings[] = {{"x", refTo(x)}, {"y", refTo(y)}};
  EXPECT_TRUE(session->run("acc", bindings, 2).ok()) << "other flags mean nothing here";
  flags = 6;
  std::fill(y.data.begin(), y.data.end(), std::byte{0x77});
  HostTensor before = y;
  Status status = session->run("acc", bindings, 2);
  EXPECT_EQ(status.str(), kStall);
  EXPECT_EQ(status.code, Code::Device);
  EXPECT_EQ(y.data, before.data) << "no result of it is given out";
  flags = 0;
  EXPECT_EQ(session->run("acc", bindings, 2).str(), kStall) << "the session is lost";
  HostTensor state;
  EXPECT_EQ(session->get("state.h", state).str(), kStall);
  session.reset();

  // Found when the host waits next.
  session = open(packFlags());
  flags = 4;
  AccCall mine(3);
  std::vector<Binding> onGpu = mine.bindings();
  EXPECT_TRUE(session->run("acc", onGpu.data(), onGpu.size(), &mine).ok());
  flags = 0;
  EXPECT_TRUE(session->run("acc", onGpu.data(), onGpu.size(), &mine).ok());
  EXPECT_EQ(session->get("state.h", state).str(), kStall);

  // Which kernel it was, where its name is one of the compiler's.
  gpu->kernels["rnn_test_run_k2"] = gpu->kernels["acc_loop"];
  session = open(packFlags("rnn_test_run_k2"));
  flags = kStalled | 3 << kStalledKernelShift;
  status = session->run("acc", bindings, 2);
  ASSERT_EQ(status.notes.size(), 2u);
  EXPECT_EQ(status.notes[0], "kernel 'rnn_test_run_k2' needs all of its 11 blocks at once; another process may hold a "
                             "part of the GPU");
}

TEST_F(Cuda, ARefusedLaunchIsReported) {
  for (bool isRecorded : {false, true}) {
    auto session = open();
    TensorMap results;
    for (int call = 0; call < 2 * isRecorded; ++call)
      ASSERT_TRUE(session->run("acc", makeFrames(4), results).ok());
    gpu->refusedKernel = "acc_loop";
    Status status = session->run("acc", makeFrames(4), results);
    EXPECT_EQ(status.str(), isRecorded ? "cuGraphLaunch failed: CUDA_ERROR_FAKE\nnote: a graph of 2 kernels, T=4"
                                       : "cuLaunchKernelEx failed: CUDA_ERROR_FAKE\n"
                                         "note: kernel 'acc_loop', 8 blocks of 2 threads");
    EXPECT_EQ(status.code, Code::Device);
    gpu->refusedKernel = "";
    EXPECT_EQ(session->run("acc", makeFrames(4), results).str(), status.str()) << "what it began cannot be trusted";
  }
}

TEST_F(Cuda, AHungKernelIsReported) {
  std::unique_ptr<GpuDriver> driver;
  ASSERT_TRUE(createCudaDriver(*packCuda(), 0, driver).ok());
  EXPECT_TRUE(driver->synchronize(0).ok());
  gpu->hangs = true;
  Status status = driver->synchronize(0);
  EXPECT_EQ(status.str(), "'cuda:0' has not finished after 0 s\nnote: its kernels cannot be stopped; end this process");
  EXPECT_EQ(status.code, Code::Device);
  driver.reset(); // waits for nothing
}

} // namespace
