//===- LaunchTable.cpp - What a function launches, as JSON ----------------===//
//
// Part of rnn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rnn/Target/GPU/LaunchTable.h"

#include "rnn/Dialect/RNN/Schedule/Wavefront.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMTypes.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::rnn;
using llvm::json::Array;
using llvm::json::Object;

namespace {

/// ceil((perFrame * T + constant) / divisor); nothing where a number has no
/// such form or is out of range.
struct Amount {
  int64_t constant = 0, perFrame = 0, divisor = 1;
};
using MaybeAmount = std::optional<Amount>;

constexpr int64_t kMaxNumber = int64_t(1) << 40;

/// What the runtime and CUDA accept.
constexpr int64_t kMaxThreads = 1024, kMaxCluster = 16, kMaxShared = int64_t(1) << 18;

bool isInRange(int64_t number) { return number >= -kMaxNumber && number <= kMaxNumber; }

MaybeAmount checked(const Amount &amount) {
  bool fits = isInRange(amount.constant) && isInRange(amount.perFrame) && isInRange(amount.divisor);
  return fits ? MaybeAmount(amount) : std::nullopt;
}

/// All of the functions below take numbers in range: no product overflows 2^81, so they are formed in 128 bits.
MaybeAmount scaled(const Amount &amount, int64_t factor) {
  __int128 constant = __int128(amount.constant) * factor, perFrame = __int128(amount.perFrame) * factor;
  if (constant > kMaxNumber || constant < -kMaxNumber || perFrame > kMaxNumber || perFrame < -kMaxNumber)
    return std::nullopt;
  return Amount{int64_t(constant), int64_t(perFrame), amount.divisor};
}

MaybeAmount sum(Amount lhs, Amount rhs) {
  if (lhs.divisor != 1)
    std::swap(lhs, rhs);
  // A whole number moves into the quotient of the other.
  MaybeAmount whole = lhs.divisor == 1 ? scaled(lhs, rhs.divisor) : std::nullopt;
  if (!whole)
    return std::nullopt;
  return checked({whole->constant + rhs.constant, whole->perFrame + rhs.perFrame, rhs.divisor});
}

MaybeAmount evaluate(AffineExpr expr, ArrayRef<Amount> dims, ArrayRef<Amount> symbols) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return checked({constant.getValue(), 0, 1});
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  MaybeAmount lhs = evaluate(binary.getLHS(), dims, symbols), rhs = evaluate(binary.getRHS(), dims, symbols);
  if (!lhs || !rhs)
    return std::nullopt;
  bool isConstant = rhs->perFrame == 0 && rhs->divisor == 1;
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return sum(*lhs, *rhs);
  case AffineExprKind::Mul:
    return isConstant && lhs->divisor == 1 ? scaled(*lhs, rhs->constant) : std::nullopt;
  case AffineExprKind::CeilDiv: {
    // A quotient of a quotient is the quotient by the product.
    int64_t divisor;
    if (!isConstant || rhs->constant < 1 || llvm::MulOverflow(lhs->divisor, rhs->constant, divisor))
      return std::nullopt;
    return checked({lhs->constant, lhs->perFrame, divisor});
  }
  default:
    return std::nullopt;
  }
}

/// One function and what it launches.
class LaunchList {
public:
  explicit LaunchList(func::FuncOp function, gpu::GPUModuleOp kernels) : function(function), kernels(kernels) {}

  FailureOr<Object> build();

private:
  LogicalResult checkSignature();
  FailureOr<Object> buildMemory(StringRef attribute);
  FailureOr<Object> buildLaunch(gpu::LaunchFuncOp launch);
  /// A size that must not depend on T, in [low, high].
  FailureOr<int64_t> constant(gpu::LaunchFuncOp launch, Value value, StringRef what, int64_t low, int64_t high);
  FailureOr<Amount> blocks(gpu::LaunchFuncOp launch);
  /// `older`: of a launch in a wavefront, the frames of its domain besides T.
  LogicalResult checkArguments(gpu::LaunchFuncOp launch, int64_t &older);
  LogicalResult addToWavefront(gpu::LaunchFuncOp launch, int64_t older, Object &entry);
  MaybeAmount evaluate(Value value);

