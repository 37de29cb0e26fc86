"""Links, paths, keys and options in documents exist; wording is that of tests/wording.txt."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from comments import cpp_lines, cpp_messages, docstring_lines, hash_lines, paragraphs, python_lines
from prose import (
    ROOT,
    documents,
    files_of_project,
    findings,
    markdown_lines,
    markdown_texts,
    sources,
)

BIN = Path(os.environ["DFINE_BINARY_DIR"])
PROGRAMS = [
    "dfine-pack",
    "dfine_ddp",
    "dfine-eval",
    "dfine-predict",
    "dfine-weights",
    "dfine-export",
    "dfine-report",
]
COMMANDS = {
    "dfine-pack": ["info", "verify", "extract"],
    "dfine-weights": ["list", "fetch", "show", "convert"],
}
SOURCES = [
    "src",
    "launcher",
    "preprocess",
    "benchmarks",
    "tests",
    "cluster",
    "cmake",
    ".ci",
    "configs",
]
SOURCE_KINDS = {".cpp", ".cu", ".h", ".py", ".sh", ".sbatch", ".txt", ".cmake", ".toml"}
# Folders that a document's paths may be relative to, besides the project's.
BASES = {"src/README.md": ["src"], "docs/regressions.md": ["tests"]}
# Options of other programs that documents name.
FOREIGN = {
    "mpirun": "-np --bind-to --map-by --oversubscribe",
    "sbatch": "--array --nodes --ntasks-per-node --gpus-per-node --gpus-per-task --cpus-per-task"
    " --gpu-bind --time",
    "srun": "--mpi",
    "scancel": "--batch --signal",
    "cmake": "--preset --build --install --prefix",
    "ctest": "--test-dir --output-on-failure",
    "hf": "--local-dir",
    "torchrun": "--no_python --nproc_per_node",
    "apptainer": "--nv",
    "gdb": "--args",
    "pip": "--requirement",
    "git": "--hard",
    "bench_loader": "--bytes --data",
    "bench_step": "--profile",
    "check_onnx": "--onnx --weights --images",
    "trtexec": "--onnx --saveEngine --minShapes --optShapes --maxShapes --fp16 --stronglyTyped",
    "bench_inference": "--profile",
}


FILES = files_of_project()
TOP = {name.split("/")[0] for name in FILES if "/" in name}


def name_of(path):
    return str(path.relative_to(ROOT))


def markdown():
    return [
        (name_of(path), path.read_text(encoding="utf-8"))
        for path in documents()
        if path.suffix == ".md"
    ]


def report(found):
    assert not found, "\n" + "\n".join(found)


# --- links


def slug(heading):
    """The anchor that GitHub gives a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    return re.sub(r"[^\w\- ]", "", text).strip().replace(" ", "-")


def anchors(path):
    return {
        slug(line.lstrip("#"))
        for _, line in markdown_lines(path.read_text(encoding="utf-8"))
        if line.startswith("#")
    }


def check_links():
    found = []
    for name, text in markdown():
        for number, line in markdown_lines(text):
            for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", line)):
                if re.match(r"\w+:", target):
                    continue
                file, _, anchor = target.partition("#")
                path = ((ROOT / name).parent / file).resolve() if file else ROOT / name
                if not path.exists():
                    found.append(f"{name}:{number}: {target} does not exist")
                elif anchor and anchor not in anchors(path):
                    found.append(f"{name}:{number}: {target} has no such heading")
    report(found)


def check_every_page_is_linked():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = [name for name, _ in markdown() if name.startswith("docs/")]
    report([f"README.md does not link {page}" for page in pages if f"]({page})" not in readme])


def check_pages_start_with_questions():
    found = []
    for name, text in markdown():
        if not name.startswith("docs/"):
            continue
        if not markdown_texts(text)[1].words.endswith("?"):
            found.append(f"{name} does not start with the questions that it answers")
    report(found)


# --- paths


