"""What is no result file, or a damaged one: the error says what was found, what was expected and what to do."""

import gzip
import zlib
from pathlib import Path

import pytest

import jtl
from perfsuite.errors import BadFile, BadInput, LimitExceeded, NotFound, PerfsuiteError
from perfsuite.samples.options import ReadOptions
from perfsuite.samples.summary import summarise

GOOD = jtl.text(jtl.samples(10, 20, 30))
ROW = GOOD.splitlines()[1]
XML = '<testResults version="1.2">\n<sample t="5" ts="1700000000000" s="true" lb="A"/>\n</testResults>\n'


def refused(folder: Path, content: str | bytes, kind: type[PerfsuiteError] = BadFile) -> PerfsuiteError:
    with pytest.raises(kind) as caught:
        jtl.stats(folder, content)
    assert "'results.jtl'" in caught.value.message or content == XML
    assert caught.value.next_step.endswith(".")
    return caught.value


@pytest.mark.parametrize("content", ["", " \n\t\r\n", "\ufeff", b"\xff\xfe", gzip.compress(b"", mtime=0)])
def test_an_empty_file_is_said_to_be_empty(tmp_path: Path, content: str | bytes) -> None:
    error = refused(tmp_path, content)
    assert "is empty" in error.message
    assert "no thread group was enabled" in error.next_step


@pytest.mark.parametrize("content", [jtl.HEADER, jtl.HEADER + "\r\n", "\ufeff" + jtl.HEADER + "\n\n"])
def test_a_header_without_samples_is_said_to_be_that(tmp_path: Path, content: str) -> None:
    error = refused(tmp_path, content)
    assert "there is a header but no sample" in error.message
    assert "only the header" in error.next_step


@pytest.mark.parametrize(
    "content",
    [
        b"\x7fELF\x02\x01\x01\0\0\0\0",
        b"PK\x03\x04\x14\0\0\0\x08\0",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"x" * 300_000,
        GOOD.encode("utf-16-le"),
    ],
)
def test_a_binary_file_is_refused_and_the_formats_are_named(tmp_path: Path, content: bytes) -> None:
    error = refused(tmp_path, content)
    assert "is binary. Expected: JMeter CSV or XML, or k6 output" in error.message
    assert "unpack archives such as .zip first" in error.next_step


@pytest.mark.parametrize("content", ["<!DOCTYPE html><title>Log in</title>", "\n <HTML><body>502</body></HTML>"])
def test_a_web_page_is_said_to_be_one(tmp_path: Path, content: str) -> None:
    error = refused(tmp_path, content)
    assert "is a web page" in error.message
    assert "login or error page" in error.next_step


def test_other_text_is_refused_with_its_first_line(tmp_path: Path) -> None:
    error = refused(tmp_path, "Dear all,\nthe test went well.\n")
    assert "first line is 'Dear all,'" in error.message
    assert "Expected: a JMeter CSV file with a header row" in error.message


def test_a_folder_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"is a folder\. Name the result file inside it"):
        summarise([tmp_path])


@pytest.mark.parametrize("name", ["missing.jtl", "results.jtl/below-a-file", "nul\0byte"])
def test_a_file_that_is_not_there_is_named_with_its_path(tmp_path: Path, name: str) -> None:
    jtl.put(tmp_path, GOOD)
    with pytest.raises(NotFound) as caught:
        summarise([tmp_path / name])
    assert repr(str(tmp_path / name)) in caught.value.message


def test_a_path_that_the_file_system_does_not_take_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="cannot be read: File name too long"):
        summarise([tmp_path / ("a" * 300)])


def test_links_that_point_at_each_other_are_no_file(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(NotFound, match="There is no file"):
        summarise([tmp_path / "a"])


def test_missing_columns_are_listed_with_those_found_and_needed(tmp_path: Path) -> None:
    error = refused(tmp_path, "timeStamp,label,responseCode\n1,A,200\n")
    assert "lacks the column(s) elapsed, success." in error.message
    assert "Found: timeStamp, label, responseCode. Needed: timeStamp, elapsed, label, success." in error.message
    assert "jmeter.save.saveservice" in error.next_step


def test_a_very_wide_header_is_shown_in_part(tmp_path: Path) -> None:
    error = refused(tmp_path, ",".join(["elapsed", "label", *(f"v{i}" for i in range(500))]) + "\n")
    assert error.message.count("v1") < 15
    assert "and 482 more" in error.message


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, "timeStamp,elapsed,label,success,elapsed\n1700000000000,1,A,true,2\n")
    assert "has the column(s) elapsed more than once" in error.message


def test_a_file_without_a_header_says_how_to_name_its_columns(tmp_path: Path) -> None:
    error = refused(tmp_path, ROW + "\n")
    assert "no header row: its first row is data with 16 fields" in error.message
    assert "--columns" in error.next_step


