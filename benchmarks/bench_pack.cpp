// bench_pack FILE.json THREADS: seconds that dfine-pack takes to read an annotation file. Run by
// bench_pack.py.
#include <sys/resource.h>

#include <chrono>
#include <iostream>

#include "data/coco/read_coco.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    const auto start = std::chrono::steady_clock::now();
    const dfine::AnnotationSet coco = dfine::read_coco(argv[1], std::stoi(argv[2]));
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    std::cout << "{\"seconds\": " << seconds << ", \"images\": " << coco.images.size()
              << ", \"annotations\": " << coco.annotations.size()
              << ", \"problems\": " << coco.problems.size() << ", \"peak_kib\": " << usage.ru_maxrss
              << "}\n";
    return 0;
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
