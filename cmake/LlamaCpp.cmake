# The one place that pins and configures llama.cpp. Gives the targets llama, ggml and llama-common (static).
include_guard(GLOBAL)

set(LLAMA_CPP_VERSION 0.5.0)
set(LLAMA_CPP_TAG     v0.5.0)
set(LLAMA_CPP_TREE    fd570ef54b10ec5fecb739e7e04c8ce44a6f415a) # git tree, the same whichever way the source came
set(LLAMA_CPP_GIT_URL https://github.com/ggml-org/llama.cpp.git CACHE STRING "git repository that has the tag ${LLAMA_CPP_TAG}")
set(LLAMA_CPP_NPM     node-llama-cpp@3.22.1) # an npm package that carries the source as a git bundle
# The package's integrity value (SHA-512, base64 bltIipuWmc12...) in hexadecimal.
set(LLAMA_CPP_NPM_SHA512 6e5b488a9b9699cd76dc7eed30880318a4ac4ab866865418795502e3c5d38d55bb5c624988927209d95333343f2e25a83e4183a5c2f816f883a60c3ba9f4e20f)

include(LlamaCppSource)
include(Engine)
include(Prints)
include(RpcWire)
lucifer_find_llama_cpp(LLAMA_CPP_SOURCE_DIR)

set(BUILD_SHARED_LIBS ON)
set(LLAMA_BUILD_IS_DEV OFF)
set(LLAMA_BUILD_COMMON OFF) # it would become a shared library: see lucifer_add_common
set(LLAMA_OPENSSL OFF)
set(GGML_CCACHE OFF)  # ours is set by native/CMakeLists.txt
set(GGML_RPC_RDMA OFF) # its waits have no limit, and its library is missing on most machines
set(GGML_OPENMP OFF)  # slim containers have no libgomp
string(APPEND CMAKE_C_FLAGS " -fexceptions") # the guard's exceptions unwind through ggml's C frames
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# llama-common is not a stable interface: it goes into our library and is seen by nobody else.
function(lucifer_add_common)
    set(BUILD_SHARED_LIBS OFF)
    set(PROJECT_SOURCE_DIR ${LLAMA_CPP_SOURCE_DIR}) # where it looks for its git commit
    set(LLAMA_BUILD_NUMBER 0)
    set(LLAMA_BUILD_COMMIT ${LLAMA_CPP_TAG})
    if(NOT TARGET cpp-httplib)
        add_subdirectory(${LLAMA_CPP_SOURCE_DIR}/vendor/cpp-httplib llama.cpp/cpp-httplib EXCLUDE_FROM_ALL)
    endif()
    add_subdirectory(${LLAMA_CPP_SOURCE_DIR}/common llama.cpp/common EXCLUDE_FROM_ALL)
endfunction()

# Everything lands in one flat folder under its plain name (a jar cannot hold the links that versioned names need);
# upstream's headers count as system headers, so that our warnings are about our code.
function(lucifer_adopt_targets dir)
    get_property(subdirs DIRECTORY ${dir} PROPERTY SUBDIRECTORIES)
    foreach(sub IN LISTS subdirs)
        lucifer_adopt_targets(${sub})
    endforeach()
    get_property(targets DIRECTORY ${dir} PROPERTY BUILDSYSTEM_TARGETS)
    foreach(target IN LISTS targets)
        get_target_property(type ${target} TYPE)
        get_target_property(includes ${target} INTERFACE_INCLUDE_DIRECTORIES)
        if(includes)
            set_property(TARGET ${target} PROPERTY INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${includes}")
        endif()
        if(type MATCHES "SHARED_LIBRARY|MODULE_LIBRARY|EXECUTABLE")
            set_target_properties(${target} PROPERTIES
                LIBRARY_OUTPUT_DIRECTORY ${LUCIFER_LIB_DIR} RUNTIME_OUTPUT_DIRECTORY ${LUCIFER_LIB_DIR})
            set_property(TARGET ${target} PROPERTY VERSION)
            set_property(TARGET ${target} PROPERTY SOVERSION)
        endif()
        # ggml-rpc prints as a server alone, on the stdout of a program
        if(type MATCHES "SHARED_LIBRARY|MODULE_LIBRARY" AND NOT target STREQUAL "ggml-rpc")
            lucifer_catch_prints(${target})
        endif()
    endforeach()
endfunction()

add_subdirectory(${LLAMA_CPP_SOURCE_DIR} llama.cpp EXCLUDE_FROM_ALL)
lucifer_add_common()
add_subdirectory(${LLAMA_CPP_SOURCE_DIR}/tools/rpc llama.cpp/rpc EXCLUDE_FROM_ALL)
lucifer_adopt_targets(${CMAKE_CURRENT_SOURCE_DIR})
lucifer_wrap_engine()
lucifer_guard_rpc(ggml-rpc)
