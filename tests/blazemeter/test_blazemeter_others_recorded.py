"""What is known of BlazeMeter beyond the answers that are read: documents, and answers that nobody asks for."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter

from blazemeter.test_blazemeter_fixtures import body_of, client_of
from fixtures import fixture
from perfsuite.http import Answer
from perfsuite.sandbox.blazemeter import ROUTES
from perfsuite_blazemeter.client.api import BlazeMeter, Scope
from perfsuite_blazemeter.client.envelopes import result_of
from shared.http.loopback import Peer, Received, Step, answer, serving

DOCUMENT = "taurus_bzm-api.swagger.json"
EXPLORER = "aminamos_v4-explorer.swagger.json"
NOTES = "perfecto_API_NOTES.md"


class Shape(BaseModel):
    """An answer that has these fields and no others."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Point(Shape):
    """What /data/kpis tells of a second or of a whole run: counts, and times in milliseconds."""

    n: int
    na: int
    ec: int
    ts: int
    t_avg: float
    lt_avg: float
    by_avg: float
    n_avg: float
    ec_avg: float
    p90: float | None = None


class Kpis(Shape):
    labelId: str  # noqa: N815 - the name in the answer
    labelName: str  # noqa: N815
    label: str | None = None
    kpis: list[Point] = []


class Anomaly(BaseModel):
    labelId: str  # noqa: N815
    labelName: str  # noqa: N815
    kpi: str
    startTime: int  # noqa: N815
    endTime: int  # noqa: N815


class Anomalies(Shape):
    """A list where there is none, and a mapping where there are some."""

    anomalyCount: int = 0  # noqa: N815
    affectedLabel: list[str] = []  # noqa: N815
    anomalies: list[Anomaly] | dict[str, Anomaly] = []


class Validation(Shape):
    status: int
    fileName: str  # noqa: N815
    warnings: list[str]
    fileWarnings: list[str]  # noqa: N815


class Series(BaseModel):
    """What /masters/{id}/kpi-values tells, under either of two names. A point may be its time alone."""

    labelId: str  # noqa: N815
    labelName: str  # noqa: N815
    kpis: list[dict[str, float | None]] = []
    values: list[dict[str, float | None]] = []


def content_of(name: str) -> Any:
    """What an envelope holds."""
    return result_of(Answer(200, {}, body_of(name)), "it")


@pytest.mark.parametrize(
    ("name", "points"),
    [("mock_data_kpis.json", [2, 2]), ("mock_data_kpis_p90.json", [2]), ("mock_data_kpis_empty_label.json", [0])],
)
def test_kpis_have_one_shape(name: str, points: list[int]) -> None:
    found = TypeAdapter(list[Kpis]).validate_python(content_of(name))
    assert found[0].labelName == "ALL"
    assert [len(one.kpis) for one in found] == points


@pytest.mark.parametrize(("name", "count"), [("shape_anomalies_dict.json", 1), ("shape_anomalies_empty_list.json", 0)])
def test_anomalies_have_two_shapes(name: str, count: int) -> None:
    found = Anomalies.model_validate(content_of(name))
    assert found.anomalyCount == len(found.anomalies) == len(found.affectedLabel) == count


def test_what_another_client_was_told_of_anomalies_and_over_time() -> None:
    names = ("run_pair", "test_history", "project_sweep", "project_export")
    routes = [route for name in names for route in body_of(f"perfecto_{name}.json")["routes"]]
    told = {kind: [one["response"]["result"] for one in routes if one["path"].endswith(kind)] for kind in
            ("/anomalies/stats", "/kpi-values")}  # fmt: skip
    assert [Anomalies.model_validate(one).anomalyCount for one in told["/anomalies/stats"]].count(0) == 6
    series = [one for rows in told["/kpi-values"] for one in TypeAdapter(list[Series]).validate_python(rows)]
    assert len(series) == 6
    assert all("ts" in point for one in series for point in (*one.kpis, *one.values))


def test_what_the_check_of_a_script_and_functional_tests_tell() -> None:
    [found] = TypeAdapter(list[Validation]).validate_python(content_of("mock_test_validations.json"))
    assert found.warnings + found.fileWarnings == ["passfail warning", "passfail file warning"]
    [group] = content_of("mock_functional_groups.json")
    assert (group["summary"]["isFailed"], group["summary"]["errorsCount"]) == (True, 2)


async def sent(ask: Callable[[BlazeMeter], Any], result: Any) -> Received:
    """The request that a method of the client sends."""
    kept: list[Received] = []

    def keeping(step: Step) -> Step:
        async def told(request: Received, peer: Peer) -> None:
            kept.append(request)
            await step(request, peer)

        return told

    content = json.dumps({"result": result}).encode()
    async with serving(keeping(answer(200, content))) as server, client_of(server.url) as api:
        await ask(BlazeMeter(api))
    return kept[0]


def parameters_of(document: dict[str, Any], operation: dict[str, Any]) -> set[str]:
    """The names of the query parameters that a document gives to an operation."""
    found = (
        document["parameters"][one["$ref"].rpartition("/")[2]] if "$ref" in one else one
        for one in operation["parameters"]
    )
    return {one["name"] for one in found if one["in"] == "query"}


@pytest.mark.parametrize(
    ("method", "path", "ask", "result"),
    [
        ("get", "/tests", lambda one: one.tests(Scope(project_id=1, workspace_id=2), skip=10, limit=20), []),
        ("get", "/tests/{testId}", lambda one: one.test(201), {"id": 201}),
        ("post", "/tests/{testId}/start", lambda one: one.start_test(201), {"id": 1}),
    ],
)
async def test_what_is_asked_stands_in_the_document_of_the_api(
    method: str, path: str, ask: Callable[[BlazeMeter], Any], result: Any
) -> None:
    document = body_of(DOCUMENT)
    request = await sent(ask, result)
    target = urlsplit(request.target)
    assert target.path == document["basePath"] + path.replace("{testId}", "201")
    assert request.method.lower() == method
    operation = document["paths"][path][method]
    assert set(parse_qs(target.query)) <= parameters_of(document, operation)
    # The stand-in answers there, too.
    assert {("GET", "/tests"), ("GET", "/tests/{id}"), ("POST", "/tests/{id}/start")} <= {
        (one.method, one.path.removeprefix(document["basePath"])) for one in ROUTES
    }


def test_the_other_document_tells_of_nothing_that_is_asked() -> None:
    document = body_of(EXPLORER)
    ours = {re.sub(r"\{\w+\}", "{}", one.path.removeprefix(document["basePath"])) for one in ROUTES}
    assert len(document["paths"]) >= 40
    assert ours.isdisjoint(re.sub(r"\{\w+\}", "{}", path) for path in document["paths"])


def test_the_endpoints_that_another_client_names_are_those_of_the_stand_in() -> None:
    text = fixture(f"blazemeter/{NOTES}").read_text(encoding="utf-8")
    named = {re.sub(r"\{\w+\}", "{}", path) for path in re.findall(r"^\|[^|]+\| `(/[^`]+)`", text, re.MULTILINE)}
    ours = {re.sub(r"\{\w+\}", "{}", one.path.removeprefix("/api/v4")) for one in ROUTES}
    assert named - ours == {"/masters/{}/anomalies/stats", "/masters/{}/kpi-values"}
    assert len(named) >= 12


def test_every_recorded_answer_is_tried() -> None:
    folder, here = fixture("blazemeter"), Path(__file__)
    everything = "".join(path.read_text(encoding="utf-8") for path in here.parents[1].rglob("test_*.py"))
    assert [path.name for path in folder.iterdir() if path.name not in everything] == []
