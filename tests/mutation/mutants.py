"""Small faults in lines of C++: which ones a line can have, and which of all lines are drawn.

The C++ is that of this project's .clang-format. Binary operators have spaces around them, template
brackets and pointers have none, so that a regular expression tells them apart.
"""
import random
import re
from dataclasses import dataclass
from pathlib import Path

SWAPS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==",
         "+": "-", "-": "+", "*": "/", "/": "*", "%": "*",
         "+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "&&": "||", "||": "&&"}
BINARY = re.compile(r"(?<= )(?:[<>=!+\-*/]=|&&|\|\||[<>+\-*/%])(?= )")
STEP = re.compile(r"\+\+(?=\w)|--(?=\w)")
INTEGER = re.compile(r"(?<![\w.])\d+(?![\w.'])")
REAL = re.compile(r"(?<![\w.])(?:\d+\.\d*(?:e-?\d+)?|\d+e-?\d+)(?![\w.])")
WORD = re.compile(r"\b(?:true|false|std::max|std::min|clamp_min|clamp_max)\b")
WORDS = {"true": "false", "false": "true", "std::max": "std::min", "std::min": "std::max",
         "clamp_min": "clamp_max", "clamp_max": "clamp_min"}
CONDITION = re.compile(r"\b(?:if|while) \(")
# A call, an assignment to something that exists, or a guarded one-line statement.
STATEMENT = re.compile(
    r"\s*(?:if \(.*|for \(.*|\w[\w:.\[\]>()-]*(?: [-+*/|&]?= .*|\(.*\)|(?:\+\+|--))"
    r"|(?:\+\+|--)\w.*|break|continue);\s*$")
BLANK = re.compile(  # comments, string and character literals
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'
    r"|(?<!\d)'(?:\\.|[^'\\\n])'", re.DOTALL)


@dataclass(frozen=True)
class Mutant:
    file: str   # from the root of the source tree
    line: int   # from 1
    kind: str
    before: str
    after: str  # the line with the fault

    def key(self):
        """Names it in equivalent.txt, wherever the line has moved."""
        return self.file, self.before.strip(), self.after.strip()

    def __str__(self):
        return (f"{self.file}:{self.line} {self.kind}: "
                f"`{self.before.strip()}` -> `{self.after.strip()}`")


def masked(text):
    """The text with comments, string and character literals blanked out, of the same length."""
    return BLANK.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def closing(code, start):
    """Index of the bracket that closes the one at `start`, or -1."""
    depth = 0
    for i in range(start, len(code)):
        depth += (code[i] == "(") - (code[i] == ")")
        if depth == 0:
            return i
    return -1


def of_line(line, code):
    """All (kind, line with a fault) of one line; `code` is the line as masked() leaves it."""
    found = []

    def put(kind, begin, end, text):
        found.append((kind, line[:begin] + text + line[end:]))

    if re.match(r"\s*(?:#|using |namespace |static_assert|template)", code) or not code.strip():
        return found
    for m in BINARY.finditer(code):
        put("operator", *m.span(), SWAPS[m.group()])
    for m in STEP.finditer(code):
        put("operator", *m.span(), "--" if m.group() == "++" else "++")
    for m in INTEGER.finditer(code):
        put("off by one", *m.span(), str(int(m.group()) + 1))
        if int(m.group()) > 0:
            put("off by one", *m.span(), str(int(m.group()) - 1))
    for m in REAL.finditer(code):
        put("constant", *m.span(), repr(float(m.group()) * 2 or 1.0))
    for m in WORD.finditer(code):
        put("constant", *m.span(), WORDS[m.group()])
    for m in CONDITION.finditer(code):
        end = closing(code, m.end() - 1)
        if end > 0 and ";" not in code[m.end():end]:
            put("negated condition", m.end(), end, f"!({line[m.end():end]})")
    whole = all(code.count(a) == code.count(b) for a, b in ("()", "{}"))
    if whole and STATEMENT.match(code) and ".reserve(" not in code:  # which only saves time
        indent = line[:len(line) - len(line.lstrip())]
        found.append(("removed statement", indent + ";"))
    return found


def of_file(root, name):
    """Mutants of each line that has any: a list of lists."""
    text = (Path(root) / name).read_text()
    lines = zip(text.split("\n"), masked(text).split("\n"))
    all_lines = []
    for number, (line, code) in enumerate(lines, 1):
        faults = [Mutant(name, number, kind, line, after) for kind, after in of_line(line, code)]
        if faults:
            all_lines.append(faults)
    return all_lines


def draw(root, names, seed):
    """One mutant for each line of the files, in an order that depends on seed and text alone."""
    lines = [line for name in sorted(names) for line in of_file(root, name)]
    chance = random.Random(seed)
    chance.shuffle(lines)
    return [chance.choice(line) for line in lines]
