"""A test plan as a tree of elements, read from bytes that nobody vouches for.

JMeter reads a plan with XStream, which lets a file name other classes, share objects and create arbitrary ones. A plan
that does so could show one thing here and be another there, so it is not read at all. Whatever the file says of its
encoding, JMeter reads UTF-8, and so does this.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from perfsuite.errors import BadFile, LimitExceeded
from perfsuite_jmeter.core.plans.classes import full_name, short_name

if TYPE_CHECKING:
    from lxml.etree import _Element as Node  # type: ignore[import-untyped]

LARGEST_PLAN: Final = 20_000_000
MOST_ELEMENTS: Final = 100_000

_DEEPEST_PROPERTY: Final = 30
_ROOT: Final = "jmeterTestPlan"
_TREE: Final = "hashTree"
_DISTURBING: Final = ("reference", "resolves-to", "id", "defined-in")
_TEXTS: Final = frozenset({"stringProp", "boolProp", "intProp", "longProp"})
# These come with a name and a value as elements inside.
_NUMBERS: Final = frozenset({"doubleProp", "floatProp", "FloatProperty"})
_NAMED_INSIDE: Final = _NUMBERS | {"objProp"}
_COLLECTIONS: Final = frozenset({"collectionProp", "mapProp"})
_OF_JAVA: Final = "java.util."
_SAVED_BY_JMETER: Final = frozenset({"SampleSaveConfiguration"})
_SAVE: Final = "Open the plan in JMeter and save it again, or take another file."


@dataclass(frozen=True)
class Record:
    """A value with properties of its own, such as an argument or a static host."""

    kind: str
    class_name: str
    name: str
    line: int
    properties: Mapping[str, "Property"]


@dataclass(frozen=True)
class Element(Record):
    """A node of the tree of a plan."""

    gui: str = ""
    enabled: bool = True
    children: tuple["Element", ...] = ()
    file: str = ""

    def text(self, name: str, default: str = "") -> str:
        """A property that is text; the default also where it is not."""
        value = self.properties.get(name)
        return value if isinstance(value, str) else default

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A property that is true or false."""
        value = self.properties.get(name)
        return value.strip().lower() == "true" if isinstance(value, str) else default


Property = str | tuple["Property", ...] | Record


@dataclass(frozen=True)
class Located:
    """An element and those above it, outermost first."""

    element: Element
    above: tuple[Element, ...] = ()

    @property
    def path(self) -> str:
        return " > ".join(one.name or one.kind for one in (*self.above, self.element))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.name for one in (*self.above, self.element))

    @property
    def active(self) -> bool:
        return self.element.enabled and all(one.enabled for one in self.above)

    @property
    def where(self) -> str:
        """As findings say it."""
        file = f" of {self.element.file!r}" if self.element.file else ""
        return f"{self.path}, line {self.element.line}{file}"


@dataclass(frozen=True)
class Tree:
    """A plan: its elements, and what JMeter was told to save it as."""

    roots: tuple[Element, ...]
    saved_by: str = ""
    notes: tuple[str, ...] = field(default=())

    def __iter__(self) -> Iterator[Located]:
        for root in self.roots:
            yield from _walk(root, ())

    @property
    def plan(self) -> Element:
        return self.roots[0]


def _walk(element: Element, above: tuple[Element, ...]) -> Iterator[Located]:
    yield Located(element, above)
    for child in element.children:
        yield from _walk(child, (*above, element))


def read_plan(content: bytes, *, file: str = "") -> Tree:
    """The tree of a plan. `file` names an included plan in everything that is said about its elements."""
    root = _parsed(content)
    if root.tag != _ROOT:
        raise BadFile(f"The file is XML, but no test plan: its root is {str(root.tag)!r}.", next_step=_SAVE)
    if root.get("version") == "1.0":
        raise BadFile("The plan is of JMeter's format 1.0, in which values are encoded.", next_step=_SAVE)
    tree = next((child for child in root if child.tag == _TREE), None)
    if tree is None:
        raise BadFile("The plan holds no elements.", next_step=_SAVE)
    for node in root.iter():
        _refuse_disguises(node)
    roots = tuple(_elements(tree, file))
    if not roots or roots[0].kind != "TestPlan":
        raise BadFile("The first element of the plan is not a Test Plan.", next_step=_SAVE)
    notes = () if _is_utf8(content) else ("The file is not UTF-8. JMeter replaces what it cannot read.",)
    return Tree(roots, saved_by=root.get("jmeter", ""), notes=notes)


