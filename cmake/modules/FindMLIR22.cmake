# Finds LLVM and MLIR 22 and sets them up as Debian ships them: tools link the shared libMLIR and libLLVM.

find_package(MLIR CONFIG QUIET HINTS /usr/lib/llvm-22/lib/cmake/mlir)
if(NOT MLIR_FOUND)
  message(FATAL_ERROR "MLIR 22 is required, found none\nnote: set MLIR_DIR to the cmake folder of MLIR 22")
endif()
if(NOT LLVM_VERSION_MAJOR EQUAL 22)
  message(FATAL_ERROR "MLIR 22 is required, found ${LLVM_PACKAGE_VERSION} in ${MLIR_DIR}\n"
                      "note: set MLIR_DIR to the cmake folder of MLIR 22")
endif()

# MLIRConfig does not record it, but Debian's tools link libMLIR.so; mixing it with static MLIR breaks type ids.
set(MLIR_LINK_MLIR_DYLIB ON)
set(LLVM_LINK_LLVM_DYLIB ON)
list(APPEND CMAKE_MODULE_PATH "${MLIR_CMAKE_DIR}" "${LLVM_CMAKE_DIR}")
include(TableGen)
include(AddLLVM)
include(AddMLIR)

separate_arguments(RNN_LLVM_DEFINITIONS NATIVE_COMMAND "${LLVM_DEFINITIONS}")
add_definitions(${RNN_LLVM_DEFINITIONS})
include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})

# Debian's LLVM is built without exceptions. Type ids must be shared with libMLIR.so: with hidden visibility, GCC gives
# the traits of operations ids of their own, and Operation::hasTrait silently answers no.
# All targets have the same flags, programs and libraries alike: so they can share a precompiled header.
function(rnn_compiler_flags target)
  set_target_properties(${target} PROPERTIES CXX_VISIBILITY_PRESET default POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${target} PRIVATE -fPIC $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>)
  if(NOT target STREQUAL "RNNPrecompiled")
    target_precompile_headers(${target} REUSE_FROM RNNPrecompiled)
  endif()
endfunction()

# What most of our files include from MLIR takes longer to parse than they do. It is parsed once; a build with
# -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON does without and shows what a file forgot to include.
file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/RNNPrecompiled.cpp" CONTENT "")
add_library(RNNPrecompiled OBJECT "${CMAKE_BINARY_DIR}/RNNPrecompiled.cpp")
rnn_compiler_flags(RNNPrecompiled)
target_precompile_headers(RNNPrecompiled PRIVATE
  <mlir/Dialect/Arith/IR/Arith.h>
  <mlir/Dialect/Math/IR/Math.h>
  <mlir/Dialect/Tensor/IR/Tensor.h>
  <mlir/IR/DialectImplementation.h>
  <mlir/Pass/Pass.h>
  <llvm/ADT/TypeSwitch.h>
  <llvm/Support/JSON.h>)

# rnn_add_library(<name> <sources>… [DEPENDS …] [LINK_LIBS …]): one static library of the compiler.
# All of them link libMLIR.so through MLIR; LINK_LIBS names our own libraries.
function(rnn_add_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK_LIBS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  add_library(RNN::${name} ALIAS ${name})
  rnn_compiler_flags(${name})
  add_dependencies(${name} RNNIncGen ${ARG_DEPENDS})
  target_link_libraries(${name} PUBLIC ${ARG_LINK_LIBS} MLIR LLVM)
  set_property(GLOBAL APPEND PROPERTY RNN_COMPILER_LIBS ${name})
endfunction()

# rnn_add_tool(<name> <sources>… [LINK_LIBS …]): one executable of the compiler.
function(rnn_add_tool name)
  cmake_parse_arguments(ARG "" "" "LINK_LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  rnn_compiler_flags(${name})
  add_dependencies(${name} RNNIncGen)
  target_link_libraries(${name} PRIVATE ${ARG_LINK_LIBS} MLIR LLVM)
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT Compiler)
endfunction()