def test_columns_that_do_not_fit_the_file_are_refused_with_both_counts(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="has 16 fields in its first row, but 4 columns were given"):
        jtl.stats(tmp_path, ROW + "\n", options=ReadOptions(columns=("timeStamp", "elapsed", "label", "success")))


def test_an_unknown_time_zone_is_refused() -> None:
    for zone in ("Europe/Atlantis", "../../etc/passwd", "", "Europe", "/etc/passwd"):
        with pytest.raises(BadInput, match=r"is not known\. Give a name of the IANA data base"):
            ReadOptions(timezone=zone)


def test_nul_bytes_are_removed_and_said(tmp_path: Path) -> None:
    found = jtl.stats(tmp_path, GOOD.replace("Home", "Ho\0me", 1))
    assert [one.label for one in found.labels] == ["Home"]
    assert found.total.samples == 3
    assert "NUL bytes were removed." in found.warnings


def test_latin_1_is_read_and_said(tmp_path: Path) -> None:
    found = jtl.stats(tmp_path, GOOD.replace("Home", "Größe", 1).encode("cp1252"))
    assert {one.label for one in found.labels} == {"Home", "Größe"}
    assert "Some rows are not UTF-8 and were read as Windows Latin-1." in found.warnings


def test_a_header_that_is_indented_is_one_wherever_it_stands(tmp_path: Path) -> None:
    found = jtl.stats(tmp_path, f"\t{jtl.HEADER}\n{ROW}\n" * 2)
    assert (found.total.samples, found.files[0].rows_rejected) == (2, 0)


def test_a_latin_1_header_is_still_the_header(tmp_path: Path) -> None:
    found = jtl.stats(tmp_path, (jtl.HEADER + ",größe\n" + ROW + ",1\n").encode("cp1252"))
    assert (found.total.samples, found.files[0].rows_rejected) == (1, 0)


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        "\n\n" + GOOD,
        GOOD.encode("utf-16"),
        "\ufeff".encode("utf-16-be") + GOOD.encode("utf-16-be"),
        gzip.compress(GOOD.encode()),
        gzip.compress(GOOD.encode("utf-16")),
        gzip.compress(GOOD[:300].encode()) + gzip.compress(GOOD[300:].encode()),
    ],
    ids=["bom", "crlf", "blank lines first", "utf-16-le", "utf-16-be", "gzip", "gzip of utf-16", "gzip in two parts"],
)
def test_the_same_samples_in_another_envelope_give_the_same_numbers(tmp_path: Path, content: str | bytes) -> None:
    plain = jtl.stats(tmp_path, GOOD)
    found = jtl.stats(tmp_path, content)
    assert (found.labels, found.total, found.rows_read) == (plain.labels, plain.total, plain.rows_read)
    assert found.files[0].rows_rejected == 0


def test_a_line_of_ten_megabytes_is_rejected_alone(tmp_path: Path) -> None:
    lines = GOOD.splitlines()
    huge = ROW.replace("Home", "A" * 10_000_000)
    found = jtl.stats(tmp_path, "\n".join([lines[0], lines[1], huge, *lines[2:], ""]))
    assert found.total.samples == 3
    [rejected] = found.files[0].rejected
    assert (rejected.line, rejected.reason) == (3, "the line is longer than 1,000,000 bytes")


def test_a_last_line_of_ten_megabytes_is_rejected_alone(tmp_path: Path) -> None:
    found = jtl.stats(tmp_path, GOOD + "A" * 10_000_000)
    assert found.total.samples == 3
    assert [row.line for row in found.files[0].rejected] == [5]


def test_a_quote_that_is_never_closed_loses_its_own_row_alone(tmp_path: Path) -> None:
    lines = jtl.text(jtl.samples(*range(400))).splitlines()
    lines[2] = lines[2].replace("Home", '"Home')
    found = jtl.stats(tmp_path, "\n".join([*lines, ""]))
    assert found.total.samples == 399
    [rejected] = found.files[0].rejected
    assert rejected.line == 3
    assert "a quote is never closed" in rejected.reason


def test_many_quotes_that_are_never_closed_do_not_take_for_ever(tmp_path: Path) -> None:
    lines = jtl.text(jtl.samples(*range(3_000))).splitlines()
    lines[1:] = [line.replace("Home", '"Home') for line in lines[1:]]
    with pytest.raises(BadFile, match="none of the 3000 rows can be read"):
        jtl.stats(tmp_path, "\n".join([*lines, ""]))


