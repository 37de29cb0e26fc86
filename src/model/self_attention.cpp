#include "model/self_attention.h"

#include <ATen/ATen.h>

#include "model/weight_copies.h"

namespace dfine::inline model {

SelfAttention::SelfAttention(int64_t dim, int64_t num_heads, Initializer& init)
    : num_heads_(num_heads) {
  const auto make = [&](const char* name) {
    return register_module(name, std::make_shared<Linear>(dim, dim, init));
  };
  q_ = make("q_proj");
  k_ = make("k_proj");
  v_ = make("v_proj");
  out_ = make("out_proj");
  at::NoGradGuard no_grad;
  for (const auto& projection : {q_, k_, v_}) {
    projection->weight.copy_(init.xavier_uniform({dim, dim}, dim, 3 * dim));
    projection->bias.zero_();
  }
  out_->bias.zero_();
}

Tensor SelfAttention::forward(const Tensor& x, const Tensor& position, const Tensor& mask) const {
  const int64_t batch = x.size(0), tokens = x.size(1), dim = x.size(2);
  const auto by_head = [&](const Tensor& t) {
    return t.view({batch, tokens, num_heads_, -1}).transpose(1, 2);
  };  // [B, heads, T, d]

  const auto joined = [](const Tensor& first, const Tensor& second) {
    return at::cat({autocast_weight(first), autocast_weight(second)});
  };
  // Queries and keys have the same input: one product for both.
  const Tensor qk = at::linear(x + position, joined(q_->weight, k_->weight),
                               joined(q_->bias, k_->bias));  // [B, T, 2 dim]
  const Tensor q = by_head(qk.narrow(2, 0, dim)), k = by_head(qk.narrow(2, dim, dim));
  const Tensor v = by_head(v_->forward(x));
  const auto bias = mask.defined() ? std::optional<Tensor>(mask.to(q.scalar_type())) : std::nullopt;
  const Tensor y = at::scaled_dot_product_attention(q, k, v, bias);  // [B, heads, T, d]
  return out_->forward(y.transpose(1, 2).reshape({batch, tokens, dim}));
}

}  // namespace dfine::inline model
