"""Which faults a line can have, and that the draw repeats."""
import os
import tempfile

import mutants


def faults(text):
    return {after for _, after in mutants.of_line(text, mutants.masked(text))}


def check_lines():
    assert faults("if (a < b && c >= 1) x += 2.5;") == {
        "if (a <= b && c >= 1) x += 2.5;", "if (a < b || c >= 1) x += 2.5;",
        "if (a < b && c > 1) x += 2.5;", "if (a < b && c >= 2) x += 2.5;",
        "if (a < b && c >= 0) x += 2.5;", "if (a < b && c >= 1) x -= 2.5;",
        "if (a < b && c >= 1) x += 5.0;", "if (!(a < b && c >= 1)) x += 2.5;", ";"}
    assert faults("return std::max<int64_t>(n - 1, 0);") == {
        "return std::min<int64_t>(n - 1, 0);", "return std::max<int64_t>(n + 1, 0);",
        "return std::max<int64_t>(n - 2, 0);", "return std::max<int64_t>(n - 0, 0);",
        "return std::max<int64_t>(n - 1, 1);"}
    assert faults("  ++count;") == {"  --count;", "  ;"}
    assert faults("const std::map<int, Tensor> all;  // a < b, 17") == set()
    assert faults("#include <vector>") == faults("") == faults("// x = 1;") == set()
    assert faults("  names.reserve(n);") == set()  # only saves time


def check_draw():
    with tempfile.TemporaryDirectory() as root:
        with open(os.path.join(root, "a.cpp"), "w") as f:
            f.write("".join(f"x{i} = y + {i};\n" for i in range(50)) + "/* x = 1;\n x = 2; */\n")
        one, again, other = (mutants.draw(root, ["a.cpp"], seed) for seed in (1, 1, 2))
    assert one == again != other
    assert sorted(m.line for m in one) == list(range(1, 51))  # each line once, comments never
    assert all(m.before != m.after for m in one)


check_lines()
check_draw()
print("all passed")
