import os


def check(case):
    # int64's largest value is 2**63 - 1; a double stands for one integer alone up to 2**53
    for name, value, limit in (("a.json", "16045690984833335023", 2**63 - 1),
                               ("uuid.json", "329800735698586629295641978511506172918", 2**63 - 1),
                               ("float.json", "1e18", 2**53)):
        for more in ([], ["--skip-bad"]):
            out = case.run("dfine-pack", "--images", case("images"), "--annotations", case(name),
                           "--output", case("out"), *more,
                           expect=0 if more else 1)
            assert f"id holds {value}" in out and str(limit) in out and "not an" not in out, out
            assert os.path.exists(case("out")) == bool(more)
            if more:
                assert "skipped: 1 image" in out, out
                os.rename(case("out"), case(f"out-{name}"))
