"""Files of a run as resources."""

import os
from pathlib import Path

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import BlobResourceContents, TextResourceContents

from perfsuite.artifacts import RunStore
from perfsuite.mcp.resources import LARGEST, mime_type_of
from shared.mcp.conftest import Connect


@pytest.fixture
def run_root(artifacts: Path) -> Path:
    """A run with some files in it."""
    root = RunStore(artifacts).create("My_run.1").root
    (root / "analysis").mkdir()
    (root / "analysis" / "a b.json").write_text('{"é": 1}', encoding="utf-8-sig")
    (root / "lines.csv").write_text("".join(f"line {number}\n" for number in range(1, 101)), encoding="utf-8")
    (root / "chart.png").write_bytes(b"\x89PNG\x00")
    (root / "latin.log").write_bytes(b"caf\xe9")
    (root / "large.csv").write_bytes(b"x" * 9 + b"\n" + b"y" * (LARGEST + 5) + b"\nlast\n")
    (root / "large.png").write_bytes(b"x" * (LARGEST + 1))
    return root


async def content(client: Client, path: str) -> TextResourceContents | BlobResourceContents:
    return (await client.read_resource(f"run://My_run.1/{path}")).contents[0]


@pytest.mark.parametrize(
    ("path", "mime_type", "text"),
    [
        ("analysis/a%20b.json", "application/json", '{"é": 1}'),
        ("latin.log", "text/plain", "caf�"),
        ("lines.csv?first_line=99", "text/csv", "line 99\nline 100\n"),
        ("lines.csv?first_line=3&lines=2", "text/csv", "line 3\nline 4\n"),
        ("lines.csv?lines=1", "text/csv", "line 1\n"),
        ("lines.csv?first_line=200", "text/csv", ""),
        ("large.csv?lines=1", "text/csv", "xxxxxxxxx\n"),
        ("large.csv?first_line=3", "text/csv", "last\n"),
    ],
)
async def test_text_is_read_whole_or_by_lines(
    connect: Connect, run_root: Path, path: str, mime_type: str, text: str
) -> None:
    async with connect() as client:
        found = await content(client, path)

    assert isinstance(found, TextResourceContents)
    assert (found.mime_type, found.text) == (mime_type, text)


async def test_other_files_are_read_as_bytes(connect: Connect, run_root: Path) -> None:
    async with connect() as client:
        found = await content(client, "chart.png")

    assert isinstance(found, BlobResourceContents)
    assert (found.mime_type, found.blob) == ("image/png", "iVBORwA=")


@pytest.mark.parametrize(
    ("uri", "code", "said"),
    [
        ("run://My_run.1/nothing.csv", -32602, "has no 'nothing.csv'"),
        ("run://My_run.1/analysis", -32602, "is a folder"),
        ("run://unknown/x.csv", -32602, "does not exist"),
        ("run://.hidden/x.csv", -32602, "is not a run id"),
        ("run://My_run.1/../../x", -32602, "Unknown resource"),
        ("run://My_run.1/%2e%2e/%2e%2e/x", -32602, "Unknown resource"),
        ("run://My_run.1/analysis/../chart.png", -32602, "is not a path in a run folder"),
        ("other://x", -32602, "Unknown resource"),
        ("run://My_run.1/lines.csv?lines=none", -32602, "expected an integer"),
        ("run://My_run.1/lines.csv?lines=0", -32602, "expected at least 1"),
        ("run://My_run.1/chart.png?lines=1", -32602, "is not text"),
        ("run://My_run.1/large.csv", -32603, "?first_line=1&lines=1000"),
        ("run://My_run.1/large.csv?first_line=2&lines=1", -32603, "is the most that can be read at once"),
        ("run://My_run.1/large.png", -32603, "large.png"),
    ],
)
async def test_what_cannot_be_read_is_said(connect: Connect, run_root: Path, uri: str, code: int, said: str) -> None:
    async with connect() as client:
        with pytest.raises(MCPError) as caught:
            await client.read_resource(uri)

    assert caught.value.error.code == code
    assert said in caught.value.error.message


async def test_a_link_out_of_the_run_is_refused(connect: Connect, run_root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    (run_root / "link.txt").symlink_to(tmp_path / "secret.txt")
    async with connect() as client:
        with pytest.raises(MCPError, match="symbolic link"):
            await content(client, "link.txt")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="this user may read everything")
async def test_a_file_that_may_not_be_read_is_said(connect: Connect, run_root: Path) -> None:
    (run_root / "chart.png").chmod(0)
    async with connect() as client:
        with pytest.raises(MCPError, match="cannot be read"):
            await content(client, "chart.png")


async def test_files_of_runs_are_offered_as_a_template(connect: Connect) -> None:
    async with connect() as client:
        templates = (await client.list_resource_templates()).resource_templates

    assert [template.uri_template for template in templates] == ["run://{run_id}/{+path}{?first_line,lines}"]


def test_a_file_of_unknown_kind_is_bytes() -> None:
    assert mime_type_of("samples.parquet-of-old") == "application/octet-stream"