@pytest.mark.parametrize(
    ("stamp", "reason"),
    [
        ("2001/20/20 10:00:00", "timeStamp '2001/20/20 10:00:00' does not exist: month must be in 1..12"),
        ("2021-02-30 10:00:00.000", "does not exist: day is out of range for month"),
        ("2021-11-21 25:00:00", "does not exist: hour must be in 0..23"),
        ("0001/01/01 00:00:00", "is not between 1990 and 2100"),
        ("9999-12-31T23:59:59Z", "is not between 1990 and 2100"),
        ("2021-01-01T00:00:00+99:99", "is in a time zone that does not exist"),
        ("25:61:00", "is a time of day that does not exist"),
        ("-1", "is not between 1990 and 2100"),
        ("4102444800000", "is not between 1990 and 2100"),
        ("none", "is neither epoch milliseconds nor a date format that JMeter writes"),
        ("", "is neither epoch milliseconds nor a date format that JMeter writes"),
        ("9" * 400, "is neither epoch milliseconds"),
    ],
)
def test_an_impossible_date_is_rejected_with_its_line_and_the_reason(tmp_path: Path, stamp: str, reason: str) -> None:
    found = jtl.stats(tmp_path, jtl.text([*jtl.samples(1, 2), jtl.sample(timeStamp=stamp), *jtl.samples(3)]))
    assert found.total.samples == 3
    [rejected] = found.files[0].rejected
    assert rejected.line == 4
    assert reason in rejected.reason


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("elapsed", "-5", "elapsed is negative: '-5'"),
        ("elapsed", "", "elapsed is '', which is not a number"),
        ("elapsed", "nan", "elapsed is 'nan', which is not a number that can be"),
        ("elapsed", "1e300", "which is not a number that can be"),
        ("elapsed", "31536000001", "which is more than a year"),
        ("success", "maybe", "success is 'maybe', which is neither true nor false"),
        ("success", "", "success is '', which is neither true nor false"),
        ("SampleCount", "99999999999", "sample_count is '99999999999', which is more than it can be"),
        ("ErrorCount", "-1", "error_count is negative"),
    ],
)
def test_a_row_that_cannot_be_counted_is_rejected_with_the_reason(
    tmp_path: Path, field: str, value: str, reason: str
) -> None:
    columns = (*jtl.COLUMNS, "SampleCount", "ErrorCount")
    rows = [jtl.sample(SampleCount=1, ErrorCount=0) for _ in range(3)]
    rows[1][field] = value
    found = jtl.stats(tmp_path, jtl.text(rows, columns))
    assert (found.total.samples, found.rows_read, found.files[0].rows_rejected) == (2, 2, 1)
    [rejected] = found.files[0].rejected
    assert rejected.line == 3
    assert reason in rejected.reason


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bytes", "-100"),
        ("bytes", "9" * 25),
        ("allThreads", "99999999999"),
        ("sentBytes", "many"),
        ("allThreads", "-1"),
    ],
)
def test_a_number_that_a_row_can_do_without_is_left_out_and_said(tmp_path: Path, field: str, value: str) -> None:
    found = jtl.stats(tmp_path, jtl.text([*jtl.samples(10), jtl.sample(**{field: value}, elapsed=20)]))
    assert (found.total.samples, found.total.mean_ms, found.files[0].rows_rejected) == (2, 15.0, 0)
    [said] = [warning for warning in found.warnings if "left out" in warning]
    assert said.startswith("Line 3: ")
    assert value[:20] in said


def test_when_no_row_can_be_read_the_first_reason_is_given(tmp_path: Path) -> None:
    error = refused(tmp_path, jtl.text([jtl.sample(elapsed="soon") for _ in range(150)]))
    assert "none of the 150 rows can be read. Line 2: elapsed is 'soon', which is not a number." in error.message


def test_of_many_rejected_rows_the_first_hundred_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    rows = [*jtl.samples(1), *(jtl.sample(elapsed="x") for _ in range(250))]
    found = jtl.as_json(jtl.stats(tmp_path, jtl.text(rows)))
    assert (found["rows_read"], found["rows_rejected"], len(found["rejected"])) == (1, 250, 100)
    assert found["rejected"][0] == {
        "file": "results.jtl",
        "line": 3,
        "reason": "elapsed is 'x', which is not a number",
    }


def test_an_xml_entity_bomb_is_refused(tmp_path: Path) -> None:
    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{laughs}]>' + XML.replace("A", "&l9;")
    with pytest.raises(BadFile, match="declares the document type 'x', which could carry entities"):
        jtl.stats(tmp_path, bomb)


def test_an_external_entity_is_never_fetched(tmp_path: Path) -> None:
    secret = jtl.put(tmp_path, "canary-4711", "secret.txt")
    document = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]>' + XML.replace('lb="A"', 'lb="&e;"')
    with pytest.raises(BadFile) as caught:
        jtl.stats(tmp_path, document)
    assert "canary" not in str(caught.value)


