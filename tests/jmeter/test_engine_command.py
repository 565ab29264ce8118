"""How JMeter is started."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfsuite_jmeter.client.engines.columns import RESULT_HEADER, result_properties
from perfsuite_jmeter.client.inert import inert, path_in_plan
from perfsuite_jmeter.client.property_files import write_properties
from perfsuite_jmeter.models.engine import Engine


def engine(java_version: str) -> Engine:
    return Engine(source="PATH", home=Path("/jmeter"), version="5.5", java=Path("/java"), java_version=java_version)


def test_java_itself_is_started_and_gets_the_arguments_last() -> None:
    command = engine("17.0.9").command(["-n", "-t", "plan.jmx"])
    assert command[0] == "/java"
    assert command[-5:] == ["-jar", "/jmeter/bin/ApacheJMeter.jar", "-n", "-t", "plan.jmx"]
    assert "-Xmx1g" in command
    assert "-Xmx2g" in engine("17").command([], heap="2g")


@pytest.mark.parametrize(
    ("version", "major"), [("1.8.0_392", 8), ("17.0.9", 17), ("21", 21), ("25.0.2", 25), ("26-ea", 26), ("odd", 9)]
)
def test_only_a_java_that_knows_them_gets_its_options(version: str, major: int) -> None:
    found = engine(version)
    command = found.command([])
    assert found.java_major == major
    assert any(part.startswith("--add-opens") for part in command) is (major >= 9)
    assert ("--sun-misc-unsafe-memory-access=allow" in command) is (major >= 24)


def test_plugins_have_a_place() -> None:
    assert engine("17").extensions == Path("/jmeter/lib/ext")


def test_file_names_of_any_language_can_be_opened() -> None:
    assert engine("17").environment({"A": "b", "LC_ALL": "C"}) == {"A": "b", "LC_ALL": "C.UTF-8"}


def test_the_columns_are_pinned() -> None:
    assert len(RESULT_HEADER.split(",")) == 17
    assert result_properties()["jmeter.save.saveservice.hostname"] == "false"
    assert result_properties(with_hostname=True)["jmeter.save.saveservice.hostname"] == "true"


def read_properties(text: str) -> dict[str, str]:
    """What Java reads, for files that hold no comments and continue no line."""
    read = {}
    for line in text.splitlines():
        parts, units = [bytearray(), bytearray()], iter(line)
        at = 0
        for char in units:
            if char == "\\":
                escaped = next(units)
                code = int("".join(next(units) for _ in range(4)), 16) if escaped == "u" else ord(escaped)
                parts[at] += code.to_bytes(2, "big")
            elif char == "=" and at == 0:
                at = 1
            else:
                assert char not in " :#!="
                parts[at] += ord(char).to_bytes(2, "big")
        name, value = (part.decode("utf-16-be", "surrogatepass") for part in parts)
        read[name] = value
    return read


@given(properties=st.dictionaries(st.text(min_size=1), st.text()))
def test_any_property_survives_its_file(properties: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> None:
    file = write_properties(tmp_path_factory.mktemp("properties") / "run.properties", properties)
    assert file.stat().st_mode & 0o777 == 0o600
    assert read_properties(file.read_text(encoding="ascii")) == properties


def test_a_file_that_somebody_put_there_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "run.properties").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        write_properties(tmp_path / "run.properties", {"a": "b"})


@pytest.mark.parametrize("tag", ["<hashTree>", "<hashTree\n a='>' b=\">\" >"])
def test_a_plan_that_does_not_run_keeps_its_lines_and_every_byte(tag: str) -> None:
    plan = f"<?xml version='1.0'?>\n<jmeterTestPlan>\n {tag}\n  <TestPlan/>\n é\n </hashTree>\n</jmeterTestPlan>\n"
    before, after = plan.encode().split(b"\n  <TestPlan/>")
    copy = inert(plan.encode())
    assert copy.startswith(before + b"<TestPlan ")
    assert copy.count(b"\n") == plan.count("\n")
    assert b"<hashTree>\n  <TestPlan/>\n \xc3\xa9\n </hashTree></hashTree></hashTree>\n</jmeter" in copy
    assert after.endswith(b"</jmeterTestPlan>\n")


def test_only_the_first_tree_of_a_plan_counts_as_for_jmeter() -> None:
    copy = inert(b"<jmeterTestPlan><hashTree><TestPlan/></hashTree><hashTree><b/></hashTree></jmeterTestPlan>")
    assert copy.endswith(b"<TestPlan/></hashTree></hashTree></hashTree><hashTree><b/></hashTree></jmeterTestPlan>")


def test_what_is_no_utf_8_is_read_as_jmeter_reads_it() -> None:
    plan = "<?xml version='1.0' encoding='ISO-8859-1'?><jmeterTestPlan><hashTree><a b='é'/></hashTree></jmeterTestPlan>"
    assert "<a b='\ufffd'/>".encode() in inert(plan.encode("latin-1"))


def test_paths_are_those_of_the_plan() -> None:
    assert path_in_plan("/jmeterTestPlan/hashTree/hashTree/hashTree/a") == "/jmeterTestPlan/hashTree/a"
    assert path_in_plan("/other") == "/other"
