// The narrow affine block against PyTorch's operators in double.
#include "ops/affine_block.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace dfine {
namespace {

struct Result {
  Tensor y, dx, dscale, dbias;  // in double
};

/// x and dy as they are, everything else in `wide`.
template <class Block>
Result run(const Tensor& x, const Tensor& dy, at::ScalarType wide, Block block) {
  const Tensor input = x.detach().requires_grad_();
  const Tensor scale = at::full({1}, 0.731, wide).requires_grad_(),
               bias = at::full({1}, -0.117, wide).requires_grad_();
  const Tensor y = block(input, scale, bias);
  EXPECT_EQ(y.scalar_type(), x.scalar_type());
  y.backward(dy);
  EXPECT_EQ(scale.grad().scalar_type(), wide);
  return {y.detach().to(at::kDouble), input.grad().to(at::kDouble), scale.grad().to(at::kDouble),
          bias.grad().to(at::kDouble)};
}

TEST(AffineBlock, NarrowInputsAreRoundedOnce) {
  for (const auto narrow : {at::kBFloat16, at::kHalf}) {
    const Tensor x = at::randn({2, 16, 33, 21}).relu().to(narrow);
    const Tensor dy = at::randn(x.sizes()).to(narrow);
    const Result got = run(x, dy, at::kFloat, affine_block);
    const Result want =
        run(x.to(at::kDouble), dy.to(at::kDouble), at::kDouble,
            [](const Tensor& r, const Tensor& s, const Tensor& b) { return at::addcmul(b, s, r); });
    // Half a unit in the last of 8 or 11 bits, and the scale's own rounding to float.
    const double unit = narrow == at::kHalf ? 0x1p-11 : 0x1p-8;
    EXPECT_TRUE(got.y.allclose(want.y, 1.01 * unit, 1e-6)) << narrow;
    EXPECT_TRUE(got.dx.allclose(want.dx, 1.01 * unit, 1e-6)) << narrow;
    EXPECT_TRUE(got.dscale.allclose(want.dscale, 1e-5, 1e-3)) << narrow;
    EXPECT_TRUE(got.dbias.allclose(want.dbias, 1e-5, 1e-3)) << narrow;
  }
}

}  // namespace
}  // namespace dfine
