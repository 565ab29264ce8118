"""A report in words: templates see the data, and whatever they print of it is escaped."""

import traceback
from collections.abc import Callable
from typing import Any, Final

from jinja2 import DictLoader, StrictUndefined, TemplateError, TemplateRuntimeError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from perfsuite.artifacts.run_id import shown as quoted
from perfsuite.errors import BadFile
from perfsuite.samples.rows import printable
from perfsuite_perfreport.core.markdown.blocks import marked
from perfsuite_perfreport.core.markdown.escaping import Md, code, escaped, lozenge
from perfsuite_perfreport.core.markdown.tables import table
from perfsuite_perfreport.core.markdown.template import Template
from perfsuite_perfreport.core.reporting.numbers import UNKNOWN, duration, plain
from perfsuite_perfreport.models.report import Report

_FRAME: Final = "<template>"
_LONGEST_REPORT: Final = 4_000_000


def written(template: Template, report: Report) -> str:
    """The report as Markdown, or an error that names the line of the template that fails."""
    # Not `autoescape`: that writes HTML, and `_printed` escapes for Markdown.
    environment = ImmutableSandboxedEnvironment(
        loader=DictLoader({template.name: template.text}),
        undefined=StrictUndefined,
        finalize=_printed,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    environment.filters |= {"duration": duration, "number": plain}
    try:
        text = environment.get_template(template.name).render(report=report, **_functions(report))
    except TemplateSyntaxError as error:
        raise _failed(template, error.lineno, error) from None
    except (TemplateError, ArithmeticError, TypeError, ValueError, LookupError, AttributeError) as error:
        raise _failed(template, _line_of(error), error) from None
    except RecursionError as error:
        raise _failed(template, None, error) from None
    if len(text) > _LONGEST_REPORT:
        raise _failed(template, None, ValueError(f"it writes {len(text):,} characters"))
    return text.strip("\n") + "\n"


def _printed(value: object) -> str:
    if isinstance(value, Md):
        return value
    return escaped(plain(value) if isinstance(value, float) else str(value)) if value is not None else UNKNOWN


def _functions(report: Report) -> dict[str, Callable[..., Any]]:
    tables = {one.id: one for one in report.tables}
    pictures = {one.chart_id: one for one in report.pictures}
    used = set[str]()
    counts = {"table": 0, "figure": 0}

    def block(name: str, caller: Callable[[], str]) -> Md:
        if name in used or not name.replace("-", "").replace("_", "").isalnum() or not name.islower():
            raise TemplateRuntimeError(f"a block is called {quoted(name)}, for the second time or not in small letters")
        used.add(name)
        return Md(marked(name, caller()))

    def table_of(table_id: str) -> Md:
        found = tables.get(table_id)
        if found is None:
            raise TemplateRuntimeError(f"there is no table {quoted(table_id)}; there are {', '.join(tables)}")
        counts["table"] += bool(found.rows)
        return table(found, counts["table"])

    def chart(chart_id: str) -> Md:
        """Nothing where the chart was not drawn: a run may have no metrics."""
        found = pictures.get(chart_id)
        if found is None:
            return Md("")
        counts["figure"] += 1
        caption = f"*Figure {counts['figure']}. {escaped(found.title)}.*"
        return Md(f"![{escaped(found.alt)}](../{found.file})\n\n{caption}\n")

    return {
        "block": block,
        "table": table_of,
        "chart": chart,
        "cite": lambda source: Md(f"({code(source)})"),
        "code": code,
        "lozenge": lozenge,
        "bold": lambda text: Md(f"**{escaped(str(text))}**"),
    }


def _line_of(error: BaseException) -> int | None:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == _FRAME]
    return frames[-1].lineno if frames else None


def _failed(template: Template, line: int | None, error: Exception) -> BadFile:
    where = f", line {line}," if line else ""
    why = printable(str(error) or type(error).__name__, 300)
    return BadFile(
        f"The template {quoted(template.name)} ({template.shown_as}){where} fails: {why.rstrip('.')}.",
        next_step="Correct that line, or take the template `default`; `list_templates` says where templates lie.",
    )