def expanded(pattern):
    """The alternatives of braces: a/{b,c} is a/b and a/c."""
    braces = re.search(r"\{([^{}]*)\}", pattern)
    if not braces:
        return [pattern]
    return [
        one
        for part in braces.group(1).split(",")
        for one in expanded(pattern[: braces.start()] + part + pattern[braces.end() :])
    ]


def exists(path, name):
    bases = [ROOT, *(ROOT / base for base in BASES.get(name, []))]
    return any(any(base.glob(path)) for base in bases)


def check_paths():
    """Code that begins with a folder of the project is a path of it (see BASES)."""
    found = []
    for name, text in markdown():
        for number, line in markdown_lines(text):
            for code in re.findall(r"`([^`]+)`", line):
                path = code.split()[0].rstrip("/")
                below = name in BASES and re.fullmatch(
                    r"[\w/]+(\.(cpp|h|py|sh|txt)|/[a-z_0-9]+)", path
                )
                if not re.fullmatch(r"[\w.{},*-]+/[\w.{},*/-]+", path) or not (
                    path.split("/")[0] in TOP or below
                ):
                    continue
                found += [
                    f"{name}:{number}: {one} does not exist"
                    for one in expanded(path)
                    if not exists(one, name)
                ]
    report(found)


# --- keys and options


def config_keys():
    done = subprocess.run(
        [BIN / "dfine_ddp", "--config", ROOT / "configs/n.toml", "--print-config"],
        check=True,
        capture_output=True,
        text=True,
    )
    tables = tomllib.loads(done.stdout)
    return {f"{table}.{key}" for table, keys in tables.items() for key in keys}


def check_keys():
    keys = config_keys()
    tables = "|".join(sorted({key.split(".")[0] for key in keys}))
    files = r"(?!\.?(?:json|yaml|py|sh|sbatch|safetensors|toml|txt|cpp|h|log)\b)"
    pattern = re.compile(rf"(?<![\w./-])({tables})\.{files}([a-z][a-z0-9_]*)(?![\w.(/-]*[(/])")
    other = {"model.backbone", "model.load_state_dict", "train.json", "data.yaml", "data.unit"}
    found = []
    for path in documents():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for table, key in pattern.findall(line):
                if f"{table}.{key}" not in keys | other:
                    found.append(f"{name_of(path)}:{number}: there is no key {table}.{key}")
    report(found)


def check_recipes_name_keys():
    """Keys in the comments of configuration files, which stand there without their table."""
    names = {key.split(".")[1] for key in config_keys()}
    found = []
    for path in sorted((ROOT / "configs").rglob("*.toml")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            commented = re.match(r"# ([a-z]+_?[a-z_]*): ", line)
            if commented and commented.group(1) not in names:
                found.append(f"{name_of(path)}:{number}: there is no key {commented.group(1)}")
    report(found)


def help_texts():
    texts = {}
    for program in PROGRAMS:
        calls = [[], *([command] for command in COMMANDS.get(program, []))]
        outputs = [
            subprocess.run(
                [BIN / program, *call, "--help"], check=True, capture_output=True, text=True
            ).stdout
            for call in calls
        ]
        texts[program] = "\n".join(outputs)
    for script in (
        name
        for name in FILES
        if name.endswith((".sh", ".sbatch"))
        or name in ("tests/mutation/run.py", "tests/docs/prose.py", "launcher/dfine-launch")
    ):
        texts[script] = (ROOT / script).read_text(encoding="utf-8")
    return texts


def options(text):
    return set(re.findall(r"(?<![\w-])--[a-zA-Z][\w-]*", text))


def check_options():
    """Options behind a program's name are in its --help, all others in that of any program."""
    texts = help_texts()
    foreign = {option for listed in FOREIGN.values() for option in listed.split()}
    anywhere = set().union(*map(options, texts.values())) | foreign
    found = []
    for path in documents():
        name = name_of(path)
        joined = re.sub(r"\\\n#?\s*", " ", path.read_text(encoding="utf-8"))
        for line in joined.splitlines():
            found += [
                f"{name}: no program has {option}: {line.strip()[:80]}"
                for option in options(line) - anywhere
            ]
            for program in PROGRAMS:
                for command in re.findall(rf"(?<![\w/-]){program} ([^`|;&]*)", line):
                    unknown = options(command) - options(texts[program]) - foreign
                    if unknown and re.match(r"--|info|verify|extract", command):
                        found.append(
                            f"{name}: {program} has no {' '.join(sorted(unknown))}: {command}"
                        )
    report(found)


def check_error_codes():
    """The enumerators, their names and the table of docs/errors.md are the same, in one order."""
    source = (ROOT / "src/core/error_code.h").read_text(encoding="utf-8")
    names = (ROOT / "src/core/error_code.cpp").read_text(encoding="utf-8")
    table = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    codes = [
        re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()
        for name in re.findall(r"^  k(\w+),", source, re.MULTILINE)
    ]
    assert len(codes) > 20, "no enumerators found"
    assert codes == re.findall(r'^    "(\w+)",', names, re.MULTILINE), "error_code.cpp differs"
    assert codes == re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE), "docs/errors.md differs"


