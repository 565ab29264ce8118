"""The JMeter plan of the shop, and the commands that write it."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from perfsuite.errors import BadInput
from perfsuite.sandbox.plan import PlanDefaults, shop_plan

COMMAND = [sys.executable, "-c", "from perfsuite.cli import main; main()", "sandbox", "plan"]


def run(*options: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *options], cwd=folder, capture_output=True, timeout=60)


def tree(content: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(content)  # noqa: S314 - it is our own


def texts(root: ElementTree.Element, name: str) -> list[str | None]:
    return [one.text for one in root.iter() if one.get("name") == name]


def test_every_element_is_followed_by_its_tree() -> None:
    for parent in tree(shop_plan(PlanDefaults())).iter("hashTree"):
        children = list(parent)
        assert all(child.tag == "hashTree" for child in children[1::2])
        assert all(child.tag != "hashTree" for child in children[::2])
        assert len(children) % 2 == 0


def test_every_number_can_be_given_when_the_test_starts() -> None:
    root = tree(shop_plan(PlanDefaults(host="localhost", port=81, users=7, ramp_s=2, duration_s=9, think_ms=3)))

    assert texts(root, "HTTPSampler.domain") == ["${__P(host,localhost)}"]
    assert texts(root, "HTTPSampler.port") == ["${__P(port,81)}"]
    assert texts(root, "ThreadGroup.num_threads") == ["${__P(users,7)}"]
    assert texts(root, "ThreadGroup.ramp_time") == ["${__P(ramp,2)}"]
    assert texts(root, "ThreadGroup.duration") == ["${__P(duration,9)}"]
    assert texts(root, "ConstantTimer.delay") == ["${__P(think_ms,3)}"]


def test_later_steps_use_what_earlier_ones_gave() -> None:
    root = tree(shop_plan(PlanDefaults()))

    assert texts(root, "JSONPostProcessor.referenceNames") == ["token", "item_id"]
    assert texts(root, "HTTPSampler.path") == ["/login", "/items", "/items/${item_id}", "/checkout"]
    assert texts(root, "Header.value").count("Bearer ${token}") == 3
    assert texts(root, "1") == ['"token"', '"items"', "${item_id}", '"order_id"']


@pytest.mark.parametrize("host", ["", "a,b", "a)b", "a b", "${x}"])
def test_a_host_that_would_break_the_plan_is_refused(host: str) -> None:
    with pytest.raises(BadInput, match="is not the name of a host"):
        shop_plan(PlanDefaults(host=host))


def test_the_plan_goes_to_a_file_or_to_standard_output(tmp_path: Path) -> None:
    printed = run("--port", "8099", "--users", "3", "--duration-s", "4", "--think-ms", "5", folder=tmp_path)
    written = run("--port", "8099", "--users", "3", "--duration-s", "4", "--think-ms", "5", "--out", "shop.jmx",
                  folder=tmp_path)  # fmt: skip

    assert printed.stdout == shop_plan(PlanDefaults(port=8099, users=3, duration_s=4, think_ms=5))
    assert (written.returncode, written.stdout) == (0, b"")
    assert (tmp_path / "shop.jmx").read_bytes() == printed.stdout


def test_a_file_is_replaced_only_when_that_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "shop.jmx").write_text("mine", encoding="utf-8")
    refused = run("--out", "shop.jmx", folder=tmp_path)
    kept = (tmp_path / "shop.jmx").read_text(encoding="utf-8")
    forced = run("--out", "shop.jmx", "--force", folder=tmp_path)

    assert (refused.returncode, kept) == (2, "mine")
    assert b"There is a file 'shop.jmx' already." in refused.stderr
    assert forced.returncode == 0
    assert (tmp_path / "shop.jmx").read_bytes() == shop_plan(PlanDefaults())


def test_a_place_that_cannot_be_written_is_an_error_with_a_next_step(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = run("--out", "file/shop.jmx", folder=tmp_path)

    assert ended.returncode == 6, ended.stderr
    assert b"Traceback" not in ended.stderr
