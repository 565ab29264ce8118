"""Pictures of a report: the run's own and no other file, whatever the report names."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from confluence.conftest import RUN, TITLE, Publisher, png, write_report
from perfsuite.artifacts import RunFolder, RunStore

pytestmark = pytest.mark.anyio
Pages = Callable[[str], list[Any]]


def naming(*sources: str) -> str:
    return "# Load test of the checkout\n\n" + "\n\n".join(f"![picture]({source})" for source in sources)


@pytest.mark.parametrize(
    "source",
    [
        "../../../outside.png",
        "../../checkout-2/charts/P90_USERS.png",
        "/etc/passwd",
        "/etc/passwd.png",
        "../charts/..%2F..%2F..%2Foutside.png",
        "file:///etc/passwd.png",
        "https://example.com/x.png",
        "..\\..\\outside.png",
        "../charts/link.png",
        "../run.json",
        "../.locks/run.png",
        "../charts",
        "../charts/missing.png",
    ],
)
async def test_no_file_from_outside_is_published(
    publisher: Publisher, run: RunFolder, runs: RunStore, pages: Pages, source: str, tmp_path: Path
) -> None:
    (tmp_path / "outside.png").write_bytes(png())
    write_report(runs.open_or_create("checkout-2"))
    (run.root / "charts" / "link.png").symlink_to(tmp_path / "outside.png")
    write_report(run, naming(source))
    told = await publisher.publish()
    [page] = pages(TITLE)
    assert page.attachments == []
    assert "There is no picture here: picture." in page.latest.body
    assert "`create_chart` draws charts" in " ".join(told["notes"])


async def test_a_file_that_is_no_picture_is_not_published(publisher: Publisher, run: RunFolder, pages: Pages) -> None:
    (run.root / "charts" / "fake.png").write_bytes(b"<script>alert(1)</script>")
    write_report(run, naming("../charts/fake.png"))
    told = await publisher.publish()
    assert pages(TITLE)[0].attachments == []
    assert "is not the png file that its name says" in " ".join(told["notes"])


async def test_pictures_of_one_name_in_two_folders_are_two_files(
    publisher: Publisher, run: RunFolder, pages: Pages
) -> None:
    (run.root / "reports" / "P90_USERS.png").write_bytes(png(shade=3))
    write_report(run, naming("../charts/P90_USERS.png", "P90_USERS.png", "../charts/P90_USERS.png"))
    assert (await publisher.publish())["files_added"] == 2
    contents = {one.latest.content for one in pages(TITLE)[0].attachments}
    assert contents == {png(shade=100), png(shade=3)}


async def test_names_that_confluence_refuses_are_made_safe(publisher: Publisher, run: RunFolder, pages: Pages) -> None:
    name = 'CPU "db:1" <a&b>.png'
    (run.root / "charts" / name).write_bytes(png())
    write_report(run, naming('<../charts/CPU "db:1" %3Ca&b%3E.png>'))
    told = await publisher.publish()
    [file] = pages(TITLE)[0].attachments
    assert (told["notes"], file.title.isascii(), file.title.endswith(".png")) == ([], True, True)


async def test_a_long_table_arrives_as_a_file(publisher: Publisher, run: RunFolder, pages: Pages) -> None:
    rows = "\n".join(f"| {number} | =cmd() |" for number in range(300))
    write_report(run, f"# Load test of the checkout\n\n| n | label |\n|---|---|\n{rows}\n")
    told = await publisher.publish()
    [file] = pages(TITLE)[0].attachments
    assert (file.title, file.latest.media_type) == ("table-1.csv", "text/csv")
    assert file.latest.content.decode("utf-8-sig").splitlines()[1] == "0,'=cmd()"
    assert "A table of 300 rows is attached" in " ".join(told["notes"])
    assert (await publisher.publish())["outcome"] == "unchanged"


async def test_an_unfilled_template_is_said(publisher: Publisher, run: RunFolder) -> None:
    write_report(run, "# Load test of the checkout\n\nPeak: {{ peak }} of [[CHART: P90]].\n")
    assert "'{{ peak }}'" in " ".join((await publisher.publish(dry_run=True))["notes"])


@pytest.mark.parametrize("content", [b"", b"\n\n <!-- x -->\n", b"# Only a title\n"])
async def test_an_empty_report_is_not_published(publisher: Publisher, run: RunFolder, content: bytes) -> None:
    (run.root / "reports" / f"performance_report_{RUN}.md").write_bytes(content)
    assert "is empty" in await publisher.refused()


async def test_a_report_that_is_no_text_is_said(publisher: Publisher, run: RunFolder) -> None:
    (run.root / "reports" / f"performance_report_{RUN}.md").write_bytes(b"\xff\xfe\x00")
    assert "is not UTF-8 text" in await publisher.refused()


async def test_a_run_id_cannot_lead_out_of_the_artifacts(publisher: Publisher) -> None:
    for run_id in ("../x", "..", "a/../../b"):
        assert "is not a run id" in await publisher.refused(run_id=run_id)
