#!/usr/bin/env python3
"""Reads the sentences of documents, and those in the comments and messages of sources.

    tests/docs/prose.py [FILE ...]

lists sentences of more than 25 words and lines of more than 100 columns. Without files it reads all
documents and sources of the project. Table rows may be longer than 100 columns. It ends with 1 if
it lists anything.
"""

import re
import subprocess
import sys
from pathlib import Path

from comments import (
    LIST_ITEM,
    Text,
    cpp_lines,
    cpp_messages,
    docstring_lines,
    hash_lines,
    paragraphs,
    python_lines,
)

MOST_WORDS = 25
MOST_COLUMNS = 100
ROOT = Path(__file__).resolve().parents[2]
SENTENCE_END = re.compile(r"(?<=[.!?])[)\"*]*\s+(?=[\"(*`A-Z0-9\[-]|[a-z]+[A-Z./_-]|\w+[:(])")
KINDS = {
    ".md": "markdown",
    ".py": "python",
    ".cpp": "cpp",
    ".h": "cpp",
    ".sh": "hash",
    ".sbatch": "hash",
    ".cmake": "hash",
    ".yml": "hash",
    ".toml": "hash",
    "CMakeLists.txt": "hash",
    ".ci/run": "hash",
    "launcher/dfine-launch": "hash",
}
# The folders whose string literals are read too, but those of NO_PROSE, which are lists of names.
SPEAKING = {"src", "launcher", "preprocess"}
NO_PROSE = {"src/image/stroke_glyphs.cpp", "src/classes/class_lists.cpp"}


def files_of_project():
    """Paths of all files, relative to the project; without git, all but builds and runs."""
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=False,
        capture_output=True,
        text=True,
    )
    names = (
        listed.stdout.split("\0")
        if listed.returncode == 0
        else (str(p.relative_to(ROOT)) for p in ROOT.rglob("*"))
    )
    return sorted(
        n
        for n in names
        if n and n.split("/")[0] not in (".git", "build", "runs") and (ROOT / n).is_file()
    )


def documents():
    """All Markdown files, and the shipped configurations."""
    return [
        ROOT / n
        for n in files_of_project()
        if n.endswith(".md") or (n.startswith("configs/") and n.endswith(".toml"))
    ]


def kind(path):
    """How the file is read, "" where it is not."""
    return next((how for end, how in KINDS.items() if str(path).endswith(end)), "")


def sources():
    """All other files with comments."""
    read = set(documents())
    return [ROOT / n for n in files_of_project() if kind(n) and ROOT / n not in read]


def fence_of(line):
    found = re.match(r"\s*(```+|~~~+)", line)
    return found.group(1) if found else None


def markdown_lines(text):
    """Pairs (number, line) outside of fenced code."""
    fence = None
    for number, line in enumerate(text.splitlines(), 1):
        mark = fence_of(line)
        if fence:
            if mark and mark.startswith(fence):
                fence = None
        elif mark:
            fence = mark
        else:
            yield number, line


def code_blocks(text):
    """Triples (number of the first line, language, code) of fenced code."""
    blocks, fence = [], None
    for number, line in enumerate(text.splitlines(), 1):
        mark = fence_of(line)
        if fence is None and mark:
            fence, language, start, lines = mark, line.strip()[len(mark) :].strip(), number + 1, []
        elif fence is not None and mark and mark.startswith(fence):
            blocks.append((start, language, "\n".join(lines) + "\n"))
            fence = None
        elif fence is not None:
            lines.append(line)
    return blocks


def markdown_texts(text):
    """Every Text of a Markdown file."""
    texts, open_text = [], None
    for number, line in markdown_lines(text):
        stripped = line.strip().removeprefix("> ")
        if not stripped or stripped.startswith("<!--"):
            open_text = None
        elif stripped.startswith("|"):
            open_text = None
            cells = re.split(r"(?<!\\)\|", stripped.strip("|"))
            texts += [Text(number, cell.strip()) for cell in cells if re.search(r"\w", cell)]
        elif stripped.startswith("#"):
            texts.append(Text(number, stripped.lstrip("# ")))
            open_text = None
        elif LIST_ITEM.match(line) or open_text is None:
            item = LIST_ITEM.match(line)
            open_text = Text(number, line[item.end() if item else 0 :].strip())
            texts.append(open_text)
        else:
            open_text.words += " " + stripped
    return texts


def speaks(path):
    """Whether the file's string literals are messages."""
    name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else ""
    return name.split("/")[0] in SPEAKING and name not in NO_PROSE


def texts_of(path):
    """Every Text of a document or source file."""
    text = path.read_text(encoding="utf-8")
    match kind(path):
        case "markdown":
            return markdown_texts(text)
        case "python":
            return paragraphs(python_lines(text)) + paragraphs(docstring_lines(text))
        case "cpp":
            return paragraphs(cpp_lines(text)) + (cpp_messages(text) if speaks(path) else [])
    return paragraphs(hash_lines(text))


def plain(words):
    """The words as a reader counts them: a link is its text, a piece of code is one word."""
    words = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", words)
    words = re.sub(r"`[^`]*`", "CODE", words)
    return re.sub(r"</?[a-z][^>]*>|\*+", "", words)


def sentences(words):
    return [s for s in SENTENCE_END.split(plain(words)) if s.strip()]


def word_count(sentence):
    return sum(1 for word in sentence.split() if re.search(r"\w", word))


def long_sentences(path):
    return [
        (text.line, word_count(s), s)
        for text in texts_of(path)
        for s in sentences(text.words)
        if word_count(s) > MOST_WORDS
    ]


def long_lines(path):
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    return [
        (number, len(line))
        for number, line in lines
        if len(line) > MOST_COLUMNS and not line.lstrip("/ ").startswith("|")
    ]


def findings(path):
    """What is too long in a file, as lines "FILE:LINE: ..."."""
    name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    found = [(line, f"{count} words: {s}") for line, count, s in long_sentences(path)]
    found += [(line, f"{columns} columns") for line, columns in long_lines(path)]
    return [f"{name}:{line}: {what}" for line, what in sorted(found)]


def main():
    files = [Path(name).resolve() for name in sys.argv[1:]] or [*documents(), *sources()]
    found = [line for path in files for line in findings(path)]
    print("\n".join([*found, f"{len(found)} sentences or lines are too long"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
