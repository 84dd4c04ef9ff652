"""Real documents, drawn by chance, become valid Thing Descriptions without a silent loss.

`DIRECTORY_DOCUMENTS=300 DIRECTORY_SEED=2026 DIRECTORY_REPORT_LIMIT_CHARS=0` draws more of them, or
others, and has all judged by W3C's assertion report.
"""

import os

import pytest

from tests.converters.directory.archive import draw
from tests.converters.directory.coverage import Coverage
from tests.converters.directory.judging import Judgement, judge
from tests.oracle.playground import check_data_schemas, check_with_playground

COUNT = int(os.environ.get("DIRECTORY_DOCUMENTS", "40"))
SEED = int(os.environ.get("DIRECTORY_SEED", "7"))
# The assertion report takes many seconds for each large document: 0 means that none is too large.
TEXT_LIMIT_CHARS = int(os.environ.get("DIRECTORY_REPORT_LIMIT_CHARS", "200000"))
AT_ONCE = 10
DEADLINE_SECONDS = 600


@pytest.fixture(scope="module")
def judgement() -> Judgement:
    return judge(draw(COUNT, SEED))


@pytest.mark.timeout(DEADLINE_SECONDS)
def test_documents_become_valid_things_and_nothing_is_lost_in_silence(judgement: Judgement) -> None:
    assert judgement.faults == []
    assert len(judgement.descriptions) == COUNT
    print(judgement)  # noqa: T201 - the figures, with -s


@pytest.mark.timeout(DEADLINE_SECONDS)
def test_they_pass_the_assertion_report_and_their_schemas_compile(judgement: Judgement) -> None:
    limit = TEXT_LIMIT_CHARS
    small = [td for td in judgement.descriptions if not limit or len(str(td)) < limit]
    assert small
    for start in range(0, len(small), AT_ONCE):
        check_data_schemas(small[start : start + AT_ONCE])
        check_with_playground(small[start : start + AT_ONCE])


def test_the_search_for_gaps_finds_them() -> None:
    document = {
        "openapi": "3.0.0",
        "paths": {"/a": {"get": {
            "operationId": "a", "summary": "said", "x-y": 1, "responses": {},
            "parameters": [{"name": "h", "in": "header"}]}}},
    }  # fmt: skip
    form = {"href": "a", "htv:methodName": "GET"}
    td = {"actions": {"a": {"wasm:operationId": "a", "forms": [form]}}, "security": "x"}
    place = "/paths/~1a/get"
    found = [gap.removeprefix(place) for gap in Coverage(document, td, ()).gaps()]
    assert found == ["/summary", "/x-y", "/parameters"]
    assert list(Coverage(document, {"security": "x"}, ()).gaps()) == [place]
