# `cmake --install build/release --prefix DIR`: a tree that can be moved: programs find LibTorch
# beside them.
include(GNUInstallDirs)
get_property(_programs GLOBAL PROPERTY DFINE_PROGRAMS)
add_custom_target(programs DEPENDS ${_programs})
install(TARGETS ${_programs} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
set_target_properties(${_programs} PROPERTIES INSTALL_RPATH
                      "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}/dfine")
install(DIRECTORY configs cluster DESTINATION ${CMAKE_INSTALL_DATADIR}/dfine)
install(FILES README.md LICENSE NOTICE DESTINATION ${CMAKE_INSTALL_DATADIR}/dfine)
if(DFINE_TORCH)
  install(FILES ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/dfine-train DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(PROGRAMS launcher/dfine-launch DESTINATION ${CMAKE_INSTALL_BINDIR})
  # The libraries the programs load, and what those load: a CPU LibTorch's own few, or all of a CUDA
  # wheel's.
  file(GLOB _torch_libs ${DFINE_TORCH_ROOT}/lib/libtorch_cpu.so* ${DFINE_TORCH_ROOT}/lib/libc10.so*
       ${DFINE_TORCH_ROOT}/lib/libgomp*.so*
       ${DFINE_TORCH_ROOT}/lib/libgfortran*.so* ${DFINE_TORCH_ROOT}/lib/libshm.so*
       ${DFINE_TORCH_ROOT}/lib/libtorch.so*)
  set(_nvidia_patterns libcudart.so.* libcupti.so.*)
  if(DFINE_CUDA)
    file(GLOB _cuda_libs ${DFINE_TORCH_ROOT}/lib/libtorch_cuda*.so*
         ${DFINE_TORCH_ROOT}/lib/libc10_cuda.so* ${DFINE_TORCH_ROOT}/lib/libtorch_nvshmem.so*)
    list(APPEND _torch_libs ${_cuda_libs})
    set(_nvidia_patterns *.so.*)
  endif()
  foreach(_dir IN LISTS DFINE_NVIDIA_LIB_DIRS)
    foreach(_pattern IN LISTS _nvidia_patterns)
      file(GLOB _found_libs ${_dir}/${_pattern})
      list(APPEND _torch_libs ${_found_libs})
    endforeach()
  endforeach()
  install(FILES ${_torch_libs} DESTINATION ${CMAKE_INSTALL_LIBDIR}/dfine)
endif()
