#include "input/multiscale.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <map>

#include "input/batch.h"
#include "support/python.h"

namespace dfine {
namespace {

using Sides = std::vector<int64_t>;

Sides square_sides(int64_t base, int64_t repeat) {
  Sides sides;
  for (const auto& [height, width] : generate_scales({base, base}, repeat)) {
    EXPECT_EQ(height, width);
    sides.push_back(height);
  }
  return sides;
}

// What generate_scales of the official src/data/dataloader.py returned.
TEST(MultiscaleSizes, AreTheOfficialOnes) {
  EXPECT_EQ(square_sides(640, 3),
            (Sides{480, 512, 544, 576, 608, 640, 640, 640, 800, 768, 736, 704, 672}));
  EXPECT_EQ(square_sides(512, 2), (Sides{384, 416, 448, 480, 512, 512, 640, 608, 576, 544}));
  EXPECT_EQ(square_sides(416, 1), (Sides{288, 320, 352, 384, 416, 512, 480, 448, 416}));
  EXPECT_EQ(square_sides(320, 1), (Sides{224, 256, 288, 320, 384, 352, 320}));
  EXPECT_EQ(square_sides(64, 2), (Sides{32, 64, 64, 64}));
}

TEST(MultiscaleSizes, TheLargerSideDecidesAndTheRatioStays) {
  const auto sizes = generate_scales({320, 640}, 2);
  const Sides wide = square_sides(640, 2);
  ASSERT_EQ(sizes.size(), wide.size());
  for (size_t i = 0; i < sizes.size(); ++i) {
    EXPECT_EQ(sizes[i].width, wide[i]);
    EXPECT_EQ(sizes[i].height % 32, 0);
    EXPECT_LE(std::abs(sizes[i].height - wide[i] / 2), 16);
  }
  EXPECT_EQ(generate_scales({640, 320}, 2)[0], (ImageSize{480, 256}));
  EXPECT_EQ(generate_scales({32, 128}, 1)[0], (ImageSize{32, 96}));
}

TEST(MultiScaleSampler, EqualChancesFromSeedAndStepUntilStopEpoch) {
  const ImageSize base{640, 640};
  EXPECT_EQ(MultiScaleSampler({.base = base}).at(0, 5), base);
  EXPECT_EQ(MultiScaleSampler({.base = base}).smallest(), base);
  MultiScaleOptions options{.base = base, .repeat = 3, .stage2_epoch = 2};  // 3 among 13
  const MultiScaleSampler sizes(options), again(options);
  EXPECT_EQ(sizes.smallest(),
            (ImageSize{480, 480}));  // the ends of the official generate_scales(640)
  EXPECT_EQ(sizes.largest(), (ImageSize{800, 800}));
  options.seed = 1;
  const MultiScaleSampler other(options);
  std::map<int64_t, double> counts;
  int64_t different = 0;
  constexpr int64_t kSteps = 13000;
  for (int64_t step = 0; step < kSteps; ++step) {
    ++counts[sizes.at(1, step).height];
    EXPECT_EQ(sizes.at(1, step), again.at(0, step));
    EXPECT_EQ(sizes.at(2, step), (ImageSize{640, 640}));
    different += sizes.at(1, step) == other.at(1, step) ? 0 : 1;
  }
  EXPECT_EQ(counts.size(), 11U);
  double chi_square = 0;
  for (const auto& [side, count] : counts) {
    const double expected = side == 640 ? 3000 : 1000;
    chi_square += (count - expected) * (count - expected) / expected;
  }
  EXPECT_LT(chi_square, 35.6);  // 10 degrees of freedom: exceeded by chance once in 10,000
  EXPECT_GT(different, kSteps * 8 / 10);  // equal by chance: (9 + 10) / 169 of the steps
}

TEST(ToModelInput, ResizesAsInterpolateDoes) {
  const TemporaryFolder folder;
  const Tensor images = at::randint(256, {2, 3, 64, 96}, at::kByte);
  std::vector<std::string> arguments{folder / "images"};
  const auto write = [&](const std::string& name, const Tensor& tensor) {
    const Tensor dense = tensor.contiguous();
    std::ofstream(folder / name, std::ios::binary)
        .write(static_cast<const char*>(dense.const_data_ptr()),
               static_cast<std::streamsize>(dense.nbytes()));
  };
  write("images", images);
  for (const ImageSize size : {ImageSize{48, 72}, {64, 96}, {80, 120}, {96, 64}, {49, 101}}) {
    const std::string name = std::to_string(size.height) + "x" + std::to_string(size.width);
    const Tensor input = to_model_input(images, at::kCPU, at::kFloat, size);
    EXPECT_TRUE(input.is_contiguous(at::MemoryFormat::ChannelsLast));
    write(name, input);
    arguments.push_back(folder / name);
  }
  run_python_or_skip(R"(
import sys
import numpy as np
import torch
images = torch.from_numpy(np.fromfile(sys.argv[1], np.uint8)).reshape(2, 3, 64, 96).float() / 255
for path in sys.argv[2:]:
    size = tuple(map(int, path.split("/")[-1].split("x")))
    got = torch.from_numpy(np.fromfile(path, np.float32)).reshape(2, 3, *size)
    assert torch.equal(got, torch.nn.functional.interpolate(images, size=size)), size
)",
                     arguments);
}

}  // namespace
}  // namespace dfine
