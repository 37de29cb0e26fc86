// .pth files that Python wrote. Some hold what the official trainer saves beside the weights.
// Others would run code, claim what is not there, or are built to exhaust the reader.
#include <gtest/gtest.h>

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>

#include <filesystem>

#include "support/python.h"
#include "support/raises.h"
#include "weights/pickle.h"
#include "weights/pth.h"
#include "weights/tensor_file.h"

namespace dfine {
using enum ErrorCode;
namespace {

namespace fs = std::filesystem;

constexpr const char* kScript = R"py(
import argparse, collections, datetime, io, os, pickle, sys, zipfile
import numpy as np
import torch
d = sys.argv[1]
layer = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
optimizer = torch.optim.AdamW(layer.parameters())
layer(torch.rand(4, 3)).sum().backward()
optimizer.step()
with torch.no_grad():
    layer[0].weight.copy_(torch.arange(6.).reshape(2, 3))
state = layer.state_dict()
other = {k: v + 1 for k, v in state.items()}
schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [500])
full = {"date": datetime.datetime.now().isoformat(), "last_epoch": 71, "model": other,
        "ema": {"module": state, "updates": 5}, "optimizer": optimizer.state_dict(),
        "lr_scheduler": schedule.state_dict(), "scaler": {"scale": 65536.0},
        "best": np.float64(0.5), "args": argparse.Namespace(x=1), "when": datetime.datetime.now(),
        "big": 1 << 200, "set": {1, 2}, "array": np.arange(4),
        "counter": collections.Counter([500]), "complex": torch.zeros(2, dtype=torch.complex64)}
torch.save(full, d + "full.pth")
torch.save({k: v for k, v in full.items() if k != "ema"}, d + "model.pth")
torch.save(state, d + "bare.pth")
torch.save({"module." + k: v for k, v in state.items()}, d + "wrapped.pth")
torch.save({"model": torch.nn.Parameter(torch.ones(2))}, d + "parameter.pth")
torch.save(full, d + "protocol4.pth", pickle_protocol=4)
torch.save(state, d + "old.pth", _use_new_zipfile_serialization=False)
torch.save({"epoch": 3, "results": [1, 2]}, d + "nothing.pth")

class Evil:
    def __reduce__(self):
        return os.system, (f"touch {d}executed",)

torch.save(Evil(), d + "evil_root.pth")
torch.save({**state, "x": Evil()}, d + "evil_entry.pth")
torch.save({"model": state, "x": Evil()}, d + "evil_beside.pth")

def rewritten(source, target, change, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(d + source) as a, zipfile.ZipFile(d + target, "w", method) as b:
        for name in a.namelist():
            data = change(name, a.read(name))
            if data is not None:
                b.writestr(name, data)

# A record that unpacks to a thousand times the file.
rewritten("bare.pth", "bomb.pth", lambda n, x: bytes(1 << 26) if n.endswith("/data/0") else x,
          zipfile.ZIP_DEFLATED)
rewritten("bare.pth", "no_record.pth", lambda n, x: None if n.endswith("/data/0") else x)
rewritten("bare.pth", "short_record.pth", lambda n, x: x[:8] if n.endswith("/data/0") else x)
rewritten("bare.pth", "big_endian.pth", lambda n, x: b"big" if n.endswith("byteorder") else x)
# Names that lead out of the folder: nothing is unpacked.
with zipfile.ZipFile(d + "bare.pth") as a, zipfile.ZipFile(d + "names.pth", "w") as b:
    for name in a.namelist():
        b.writestr(name, a.read(name))
    b.writestr("../../escaped", "x")
    b.writestr("bare/../escaped", "x")

def storage(numel):
    return b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000" \
           b"X\x03\x00\x00\x00cpuJ" + numel.to_bytes(4, "little") + b"tQ"

def tensor(offset, size, stride):
    numbers = lambda v: b"".join(b"\x8a\x08" + x.to_bytes(8, "little", signed=True) for x in v)
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage(6) + numbers([offset]) \
        + b"(" + numbers(size) + b"t(" + numbers(stride) + b"t\x89ccollections\nOrderedDict\n)RtR"

def state_of(value):
    return b"\x80\x02}X\x01\x00\x00\x00w" + value + b"s."

for name, value in {"huge": tensor(0, [1 << 40, 1 << 40], [1, 1]), "far": tensor(5, [2], [1]),
                    "negative": tensor(-1, [2], [1]), "backwards": tensor(5, [3], [-1]),
                    "repeated": tensor(0, [1 << 40], [0]), "less": tensor(0, [-1], [1])}.items():
    pkl = state_of(value)
    rewritten("bare.pth", f"tensor_{name}.pth", lambda n, x: pkl if n.endswith("data.pkl") else x)
)py";

class PthFromPython : public testing::Test {
 protected:
  void SetUp() override { run_python_or_skip(kScript, {folder_ / ""}); }

