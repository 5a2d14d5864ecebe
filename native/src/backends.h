#pragma once

#include "ggml-backend.h"

#include <cstdint>
#include <string>
#include <vector>

namespace lucifer {

// Loads the backend libraries of the folder (empty: none) and notes which were not.
void backends_load(const std::string & dir);

// Device of that name, null when there is none.
ggml_backend_dev_t device_by_name(const std::string & name);

// "CPU, CUDA0": for messages.
std::string device_names();

bool has_gpu();
bool is_gpu(ggml_backend_dev_t device);

// Address of the rpc-server behind a device, "" for any other device.
std::string rpc_address(ggml_backend_dev_t device);

// While a model lies on an rpc-server, its one connection is ours: a second one would wait for ever.
void rpc_hold(const std::string & address);
void rpc_release(const std::string & address);

// Throws when the server behind the device does not answer (and is not held already).
void rpc_require(ggml_backend_dev_t device);

} // namespace lucifer
