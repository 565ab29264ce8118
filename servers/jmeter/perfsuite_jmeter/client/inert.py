"""A copy of a plan that JMeter loads completely and runs no part of.

Thread groups of every kind, listeners that write files or send data, and functions in user defined variables would all
act when a test starts, be there threads or not. So the whole plan, its TestPlan element included, is put below a
disabled controller of another plan: JMeter makes every element, and then drops them. Everything is inserted without a
line break, so that the lines that JMeter names are those of the plan.
"""

import re
from typing import Final
from xml.parsers import expat

from perfsuite.errors import BadFile

_ROOT: Final = "jmeterTestPlan"
_TREE: Final = "hashTree"
_BEFORE: Final = (
    b'<TestPlan guiclass="TestPlanGui" testclass="TestPlan" testname="Loading" enabled="true"/><hashTree>'
    b'<GenericController guiclass="LogicControllerGui" testclass="GenericController" testname="Plan" enabled="false"/>'
    b"<hashTree>"
)
_AFTER: Final = b"</hashTree></hashTree>"
_INSERTED_PATH: Final = "/hashTree/hashTree"
_START_TAG: Final = re.compile(rb"""<[^>"']*(?:"[^"]*"[^>"']*|'[^']*'[^>"']*)*>""")
_STEP: Final = "Open the plan in JMeter and save it again, or take another file."


def inert(plan: bytes) -> bytes:
    """The copy. The plan must be well-formed and have no document type, which could name entities."""
    # JMeter reads UTF-8, whatever the file says of itself, and takes what is none for unknown characters.
    plan = plan.decode("utf-8", "replace").encode()
    places = _Places()
    places.find(plan)
    return plan[: places.start] + _BEFORE + plan[places.start : places.end] + _AFTER + plan[places.end :]


def path_in_plan(path: str) -> str:
    """The path that JMeter names in the copy, as it is in the plan."""
    return path.replace(f"/{_ROOT}/{_TREE}{_INSERTED_PATH}", f"/{_ROOT}/{_TREE}", 1)


class _Places:
    """Where the first tree of the plan begins and ends."""

    def __init__(self) -> None:
        self.start = 0
        self.end = 0
        self._has_elements = False
        self._open: list[str] = []
        self._parser = expat.ParserCreate("UTF-8")
        self._parser.StartElementHandler = self._started
        self._parser.EndElementHandler = self._ended
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._plan = b""

    def find(self, plan: bytes) -> None:
        self._plan = plan
        try:
            self._parser.Parse(plan, True)
        except expat.ExpatError as error:
            raise BadFile(f"The plan is not well-formed XML: {error}.", next_step=_STEP) from None
        if not self._has_elements:
            raise BadFile("The plan holds no elements.", next_step=_STEP)

    def _started(self, name: str, _attributes: dict[str, str]) -> None:
        expected = self._expected()
        if expected is not None and name != expected:
            raise BadFile(f"The plan has {name!r} where {expected!r} is expected.", next_step=_STEP)
        self._has_elements |= self._open == [_ROOT, _TREE] and not self.end
        self._open.append(name)
        if expected == _TREE:
            tag = _START_TAG.match(self._plan, self._parser.CurrentByteIndex)
            self.start = tag.end() if tag else 0

    def _expected(self) -> str | None:
        if not self._open:
            return _ROOT
        return _TREE if len(self._open) == 1 and not self.start else None

    def _ended(self, _name: str) -> None:
        if self._open == [_ROOT, _TREE] and not self.end:
            self.end = self._parser.CurrentByteIndex
        self._open.pop()

    def _refuse(self, *_declaration: object) -> None:
        raise BadFile("The plan has a document type declaration, which no JMeter writes.", next_step=_STEP)
