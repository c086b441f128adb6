# Install rules and the exported package: find_package(RNN 0.1 CONFIG COMPONENTS Compiler Runtime).
# Everything below the prefix may be moved: paths in it are relative.

include(CMakePackageConfigHelpers)
set(RNN_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/RNN")

# rnn_export(<target> <component>): installs a library and exports it as RNN::<target without leading RNN>.
function(rnn_export target component)
  string(REGEX REPLACE "^RNN|^rnn-" "" name "${target}")
  if(target STREQUAL "rnn-runtime")
    set(name Runtime)
  elseif(target STREQUAL "rnn-c")
    set(name CAPI)
  endif()
  get_target_property(type ${target} TYPE)
  if(NOT TARGET RNN::${name} AND NOT type STREQUAL "MODULE_LIBRARY")
    add_library(RNN::${name} ALIAS ${target})
  endif()
  set_target_properties(${target} PROPERTIES EXPORT_NAME "${name}")
  target_include_directories(${target} INTERFACE
    "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include;${PROJECT_BINARY_DIR}/include>"
    "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  install(TARGETS ${target} EXPORT RNN${component}Targets
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT ${component}
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT ${component})
endfunction()

#===- The runtime --------------------------------------------------------------
set(RNN_HAVE_RUNTIME OFF)
if(TARGET rnn-runtime)
  set(RNN_HAVE_RUNTIME ON)
  rnn_export(rnn-runtime Runtime)
  install(EXPORT RNNRuntimeTargets NAMESPACE RNN:: DESTINATION "${RNN_CMAKE_DIR}" COMPONENT Runtime)
  install(FILES include/rnn-c/Runtime.h DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/rnn-c" COMPONENT Runtime)
endif()
# Python finds the library two folders above the package.
install(DIRECTORY python/rnn_mlir DESTINATION "${CMAKE_INSTALL_LIBDIR}/python" COMPONENT Runtime
  PATTERN __pycache__ EXCLUDE)
foreach(tool rnn-run rnn-train)
  if(TARGET ${tool})
    install(TARGETS ${tool} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT Runtime)
  endif()
endforeach()

#===- The compiler -------------------------------------------------------------
get_property(compiler_libs GLOBAL PROPERTY RNN_COMPILER_LIBS)
set(RNN_HAVE_COMPILER OFF)
if(compiler_libs)
  set(RNN_HAVE_COMPILER ON)
  add_library(RNNCompiler INTERFACE)
  foreach(lib ${compiler_libs})
    rnn_export(${lib} Compiler)
    target_link_libraries(RNNCompiler INTERFACE ${lib})
  endforeach()
  rnn_export(RNNCompiler Compiler)
  # Rooms of several libraries under one name: RNN::Conversion, RNN::Target.
  foreach(room Conversion Target)
    add_library(RNN${room} INTERFACE)
    get_property(folders DIRECTORY lib/${room} PROPERTY SUBDIRECTORIES)
    foreach(folder ${folders})
      get_property(targets DIRECTORY "${folder}" PROPERTY BUILDSYSTEM_TARGETS)
      foreach(target ${targets})
        if(target IN_LIST compiler_libs)
          target_link_libraries(RNN${room} INTERFACE ${target})
        endif()
      endforeach()
    endforeach()
    rnn_export(RNN${room} Compiler)
  endforeach()
  # Static libraries of the compiler may use the runtime's (hashes, files, the artifact's container).
  get_property(runtime_targets DIRECTORY lib/Runtime PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target ${runtime_targets})
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "STATIC_LIBRARY")
      rnn_export(${target} Compiler)
    endif()
  endforeach()
  if(TARGET rnn-c)
    rnn_export(rnn-c Compiler)
  endif()
  install(EXPORT RNNCompilerTargets NAMESPACE RNN:: DESTINATION "${RNN_CMAKE_DIR}" COMPONENT Compiler)
  foreach(library rnn-plugin rnn-interpreter)
    if(TARGET ${library})
      install(TARGETS ${library} LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT Compiler)
    endif()
  endforeach()
  install(DIRECTORY include/rnn include/rnn-c "${PROJECT_BINARY_DIR}/include/rnn"
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT Compiler
    FILES_MATCHING PATTERN "*.h" PATTERN "*.td" PATTERN "*.h.inc" PATTERN "*.def"
    PATTERN CMakeFiles EXCLUDE)
endif()

#===- The package --------------------------------------------------------------
configure_package_config_file(cmake/modules/RNNConfig.cmake.in "${PROJECT_BINARY_DIR}/cmake/RNNConfig.cmake"
  INSTALL_DESTINATION "${RNN_CMAKE_DIR}"
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_BINDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/cmake/RNNConfigVersion.cmake"
  VERSION "${PROJECT_VERSION}" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/cmake/RNNConfig.cmake" "${PROJECT_BINARY_DIR}/cmake/RNNConfigVersion.cmake"
  DESTINATION "${RNN_CMAKE_DIR}" COMPONENT Runtime)
install(FILES LICENSE README.md DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT Runtime)
