// dfine-pack: images and annotations -> a pack (sharded HDF5), and what can be asked of one. See
// docs/data-format.md.
#include <charconv>
#include <cstdint>
#include <iostream>
#include <limits>
#include <map>
#include <thread>

#include "cli/command_line.h"
#include "commands.h"
#include "core/error.h"
#include "core/printable.h"
#include "dfine_version.h"
#include "signals.h"

namespace dfine {
namespace {

int default_jobs() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// "512MiB", "1 GB", "700000": binary and decimal units, bytes without one.
CLI::Option* add_size(CLI::App& app, const std::string& name, uint64_t& value,
                      const std::string& description) {
  return app.add_option(name, value, description)
      ->transform(CLI::AsSizeValue(false).description(""))
      ->type_name("SIZE")
      ->default_str("512MiB");
}

CLI::Option* add_jobs(CLI::App& app, int& jobs, const std::string& description) {
  return app.add_option("--jobs", jobs, description)
      ->check(CLI::Range(1, 1024).description(""))
      ->type_name("N")
      ->capture_default_str();
}

struct Arguments {
  PackOptions pack;
  std::string folder, part;
  int jobs = default_jobs();
};

void describe_input(CLI::App& app, PackOptions& pack) {
  const char* const group = "Input";
  const std::map<std::string, AnnotationFormat> formats{{"coco", AnnotationFormat::kCoco},
                                                        {"yolo", AnnotationFormat::kYolo},
                                                        {"voc", AnnotationFormat::kVoc}};
  const auto set = [&pack, formats](const std::string& name) { pack.format = formats.at(name); };
  app.add_option_function<std::string>("--format", set, "coco, yolo or voc")
      ->check(CLI::IsMember({"coco", "yolo", "voc"}).description(""))
      ->type_name("NAME")
      ->default_str("coco")
      ->group(group);
  app.add_option("--annotations", pack.annotations,
                 "coco: JSON file; yolo: data.yaml; voc: folder of the dataset")
      ->type_name("PATH")
      ->group(group);
  app.add_option("--images", pack.images,
                 "folder of the images; yolo, voc: only where --annotations does not lead to it")
      ->type_name("DIR")
      ->group(group);
  app.add_option(
         "--split", pack.split,
         "yolo: entry of data.yaml (train, val); voc: list in ImageSets/Main (without: all)")
      ->type_name("NAME")
      ->group(group);
  app.add_option("--classes", pack.classes,
                 "voc: file with the class names in order, one per line (without: those found, "
                 "sorted)")
      ->type_name("FILE")
      ->group(group);
  app.add_flag("--decode", pack.decode,
               "decode every image too: finds damaged image data, but takes as long as training's "
               "decoder")
      ->group(group);
  app.add_flag("--drop-group-classes", pack.drop_group_classes,
               "coco: drop classes without annotations that are the supercategory of others "
               "(Roboflow's first class)")
      ->group(group);
  app.add_flag("--drop-unused-classes", pack.drop_unused_classes,
               "drop all classes without annotations, and name them; another annotation file "
               "may keep other classes")
      ->group(group);
  app.add_flag("--skip-bad", pack.skip_bad,
               "skip unusable images and list them, instead of failing")
      ->group(group);
}

void describe_output(CLI::App& app, Arguments& arguments) {
  const char* const group = "Output";
  PackOptions& pack = arguments.pack;
  app.add_option("--output", pack.output, "folder to create")->type_name("DIR")->group(group);
  app.add_flag("--overwrite", pack.overwrite, "replace an existing pack")->group(group);
  add_size(app, "--shard-size", pack.shard_size, "image bytes in a shard")->group(group);
  app.add_option("--max-side", pack.max_side,
                 "make images with a longer side than N pixels JPEGs of that size")
      ->check(CLI::Range(16, 65535).description(""))
      ->type_name("N")
      ->group(group);
  app.add_option("--val-fraction", pack.val_fraction,
                 "share of the images for OUTPUT/val; the others go to OUTPUT/train")
      ->type_name("F")
      ->group(group);
  app.add_option("--seed", pack.seed, "of that choice")
      ->check(CLI::Range(int64_t{0}, std::numeric_limits<int64_t>::max()).description(""))
      ->capture_default_str()
      ->type_name("S")
      ->group(group);
  app.add_option("--compare", pack.compare,
                 "another pack: report.html lists images that it contains too (of several --part "
                 "runs, that of the one which completes the "
                 "pack counts)")
      ->type_name("PACK")
      ->group(group);
  app.add_option("--part", arguments.part,
                 "pack part i of n; the last one done completes the pack (Slurm arrays)")
      ->type_name("i/n")
      ->group(group);
  add_jobs(app, arguments.jobs, "threads; the result does not depend on it")->group(group);
}

void describe(CLI::App& app, Arguments& arguments) {
  app.set_version_flag("--version", std::string("dfine-pack ") + DFINE_VERSION);
  describe_input(app, arguments.pack);
  describe_output(app, arguments);
  app.footer(kExitCodesHelp);

  CLI::App* info = app.add_subcommand("info", "print what a pack holds");
  info->add_option("PACK", arguments.folder, "folder of the pack")->required()->type_name("DIR");
  CLI::App* verify = app.add_subcommand("verify", "check structure and all checksums of a pack");
  verify->add_option("PACK", arguments.folder, "folder of the pack")->required()->type_name("DIR");
  verify->add_flag("--decode", arguments.pack.decode,
                   "decode every image too, and name each that cannot be decoded");
  add_jobs(*verify, arguments.jobs, "threads");
  CLI::App* extract =
      app.add_subcommand("extract", "write a pack's images and a COCO annotation file");
  extract->add_option("PACK", arguments.folder, "folder of the pack")->required()->type_name("DIR");
  extract
      ->add_option("--output", arguments.pack.output,
                   "folder to create: images/ and annotations.json")
      ->required()
      ->type_name("DIR");
  add_jobs(*extract, arguments.jobs, "threads");
  app.require_subcommand(0, 1);
}

void require_pack_options(const CLI::App& app, const PackOptions& pack) {
  std::string missing;
  const auto require = [&](const char* name) {
    if (app.count(name) == 0) missing += std::string(missing.empty() ? "" : ", ") + name;
  };
  if (pack.format == AnnotationFormat::kCoco) require("--images");
  require("--annotations");
  require("--output");
  if (!missing.empty())
    throw UsageError("missing: " + missing, "dfine-pack --help shows the options");
  if (pack.format == AnnotationFormat::kYolo && app.count("--images") == app.count("--split"))
    throw UsageError(app.count("--images") > 0 ? "--format yolo takes --split or --images, not both"
                                               : "--format yolo needs --split or --images",
                     "--split train takes the images that data.yaml names as `train`");
  if (pack.format == AnnotationFormat::kCoco && app.count("--split") > 0)
    throw UsageError("--split goes with --format yolo and voc alone");
  if (pack.drop_unused_classes && app.count("--split") > 0 && app.count("--val-fraction") == 0)
    throw UsageError(
        "--drop-unused-classes does not go with --split: each split may lack other classes, and "
        "the packs would not fit together",
        "remove the unused classes from the dataset's list of names");
  if (pack.format != AnnotationFormat::kCoco && pack.drop_group_classes)
    throw UsageError("--drop-group-classes goes with --format coco alone",
                     "other formats have no groups of classes: drop the option");
  if (pack.format != AnnotationFormat::kVoc && app.count("--classes") > 0)
    throw UsageError("--classes goes with --format voc alone");
}

/// "2/4".
PackPart parse_part(const std::string& text) {
  PackPart part;
  const char* end = text.data() + text.size();
  const auto index = std::from_chars(text.data(), end, part.index);
  const bool slash = index.ec == std::errc() && index.ptr != end && *index.ptr == '/';
  const auto count = slash ? std::from_chars(index.ptr + 1, end, part.count) : index;
  if (!slash || count.ec != std::errc() || count.ptr != end || part.index < 1 ||
      part.index > part.count || part.count > 100000)
    throw UsageError("--part '" + text + "' is not i/n with 1 <= i <= n",
                     "--part 2/4 packs the second of four parts");
  return part;
}

void check_pack_options(const CLI::App& app, Arguments& arguments) {
  PackOptions& pack = arguments.pack;
  require_pack_options(app, pack);
  constexpr uint64_t kLargest = 1ULL << 60;  // negative numbers arrive as larger ones
  if (pack.shard_size == 0 || pack.shard_size > kLargest)
    throw UsageError("--shard-size must be above 0 and at most 1 EiB");
  if (app.count("--val-fraction") > 0 && !(pack.val_fraction > 0 && pack.val_fraction < 1))
    throw UsageError("--val-fraction must lie between 0 and 1",
                     "--val-fraction 0.1 sets a tenth of the images aside");
  if (app.count("--seed") > 0 && app.count("--val-fraction") == 0)
    throw UsageError("--seed has no effect without --val-fraction");
  if (!arguments.part.empty()) pack.part = parse_part(arguments.part);
  if (pack.part && pack.overwrite)
    throw UsageError("--overwrite does not go with --part",
                     "remove the old pack first, or choose another --output");
}

int run(CLI::App& app, Arguments& arguments) {
  if (app.got_subcommand("verify"))
    return run_verify(arguments.folder, arguments.jobs, arguments.pack.decode) ? kExitDone
                                                                               : kExitFailed;
  if (app.got_subcommand("extract")) {
    run_extract(arguments.folder, arguments.pack.output, arguments.jobs);
    return kExitDone;
  }
  if (app.got_subcommand("info")) {
    run_info(arguments.folder);
    return kExitDone;
  }
  check_pack_options(app, arguments);
  arguments.pack.jobs = arguments.jobs;
  run_pack(arguments.pack);
  return kExitDone;
}

int main(int argc, char** argv) {
  CLI::App app(
      "Packs images and annotations (COCO, YOLO, Pascal VOC) into sharded HDF5 for training.",
      "dfine-pack");
  Arguments arguments;
  describe(app, arguments);
  int code = kExitFailed;
  try {
    parse_command_line(app, argc, argv);
    catch_interrupts();
    code = run(app, arguments);
    finish_output();
  } catch (const CLI::Success& e) {  // --help, --version
    return app.exit(e);
  } catch (const Error& e) {
    std::cerr << "dfine-pack: " << printable_lines(e.what()) << '\n';
    code = e.exit_code();
  } catch (const std::exception& e) {
    std::cerr << "dfine-pack: " << printable_lines(e.what()) << '\n';
    code = kExitFailed;
  }
  end_by_caught_interrupt();
  return code;
}

}  // namespace
}  // namespace dfine

int main(int argc, char** argv) {
  return dfine::main(argc, argv);
}