def _parsed(content: bytes) -> "Node":
    if len(content) > LARGEST_PLAN:
        raise LimitExceeded(
            f"The plan has {len(content)} bytes; at most {LARGEST_PLAN} are read.",
            next_step="Move data out of the plan into files, or split the plan.",
        )
    text = content.decode("utf-8", "replace").removeprefix("\ufeff")
    if "<!DOCTYPE" in text.partition(f"<{_ROOT}")[0]:
        raise BadFile("The plan has a document type declaration, which no JMeter writes.", next_step=_SAVE)
    from lxml import etree  # type: ignore[import-untyped]

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, encoding="utf-8"
    )
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadFile(f"The plan is not well-formed XML: {_first_line(error)}.", next_step=_SAVE) from None
    if root.getroottree().docinfo.doctype:
        raise BadFile("The plan has a document type declaration, which no JMeter writes.", next_step=_SAVE)
    return root


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].strip().rstrip(".") or "it is empty"


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _refuse_disguises(node: "Node") -> None:
    if not isinstance(node.tag, str):
        raise BadFile(f"Line {node.sourceline} is a processing instruction, which no plan needs.", next_step=_SAVE)
    disturbing = next((name for name in _DISTURBING if name in node.attrib), None)
    if disturbing:
        raise BadFile(
            f"Line {node.sourceline}: {node.tag!r} has the attribute {disturbing!r}, by which another object than the "
            "one that is shown would be loaded.",
            next_step=_SAVE,
        )


def _elements(tree: "Node", file: str) -> Iterator[Element]:
    """The pairs of element and tree in a tree; the last tree may be absent, for JMeter takes that too."""
    waiting: Node | None = None
    for node in tree:
        if node.tag != _TREE:
            if waiting is not None:
                raise _unpaired(waiting, f"is followed by {str(node.tag)!r} on line {node.sourceline}")
            waiting = node
        elif waiting is None:
            raise _unpaired(node, "follows no element")
        else:
            yield _element(waiting, tuple(_elements(node, file)), file)
            waiting = None
    if waiting is not None:
        yield _element(waiting, (), file)


def _unpaired(node: "Node", what: str) -> BadFile:
    return BadFile(
        f"Line {node.sourceline}: {str(node.tag)!r} {what}, but each element is followed by its own <hashTree>.",
        next_step="Put a <hashTree/> behind every element that has no children.",
    )


def _element(node: "Node", children: tuple[Element, ...], file: str) -> Element:
    properties = _properties(node)
    name = _decoded(str(node.tag))
    enabled = properties.get("TestElement.enabled", node.get("enabled", "true"))
    named = properties.get("TestElement.name", node.get("testname", ""))
    gui = properties.get("TestElement.gui_class", node.get("guiclass", ""))
    if "class" in node.attrib and full_name(str(node.get("class"))) != full_name(name):
        raise BadFile(
            f"Line {node.sourceline}: {name!r} would be loaded as a {node.get('class')!r}.",
            next_step="Give the element the name of its class.",
        )
    return Element(
        kind=short_name(name),
        class_name=full_name(name),
        name=named if isinstance(named, str) else "",
        line=node.sourceline or 0,
        properties=properties,
        gui=short_name(gui) if isinstance(gui, str) else "",
        enabled=isinstance(enabled, str) and enabled.lower() == "true",
        children=children,
        file=file,
    )


def _decoded(tag: str) -> str:
    """The name of a class in a tag, where XStream writes $ as _- and _ as two of them."""
    return re.sub(r"_-|__", lambda found: "$" if found[0] == "_-" else "_", tag)


def _properties(node: "Node", depth: int = 0) -> dict[str, Property]:
    """By name; of two with the same name JMeter keeps the last."""
    values = {_name(child): _value(child, depth + 1) for child in node}
    return {name: value for name, value in values.items() if name is not None}


def _name(node: "Node") -> str | None:
    name: str | None = node.findtext("name") if node.tag in _NAMED_INSIDE else node.get("name")
    return name


def _value(node: "Node", depth: int) -> Property:
    if depth > _DEEPEST_PROPERTY:
        raise BadFile(f"Line {node.sourceline}: properties are nested too deeply.", next_step=_SAVE)
    if not node.get("class", _OF_JAVA).startswith(_OF_JAVA):
        raise BadFile(f"Line {node.sourceline}: a value would be loaded as a {node.get('class')!r}.", next_step=_SAVE)
    if node.tag in _NUMBERS and len(node):
        return str(node.findtext("value", ""))
    if node.tag in _TEXTS | _NUMBERS:
        if len(node):
            raise BadFile(f"Line {node.sourceline}: a value that is text holds {node[0].tag!r}.", next_step=_SAVE)
        return node.text or ""
    if node.tag in _COLLECTIONS:
        return tuple(_value(child, depth + 1) for child in node)
    if node.tag == "elementProp":
        return _record(node, depth)
    if node.tag == "objProp":
        return _object(node)
    raise BadFile(f"Line {node.sourceline}: {str(node.tag)!r} is no value that JMeter saves.", next_step=_SAVE)


def _record(node: "Node", depth: int) -> Record:
    kind = node.get("elementType", "")
    return Record(
        short_name(kind), full_name(kind), node.get("name", ""), node.sourceline or 0, _properties(node, depth)
    )


def _object(node: "Node") -> Record:
    """The settings of a listener. Any other object would be made by XStream itself, which hostile plans live on."""
    value = node.find("value")
    kind = value.get("class", "") if value is not None else ""
    if value is not None and (kind not in _SAVED_BY_JMETER or any(len(child) or child.attrib for child in value)):
        raise BadFile(
            f"Line {node.sourceline}: an object of the class {kind!r} would be created while the plan is loaded.",
            next_step="Take it out: JMeter itself saves no such object.",
        )
    return Record(kind, kind, node.findtext("name", ""), node.sourceline or 0, {})
