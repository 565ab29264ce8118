"""The check that every call written in a page for agents would be taken by the live tools.

A call is written in backticks or in a block of code, as `analyze_logs(run_id="...", limit=10)`. Values may be those of
Python or of JSON. A `...`, a bare name and a string with a `{placeholder}` or a `<placeholder>` stand for any value;
`analyze_logs(...)` stands for any arguments.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from mcp_types import Tool

_FENCE = re.compile(r"\s*(```+|~~~+)\s*([\w+-]*)")
_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_NAME = re.compile(r"(?<![\w.])([a-z][a-z0-9]*(?:_[a-z0-9]+)*)\(")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}|<[^<>]*>")
# Blocks in these languages are not written for tools.
_OTHER_LANGUAGES = frozenset(
    {"bash", "console", "csv", "diff", "html", "ini", "json", "mermaid", "powershell", "sh", "shell", "sql", "toml"}
    | {"xml", "yaml", "yml"}
)
_JSON_NAMES = {"true": True, "false": False, "null": None}


@dataclass(frozen=True)
class Problem:
    """A call in a page that the tools would not take."""

    line: int
    call: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.call}: {self.message}"


def check_calls(page: str, tools: Sequence[Tool]) -> list[Problem]:
    """Compare every call in the page with the tools as they are listed now."""
    known = {tool.name: tool for tool in tools}
    return [
        Problem(line, call, message)
        for line, code in _code(page)
        for line, name, call in _calls(code, line, known)
        for message in _faults(name, call, known)
    ]


def _code(page: str) -> Iterator[tuple[int, str]]:
    """The blocks of code and the spans in backticks, each with the number of its first line."""
    fence, language, block, start = "", "", list[str](), 0
    for number, line in enumerate(page.splitlines(), start=1):
        mark = _FENCE.match(line)
        if fence and mark and mark[1].startswith(fence) and not mark[2]:
            if language not in _OTHER_LANGUAGES:
                yield start, "\n".join(block)
            fence = ""
        elif fence:
            block.append(line)
        elif mark:
            fence, language, block, start = mark[1], mark[2].lower(), [], number + 1
        else:
            yield from ((number, span[2]) for span in _SPAN.finditer(line))


def _calls(code: str, first_line: int, known: Mapping[str, Tool]) -> Iterator[tuple[int, str, str]]:
    for match in _NAME.finditer(code):
        if match[1] in known or "_" in match[1]:
            line = first_line + code.count("\n", 0, match.start())
            yield line, match[1], _whole_call(code[match.start() :])


def _whole_call(text: str) -> str:
    """The text up to the bracket that closes the call, or its first line when none does."""
    for bracket in re.finditer(r"\)", text):
        if _parsed(text[: bracket.end()]):
            return text[: bracket.end()]
    return text.splitlines()[0]


def _parsed(call: str) -> ast.Call | None:
    try:
        node = ast.parse(call, mode="eval").body
    except (SyntaxError, ValueError):
        return None
    return node if isinstance(node, ast.Call) else None


def _faults(name: str, call: str, known: Mapping[str, Tool]) -> Iterator[str]:
    parsed, tool = _parsed(call), known.get(name)
    if tool is None:
        near = get_close_matches(name, known, n=1, cutoff=0.5)
        yield f"there is no tool {name!r}{f'; did you mean {near[0]!r}?' if near else ''}"
    elif parsed is None:
        yield "cannot be read as a call with arguments by name"
    else:
        yield from _wrong_arguments(parsed, tool.input_schema)


def _wrong_arguments(call: ast.Call, schema: Mapping[str, Any]) -> Iterator[str]:
    if [ast.unparse(argument) for argument in call.args] == ["..."]:
        return
    if call.args or any(keyword.arg is None for keyword in call.keywords):
        yield "arguments must be written by name"
    properties = schema.get("properties", {})
    given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    for name in sorted(set(schema.get("required", ())) - set(given)):
        yield f"the argument {name!r} is required"
    for name, value in given.items():
        if name not in properties:
            yield f"there is no argument {name!r}; there are {sorted(properties)!r}"
        elif not _is_placeholder(value):
            yield from _wrong_value(name, _literal(value), {**properties[name], "$defs": schema.get("$defs", {})})


def _wrong_value(name: str, value: object, schema: Mapping[str, Any]) -> Iterator[str]:
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

    for error in Draft202012Validator(schema).iter_errors(value):
        yield f"the argument {name!r} is not usable: {error.message}"


def _is_placeholder(value: ast.expr) -> bool:
    """Whether any part of the value stands for something else."""
    return any(_stands_for_any(node) for node in ast.walk(value))


def _stands_for_any(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return node.value is ... or (isinstance(node.value, str) and bool(_PLACEHOLDER.search(node.value)))
    if isinstance(node, ast.Name):
        return node.id not in _JSON_NAMES
    return isinstance(node, ast.expr) and not isinstance(node, ast.List | ast.Tuple | ast.Dict | ast.UnaryOp)


def _literal(value: ast.expr) -> object:
    return ast.literal_eval(_PythonNames().visit(value))


class _PythonNames(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.Constant:
        return ast.Constant(_JSON_NAMES[node.id])
