# Compiler flags, ccache, linker and sanitizers, for all our targets alike.

find_program(RNN_CCACHE ccache)
if(RNN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # What it must be told so that it takes files with a precompiled header.
  set(RNN_CCACHE_COMMAND "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros "${RNN_CCACHE}")
  set(CMAKE_C_COMPILER_LAUNCHER "${RNN_CCACHE_COMMAND}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${RNN_CCACHE_COMMAND}")
endif()

add_compile_options(-Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports false positives in LLVM's containers.
  add_compile_options(-Wno-maybe-uninitialized -Wno-array-bounds
                      -Wno-stringop-overflow -Wno-stringop-overread -Wno-comment)
  add_compile_options(-fpch-preprocess) # for ccache
endif()

find_program(RNN_LLD NAMES ld.lld-22 PATHS /usr/lib/llvm-22/bin)
if(RNN_LLD AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_link_options("--ld-path=${RNN_LLD}")
endif()

# Fuzz targets are steered by what the readers do.
if(RNN_BUILD_FUZZERS)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(RNN_SANITIZE)
  add_compile_options("-fsanitize=${RNN_SANITIZE}" -fno-sanitize-recover=all -fno-omit-frame-pointer -g1)
  add_link_options("-fsanitize=${RNN_SANITIZE}")
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # Functions that are generated do not say their types.
    add_compile_options(-fno-sanitize=function)
    if(RNN_SANITIZE MATCHES "address")
      # The runtime is a shared library, as it is with GCC: Python and mlir-opt load libraries of ours.
      execute_process(COMMAND "${CMAKE_CXX_COMPILER}" -print-file-name=libclang_rt.asan-x86_64.so
        OUTPUT_VARIABLE runtime OUTPUT_STRIP_TRAILING_WHITESPACE)
      get_filename_component(folder "${runtime}" DIRECTORY)
      add_compile_options(-shared-libasan)
      add_link_options(-shared-libasan "${runtime}")
      list(APPEND CMAKE_BUILD_RPATH "${folder}")
    endif()
  endif()
endif()

# Installed programs find our libraries beside them, wherever the tree is moved, and LLVM's where it was.
set(CMAKE_INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)
