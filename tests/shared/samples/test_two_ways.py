"""DuckDB's direct way through a CSV file and the careful one in Python give the same rows."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jtl
from fixtures import fixture
from perfsuite.samples.engine import Engine
from perfsuite.samples.options import ReadOptions

ANY_TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)
AWKWARD = st.sampled_from(
    ["", "null", '"', '""', "a,b", "a\tb", "a;b", "a|b", "a\nb", "a\r\nb", "a\rb", "\n", "x\n\ny", " padded ",
     "Größe", "Страница", "日本語", "😀", "=1+1", "-", "timeStamp", "label,", '"quoted"', 'say "hi"', "\ufeff",
     "\\", "'", "a" * 300]
)  # fmt: skip
TEXTS = st.one_of(st.sampled_from(["Home", "Cart", "200", "OK"]), AWKWARD, ANY_TEXT)
NUMBERS = st.one_of(st.just(""), st.integers(0, 100_000))
THREADS = st.one_of(st.sampled_from(["Users 1-1", "10.0.0.7:1099-Users 1-1", "host-a:1099-Users 1-2"]), TEXTS)
OPTIONAL = {
    "responseCode": TEXTS, "responseMessage": TEXTS, "threadName": THREADS, "dataType": TEXTS, "failureMessage": TEXTS,
    "bytes": NUMBERS, "sentBytes": NUMBERS, "grpThreads": NUMBERS, "allThreads": NUMBERS, "URL": TEXTS,
    "Latency": st.one_of(NUMBERS, st.sampled_from(["0.25", "12.5"])), "SampleCount": NUMBERS, "ErrorCount": NUMBERS,
    "Hostname": TEXTS, "IdleTime": NUMBERS, "Connect": NUMBERS, "my variable": TEXTS,
}  # fmt: skip
REQUIRED = {
    "timeStamp": st.integers(jtl.START_MS, jtl.START_MS + 10_000_000),
    "elapsed": st.one_of(st.integers(0, 1_000_000), st.floats(0, 1e6).map(lambda ms: round(ms, 3))),
    "label": TEXTS,
    "success": st.sampled_from(["true", "false", "TRUE", "False"]),
}
DIALECTS = st.fixed_dictionaries(
    {"delimiter": st.sampled_from([",", "\t", ";", "|", "^"]), "lineterminator": st.sampled_from(["\n", "\r\n"])},
    optional={"quoting": st.just(1)},
)


@st.composite
def files(draw: st.DrawFn) -> str:
    chosen = draw(st.lists(st.sampled_from(list(OPTIONAL)), unique=True))
    columns = draw(st.permutations([*REQUIRED, *chosen]))
    # The first row decides whether the fast way is taken at all.
    first: dict[str, Any] = dict.fromkeys(columns, "") | {
        "timeStamp": jtl.START_MS, "elapsed": 5, "label": "first", "success": "true"
    }  # fmt: skip
    fields = st.fixed_dictionaries({name: {**REQUIRED, **OPTIONAL}[name] for name in columns})
    content = jtl.text([first, *draw(st.lists(fields, max_size=8))], columns, **draw(DIALECTS))
    return content if draw(st.booleans()) else content.rstrip("\r\n")


@settings(max_examples=250, deadline=None)
@given(contents=st.lists(files(), min_size=1, max_size=2), timestamp=st.sampled_from(["start", "end"]))
def test_both_ways_give_the_same_rows_of_whatever_jmeter_can_write(
    engine: Engine, contents: list[str], timestamp: Any
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = [jtl.put(Path(folder), content, f"{i}.jtl") for i, content in enumerate(contents)]
        options = ReadOptions(timestamp=timestamp)
        fast = jtl.rows_read(engine, paths, careful=False, options=options)
        careful = jtl.rows_read(engine, paths, careful=True, options=options)
    assert fast is None or fast == careful


@pytest.mark.parametrize(
    "name",
    [
        "apache-jmeter/HTMLReportTestFile.csv",
        "cedric-ko/results.jtl",
        "jenkins-performance-plugin/filewithtransactions.csv",
        "jmeter-5.6.3/default_with_sample_variables.csv",
        "bzm/unicode.jtl",
        "bzm/tabs.jtl",
    ],
)
def test_both_ways_give_the_same_rows_of_real_files(engine: Engine, name: str) -> None:
    path = fixture(f"jtl/{name}")
    fast, careful = jtl.rows_read(engine, [path], careful=False), jtl.rows_read(engine, [path], careful=True)
    assert careful
    assert fast in (None, careful)


def test_the_fast_way_is_the_usual_one(engine: Engine, tmp_path: Path) -> None:
    path = jtl.put(tmp_path, jtl.text(jtl.samples(1, 2, 3)))
    fast = jtl.rows_read(engine, [path], careful=False)
    assert fast is not None
    assert fast == jtl.rows_read(engine, [path], careful=True)


@pytest.mark.parametrize("word", ["true", "TRUE", "tRuE", "t", "1", "yes", "Y", "false", "F", "0", "No", "n"])
def test_both_ways_take_the_same_words_for_success(engine: Engine, tmp_path: Path, word: str) -> None:
    path = jtl.put(tmp_path, jtl.text([jtl.sample(success=word)]))
    fast = jtl.rows_read(engine, [path], careful=False)
    assert fast is not None
    assert fast == jtl.rows_read(engine, [path], careful=True)


@pytest.mark.parametrize("number", ["12.5", "1e3", "1_000", "+7", " 7 ", ".5", "0.49999"])
def test_both_ways_round_odd_numbers_alike(engine: Engine, tmp_path: Path, number: str) -> None:
    path = jtl.put(tmp_path, jtl.text([jtl.sample(bytes=number, allThreads=number, Latency=number, elapsed=number)]))
    fast = jtl.rows_read(engine, [path], careful=False)
    assert fast is not None
    assert fast == jtl.rows_read(engine, [path], careful=True)


def test_a_file_whose_name_is_a_pattern_is_read_alone(engine: Engine, tmp_path: Path) -> None:
    jtl.put(tmp_path, jtl.text(jtl.samples(9)), "ab.jtl")
    jtl.put(tmp_path, jtl.text(jtl.samples(9)), "a1.jtl")
    for name in ("a*.jtl", "a?.jtl", "a[1].jtl", "it's ~.jtl"):
        path = jtl.put(tmp_path, jtl.text(jtl.samples(1, 2)), name)
        assert [row[1] for row in jtl.rows_read(engine, [path], careful=False) or ()] == [1_000, 2_000], name


def test_a_file_below_a_folder_named_like_the_home_is_found(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "~").mkdir()
    jtl.put(tmp_path / "~", jtl.text(jtl.samples(1)))
    monkeypatch.chdir(tmp_path)
    assert jtl.rows_read(engine, [Path("~/results.jtl")], careful=False)


def test_a_name_that_is_no_utf8_is_read_carefully(engine: Engine, tmp_path: Path) -> None:
    path = jtl.put(tmp_path, jtl.text(jtl.samples(1, 2)), b"\xff.jtl".decode("utf-8", "surrogateescape"))
    assert jtl.rows_read(engine, [path], careful=False) is None
    assert len(jtl.rows_read(engine, [path], careful=True) or ()) == 2
