#include "eval/detections_file.h"

#include <nlohmann/json.hpp>
#include <string>

#include "files/atomic_path.h"
#include "files/output_file.h"

namespace dfine::inline eval {

void write_detections(const std::filesystem::path& path, std::span<const Detection> detections) {
  constexpr size_t kPiece = size_t{1} << 20;
  AtomicFile file(path);
  OutputFile out(file.path(), OutputFile::Mode::kTruncate, file.target());
  std::string piece = "[";
  for (size_t i = 0; i < detections.size(); ++i) {
    const Detection& d = detections[i];
    piece += (i > 0 ? ",\n" : "\n") + nlohmann::ordered_json{{"image_id", d.image_id},
                                                             {"category_id", d.category_id},
                                                             {"bbox", d.xywh},
                                                             {"score", d.score}}
                                          .dump();
    if (piece.size() < kPiece) continue;
    out.write(piece);
    piece.clear();
  }
  out.write(piece + "\n]\n");
  out.close();
  file.commit();
}

}  // namespace dfine::inline eval
