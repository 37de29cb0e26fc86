// dfine-predict: detections on images, drawn and as COCO results.
#include <CLI/CLI.hpp>
#include <string>

#include "cli/command_line.h"
#include "dfine_version.h"
#include "eval/image_size_option.h"
#include "hub/local_weights.h"
#include "memory/host_allocator.h"
#include "predict/predict_images.h"
#include "program.h"

int main(int argc, char** argv) {
  dfine::use_host_arena();
  dfine::PredictOptions options;
  std::string image_size;
  CLI::App app(
      "Detects objects in images; draws them and writes them as COCO results, JSON lines, CSV or "
      "YOLO labels.",
      "dfine-predict");
  app.set_version_flag("--version", "dfine-predict " DFINE_VERSION);
  app.add_option("--weights", options.weights, dfine::kWeightsHelp)->required()->type_name("PATH");
  app.add_option(
         "--images", options.images,
         "image files; folders of them, with their sub-folders; patterns in quotes, such as "
         "'photos/**/*.jpg'; lists (NAME.txt) with one path per line; one pack; or "
         "videos")
      ->required()
      ->type_name("PATH...");
  app.add_option("--threshold", options.threshold,
                 "minimum score that is kept, 0 to 1; 0 keeps the best 300 of each image. Default: "
                 "for each class the one that validation found best, if the weights' folder has "
                 "it, else 0.25");
  app.add_option("--output", options.output,
                 "folder for drawn pictures and results; without it detections are printed")
      ->type_name("DIR");
  app.add_option(
         "--format", options.formats,
         "what is written. coco: predictions.json, at the end. jsonl: predictions.jsonl, one line "
         "per image while it runs. csv: predictions.csv. yolo: labels/NAME.txt. text: one line per "
         "detection on the terminal. Default: coco and jsonl, without --output text")
      ->delimiter(',')
      ->check(CLI::IsMember({"coco", "jsonl", "csv", "yolo", "text"}));
  app.add_flag_callback("--no-pictures", [&] { options.pictures = false; }, "draw no pictures");
  app.add_option("--classes", options.classes,
                 "detect these classes alone, by name or number (from 0)")
      ->type_name("CLASS...");
  app.add_option("--top-k", options.top_k, "at most K detections per image, the best ones")
      ->check(CLI::PositiveNumber)
      ->type_name("K");
  app.add_option(
         "--annotations", options.annotations,
         "take image ids (by file name) and category ids (by class name) from this COCO file. "
         "Default: images 1, 2, ... in order; categories as the model's folder has them, "
         "COCO's for COCO's 80 classes, else 0, 1, ...")
      ->type_name("FILE.json");
  app.add_flag_callback(
      "--no-exif", [&] { options.exif = false; },
      "keep the pixels as stored; default: apply the EXIF orientation as viewers do, boxes and "
      "pictures are upright. With "
      "--annotations pixels are always as stored, as in training");
  app.add_option("--image-size", image_size,
                 "network input; default: what the model was trained with")
      ->type_name("N|HxW");
  app.add_option("--nms", options.nms,
                 "drop a box whose IoU with a better one of its class is above this; default: none "
                 "is dropped, as D-FINE needs no suppression")
      ->type_name("IOU");
  app.add_option(
         "--tile", options.tile,
         "detect in tiles of this side (pixels) and in the whole image: finds small objects "
         "in large images. Default: in the whole image alone")
      ->type_name("PIXELS");
  app.add_option("--overlap", options.overlap, "part of a tile that neighbours share; default: 0.2")
      ->type_name("PART");
  app.add_option("--batch,--batch-size", options.batch,
                 "images at once; default: 8 on a GPU, else 1")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  app.add_option("--device", options.device, "auto, cpu, cuda or cuda:N")->capture_default_str();
  app.footer(
      std::string(
          "Folders: images are recognised by content or by name. Images that cannot be read do not "
          "affect the others; they are listed\n"
          "at the end, and the exit code is then 1. Hidden files and files that are no images are "
          "listed too, without effect on the exit code.\n"
          "Ctrl-C ends it after the images under way: the results hold what was done until "
          "then.\n") +
      dfine::kExitCodesHelp + ", 75 stopped by a signal");
  return dfine::run_program(app, argc, argv, [&] {
    options.image_size = dfine::parse_image_size(image_size);
    options.weights = dfine::local_weights("--weights", options.weights);
    dfine::predict_images(options);
  });
}
