#include <string>
#include <string_view>

#include "core/printable.h"
#include "predict/grown_file.h"
#include "predict/outputs.h"
#include "predict/shortest_number.h"

namespace dfine::inline predict {
namespace {

/// RFC 4180, section 2: in quotes where it has a comma, a quote or the end of a line; quotes twice.
std::string field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

class CsvOutput : public PredictionOutput {
 public:
  explicit CsvOutput(const std::filesystem::path& file) : file_(file) {
    file_.append("file,class,score,x1,y1,x2,y2\r\n");
  }

  void add(const std::shared_ptr<const PredictedPicture>& picture) override {
    file_.write_pieces();
    const std::string name = field(utf8_text(picture->info.name));
    for (const Prediction& p : picture->found) {
      std::string record = name + "," + field(utf8_text(p.label)) + "," + shortest(p.score);
      for (const float edge : p.xyxy) record += "," + shortest(edge);
      file_.append(record + "\r\n");
    }
  }

  void finish() override { file_.commit(); }
  std::filesystem::path place() const override { return file_.target(); }

 private:
  GrownFile file_;
};

}  // namespace

std::unique_ptr<PredictionOutput> csv_output(const std::filesystem::path& file) {
  return std::make_unique<CsvOutput>(file);
}

}  // namespace dfine::inline predict