  func::FuncOp function;
  gpu::GPUModuleOp kernels;
  std::optional<int64_t> wavefront; ///< of the launch before
  int64_t wavefrontSize = 0, wavefrontOlder = 0;
  Array wavefronts;
};

} // namespace

static bool isDevicePointer(Type type) {
  auto pointer = dyn_cast<LLVM::LLVMPointerType>(type);
  return pointer && pointer.getAddressSpace() == 1;
}

LogicalResult LaunchList::checkSignature() {
  ArrayRef<Type> inputs = function.getFunctionType().getInputs();
  if (function.isExternal() || !function.isPublic() || function.getNumResults() || inputs.size() != 3 ||
      !isDevicePointer(inputs[0]) || !isDevicePointer(inputs[1]) || !inputs[2].isIndex() ||
      !function.getBody().hasOneBlock())
    return function.emitOpError("is no launch list; expected a public function of one block on (!llvm.ptr<1>, "
                                "!llvm.ptr<1>, index) without results");
  return success();
}

/// The bytes that an attribute of the function tells: zero if it is absent.
FailureOr<Object> LaunchList::buildMemory(StringRef attribute) {
  Object memory{{"constant", 0}, {"per_frame", 0}};
  auto plan = function->getAttrOfType<DictionaryAttr>(attribute);
  if (!plan)
    return memory;
  for (NamedAttribute entry : plan) {
    auto bytes = dyn_cast<IntegerAttr>(entry.getValue());
    StringRef name = entry.getName();
    if (!bytes || bytes.getInt() < 0 || (name == "per_thread" && bytes.getInt() != 0))
      return function.emitOpError() << "has an impossible '" << name << "' in '" << attribute << "'";
    if (name != "per_thread")
      memory[name] = bytes.getInt();
  }
  return memory;
}

MaybeAmount LaunchList::evaluate(Value value) {
  if (value == function.getArgument(2))
    return Amount{0, 1, 1};
  IntegerAttr number;
  if (matchPattern(value, m_Constant(&number)))
    return checked({number.getInt(), 0, 1});
  auto apply = value.getDefiningOp<affine::AffineApplyOp>();
  if (!apply)
    return std::nullopt;
  SmallVector<Amount> operands;
  for (Value operand : apply.getMapOperands()) {
    MaybeAmount amount = evaluate(operand);
    if (!amount)
      return std::nullopt;
    operands.push_back(*amount);
  }
  AffineMap map = apply.getAffineMap();
  ArrayRef<Amount> all(operands);
  return ::evaluate(map.getResult(0), all.take_front(map.getNumDims()), all.drop_front(map.getNumDims()));
}

FailureOr<int64_t> LaunchList::constant(gpu::LaunchFuncOp launch, Value value, StringRef what, int64_t low,
                                        int64_t high) {
  MaybeAmount amount = evaluate(value);
  if (!amount || amount->perFrame || amount->divisor != 1 || amount->constant < low || amount->constant > high)
    return launch.emitOpError() << "expected " << what << " to be a constant from " << low << " to " << high;
  return amount->constant;
}

FailureOr<Amount> LaunchList::blocks(gpu::LaunchFuncOp launch) {
  MaybeAmount amount = evaluate(launch.getGridSizeX());
  // At least one block for any T >= 1.
  if (!amount || amount->perFrame < 0 || amount->constant + amount->perFrame < 1)
    return launch.emitOpError("expected its number of blocks to be a constant or (a * T + b) ceildiv c, and positive");
  return *amount;
}

/// Every kernel takes the function's arguments, the number of frames as i64; in a
/// wavefront also the first frame and how many there are.
LogicalResult LaunchList::checkArguments(gpu::LaunchFuncOp launch, int64_t &older) {
  OperandRange operands = launch.getKernelOperands();
  const bool isPiece = launch->hasAttr(kWavefrontAttrName);
  auto evaluateI64 = [&](Value value) {
    auto cast = value.getDefiningOp<arith::IndexCastOp>();
    return cast && cast.getType().isInteger(64) ? evaluate(cast.getIn()) : std::nullopt;
  };
  auto isFrames = [&](Value value) {
    MaybeAmount count = evaluateI64(value);
    return count && count->perFrame == 1 && count->divisor == 1 && count->constant >= 0;
  };
  bool fits = operands.size() == (isPiece ? 5 : 3) && operands[0] == function.getArgument(0) &&
              operands[1] == function.getArgument(1) && isFrames(operands[2]) &&
              evaluateI64(operands[2])->constant == 0;
  if (fits && isPiece) {
    fits = matchPattern(operands[3], m_Zero()) && isFrames(operands[4]);
    older = fits ? evaluateI64(operands[4])->constant : 0;
  }
  if (fits)
    return success();
  return launch.emitOpError("expected the kernel's arguments to be workspace, tensors and frames as i64")
         << (isPiece ? ", and the first frame and the number of frames of the wavefront" : "");
}

