"""What readers say about a file, and the texts they pass on."""

from hypothesis import given
from hypothesis import strategies as st

from perfsuite.samples.rows import MAX_TEXT, ReadReport, printable, text_of


def test_all_rejections_are_counted_and_the_first_hundred_kept() -> None:
    report = ReadReport()
    for line in range(1, 251):
        report.reject(line, f"reason {line}")
    assert report.rows_rejected == 250
    assert [rejected.line for rejected in report.rejected] == list(range(1, 101))


def test_a_warning_is_kept_once_and_their_number_is_bounded() -> None:
    report = ReadReport()
    report.warn("first")
    report.warn("first")
    assert report.warnings == ["first"]
    for number in range(1_000):
        report.warn(f"warning {number}")
    assert len(report.warnings) == 50
    assert report.warnings[-1] == "There are more warnings than are kept here."


def test_reasons_and_warnings_are_short_single_lines() -> None:
    report = ReadReport()
    report.reject(1, "a\x1b[31m\r\nb\u202ec" + "x" * 1_000)
    report.warn("w" * 1_000_000)
    assert report.rejected[0].reason.startswith("a [31m b c")
    assert {len(report.rejected[0].reason), len(report.warnings[0])} == {200}
    assert report.warnings[0].endswith("…")


def test_long_texts_are_cut_and_said_once() -> None:
    report = ReadReport()
    assert len(report.text_of("x" * (MAX_TEXT + 1)) or "") == MAX_TEXT
    assert len(report.text_of("y" * (MAX_TEXT * 2)) or "") == MAX_TEXT
    assert report.text_of("z" * MAX_TEXT) == "z" * MAX_TEXT
    assert len(report.warnings) == 1


def test_empty_text_is_none() -> None:
    assert [text_of(value) for value in (None, "", "\0", "a")] == [None, None, None, "a"]


@given(st.text(st.characters(exclude_categories=()), max_size=300))
def test_any_text_becomes_one_that_utf_8_takes(text: str) -> None:
    cleaned = text_of(text, limit=100)
    assert cleaned is None or (cleaned.encode("utf-8") and "\0" not in cleaned and len(cleaned) <= 100)
    shown = printable(text)
    assert shown.encode("utf-8") is not None
    assert shown == "" or shown.isprintable() or all(not c.isspace() or c == " " or ord(c) > 0x9F for c in shown)
