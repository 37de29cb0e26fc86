#pragma once
// The LibTorch headers that nearly every torch file needs, compiled once. Each file still includes
// what it uses.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/nn/module.h>