def test_a_gzip_bomb_is_refused_before_it_fills_the_disk(tmp_path: Path) -> None:
    packer = zlib.compressobj(9, wbits=31)
    line = (ROW + "\n").encode() * 8_000
    packed = packer.compress((jtl.HEADER + "\n").encode())
    packed += b"".join(packer.compress(line) for _ in range(120)) + packer.flush()
    with pytest.raises(LimitExceeded, match="unpacks to more than 200 times its size") as caught:
        jtl.stats(tmp_path, packed)
    assert "unpack it yourself" in caught.value.next_step


def test_a_gzip_file_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    packed = gzip.compress(jtl.text(jtl.samples(*range(2_000))).encode())
    found = jtl.stats(tmp_path, packed[: len(packed) // 2])
    assert 0 < found.total.samples < 2_000
    assert "The gzip file is cut off; what could be unpacked was read." in found.warnings


def test_a_gzip_file_that_ends_in_its_first_bytes_is_damaged_not_empty(tmp_path: Path) -> None:
    packed = gzip.compress(GOOD.encode())
    error = refused(tmp_path, packed[:12])
    assert "is cut off" in error.message
    assert "Fetch the file again" in error.next_step


def test_a_damaged_gzip_file_is_said_to_be_damaged(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(jtl.text(jtl.samples(*range(100_000))).encode()))
    packed[len(packed) - 5_000 : len(packed) - 4_900] = b"\xff" * 100
    assert "is a damaged gzip file" in refused(tmp_path, bytes(packed)).message


def test_a_file_that_only_begins_like_gzip_is_damaged(tmp_path: Path) -> None:
    error = refused(tmp_path, b"\x1f\x8b" + b"A" * 100)
    assert "starts like a gzip file but cannot be unpacked" in error.message


def test_line_breaks_within_fields_are_kept_as_they_are(tmp_path: Path) -> None:
    labels = ["a\nb", "a\r\nb", "a\rb", "a\n\n\nb", "\n", "end\n"]
    # The row that is rejected makes sure that the careful reader is at work.
    rows = [jtl.sample(elapsed="x"), *(jtl.sample(label=label) for label in labels)]
    found = jtl.stats(tmp_path, jtl.text(rows, quoting=1))
    assert {one.label for one in found.labels} == set(labels)


def test_a_bare_carriage_return_does_not_end_a_row(tmp_path: Path) -> None:
    content = GOOD.replace("Home", "Ho\rme", 1)
    assert {one.label for one in jtl.stats(tmp_path, content).labels} == {"Home", "Ho\rme"}
    quoted = content.replace("OK", '"OK"', 1)
    [rejected] = jtl.stats(tmp_path, quoted).files[0].rejected
    assert (rejected.line, "line break stands where none may be" in rejected.reason) == (2, True)


@pytest.mark.parametrize("cut", ['1700000009000,5,"Ho', "1700000009000,5,Ho", '1700000009000,5,"Home",20'])
def test_a_torn_last_row_is_left_out_and_said(tmp_path: Path, cut: str) -> None:
    found = jtl.stats(tmp_path, GOOD + cut)
    assert found.total.samples == 3
    [rejected] = found.files[0].rejected
    assert rejected.line == 5
    assert rejected.reason.startswith("torn last row: ")
    assert "The file ends in the middle of a row, as after a kill; that row was left out." in found.warnings


def test_a_last_row_without_a_line_end_is_read_and_doubted(tmp_path: Path) -> None:
    found = jtl.stats(tmp_path, GOOD.rstrip("\n"))
    assert found.total.samples == 3
    assert "The last row has no line end; its last field may be cut." in found.warnings


def test_labels_of_any_kind_are_told_apart_and_never_cut(tmp_path: Path) -> None:
    labels = ["x" * 5_000, "a|b", "[red]", "<b>&amp;</b>", "\x1b[31m", "a\tb", "=cmd()", "日本語", "😀", "ALL", "TOTAL"]
    found = jtl.stats(tmp_path, jtl.text([jtl.sample(label=label) for label in labels]))
    assert {one.label for one in found.labels} == set(labels)


def test_twenty_thousand_labels_have_a_row_each(tmp_path: Path) -> None:
    rows = [jtl.sample(label=f"GET /item/{i}", elapsed=i) for i in range(20_000)]
    found = jtl.stats(tmp_path, jtl.text(rows))
    assert len(found.labels) == 20_000
    assert found.total.samples == 20_000
    assert all(one.samples == 1 and one.min_ms == one.max_ms for one in found.labels)


def test_labels_that_end_in_endless_numbers_do_not_take_for_ever(tmp_path: Path) -> None:
    rows = [*jtl.samples(1), jtl.sample(label="A" + "-1" * 100_000)]
    assert len(jtl.stats(tmp_path, jtl.text(rows)).labels) == 2
