// dfine_ddp: trains, on one process or on the ranks of mpirun.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/command_line.h"
#include "cli/console_flags.h"
#include "config/keys.h"
#include "config/load.h"
#include "config/suggest.h"
#include "core/error.h"
#include "core/log.h"
#include "core/printable.h"
#include "core/stop_request.h"
#include "core/text.h"
#include "core/utc_time.h"
#include "data/shards/manifest.h"
#include "dfine_version.h"
#include "distributed/failure.h"
#include "distributed/mpi_session.h"
#include "memory/host_allocator.h"
#include "train/plan/compute_setup.h"
#include "train/plan/resolve.h"
#include "train/run/run_context.h"
#include "train/run/run_start.h"
#include "train/run_training.h"
#include "train/tools/find_lr.h"
#include "train/tools/preview.h"

namespace {

struct CommandLine {
  std::string config, resume, data;
  std::vector<std::string> overrides, short_forms;  // KEY=VALUE
  bool print_config = false;
  std::optional<int64_t> preview, find_lr;
  dfine::ConsoleFlags console;
};

/// Options that are short for a key.
struct ShortForm {
  const char *option, *key, *type;
};
constexpr ShortForm kShortForms[] = {
    {"--epochs", "train.epochs", "N"},         {"--batch", "data.batch_size", "N"},
    {"--image-size", "data.image_size", "N"},  {"--lr", "optim.lr", "LR"},
    {"--weights", "model.weights", "WEIGHTS"}, {"--run-dir", "run.dir", "DIR"},
    {"--device", "run.device", "DEVICE"},
};

void describe(CLI::App& app, CommandLine& line) {
  app.set_version_flag("--version", app.get_name() + " " DFINE_VERSION);
  app.add_option("--config", line.config, "configuration; configs/ has some to start from")
      ->type_name("FILE.toml");
  app.add_option("--data", line.data,
                 "folder with two packs, train and val: sets data.train and data.val")
      ->type_name("DIR");
  for (const ShortForm& form : kShortForms) {
    app.add_option_function<std::string>(
           form.option,
           [&line, key = std::string(form.key)](const std::string& value) {
             line.short_forms.push_back(dfine::str_cat(key, "=", value));
           },
           dfine::str_cat("short for --set ", form.key, "=", form.type))
        ->type_name(form.type);
  }
  app.add_option("--set", line.overrides, "sets one key, over the file; may be given again")
      ->type_name("TABLE.KEY=VALUE")
      ->take_all();
  app.add_option(
         "--resume", line.resume,
         "auto (the newest undamaged checkpoint in RUN_DIR, if there is one), a checkpoint folder, "
         "or none")
      ->type_name("auto|PATH|none");
  app.add_option("--preview", line.preview,
                 "draws the first N training batches, 1 if none is given, into RUN_DIR/preview, "
                 "with boxes and class names, and ends")
      ->type_name("N")
      ->expected(0, 1)
      ->default_str("1")
      ->check(CLI::Range(1, 1000000));
  app.add_option("--find-lr", line.find_lr,
                 "tries rising learning rates for N steps, 100 if none is given, suggests one, "
                 "draws RUN_DIR/find-lr.svg, and ends")
      ->type_name("N")
      ->expected(0, 1)
      ->default_str("100")
      ->check(CLI::Range(10, 100000));
  app.add_flag("--print-config", line.print_config,
               "prints the effective configuration with every default, and ends");
  line.console.add_to(app);
  app.footer(dfine::str_cat(dfine::kExitCodesHelp,
                            ", 75 saved before the run was complete: run it again with --resume "
                            "auto. SIGUSR1, SIGUSR2, SIGTERM, the first Ctrl-C or a file "
                            "RUN_DIR/stop ask for that"));
}

/// The program has two names: the one that it was started by.
std::string program_name(const char* started_as) {
  return std::filesystem::path(started_as).filename() == "dfine-train" ? "dfine-train"
                                                                       : "dfine_ddp";
}

/// Settings are not options here: --epochs means --set train.epochs=VALUE.
std::string setting(const std::string& name) {
  std::vector<std::string> keys;
  for (const dfine::ConfigKey& key : dfine::config_keys()) keys.push_back(key.name);
  const std::string key = dfine::suggest(name, keys);
  return key.empty() ? "" : dfine::str_cat("--set KEY=VALUE with ", key);
}

/// --data: the two packs of a folder, as settings.
void use_packs(const std::filesystem::path& folder, std::vector<std::string>& overrides) {
  for (const char* const part : {"train", "val"}) {
    const auto pack = folder / part;
    if (!std::filesystem::exists(pack / dfine::kManifestName))
      throw dfine::UsageError(
          dfine::str_cat("--data ", dfine::printable(folder), ": there is no pack in ",
                         dfine::printable(pack)),
          "give a folder with the packs train and val, as dfine-pack --val-fraction writes it, or "
          "set data.train and data.val");
    overrides.push_back(dfine::str_cat("data.", part, "=", pack.string()));
  }
}

/// Draws what a run on `ranks` ranks would train on, without joining them.
void preview(const dfine::Config& config, int ranks, int64_t batches) {
  const dfine::PackedDataset dataset =
      dfine::open_pack("data.train", config.data.train, config.data.cache_dir);
  const int64_t images = dfine::usable_images(config, dataset);
  dfine::FeedOptions feed =
      dfine::feed_options(config, ranks, images, /*total_steps=*/0, /*cuda=*/false);
  if (feed.order.global_batch() > images) {  // the pack fills none, and is drawn whole
    feed.order.batch_size = images;
    feed.order.micro_batches = feed.order.ranks = 1;
  }
  dfine::write_preview(dataset, feed, batches, dfine::RunFolder(config.run.dir).preview());
}

/// The finder neither continues a run nor validates.
dfine::Config for_find_lr(dfine::Config config) {
  config.run.resume = "none";
  config.validate.every_epochs = 0;
  return config;
}

int run(dfine::MpiSession& session, int argc, char** argv) {
  CommandLine line;
  const std::string name = program_name(argc > 0 ? argv[0] : "");
  CLI::App app(dfine::str_cat("Trains a D-FINE detector. Alone, or data-parallel: mpirun -np N ",
                              name, " --config FILE.toml"),
               name);
  describe(app, line);
  try {
    dfine::parse_command_line(app, argc, argv, setting);
  } catch (const CLI::Success& e) {  // --help, --version
    return session.rank() == 0 ? app.exit(e) : 0;
  }

  if (!line.print_config && line.config.empty())
    throw dfine::UsageError("--config is missing",
                            dfine::str_cat("give a file of configs/, or your own; ", name,
                                           " --print-config shows all keys"));
  std::ranges::copy(line.short_forms, std::back_inserter(line.overrides));
  if (!line.data.empty()) use_packs(line.data, line.overrides);
  dfine::log::set_console(line.console.options(/*info_to_stdout=*/true));
  const auto unset = line.print_config ? dfine::UnsetKeys::kAllowed : dfine::UnsetKeys::kRefused;
  dfine::Config config = dfine::load_config(line.config, line.overrides, unset);
  if (!line.resume.empty()) config.run.resume = line.resume;
  if (line.print_config) {
    if (session.rank() == 0) std::cout << dfine::print_config(config) << std::flush;
    return 0;
  }
  if (line.preview) {
    if (session.rank() == 0) preview(config, session.size(), *line.preview);
    return 0;
  }
  if (line.find_lr) {
    config = for_find_lr(std::move(config));
    dfine::find_lr(dfine::prepare(config, dfine::join_ranks(config, session)), *line.find_lr);
    return 0;
  }
  dfine::take_stop_signals();
  dfine::log::keep_for_file();
  dfine::log::info(dfine::str_cat(name, " " DFINE_VERSION ", ", dfine::local_time_text()));
  const dfine::Communicator group = dfine::join_ranks(config, session);
  dfine::RunStart start = dfine::start_run(config, group);
  dfine::RunContext context = dfine::prepare(config, group, &start);
  const dfine::RunEnd end = dfine::run_training(std::move(context), std::move(start));
  return end == dfine::RunEnd::kStopped ? dfine::kExitSaved : dfine::kExitDone;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGXFSZ,
              SIG_IGN);  // a limit on file sizes (ulimit -f) fails the write, with path and reason
  // Where nobody reads the output any more, training goes on.
  std::signal(SIGPIPE, SIG_IGN);
  dfine::use_host_arena();
  return dfine::distributed_main(
      [&](dfine::MpiSession& session) { return run(session, argc, argv); });
}