/// Adds to the entry of a launch what it waits for.
LogicalResult LaunchList::addToWavefront(gpu::LaunchFuncOp launch, int64_t older, Object &entry) {
  auto number = launch->getAttrOfType<IntegerAttr>(kWavefrontAttrName);
  auto after = launch->getAttrOfType<DenseI64ArrayAttr>(kAfterAttrName);
  auto behind = launch->getAttrOfType<DenseI64ArrayAttr>(kBehindAttrName);
  auto pieces = function->getAttrOfType<DictionaryAttr>(kPiecesAttrName);
  auto frames = pieces ? pieces.getAs<IntegerAttr>("frames") : IntegerAttr();
  auto most = pieces ? pieces.getAs<IntegerAttr>("most") : IntegerAttr();
  if (!number || !after || !behind || !frames || !most || frames.getInt() < 1 || most.getInt() < 1)
    return launch.emitOpError() << "is of a wavefront; expected '" << kAfterAttrName << "' and '" << kBehindAttrName
                                << "', and '" << kPiecesAttrName << "' of its function";
  if (wavefront != number.getInt()) {
    if (number.getInt() != int64_t(wavefronts.size()))
      return launch.emitOpError() << "is of wavefront " << number.getInt() << "; expected " << wavefronts.size();
    wavefronts.push_back(Object{{"older", older}, {"frames", frames.getInt()}, {"pieces", most.getInt()}});
    wavefrontSize = 0;
    wavefrontOlder = older;
  }
  if (older != wavefrontOlder)
    return launch.emitOpError("works on other frames than its wavefront");
  for (int64_t earlier : after.asArrayRef())
    if (earlier < 0 || earlier >= wavefrontSize)
      return launch.emitOpError("waits for a launch that is not before it");
  ++wavefrontSize;
  entry["wavefront"] = number.getInt();
  entry["reversed"] = launch->hasAttr(kReversedAttrName);
  entry["after"] = Array(after.asArrayRef());
  entry["behind"] = Array(behind.asArrayRef());
  return success();
}

