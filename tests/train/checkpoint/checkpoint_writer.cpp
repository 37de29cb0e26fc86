// checkpoint_writer FOLDER STEP: writes the checkpoints FOLDER/step-N of STEP, STEP + 1, ... until
// it is killed; the file FOLDER/started appears after the first.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "train/checkpoint/checkpoint_store.h"
#include "train/checkpoint/small_checkpoint.h"

int main(int count, char** arguments) {
  if (count != 3) return 2;
  const dfine::CheckpointStore store(arguments[1]);
  try {
    for (int64_t step = std::atoll(arguments[2]);; ++step) {
      dfine::save_checkpoint(store.path({.step = step}), dfine::small_checkpoint(step));
      std::ofstream(store.folder() / "started") << "1";
    }
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}
