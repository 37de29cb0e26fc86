"""The prose of source files: comments, Python's docstrings, and the literals of C++ messages.

Consecutive comment lines are one text. A blank line, a list item or an indented line starts a new
one; lines that stand further right than such a start continue it.
"""

import ast
import io
import re
import tokenize
from dataclasses import dataclass

LIST_ITEM = re.compile(r"\s*([-*]|\d+\.)\s+")
CPP_TOKEN = re.compile(
    r"""R"(?P<mark>[^(\s]*)\((?P<raw>.*?)\)(?P=mark)"
      | "(?P<literal>(?:[^"\\\n]|\\.)*)"
      | (?<!\w)'(?:[^'\\\n]|\\.)+'
      | //[/!]?<?(?P<line>[^\n]*)
      | /\*(?P<block>.*?)\*/
      | (?P<open>[(\[{]) | (?P<close>[)\]}]) | (?P<join>\+|<<) | (?P<code>::|\w+) | (?P<stop>[,;?:])
      | (?P<other>\S)""",
    re.DOTALL | re.VERBOSE,
)
HASH_COMMENT = re.compile(r"(?:^|(?<=\s))#(?= |$)")
ESCAPES = {"n": "\n", "t": " "}


@dataclass
class Text:
    """A paragraph, list item, heading, table cell or message, and the line on which it starts."""

    line: int
    words: str


@dataclass
class CommentLine:
    """`body` is what follows the comment's mark, `column` the mark's, `alone`: no code before."""

    line: int
    column: int
    body: str
    alone: bool = True


@dataclass
class Scope:
    """Brackets in C++ and the text that literals in them are added to."""

    text: Text | None = None
    commas_join: bool = False


def paragraphs(lines):
    """The Texts of comment lines; see the top of this file."""
    texts, last, start, hanging = [], None, 0, False
    for now in lines:
        words, item = now.body.strip(), LIST_ITEM.match(now.body)
        if not re.search(r"\w", words):
            last = None
            continue
        indent = len(now.body) - len(now.body.lstrip())
        follows = last and now.alone and (now.line, now.column) == (last.line + 1, last.column)
        deeper = indent > start if hanging else indent <= 1
        if follows and deeper and not item and words[0] != "|":
            texts[-1].words += " " + words
        else:
            start, hanging = indent, bool(item) or indent > 1
            texts.append(Text(now.line, now.body[item.end() :].strip() if item else words))
        last = now
    return texts


def hash_lines(text):
    """The comments of shell scripts, CMake and TOML files."""
    for number, line in enumerate(text.splitlines(), 1):
        mark = HASH_COMMENT.search(line)
        if mark:
            body = line[mark.end() :]
            yield CommentLine(number, mark.start(), body, not line[: mark.start()].strip())


def python_lines(text):
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and not token.string.startswith("#!"):
            (line, column), before = token.start, token.line[: token.start[1]]
            yield CommentLine(line, column, token.string[1:], not before.strip())


def docstring_lines(text):
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, kinds) and ast.get_docstring(node, clean=False) is not None:
            at = node.body[0].lineno
            for number, line in enumerate(ast.get_docstring(node).splitlines(), at):
                yield CommentLine(number, 0, " " + line)


def cpp_lines(text):
    for token in CPP_TOKEN.finditer(text):
        start = text.rfind("\n", 0, token.start()) + 1
        number = text.count("\n", 0, token.start()) + 1
        alone, column = not text[start : token.start()].strip(), token.start() - start
        if token["line"] is not None:
            yield CommentLine(number, column, token["line"], alone)
        elif token["block"] is not None:
            for more, line in enumerate(token["block"].splitlines()):
                body = re.sub(r"^\s*\*", "", line)
                yield CommentLine(number + more, column, body, alone or more > 0)


def unescaped(literal):
    return re.sub(r"\\(.)", lambda escape: ESCAPES.get(escape[1], escape[1]), literal)


def cpp_messages(text):
    """Literals that +, << and str_cat() join are one text; other operands are the word X."""
    text = re.sub(r"(?m)^ *#.*", "", text)
    messages, scopes, before = [], [Scope()], ""
    for token in CPP_TOKEN.finditer(text):
        kind, scope = token.lastgroup, scopes[-1]
        if kind in ("literal", "raw"):
            if scope.text is None:
                scope.text = Text(text.count("\n", 0, token.start()) + 1, "")
                messages.append(scope.text)
            scope.text.words += unescaped(token["literal"]) if kind == "literal" else token["raw"]
        elif kind == "open":
            scopes.append(Scope(commas_join=before == "str_cat"))
        elif kind == "close" and len(scopes) > 1:
            scopes.pop()
        elif kind == "stop" and not (token[0] == "," and scope.commas_join):
            scope.text = None
        elif kind in ("code", "other") and scope.text and not scope.text.words.endswith("\1"):
            scope.text.words += "\1"
        before = token[0]
    return [
        Text(message.line + number, line.rstrip("\1").replace("\1", " X "))
        for message in messages
        for number, line in enumerate(message.words.splitlines())
    ]
