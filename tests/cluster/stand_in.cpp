// Stands for dfine_ddp where a test is about how runs are started and stopped. It takes the same
// command line and leaves the same files, exit codes and reactions to signals, without LibTorch.
//
// --set run.dir=DIR names the run folder; other settings are ignored. Environment variables say
// what happens:
//   STAND_IN_STEPS=N          steps of the run (default 50)
//   STAND_IN_STEP_MS=N        milliseconds per step (default 20)
//   STAND_IN_START_MS=N       milliseconds before signals are handled (default 0)
//   STAND_IN_FAIL=STEP,RANK,CODE,TIMES   that rank ends with CODE at STEP, in the first TIMES
//                             starts of the run; it kills itself if CODE is 137
//   STAND_IN_FAIL_NODE=NAME   that rank fails on this Slurm node only
#include <mpi.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace fs = std::filesystem;

volatile std::sig_atomic_t requests = 0;
void on_signal(int signal) {
  if (signal == SIGINT && requests > 0) _exit(130);
  requests = requests + 1;
}

std::string variable(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value && *value ? value : otherwise;
}

void wait_ms(const char* name, const std::string& otherwise) {
  std::this_thread::sleep_for(std::chrono::milliseconds(std::stoi(variable(name, otherwise))));
}

struct CommandLine {
  std::string run_dir = "runs/train", resume = "none";
  bool print_config = false;
};

CommandLine parse(int argc, char** argv) {
  CommandLine line;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const std::string value = i + 1 < argc ? argv[i + 1] : "";
    if (argument == "--print-config") line.print_config = true;
    if (argument == "--resume") line.resume = value;
    if (argument == "--set" && value.starts_with("run.dir=")) line.run_dir = value.substr(8);
    if (argument == "--wrong") {
      std::cerr << "dfine_ddp: unknown option --wrong\n";
      std::exit(2);
    }
  }
  return line;
}

struct State {
  int step = 0;
  unsigned long weights = 1;
};

/// The run's files, which rank zero writes.
class RunFolder {
 public:
  explicit RunFolder(std::string dir) : dir_(std::move(dir)) {}

  State begin(const std::string& resume) {
    State state;
    fs::create_directories(dir_ / "checkpoints");
    if (resume == "none" && fs::exists(metrics())) {
      fs::create_directory(dir_ / "previous-1");
      for (const char* name : {"checkpoints", "metrics.jsonl"})
        fs::rename(dir_ / name, dir_ / "previous-1" / name);
      fs::create_directory(dir_ / "checkpoints");
    }
    std::ifstream in((resume == "auto" ? dir_ / "checkpoints/last" : fs::path(resume)) / "state");
    const bool resumed = resume != "none" && in >> state.step >> state.weights;
    if (resumed) drop_steps_after(state.step);
    line("start", state.step, "");
    return state;
  }

  void step(const State& state) { line("step", state.step, ""); }

  void save(const State& state) {
    std::ostringstream name;
    name << "step-" << std::setw(8) << std::setfill('0') << state.step;
    fs::create_directories(dir_ / "checkpoints" / name.str());
    std::ofstream(dir_ / "checkpoints" / name.str() / "state")
        << state.step << " " << state.weights << "\n";
    fs::remove(dir_ / "checkpoints/link");
    fs::create_symlink(name.str(), dir_ / "checkpoints/link");
    fs::rename(dir_ / "checkpoints/link", dir_ / "checkpoints/last");
    event("saved", state.step);
  }

  void event(const std::string& what, int step) {
    line("event", step, ",\"event\":\"" + what + "\"");
  }

  /// How often the run has begun.
  int starts() const {
    std::ifstream in(metrics());
    int count = 0;
    for (std::string text; std::getline(in, text);) count += is_start(text);
    return count;
  }

 private:
  fs::path dir_;

  fs::path metrics() const { return dir_ / "metrics.jsonl"; }
  static bool is_start(const std::string& line) { return line.starts_with("{\"type\":\"start\""); }

  /// `more` stands between the time and the step, as in the real file.
  void line(const std::string& type, int step, const std::string& more) {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    std::ofstream out(metrics(), std::ios::app);
    out << "{\"type\":\"" << type << "\",\"time\":\"" << now.tv_sec << "." << now.tv_nsec << "\""
        << more << ",\"step\":" << step << ",\"losses\":{}}\n";
  }
  void drop_steps_after(int step) {
    std::ifstream in(metrics());
    std::string kept, text;
    while (std::getline(in, text)) {
      if (is_start(text) || std::stoi(text.substr(text.find("\"step\":") + 7)) <= step)
        kept += text + "\n";
    }
    std::ofstream(metrics().string() + ".part") << kept;
    fs::rename(metrics().string() + ".part", metrics());
  }
};

/// Fails as STAND_IN_FAIL says.
void maybe_fail(int step, int rank, int starts) {
  std::istringstream fail(variable("STAND_IN_FAIL", "-1,0,0,0"));
  int at = -1, who = 0, code = 0, times = 0;
  char comma;
  fail >> at >> comma >> who >> comma >> code >> comma >> times;
  const std::string node = variable("STAND_IN_FAIL_NODE", "");
  if (step != at || starts > times) return;
  if (node.empty() ? rank != who : variable("SLURMD_NODENAME", "") != node) return;
  const std::string host = variable("SLURMD_NODENAME", "localhost");
  std::ostringstream message;  // in one piece, or mpirun's messages may come between
  message << "rank " << rank << " on host " << host << " failed: as STAND_IN_FAIL says\n"
          << "hint: this line stands for the program's own message\n";
  std::cerr << message.str();
  if (code == 137) std::raise(SIGKILL);
  MPI_Abort(MPI_COMM_WORLD, code);
}

int train(const CommandLine& line, int rank) {
  RunFolder folder(line.run_dir);
  State state;
  int starts = 0;
  if (rank == 0) {
    state = folder.begin(line.resume);
    starts = folder.starts();
  }
  MPI_Bcast(&state, sizeof(state), MPI_BYTE, 0, MPI_COMM_WORLD);
  MPI_Bcast(&starts, 1, MPI_INT, 0, MPI_COMM_WORLD);
  const int steps = std::stoi(variable("STAND_IN_STEPS", "50"));
  while (state.step < steps) {
    int mine = requests, any = 0;
    MPI_Allreduce(&mine, &any, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    if (any) {
      if (rank == 0) folder.save(state);
      MPI_Barrier(MPI_COMM_WORLD);
      return 75;
    }
    wait_ms("STAND_IN_STEP_MS", "20");
    ++state.step;
    state.weights = state.weights * 6364136223846793005UL + 1442695040888963407UL;
    if (rank == 0) folder.step(state);
    maybe_fail(state.step, rank, starts);
    if (rank == 0 && state.step % 10 == 0) folder.save(state);
  }
  if (rank == 0) {
    folder.save(state);
    folder.event("ended", state.step);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const CommandLine line = parse(argc, argv);
  if (line.print_config) {
    std::cout << "[run]\ndir = \"" << line.run_dir << "\"\ndevice = \"cpu\"\n";
    return 0;
  }
  wait_ms("STAND_IN_START_MS", "0");
  MPI_Init(&argc, &argv);
  for (int signal : {SIGUSR1, SIGUSR2, SIGTERM, SIGINT}) std::signal(signal, on_signal);
  int rank = 0, ranks = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  if (rank == 0) std::cout << "stand-in: " << ranks << " ranks" << std::endl;
  const int code = train(line, rank);
  MPI_Finalize();
  return code;
}