  Caught error_of(const std::string& name) {
    return catch_error([&] { read_tensor_file(folder_ / name); });
  }

  const TemporaryFolder folder_;
};

TEST_F(PthFromPython, OnlyTheWeightsOfACheckpointAreRead) {
  if (IsSkipped()) return;
  const Tensor weight = at::arange(6., at::kFloat).reshape({2, 3});
  for (const char* name : {"full.pth", "bare.pth", "wrapped.pth", "protocol4.pth", "names.pth"}) {
    const auto tensors = read_tensor_file(folder_ / name);
    EXPECT_EQ(tensors.size(), 7u) << name;
    EXPECT_TRUE(at::equal(tensors.at("0.weight"), weight)) << name;
    EXPECT_EQ(tensors.at("1.num_batches_tracked").scalar_type(), at::kLong);
    const auto shapes = read_tensor_file(folder_ / name, TensorData::kShapes);
    EXPECT_EQ(shapes.at("0.weight").sizes(), weight.sizes());
    EXPECT_TRUE(shapes.at("0.weight").is_meta());
  }
  EXPECT_TRUE(at::equal(read_tensor_file(folder_ / "model.pth").at("0.weight"), weight + 1));
  EXPECT_TRUE(at::equal(read_one_tensor(folder_ / "full.pth", "0.weight"), weight));
  EXPECT_FALSE(read_one_tensor(folder_ / "full.pth", "1.weights").defined());
  EXPECT_FALSE(fs::exists(folder_ / "escaped"));

  EXPECT_TRUE(error_of("nothing.pth").is(kFormatInvalid, "nothing.pth", "epoch, results"));
  EXPECT_TRUE(error_of("old.pth").is(kFormatInvalid, "before 1.6", "torch.save"));
  EXPECT_TRUE(error_of("evil_root.pth").is(kFormatInvalid, "system"));
  EXPECT_TRUE(error_of("evil_entry.pth").is(kFormatInvalid, "entry x", "system", "Nothing"));
  EXPECT_EQ(read_tensor_file(folder_ / "evil_beside.pth").size(), 7u);
  EXPECT_FALSE(fs::exists(folder_ / "executed"));
  EXPECT_TRUE(raises(kFormatInvalid, [&] { read_pth(folder_ / "evil_beside.pth"); }, "system"));

  EXPECT_TRUE(error_of("bomb.pth").is(kFileDamaged, "bomb.pth", "67108864"));
  EXPECT_TRUE(error_of("no_record.pth").is(kFileDamaged, "no_record.pth"));
  EXPECT_TRUE(error_of("short_record.pth").is(kFileDamaged, "8 bytes"));
  EXPECT_TRUE(error_of("big_endian.pth").is(kFormatInvalid, "little-endian"));
  for (const char* name : {"huge", "far", "negative", "backwards", "repeated", "less"}) {
    const std::string file = std::string("tensor_") + name + ".pth";
    EXPECT_TRUE(error_of(file).is(kFileDamaged, file, "24 bytes")) << name;
  }
  const auto size = fs::file_size(folder_ / "full.pth");
  for (const auto left : {size - 1, size - 30, size / 2, size / 10, uintmax_t{3}, uintmax_t{0}}) {
    fs::copy_file(folder_ / "full.pth", folder_ / "cut.pth", fs::copy_options::overwrite_existing);
    fs::resize_file(folder_ / "cut.pth", left);
    EXPECT_TRUE(error_of("cut.pth").is(kFileDamaged, "cut.pth")) << left;
  }
}

TEST(Pickle, WhatTorchSaveDoesNotWriteIsRefused) {
  const auto error_of = [](std::string bytes) {
    return catch_error([&] { parse_pickle("\x80\x02" + bytes); });
  };
  for (const char* bytes : {"", "K", "X\xff\xff\xff\xffx.", ".", "h\x05.", "t.", "u.", "s.", "a.",
                            "R.", "}K\x01s.", "\x85.", "b.", "\x81.", "cos\n", "i", "\x82\x01."})
    EXPECT_TRUE(error_of(bytes).is(kFileDamaged)) << bytes;
  EXPECT_FALSE(error_of("N." + std::string(9, '\0')).code);  // what follows does not count
  // A list that holds itself, and too many values.
  const Pickle loop =
      parse_pickle(std::string_view("\x80\x02]q\x00h\x00"
                                    "a.",
                                    9));
  const auto* list = std::get_if<PickleList>(&loop.root->value);
  ASSERT_TRUE(list);
  EXPECT_EQ(list->items.at(0), loop.root);
  EXPECT_TRUE(error_of(std::string(1'100'000, 'N')).is(kFormatInvalid, "1000000 values"));
}

}  // namespace
}  // namespace dfine