FailureOr<Object> LaunchList::buildLaunch(gpu::LaunchFuncOp launch) {
  auto kernel = kernels.lookupSymbol<gpu::GPUFuncOp>(launch.getKernelName());
  if (launch.getKernelModuleName() != kernels.getNameAttr() || !kernel || !kernel.isKernel())
    return launch.emitOpError() << "launches " << launch.getKernel() << ", which is no kernel of the module";
  if (launch.getAsyncToken() || !launch.getAsyncDependencies().empty() || launch.getAsyncObject())
    return launch.emitOpError("has dependencies; launches of a list follow one another");
  for (auto [value, what] : {std::pair<Value, StringRef>{launch.getGridSizeY(), "blocks along y"},
                             {launch.getGridSizeZ(), "blocks along z"},
                             {launch.getBlockSizeY(), "threads along y"},
                             {launch.getBlockSizeZ(), "threads along z"},
                             {launch.getClusterSizeY(), "the cluster's blocks along y"},
                             {launch.getClusterSizeZ(), "the cluster's blocks along z"}})
    if (value && failed(constant(launch, value, what, 1, 1)))
      return failure();
  FailureOr<Amount> grid = blocks(launch);
  FailureOr<int64_t> threads = constant(launch, launch.getBlockSizeX(), "threads of a block", 1, kMaxThreads);
  int64_t older = 0;
  if (failed(grid) || failed(threads) || failed(checkArguments(launch, older)))
    return failure();
  // The grid of a piece follows from its own frames.
  grid->constant -= grid->perFrame * older;
  if (std::optional<ArrayRef<int32_t>> known = kernel.getKnownBlockSize())
    if ((*known)[0] != *threads || (*known)[1] != 1 || (*known)[2] != 1) {
      InFlightDiagnostic diagnostic = launch.emitOpError() << "launches blocks of " << *threads << " threads";
      diagnostic.attachNote(kernel.getLoc()) << "the kernel is written for blocks of " << *known;
      return diagnostic;
    }
  int64_t shared = 0, cluster = 1;
  if (Value bytes = launch.getDynamicSharedMemorySize()) {
    FailureOr<int64_t> size = constant(launch, bytes, "dynamic shared memory", 0, kMaxShared);
    if (failed(size))
      return failure();
    shared = *size;
  }
  if (launch.hasClusterSize()) {
    FailureOr<int64_t> size = constant(launch, launch.getClusterSizeX(), "blocks of a cluster", 1, kMaxCluster);
    if (failed(size))
      return failure();
    cluster = *size;
  }
  Object entry{
      {"kernel", kernel.getName()},
      {"grid", Object{{"constant", grid->constant}, {"per_frame", grid->perFrame}, {"divisor", grid->divisor}}},
      {"block", *threads},
      {"shared_bytes", shared},
      {"cluster", cluster},
      {"cooperative", launch->hasAttr(kCooperativeAttrName)},
      {"exact", launch->hasAttr(kExactAttrName)}};
  const bool isPiece = launch->hasAttr(kWavefrontAttrName);
  if (isPiece && failed(addToWavefront(launch, older, entry)))
    return failure();
  wavefront = isPiece ? std::optional<int64_t>(wavefronts.size() - 1) : std::nullopt;
  return entry;
}

FailureOr<Object> LaunchList::build() {
  if (failed(checkSignature()))
    return failure();
  FailureOr<Object> memory = buildMemory("rnn.memory"), flags = buildMemory("rnn.flags");
  if (failed(memory) || failed(flags))
    return failure();
  Array launches;
  for (Operation &op : function.getBody().front()) {
    if (isa<arith::ConstantOp, arith::IndexCastOp, affine::AffineApplyOp, func::ReturnOp>(op))
      continue;
    auto launch = dyn_cast<gpu::LaunchFuncOp>(op);
    if (!launch) {
      InFlightDiagnostic diagnostic = op.emitError() << "'" << op.getName() << "' op is not allowed in a launch list";
      diagnostic.attachNote() << "allowed: gpu.launch_func, affine.apply, arith.constant, arith.index_cast";
      return diagnostic;
    }
    FailureOr<Object> entry = buildLaunch(launch);
    if (failed(entry))
      return failure();
    launches.push_back(std::move(*entry));
  }
  Object list{{"symbol", function.getSymName()}, {"memory", std::move(*memory)}, {"launches", std::move(launches)}};
  if (function->hasAttr("rnn.flags"))
    list["flags"] = std::move(*flags);
  if (!wavefronts.empty())
    list["wavefronts"] = std::move(wavefronts);
  return list;
}

FailureOr<gpu::GPUModuleOp> mlir::rnn::getKernels(ModuleOp module) {
  gpu::GPUModuleOp kernels;
  for (Operation &op : *module.getBody()) {
    if (isa<func::FuncOp>(op))
      continue;
    auto found = dyn_cast<gpu::GPUModuleOp>(op);
    if (!found)
      return op.emitError() << "'" << op.getName() << "' op is not allowed beside kernels and launch lists";
    if (kernels)
      return found.emitOpError("is the second one; expected one module of kernels");
    kernels = found;
  }
  if (!kernels)
    return module.emitError() << "no kernels found; expected a gpu.module";
  return kernels;
}

FailureOr<Object> mlir::rnn::buildLaunchTable(ModuleOp module) {
  FailureOr<gpu::GPUModuleOp> kernels = getKernels(module);
  if (failed(kernels))
    return failure();
  Array functions;
  for (auto function : module.getOps<func::FuncOp>()) {
    FailureOr<Object> list = LaunchList(function, *kernels).build();
    if (failed(list))
      return failure();
    functions.push_back(std::move(*list));
  }
  return Object{{"functions", std::move(functions)}};
}
