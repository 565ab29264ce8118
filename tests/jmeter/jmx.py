"""Test plans for tests, in as few words as the case needs."""

from xml.sax.saxutils import escape, quoteattr

from perfsuite_jmeter.core.jmx import Tree, read_plan
from perfsuite_jmeter.core.validation import Facts, Surroundings, examine


def texts(**values: str) -> str:
    """Properties that are text. Two underscores stand for a dot."""
    return "".join(text(name.replace("__", "."), value) for name, value in values.items())


def text(name: str, value: str, tag: str = "stringProp") -> str:
    return f"<{tag} name={quoteattr(name)}>{escape(value)}</{tag}>"


def element(kind: str, name: str = "", properties: str = "", children: str = "", **attributes: str) -> str:
    """An element and its tree."""
    given = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    gui = "" if "guiclass" in attributes else f' guiclass="{kind}Gui"'
    return (
        f'<{kind}{gui} testclass="{kind}" testname={quoteattr(name)}{given}>{properties}</{kind}>'
        f"<hashTree>{children}</hashTree>"
    )


def arguments(values: dict[str, str] | list[tuple[str, str]]) -> str:
    """The table of a list of arguments."""
    pairs = values.items() if isinstance(values, dict) else values
    rows = "".join(
        f'<elementProp name={quoteattr(name)} elementType="Argument">'
        + text("Argument.name", name)
        + text("Argument.value", value)
        + "</elementProp>"
        for name, value in pairs
    )
    return f'<collectionProp name="Arguments.arguments">{rows}</collectionProp>'


def variables(values: dict[str, str] | list[tuple[str, str]], **attributes: str) -> str:
    """User Defined Variables."""
    return element("Arguments", "variables", arguments(values), guiclass="ArgumentsPanel", **attributes)


def plan(*children: str, variables: dict[str, str] | None = None, properties: str = "") -> bytes:
    """A whole plan."""
    table = arguments(variables or {})
    own = f'<elementProp name="TestPlan.user_defined_variables" elementType="Arguments">{table}</elementProp>'
    return document(element("TestPlan", "Plan", properties + own, "".join(children)))


def document(tree: str, attributes: str = 'version="1.2" properties="5.0" jmeter="5.5"') -> bytes:
    """A file with this tree."""
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return f"{head}<jmeterTestPlan {attributes}><hashTree>{tree}</hashTree></jmeterTestPlan>".encode()


def loop(loops: str = "1", *, forever: str | None = "false") -> str:
    """The controller inside a thread group."""
    said = "" if forever is None else text("LoopController.continue_forever", forever, "boolProp")
    inner = said + text("LoopController.loops", loops)
    return f'<elementProp name="ThreadGroup.main_controller" elementType="LoopController">{inner}</elementProp>'


def group(
    *children: str,
    name: str = "Users",
    users: str = "1",
    ramp: str = "0",
    loops: str = "1",
    duration: str | None = None,
    delay: str = "",
    kind: str = "ThreadGroup",
    **attributes: str,
) -> str:
    """A thread group."""
    timed = duration is not None
    properties = (
        loop(loops)
        + text("ThreadGroup.num_threads", users)
        + text("ThreadGroup.ramp_time", ramp)
        + text("ThreadGroup.scheduler", str(timed).lower(), "boolProp")
        + text("ThreadGroup.duration", duration or "")
        + text("ThreadGroup.delay", delay)
    )
    return element(kind, name, properties, "".join(children), **attributes)


def http(name: str = "Request", children: str = "", **values: str) -> str:
    """An HTTP request; its values are those of HTTPSampler."""
    values = {"method": "GET", **values}
    own = f'<elementProp name="HTTPsampler.Arguments" elementType="Arguments">{arguments({})}</elementProp>'
    properties = own + "".join(text(f"HTTPSampler.{key}", value) for key, value in values.items())
    return element("HTTPSamplerProxy", name, properties, children, guiclass="HttpTestSampleGui")


def defaults(guiclass: str = "HttpDefaultsGui", **values: str) -> str:
    """HTTP Request Defaults."""
    properties = "".join(text(f"HTTPSampler.{key}", value) for key, value in values.items())
    return element("ConfigTestElement", "Defaults", properties, guiclass=guiclass)


def debug(name: str = "Debug", children: str = "") -> str:
    """A sampler that reaches nothing. Its name becomes the label of its samples."""
    return element("DebugSampler", name, "", children, guiclass="TestBeanGUI")


def controller(*children: str, kind: str = "GenericController", name: str = "Part", **attributes: str) -> str:
    return element(kind, name, "", "".join(children), **attributes)


def module(*names: str) -> str:
    """A Module Controller; the first name is that of the root, which JMeter does not look at."""
    path = "".join(text(str(at), name) for at, name in enumerate(("Test Plan", *names)))
    return element(
        "ModuleController", "Module", f'<collectionProp name="ModuleController.node_path">{path}</collectionProp>'
    )


def include(path: str) -> str:
    return element("IncludeController", "Include", text("IncludeController.includepath", path))


def fragment(*children: str, name: str = "Fragment", **attributes: str) -> str:
    return element("TestFragmentController", name, "", "".join(children), **attributes)


def csv(filename: str, names: str = "", **attributes: str) -> str:
    """A CSV Data Set."""
    properties = texts(filename=filename, variableNames=names, delimiter=",", shareMode="shareMode.all")
    properties += text("recycle", "true", "boolProp") + text("quotedData", "false", "boolProp")
    properties += text("stopThread", "false", "boolProp") + text("ignoreFirstLine", "false", "boolProp")
    return element("CSVDataSet", "Data", properties, guiclass="TestBeanGUI", **attributes)


def timer(delay: str, kind: str = "ConstantTimer") -> str:
    return element(kind, "Think", text("ConstantTimer.delay", delay))


def tree(*children: str, variables: dict[str, str] | None = None, properties: str = "") -> Tree:
    return read_plan(plan(*children, variables=variables, properties=properties))


def facts(*children: str, given: dict[str, str] | None = None, **around: object) -> Facts:
    """What is found out about a plan with these children."""
    return examine(tree(*children), Surroundings(properties=given or {}, **around))  # type: ignore[arg-type]


def hosts(*children: str, given: dict[str, str] | None = None, **around: object) -> list[str | None]:
    """The hosts that it reaches."""
    return [one.host for one in facts(*children, given=given, **around).targets]
