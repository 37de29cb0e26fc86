import json


def check(case):
    case.run("dfine-pack", "--images", "images", "--annotations", "a.json", "--output", "DENSE")
    out = case.run("dfine_ddp", "--config", "dense.toml")
    # 400 annotations of one image in a.json; 300 queries is the official number.
    for part in ("data.train", "400 boxes", "model.num_queries is 300", "at least 100 of",
                 "2 images of 2", "model.num_queries to 400", "COCO AP"):
        assert part in out, f"{part!r} is missing in\n{out}"
    # After the pre-flight, and before the first step.
    with open(case("RUN", "metrics.jsonl")) as f:
        assert next(r["step"] for r in map(json.loads, f) if r["type"] == "step") == 1
    assert out.index("320x320 with up to "
                     "400 boxes") < out.index("2 images of 2") < out.index("step 1"), out

    quiet = case.run("dfine_ddp", "--config", "dense.toml", "--set", "run.dir=QUIET",
                     "--set", "model.num_queries=400",
                     "--set", "train.preflight=false")
    assert "model.num_queries" not in quiet, quiet
