"""The whole API under generated requests, with the token of each role: no fault of ours, and only answers that the document tells of."""

from __future__ import annotations

from typing import Any, get_args

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from library_shelf import benchmark_text, fill, prepared
from schemathesis import openapi
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation import GenerationMode
from test_api import TEXT, V1, Caller, upload
from test_matrix import routes

from service.database.programme_tables import assignments
from service.programme.viewer import Role

load_all_checks()
_CHECKS = CHECKS.get_by_names(["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"])
_EXAMPLES, _REFUSED = 10, 2  # of each operation, valid and not; of one that the role may not use


def _there(site: Any) -> dict[str, str]:
    """One of each thing: area of the API -> the id of one that is there."""
    fill(site.engine, prepared(benchmark_text("p01"), year=2014))
    office = Caller(site, "office")
    draft = upload(Caller(site, "applicant"), "/drafts", edition="2024-caq").json()["id"]
    site.run_jobs()
    made = upload(office, "/submissions", TEXT, edition="2024-caq", title="题目（构造）", organisation="单位（构造）").json()
    batch = office("POST", "/batches", json={"edition": "2024-caq"}).json()["id"]
    with site.connection() as db:
        values = {"submission": made["submission"], "reviewer": site.user("reviewer"), "by": site.user("office"), "conflict": False}
        assigned = db.execute(assignments.insert().values(**values).returning(assignments.c.id)).scalar_one()
    found = {"drafts": draft, "submissions": made["submission"], "batches": batch, "reviews": assigned}
    return {**{area: str(id_) for area, id_ in found.items()}, "library": "2014-0001", "editions": "2024-caq"}


@pytest.mark.slow
@pytest.mark.parametrize("role", get_args(Role))
def test_generated_requests(site: Any, role: str) -> None:
    there, call = _there(site), Caller(site, role)
    schema = openapi.from_dict(call.client.get(f"{V1}/openapi.json").json())
    granted = {(method, path) for method, path, roles in routes() if roles is not None and role in roles}
    asked = 0
    for result in schema.get_all_operations():
        operation = result.ok()  # type: ignore[union-attr]  # none is invalid
        if operation.path == f"{V1}/tokens/{{id}}":
            continue  # it would end the token that asks
        id_ = there.get(operation.path.removeprefix(f"{V1}/").partition("/")[0])
        examples = _EXAMPLES if (operation.method.upper(), operation.path) in granted else _REFUSED
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _try(operation, mode, call, id_, examples)
            asked += 1
    assert asked > 60


def _try(operation: Any, mode: GenerationMode, call: Caller, id_: str | None, examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[*HealthCheck],
    )
    @given(case=operation.as_strategy(generation_mode=mode), real=st.booleans())
    def one(case: Any, real: bool) -> None:
        if real and id_ is not None and "id" in case.path_parameters:
            case.path_parameters["id"] = id_
        asked = case.as_transport_kwargs(base_url="http://testserver")
        asked.pop("cookies", None)
        sent = requests.Request(**asked).prepare()
        headers = {**sent.headers, "Authorization": f"Bearer {call.token}"}
        answer = call.client.request(str(sent.method), str(sent.url), content=sent.body, headers=headers, follow_redirects=False)
        case.validate_response(answer, checks=_CHECKS)

    one()
