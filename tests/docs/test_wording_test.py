"""Tests check codes and values of messages, not their wording: no three plain words in a row.

Looks at the texts that tests search for: in calls of names(), raises(), is(), HasSubstr(), find(),
says(), and before `in` of an assertion. FREE lists the tests that are about wording. Lines of a
summary, `what: count`, are values.
"""

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# How a message is put together; what the command line makes of its parser's messages.
FREE = {"tests/core/error_test.cpp", "tests/core/error_context_test.cpp"}
PROSE = re.compile(r"(?<![\w./\"'{-])[a-z]+ [a-z]+ [a-z]+(?![\w./\"'}=-])")
CALLS = {"names", "raises", "is", "HasSubstr", "find", "says", "fails", "StartsWith", "EndsWith"}
SUMMARY = re.compile(r"[\w, -]+: (\d|\{)")
LITERAL = re.compile(r'R"\((.*?)\)"|"((?:[^"\\\n]|\\.)*)"', re.DOTALL)


def cpp_calls(text):
    """(offset, texts) of each call's own literals, without those of nested calls and lambdas."""
    for match in re.finditer(rf"\b({'|'.join(sorted(CALLS))})\(", text):
        at, depth, texts, seam = match.end(), 1, [], -1  # seam: where a literal would be joined
        while depth and at < len(text):
            literal = LITERAL.match(text, at)
            if literal:
                if depth == 1:
                    part = (literal.group(1) or literal.group(2) or "").replace("\\n", "\n")
                    if at == seam:
                        texts[-1] += part
                    else:
                        texts.append(part)
                at = seam = literal.end()
                while seam < len(text) and text[seam].isspace():
                    seam += 1
                continue
            depth += (text[at] in "([{") - (text[at] in ")]}")
            at += 1
        yield match.start(), texts


def python_texts(text):
    """(line, text) of what is searched for in a message."""

    def literals(node):
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.lineno, part.value

    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in CALLS:
                for argument in node.args:
                    if isinstance(argument, (ast.Constant, ast.JoinedStr)):
                        yield from literals(argument)
        elif isinstance(node, ast.Assert):
            for part in ast.walk(node.test):
                if isinstance(part, ast.Compare) and isinstance(part.ops[0], (ast.In, ast.NotIn)):
                    yield from literals(part.left)


def findings(name, text):
    if name.endswith(".py"):
        found = list(python_texts(text))
    else:
        found = [
            (text.count("\n", 0, offset) + 1, one)
            for offset, texts in cpp_calls(text)
            for one in texts
        ]
    return [
        f"{name}:{line}: wording in a test: {one!r}"
        for line, one in found
        if PROSE.search(SUMMARY.sub("", one))
    ]


def check_itself():
    assert findings("a.cpp", 'EXPECT_TRUE(names(text, "is not a list"));')
    assert findings("a.cpp", 'EXPECT_TRUE(names(text, "is not "\n  "a list"));')
    assert findings("a.cpp", 'EXPECT_THAT(x, AllOf(HasSubstr("a.json is not a list"), Not(y)));')
    assert findings("a.cpp", 'raises(kBadValue, [&] { f(); }, "cannot be", "there is no such")')
    assert not findings("a.cpp", 'names(text, "data.train", "2 of 3", "[8, 6]", "class 3: cat")')
    assert not findings("a.cpp", 'raises(kUsage, [&] { parse("a text of some words"); }, "text")')
    assert findings("a.py", 'says(out, f"{path} is not a file")')
    assert findings("a.py", 'assert "more than it holds" in out, out')
    assert not findings(
        "a.py", 'assert "[file_missing]" in out and "a.jpg" in out, "it was not said"'
    )


def main():
    check_itself()
    found = []
    for path in sorted((ROOT / "tests").rglob("*")):
        name = str(path.relative_to(ROOT))
        if (
            path.suffix in {".cpp", ".h", ".py"}
            and name not in FREE
            and path != Path(__file__).resolve()
        ):
            found += findings(name, path.read_text(encoding="utf-8"))
    print("\n".join(found) or "no wording in tests")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
