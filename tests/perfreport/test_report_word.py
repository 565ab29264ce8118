"""The Word document has headings, tables, captions and alt texts that Word knows."""

import struct
import zlib

from docx import Document
from docx.document import Document as Opened

from perfsuite.artifacts import RunStore, layout
from perfsuite_perfreport.service.charts import create_charts, load_charts

from .reported import changed, report_file, reported, text_of, with_chart


def png(width: int = 4, height: int = 3) -> bytes:
    """A white picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + b"\xff" * width for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def opened(runs: RunStore, run_id: str) -> Opened:
    reported(runs, run_id, formats=("docx",))
    return Document(str(report_file(runs, run_id, "docx")))


def test_headings_are_headings(runs: RunStore) -> None:
    found = [(one.style.name, one.text) for one in opened(runs, "storm").paragraphs if one.style]
    assert found[0] == ("Title", "Performance test report: storm")
    assert ("Heading 1", "SLA") in found
    assert ("Heading 2", "What is missing") in found


def test_tables_are_tables_whose_head_is_repeated_and_which_have_a_caption(runs: RunStore) -> None:
    document = opened(runs, "storm")
    [sla] = [one for one in document.tables if one.rows[0].cells[0].text == "Verdict"]
    assert sla.rows[1].cells[0].text == "FAIL"
    assert sla.rows[0]._tr.trPr.xpath("./w:tblHeader")
    captions = [one for one in document.paragraphs if one.style and one.style.name == "Caption"]
    assert captions[0].text.startswith("Table ")
    fields = document.element.xpath("//w:fldSimple/@w:instr")
    assert len(fields) == len(captions)
    assert set(fields) == {" SEQ Table \\* ARABIC ", " SEQ Figure \\* ARABIC "}


def test_verdicts_have_a_colour(runs: RunStore) -> None:
    runs_of_text = [run for one in opened(runs, "storm").paragraphs for run in one.runs if run.text == "FAIL"]
    assert str(runs_of_text[0].font.color.rgb) == "B42318"


def test_a_chart_is_in_every_format_and_has_an_alt_text(runs: RunStore) -> None:
    with_chart(runs.open("calm"), "TOP_SLOWEST", png())
    document = opened(runs, "calm")
    alts = [picture._inline.docPr.get("descr") for picture in document.inline_shapes]
    assert len(alts) == 7
    assert alts[-1] == "Chart: Slowest requests"
    assert "![Chart: Slowest requests](../charts/TOP_SLOWEST.png)" in text_of(runs, "calm")
    report = reported(runs, "calm")
    assert [one.chart_id for one in report.pictures][-1] == "TOP_SLOWEST"
    assert "charts/TOP_SLOWEST.png" in {one.path for one in report.inputs}
    assert document.element.xpath("//w:fldSimple/@w:instr").count(" SEQ Figure \\* ARABIC ") == 7


def test_a_chart_that_is_older_than_what_it_shows_is_drawn_anew(runs: RunStore) -> None:
    chart = runs.open("calm").root / "charts/THROUGHPUT_USERS.png"
    before = chart.read_bytes()
    changed(runs.open("calm"), layout.PERFORMANCE_ANALYSIS, lambda content: content["over_time"]["buckets"].pop())
    reported(runs, "calm", formats=("md",))
    assert chart.read_bytes() != before


def test_another_chart_that_is_older_than_what_it_shows_is_left_out_and_said(runs: RunStore) -> None:
    create_charts(runs, "calm", "TOP_SLOWEST", None, load_charts(()))
    changed(runs.open("calm"), layout.PERFORMANCE_ANALYSIS, lambda content: content["over_time"]["buckets"].pop())
    report = reported(runs, "calm", formats=("md",))
    assert "TOP_SLOWEST" not in {one.chart_id for one in report.pictures}
    assert any(one.what == "Chart TOP_SLOWEST" and "`create_chart`" in one.next_step for one in report.missing)


def test_a_chart_that_cannot_be_drawn_is_said(runs: RunStore) -> None:
    report = reported(runs, "bare", formats=("md",))
    assert [one.chart_id for one in report.pictures] == [
        "THROUGHPUT_USERS", "PERCENTILES_OVER_TIME", "P90_USERS", "ERRORS_BY_CODE",
    ]  # fmt: skip
    assert {one.what for one in report.missing} >= {"Chart CPU_UTILIZATION", "Chart MEMORY_UTILIZATION"}


def test_a_chart_that_is_no_picture_does_not_stop_the_report(runs: RunStore) -> None:
    with_chart(runs.open("calm"), "TOP_SLOWEST", b"\x89PNG\r\n\x1a\n torn")
    assert any("The picture is not there" in one.text for one in opened(runs, "calm").paragraphs)


def test_a_hundred_charts_are_all_shown(runs: RunStore) -> None:
    for number in range(100):
        with_chart(runs.open("bare"), f"CHART_{number}", png())
    assert len(opened(runs, "bare").inline_shapes) == 100
