#pragma once
// A key-value store that all ranks reach without MPI. NCCL's ranks find each other through it, and
// it reports failures while MPI is stuck. Internal to distributed.
#include <cstdint>
#include <string>
#include <vector>

#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "distributed/host_channel.h"

namespace dfine::inline distributed {

/// Collective: rank zero serves the store on a free port, the others connect; host name and
/// addresses are told through `channel`. `one_host`: all ranks are on rank zero's host (the
/// loopback address is used).
c10::intrusive_ptr<c10d::TCPStore> make_rendezvous(const HostChannel& channel,
                                                   const std::string& host, bool one_host);

/// This host's addresses without loopback and link-local ones.
std::vector<std::string> own_addresses();

/// Whether something listens at host:port; waits at most `timeout_ms` for an answer from each of
/// the host's addresses.
bool answers(const std::string& host, uint16_t port, int timeout_ms);

}  // namespace dfine::inline distributed
