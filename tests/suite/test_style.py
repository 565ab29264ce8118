"""What STYLE measures, and what may stand in no file of the repository."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

from suite.repository import ROOT, files, production_modules, relative

LONGEST_MODULE = 400
MEDIAN_FUNCTION = 10
P95_FUNCTION = 40
# Each pattern is written so that it does not match itself.
UNFINISHED = re.compile(r"\b(T[O]DO|F[I]XME|X[X]X|H[A]CK)\b")
REGISTRY = re.compile(r"(pypi|pythonhosted|npmjs|debian)[.](org|com)")
OWN_MACHINE = re.compile(r"(^|[^\w./])/(home|Users|root|work|farm)/(?!someone\b)", re.MULTILINE)
VAGUE = re.compile(r"(^|_)(utils?|helpers?|managers?|common|misc)(_|$)")
EXEMPT = {"uv.lock", "LICENSE"}


def texts() -> Iterator[tuple[str, str]]:
    for path in files():
        if path.name not in EXEMPT:
            yield relative(path), path.read_text(encoding="utf-8", errors="replace")


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in production_modules():
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def found(pattern: re.Pattern[str]) -> list[str]:
    """Where the pattern stands, as people and editors write it."""
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts()
        if pattern.search(text)
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_functions_are_short() -> None:
    lengths = [length(function) for _, tree in trees() for function in functions(tree)]
    assert median(lengths) <= MEDIAN_FUNCTION
    assert quantiles(lengths, n=20)[-1] <= P95_FUNCTION


def test_modules_are_short() -> None:
    python = (path for path in files() if path.suffix == ".py")
    lengths = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in python}
    assert {name: count for name, count in lengths.items() if count > LONGEST_MODULE} == {}


def test_nothing_is_left_unfinished() -> None:
    assert found(UNFINISHED) == []


def test_no_file_names_a_package_registry() -> None:
    assert found(REGISTRY) == []


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    assert found(OWN_MACHINE) == []


def test_names_say_what_a_module_is_for() -> None:
    parts = {(path, part) for path in files() if path.suffix == ".py" for part in _stems(path)}
    assert [relative(path) for path, part in parts if VAGUE.search(part)] == []


def test_nothing_prints() -> None:
    calls = [
        f"{relative(path)}:{node.lineno}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert calls == []


def test_no_production_class_looks_like_a_test() -> None:
    classes = [node.name for _, tree in trees() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    assert [name for name in classes if name.startswith("Test")] == []


def test_every_error_raised_on_purpose_is_one_of_ours() -> None:
    from perfsuite import errors

    own = [
        f"{relative(path)}: {node.name}"
        for path, tree in trees()
        if path.name != "errors.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and _names(node.bases) & set(vars(errors))
    ]
    assert own == []


def _names(bases: list[ast.expr]) -> set[str]:
    return {ast.unparse(base).rpartition(".")[2] for base in bases}


def _stems(path: Path) -> tuple[str, ...]:
    return path.relative_to(ROOT).with_suffix("").parts
