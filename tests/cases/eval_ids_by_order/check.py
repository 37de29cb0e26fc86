"""Records count for the image whose file they name."""
import json


def check(case):
    def evaluate(expect=0):
        return case.run("dfine-eval", "--annotations", "truth.json",
                        "--predictions", "predictions.json", "--output", "metrics.json",
                        expect=expect)

    out = evaluate()
    assert "file name" in out and "2 of 2 records" in out, out
    with open(case("metrics.json")) as f:
        assert json.load(f)["ap"] == 1  # all boxes are exact

    with open(case("predictions.json")) as f:
        records = json.load(f)
    records[1]["file_name"] = "c.jpg"
    with open(case("predictions.json"), "w") as f:
        json.dump(records, f)
    out = evaluate(expect=1)
    assert ('record 0 (from 0) has image_id 1 and file_name "a.jpg", but in truth.json image 1 is '
            '"b.jpg"' in out and "c.jpg" in out), out