# --- words


def phrases():
    """(phrase, better one) of each line of tests/wording.txt."""
    listed = []
    for line in (ROOT / "tests/wording.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            phrase, arrow, better = line.partition(" -> ")
            assert arrow and better, f"tests/wording.txt: no better phrase: {line}"
            listed.append((phrase, better))
    return listed


LINE_END = r"\s*\n\s*(?:///?|#|\*|>)?\s*"
# Between two literals that the compiler joins.
SEAM = r'(?P<seam>(?<!["\\])"[ \t]*\n\s*[fFrRuU]{0,2}"(?!"))'


def in_one_line(text, joins_literals):
    """The text without ends of lines, comment marks and seams of literals, and where lines begin:
    (offset, line) of each.
    """
    pieces, lines, at, offset, line = [], [(0, 1)], 0, 0, 1
    for match in re.finditer(f"{SEAM}|{LINE_END}" if joins_literals else LINE_END, text):
        piece = text[at : match.start()] + ("" if joins_literals and match["seam"] else " ")
        pieces.append(piece)
        offset += len(piece)
        line += match.group().count("\n")
        lines.append((offset, line))
        at = match.end()
    return "".join(pieces) + text[at:], lines


# Names in files that earlier versions wrote.
ALLOWED = {
    ("src/train/checkpoint/checkpoint_metrics.cpp", "figures"),
    ("tests/train/checkpoint/checkpoint_test.cpp", "figures"),
    ("tests/docs/text_test.py", "figures"),
}


def occurrences(path, listed):
    """Phrases of a file, also across the end of a line, a comment's mark or a literal's seam."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".md":
        text = re.sub(r"`[^`\n]+`", "CODE", text)
    text, lines = in_one_line(text, joins_literals=path.suffix in (".cpp", ".h", ".py"))
    found = []
    for phrase, better in listed:
        if (name_of(path), phrase) in ALLOWED:
            continue
        pattern = r"(?<![\w.-])" + r"\s+".join(map(re.escape, phrase.split())) + r"(?![\w-])"
        for match in re.finditer(pattern, text, re.IGNORECASE):
            if re.search(r"[a-z][A-Z]", match.group()):
                continue
            line = max(line for offset, line in lines if offset <= match.start())
            found.append(f"{name_of(path)}:{line}: {phrase!r}; better: {better}")
    return found


def check_that_phrases_are_found_across_literals():
    text = 'x = "is lit"\n    "eral";\n// of a\n// batch\n'
    lines = [(0, 1), (11, 2), (18, 3), (23, 4), (29, 5)]
    assert in_one_line(text, True) == ('x = "is literal"; of a batch ', lines)
    assert "literal" not in in_one_line(text, False)[0]


def check_wording():
    listed = phrases()
    found = [line for path in documents() for line in occurrences(path, listed)]
    seen = set(documents())
    for name in FILES:
        path = ROOT / name
        if (
            path in seen
            or path.suffix not in SOURCE_KINDS
            or name == "tests/wording.txt"
            or name.split("/")[0] not in SOURCES
        ):
            continue
        found += occurrences(path, listed)
    report(found)


# Terms of the field that the glossary need not explain.
KNOWN_TERMS = ["all-reduce", "fine-tuning", "multi-scale", "mixed precision", "warm-up"]


def check_terms_have_one_spelling():
    """Terms of the glossary are written with the same hyphens and spaces in every document."""
    glossary = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+?) \|", glossary, re.MULTILINE)[1:]
    terms = KNOWN_TERMS + [term for row in rows for term in row.split(", ")]
    listed = []
    for term in terms:
        words = re.split("[ -]", term)
        for separator in ["", "-", " "] if len(words) > 1 else []:
            variant = separator.join(words)
            # A term of separate words may be hyphenated before a noun: local-rank files.
            if variant != term and not (separator == "-" and " " in term):
                listed.append((variant, term))
    pages = [path for path in documents() if path.suffix == ".md"]  # keys are words in TOML
    report([line for path in pages for line in occurrences(path, listed)])


def check_lengths():
    report([line for path in [*documents(), *sources()] for line in findings(path)])


# What code says only where a GPU makes a difference.
GPU_CODE = re.compile(
    r"is_cuda\(|is_cpu\(\)|kCUDA|ifdef DFINE_CUDA|hasCUDA|CudaVersions|AcceleratorError|getStream|"
    r"pinned_memory\(|pin_memory\(\)|getDeviceAllocator|setAllocatorSettings|setAllowTF32|"
    r"setBenchmarkCuDNN|<<<|cudaStream_t")


def check_gpu_code_is_listed():
    """docs/gpu.md says of each file with code for GPUs whether it has run on one."""
    found = set()
    for path in sources():
        name = str(path.relative_to(ROOT))
        if name.startswith(("src/", "launcher/")) and path.suffix in (".cpp", ".h", ".cu"):
            code = (line.split("//")[0] for line in path.read_text().splitlines())
            if any(map(GPU_CODE.search, code)):
                # a header is listed with its source
                source = next((s for s in (path.with_suffix(".cpp"), path.with_suffix(".cu"))
                               if s.exists()), path)
                found.add(str(source.relative_to(ROOT)))
    listed = set(re.findall(r"^\| `(\S+)` \|", (ROOT / "docs/gpu.md").read_text(), re.MULTILINE))
    report([f"docs/gpu.md lacks {n}" for n in sorted(found - listed)]
           + [f"docs/gpu.md lists {n}, which has no code for GPUs" for n in sorted(listed - found)])


def check_prose_of_sources():
    """Comments, docstrings and messages are taken apart as people read them."""

    def words(texts):
        return [text.words for text in texts]

    cpp = "int a;  // one\n        // two\n// three\n//\n/// - four\n///   five\n"
    assert words(paragraphs(cpp_lines(cpp))) == ["one two", "three", "four five"]
    assert words(paragraphs(cpp_lines('f("// no", 1\'000);  /* one\n  * two */'))) == ["one two"]
    assert words(paragraphs(hash_lines("a=$#  # one\n# two\n#   three"))) == ["one", "two", "three"]
    assert words(paragraphs(python_lines('x = "# no"  # one\n'))) == ["one"]
    docstring = '"""A\nb.\n\n  command x\n  command y\n"""'
    assert words(paragraphs(docstring_lines(docstring))) == ["A b.", "command x", "command y"]
    messages = 'f(1, "a " "b\\nc", str_cat("d", g(x), "e"), "f" + y + "g"); out << "h" << i << "j";'
    assert words(cpp_messages(messages)) == ["a b", "c", "d X e", "f X g", "h X j"]


def main():
    failed = []
    for name, check in list(globals().items()):
        if name.startswith("check_") and callable(check):
            try:
                check()
                print(f"{name} passed", flush=True)
            except AssertionError as e:
                print(f"{name} FAILED:{e}", flush=True)
                failed.append(name)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
