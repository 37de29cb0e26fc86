// checkpoint_writer FOLDER STEP: replaces the checkpoint FOLDER by those of STEP, STEP + 1, ...
// until it is killed; FOLDER.started appears after the first.
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "train/checkpoint/small_checkpoint.h"

int main(int count, char** arguments) {
  if (count != 3) return 2;
  const std::string folder = arguments[1];
  try {
    for (int64_t step = std::atoll(arguments[2]);; ++step) {
      dfine::save_checkpoint(folder, dfine::small_checkpoint(step));
      std::ofstream(folder + ".started") << "1";
    }
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}
