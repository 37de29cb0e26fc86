#include "distributed/mpi_session.h"

#include <mpi.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iomanip>
#include <set>
#include <sstream>

#include "core/error.h"
#include "core/host_name.h"
#include "core/log.h"
#include "core/text.h"
#include "distributed/gpu.h"
#include "distributed/host_channel.h"
#include "distributed/launch.h"
#include "distributed/mpi_backend.h"
#include "distributed/rendezvous.h"

namespace dfine::inline distributed {
using enum ErrorCode;
namespace {

void start_mpi(const Launch& launch) {
  // OpenMPI gives the core away at every look for messages when a host has more ranks than cores. A
  // small sum then takes 10 times as long. Here that is not needed, because waiting threads sleep
  // between looks anyhow (mpi_wait.h). What the user has set stands.
  setenv("OMPI_MCA_mpi_yield_when_idle", "0", /*overwrite=*/0);
  // Send alone. OpenMPI's default for TCP also writes into the memory of the other side. Its
  // version 4.1 then sends large messages in one direction at a time (benchmarks/slow_link.py).
  setenv("OMPI_MCA_btl_tcp_flags", "1", /*overwrite=*/0);
  int provided = 0;
  check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_MULTIPLE, &provided), "MPI_Init_thread");
  if (provided < MPI_THREAD_MULTIPLE)
    throw Error(kLaunchInvalid,
                "This MPI library does not support several threads (MPI_THREAD_MULTIPLE).");
  const int size = mpi_size(MPI_COMM_WORLD);
  if (launch.ranks && *launch.ranks != size) {
    throw Error(kLaunchInvalid,
                str_cat(launch.launcher, " says that it started ", counted(*launch.ranks, "rank"),
                        ", but MPI sees ", size, "."),
                "The launcher belongs to another MPI than the one this program is linked with: use "
                "that one's mpirun.");
  }
}

struct LocalPlace {
  int rank = 0, size = 1;
};

LocalPlace local_place() {
  MPI_Comm local;
  check_mpi(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &local),
            "MPI_Comm_split_type");
  const LocalPlace place{mpi_rank(local), mpi_size(local)};
  check_mpi(MPI_Comm_free(&local), "MPI_Comm_free");
  return place;
}

c10::intrusive_ptr<c10d::ProcessGroup> make_mpi_group(const c10::intrusive_ptr<c10d::Store>& store,
                                                      const std::string& name) {
  auto backend = c10::make_intrusive<MpiBackend>(MPI_COMM_WORLD);
  auto group =
      c10::make_intrusive<c10d::ProcessGroup>(store, backend->getRank(), backend->getSize());
  group->setBackend(c10::DeviceType::CPU, c10d::ProcessGroup::BackendType::CUSTOM, backend);
  group->setDefaultBackend(c10d::ProcessGroup::BackendType::CUSTOM);
  group->setGroupName(name);
  return group;
}

}  // namespace

struct MpiSession::Impl {
  int rank = 0;
  std::shared_ptr<HostChannel> channel;
  c10::intrusive_ptr<c10d::TCPStore> store;
  std::vector<c10::intrusive_ptr<c10d::ProcessGroup>> groups;
};

MpiSession::MpiSession() : impl_(std::make_unique<Impl>()) {
  const auto launch = detect_launch([](const char* name) { return std::getenv(name); });
  if (!launch) {
    ranks_ = {{0, host_name(), 0, 1, ""}};
    return;
  }
  start_mpi(*launch);
  impl_->channel = std::make_shared<HostChannel>(MPI_COMM_WORLD);
  impl_->rank = impl_->channel->rank();
  const auto places = impl_->channel->all_gather(local_place());
  const auto hosts = impl_->channel->all_gather(host_name());
  for (size_t r = 0; r < hosts.size(); ++r)
    ranks_.push_back({static_cast<int>(r), hosts[r], places[r].rank, places[r].size, ""});
  if (size() > 1) impl_->store = make_rendezvous(*impl_->channel, host(), local_size() == size());
}

MpiSession::~MpiSession() {
  if (!impl_->channel) return;
  try {
    impl_->channel->barrier();
    for (auto& group : impl_->groups) group->shutdown();
    impl_->groups.clear();
    impl_->store.reset();
  } catch (const std::exception&) {
    // A peer is gone: the launcher sees to the rest.
  }
  MPI_Finalize();
}

const RankInfo& MpiSession::self() const {
  return ranks_[static_cast<size_t>(impl_->rank)];
}

const c10::intrusive_ptr<c10d::TCPStore>& MpiSession::store() const {
  return impl_->store;
}

Communicator MpiSession::make_communicator(DeviceRequest request) {
  if (request == DeviceRequest::kCuda && !built_with_cuda()) {
    throw Error(kDeviceUnavailable,
                "run.device = \"cuda\", but this program was built without CUDA.",
                "Build with cmake --preset cuda, or use run.device = \"cpu\".");
  }
  std::vector requests{request};
  const VisibleGpus mine = request == DeviceRequest::kCpu ? VisibleGpus{} : visible_gpus();
  std::vector<std::vector<std::string>> uuids{mine.uuids}, pci{mine.pci};
  if (size() > 1) {
    requests = impl_->channel->all_gather(request);
    uuids = impl_->channel->all_gather(mine.uuids);
    pci = impl_->channel->all_gather(mine.pci);
  }
  std::vector<DeviceOffer> offers;
  for (size_t i = 0; i < ranks_.size(); ++i)
    offers.push_back({ranks_[i].host, ranks_[i].local_rank, requests[i], {uuids[i], pci[i]}});
  const auto devices = assign_devices(offers);
  for (size_t i = 0; i < devices.size(); ++i) ranks_[i].device = devices[i].str();
  const at::Device device = devices[static_cast<size_t>(rank())];
  use_device(device);
  if (built_with_cuda() && request == DeviceRequest::kAuto && device.is_cpu())
    log::warn("no GPU is visible: training on the CPU. Set run.device = \"cpu\" if that is meant");
  if (size() == 1) return Communicator(device);
  const std::string name = str_cat("ranks", impl_->groups.size());
  impl_->groups.push_back(device.is_cuda()
                              ? make_nccl_group(impl_->store, name, rank(), size(), device)
                              : make_mpi_group(impl_->store, name));
  return {impl_->groups.back(), impl_->channel, device};
}

std::string MpiSession::describe_ranks() const {
  std::set<std::string> hosts;
  for (const auto& info : ranks_) hosts.insert(info.host);
  return str_cat(counted(static_cast<long long>(ranks_.size()), "rank"), " on ",
                 hosts.size() == 1 ? "host " + *hosts.begin()
                                   : counted(static_cast<long long>(hosts.size()), "host"),
                 self().device.starts_with("cuda") ? ", on GPUs" : ", on the CPU");
}

std::string MpiSession::rank_table() const {
  size_t width = 4;
  for (const auto& info : ranks_) width = std::max(width, info.host.size());
  std::ostringstream out;
  out << std::left << std::setw(6) << "rank" << std::setw(static_cast<int>(width) + 2) << "host"
      << std::setw(9) << "device"
      << "local";
  for (const auto& info : ranks_) {
    out << "\n"
        << std::setw(6) << info.rank << std::setw(static_cast<int>(width) + 2) << info.host
        << std::setw(9) << info.device << info.local_rank << " of " << info.local_size;
  }
  if (self().device.starts_with("cuda")) out << "\n" << gpu_libraries();
  return out.str();
}

}  // namespace dfine::inline distributed
