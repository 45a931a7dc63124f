"""The JSON API: rights, problems, ETags, calls done once, pages of lists, and the journeys of drafts, triage and reviews."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from library_shelf import benchmark_text, fill, prepared

from service.database.programme_tables import assignments, idempotent_answers, rounds
from service.programme import tokens
from service.programme.viewer import Viewer

V1 = "/api/v1"
TEXT = benchmark_text("p01").encode()
DECLARED = {
    "title": "阀块内泄漏的六西格玛改进（构造）",
    "organisation": "霁垣液压件有限公司（构造）",
    "credit_code": "91990000MB00000197",
    "contact_name": "王某某",
    "phone": "010-12345678",
    "areas": ["tqm"],
}


class Caller:
    """A program with a token: no cookie, no CSRF token."""

    def __init__(self, site: Any, role: str, **account: Any) -> None:
        self.client = site.as_(None)
        user = site.user(role, **account)
        with site.connection() as db:
            viewer = Viewer(user, role, role, role, unit=account.get("unit"))  # type: ignore[arg-type]
            self.token = tokens.make(db, viewer, name="程序", days=30)
        self.client.headers["Authorization"] = f"Bearer {self.token}"

    def __call__(self, method: str, path: str, **options: Any) -> Any:
        return self.client.request(method, V1 + path, **options)


def problem(answer: Any, status: int, code: str) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert set(told) >= {"type", "title", "status", "code", "detail"}
    assert (told["status"], told["code"]) == (status, code)
    return str(told["detail"])


def upload(call: Caller, path: str, data: bytes = TEXT, *, file_name: str = "材料.md", headers: Any = None, **form: Any) -> Any:
    return call("POST", path, data=form, files={"file": (file_name, data)}, headers=headers)


@pytest.fixture(name="open_round")
def _open_round(site: Any) -> None:
    with site.connection() as db:
        closes = date.today() + timedelta(days=10)  # noqa: DTZ011
        db.execute(rounds.insert().values(edition="2024-caq", accepting=True, closes_on=closes))


# --- signing in ----------------------------------------------------------------------------------------------------------------------


def test_who_asks(site: Any) -> None:
    me = Caller(site, "office")("GET", "/me").json()
    assert (me["role"], me["csrf"]) == ("office", "")
    browser = site.as_("office").get(f"{V1}/me").json()
    assert browser["csrf"], "a browser learns its token here"
    nobody = site.as_(None).get(f"{V1}/me")
    assert "Authorization" in problem(nobody, 401, "sign_in_needed")
    assert nobody.headers["www-authenticate"] == "Bearer"
    wrong = site.as_(None).get(f"{V1}/me", headers={"Authorization": "Bearer biaogan_x"})
    problem(wrong, 401, "sign_in_needed")


def test_a_token_makes_no_token_and_ends_when_revoked(site: Any) -> None:
    call = Caller(site, "reviewer")
    problem(call("POST", "/tokens", json={"name": "另一个", "days": 30}), 403, "session_needed")
    listed = call("GET", "/tokens").json()["items"]
    assert [each["name"] for each in listed] == ["程序"]
    assert call("DELETE", f"/tokens/{listed[0]['id']}").status_code == 204
    problem(call("GET", "/me"), 401, "sign_in_needed")


def test_a_browser_makes_a_token_with_its_csrf_token(site: Any) -> None:
    client = site.as_("applicant")
    problem(client.post(f"{V1}/tokens", json={"name": "脚本", "days": 30}), 403, "csrf")
    made = client.post(f"{V1}/tokens", json={"name": "脚本", "days": 30}, headers={"X-CSRF-Token": client.csrf})
    assert made.status_code == 201
    with_it = site.as_(None).get(f"{V1}/drafts", headers={"Authorization": f"Bearer {made.json()['token']}"})
    assert with_it.status_code == 200


def test_a_token_is_no_key_to_pages(site: Any) -> None:
    call = Caller(site, "office")
    assert call.client.get("/submissions", follow_redirects=False).status_code == 303


# --- editions and library ------------------------------------------------------------------------------------------------------------


def test_editions(site: Any, open_round: None) -> None:
    call = Caller(site, "unit")
    items = call("GET", "/editions").json()["items"]
    assert {each["id"]: each["round"]["state"] for each in items}["2024-caq"] == "open"
    whole = call("GET", "/editions/2022-hebei")
    assert len(whole.json()["rule_list"]) == whole.json()["rules"]
    assert call("GET", "/editions/2022-hebei", headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
    problem(call("GET", "/editions/none"), 404, "not_found")


def test_library(site: Any) -> None:
    fill(
        site.engine,
        *(prepared(TEXT.decode() + str(n), year=2014, title=f"阀块改进{n}", edition="2014-miit", areas=("dfss",)) for n in range(3)),
    )
    problem(Caller(site, "applicant")("GET", "/library"), 403, "forbidden")
    call = Caller(site, "reviewer")
    page = call("GET", "/library", params={"area": "六西格玛设计", "size": 2})
    assert page.headers["x-total-count"] == "3"
    assert len(page.json()["items"]) == 2
    assert page.json()["items"][0]["areas"] == ["六西格玛设计"]
    assert 'rel="next"' in page.headers["link"]
    following = page.headers["link"].partition('rel="next"')[0].rpartition("<")[2].partition(">")[0]
    assert len(call.client.get(following).json()["items"]) == 1
    assert call("GET", "/library", params={"q": "内泄漏"}).headers["x-total-count"] == "3"
    whole = call("GET", "/library/2014-0001").json()
    assert whole["text"].startswith(TEXT.decode().splitlines()[0].lstrip("# "))
    assert all(whole["text"][each["start"] : each["end"]].startswith(each["heading"] or "") for each in whole["sections"])
    problem(call("GET", "/library/2014-0009"), 404, "not_found")
    problem(call("GET", "/library", params={"level": "x"}), 422, "request_invalid")


# --- drafts --------------------------------------------------------------------------------------------------------------------------


def test_a_draft_from_upload_to_receipt(site: Any, open_round: None) -> None:
    call = Caller(site, "applicant")
    made = upload(call, "/drafts", edition="2024-caq", name="第一稿")
    assert made.status_code == 202, made.text
    where = made.headers["location"].removeprefix(V1)
    assert made.json()["versions"][0]["state"] == "waiting"
    problem(call("GET", f"{where}/report"), 409, "analysis_not_done")
    site.run_jobs()
    read = call("GET", where)
    assert read.json()["versions"][0]["state"] == "done"
    assert call("GET", where, headers={"If-None-Match": read.headers["etag"]}).status_code == 304
    report = call("GET", f"{where}/report").json()
    assert (report["schema"], report["document"]["name"]) == ("report/1", "材料.md")
    again = upload(call, f"{where}/versions", TEXT + "补充一句。".encode())
    assert [each["number"] for each in again.json()["versions"]] == [2, 1]
    site.run_jobs()
    wrong = call("POST", f"{where}/submission", json={**DECLARED, "credit_code": "91990000MB00000190"})
    assert "校验码" in problem(wrong, 422, "application_invalid")
    assert call("GET", where).json()["name"] == "第一稿"
    receipt = call("POST", f"{where}/submission", json=DECLARED)
    assert receipt.status_code == 201, receipt.text
    assert receipt.json()["number"] == "2024-caq-0001"
    assert call("POST", f"{where}/submission", json=DECLARED).json()["receipt"] == receipt.json()["receipt"]
    submission = receipt.headers["location"].removeprefix(V1)
    assert call("GET", submission).json()["state"] == "received"
    assert call("GET", "/drafts").json()["items"][0]["submission"] == receipt.json()["submission"]
    assert call("DELETE", where).status_code == 204
    problem(call("GET", where), 404, "not_found")


def test_drafts_are_their_owners_alone(site: Any) -> None:
    mine = upload(Caller(site, "applicant"), "/drafts", edition="2024-caq").headers["location"].removeprefix(V1)
    other = Caller(site, "applicant", name="other")
    for method, path in (("GET", mine), ("GET", f"{mine}/report"), ("DELETE", mine)):
        problem(other(method, path), 404, "not_found")
    problem(upload(other, f"{mine}/versions"), 404, "not_found")
    for role in ("office", "admin", "reviewer", "unit"):
        problem(Caller(site, role)("GET", mine), 403, "forbidden")


@pytest.mark.parametrize(
    ("form", "data", "status"),
    [
        ({"edition": "none"}, TEXT, 404),
        ({}, TEXT, 422),
        ({"edition": "2024-caq"}, b"", 422),
        ({"edition": "2024-caq"}, b"\x7fELF", 422),
    ],
)
def test_what_cannot_be_a_draft(site: Any, form: dict[str, str], data: bytes, status: int) -> None:
    answer = upload(Caller(site, "applicant"), "/drafts", data, **form)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


# --- done once -----------------------------------------------------------------------------------------------------------------------


def test_a_call_with_a_key_is_done_once(site: Any) -> None:
    call = Caller(site, "applicant")
    key = {"Idempotency-Key": "8e03978e-40d5"}
    first = upload(call, "/drafts", headers=key, edition="2024-caq")
    second = upload(call, "/drafts", headers=key, edition="2024-caq")
    assert (second.status_code, second.content, second.headers["location"]) == (202, first.content, first.headers["location"])
    assert second.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert len(call("GET", "/drafts").json()["items"]) == 1
    problem(upload(call, "/drafts", TEXT + b"x", headers=key, edition="2024-caq"), 422, "idempotency_mismatch")
    other = upload(Caller(site, "applicant", name="other"), "/drafts", TEXT + b"x", headers=key, edition="2024-caq")
    assert other.status_code == 202, "another account's keys are its own"
    problem(upload(call, "/drafts", headers={"Idempotency-Key": "x" * 250}, edition="2024-caq"), 422, "idempotency_key_invalid")


def test_a_call_that_failed_may_be_sent_again(site: Any) -> None:
    call = Caller(site, "applicant")
    key = {"Idempotency-Key": "k"}
    problem(upload(call, "/drafts", headers=key, edition="none"), 404, "not_found")
    assert upload(call, "/drafts", headers=key, edition="2024-caq").status_code == 202


def test_a_key_under_way_is_told(site: Any) -> None:
    from service.errors import ServiceError
    from service.programme import once

    call = Caller(site, "applicant")
    viewer = Viewer(site.user("applicant"), "applicant", "applicant", "applicant")
    with site.engine.begin() as elsewhere:
        assert once.before(elsewhere, viewer, "slow", request=b"1") is None
        problem(upload(call, "/drafts", headers={"Idempotency-Key": "slow"}, edition="2024-caq"), 409, "idempotency_under_way")
    with site.engine.begin() as db:
        once.keep(db, viewer, "old", once.Answer(200, {}, b"{}"), request=b"1")
        db.execute(idempotent_answers.update().values(at=idempotent_answers.c.at - timedelta(hours=25)))
    with site.engine.begin() as db:
        assert once.before(db, viewer, "old", request=b"2") is None, "after a day the key is free"
        with pytest.raises(ServiceError):
            once.before(db, viewer, "a b", request=b"1")


# --- submissions ---------------------------------------------------------------------------------------------------------------------


def _submitted(site: Any, call: Caller, n: int = 0) -> str:
    made = upload(
        call, "/submissions", TEXT + str(n).encode(), edition="2024-caq", title=f"题目{n}（构造）", organisation=f"单位{n}（构造）"
    )
    assert made.status_code == 202, made.text
    return str(made.headers["location"].removeprefix(V1))


def test_triage_with_etags(site: Any) -> None:
    call, other = Caller(site, "office"), Caller(site, "admin")
    where = _submitted(site, call)
    site.run_jobs()
    seen = call("GET", where).headers["etag"]
    assert call("GET", where, headers={"If-None-Match": seen}).status_code == 304
    problem(call("POST", f"{where}/decision", json={"action": "pass"}), 428, "precondition_needed")
    done = other("POST", f"{where}/decision", json={"action": "pass"}, headers={"If-Match": seen})
    assert (done.status_code, done.json()["state"]) == (200, "passed")
    assert done.headers["etag"] != seen
    late = call("POST", f"{where}/decision", json={"action": "return", "reasons": "请修改"}, headers={"If-Match": seen})
    assert "admin" in problem(late, 412, "changed_meanwhile")
    problem(call("POST", f"{where}/decision", json={"action": "pass"}, headers={"If-Match": '"x"'}), 412, "changed_meanwhile")
    problem(call("POST", f"{where}/decision", json={"action": "pass"}, headers={"If-Match": "*"}), 409, "step_impossible")
    problem(call("POST", f"{where}/decision", json={"action": "shred"}, headers={"If-Match": "*"}), 422, "request_invalid")
    back = call("POST", f"{where}/decision", json={"action": "return", "reasons": "请修改"}, headers={"If-Match": done.headers["etag"]})
    assert [each["action"] for each in back.json()["decisions"]] == ["return", "pass"]


def test_findings_are_dismissed_and_restored(site: Any) -> None:
    call = Caller(site, "office")
    where = _submitted(site, call)
    problem(
        call("POST", f"{where}/dismissals", json={"rule": "x", "start": 0, "end": 1, "reason": "r"}, headers={"If-Match": "*"}),
        409,
        "analysis_not_done",
    )
    site.run_jobs()
    outcomes = call("GET", f"{where}/report").json()["outcomes"]
    rule, finding = next((each["rule"], each["findings"][0]) for each in outcomes if each["findings"])
    place = {"rule": rule, "start": finding["start"], "end": finding["end"], "reason": "核对过，不成立"}
    etag = {"If-Match": call("GET", where).headers["etag"]}
    made = call("POST", f"{where}/dismissals", json=place, headers=etag)
    assert made.status_code == 201, made.text
    assert made.json()["dismissals"][0]["rule"] == rule
    problem(call("POST", f"{where}/dismissals", json=place, headers=etag), 412, "changed_meanwhile")
    back = call("DELETE", f"{where}/dismissals/{made.json()['dismissals'][0]['id']}", headers={"If-Match": made.headers["etag"]})
    assert back.json()["dismissals"] == []


def test_the_area_is_corrected(site: Any) -> None:
    call = Caller(site, "office")
    where = _submitted(site, call)
    made = call("PUT", f"{where}/area", json={"areas": ["digitalization"]}, headers={"If-Match": "*"})
    assert made.json()["area"] == "digitalization"
    assert call("PUT", f"{where}/area", json={"areas": ["none"]}, headers={"If-Match": "*"}).status_code in {400, 422}
    problem(call("PUT", f"{where}/area", json={"areas": []}, headers={"If-Match": "*"}), 422, "request_invalid")


def test_lists_have_pages_and_filters(site: Any) -> None:
    call = Caller(site, "office")
    for n in range(3):
        _submitted(site, call, n)
    listed = call("GET", "/submissions", params={"sort": "number"})
    assert [each["number"] for each in listed.json()["items"]] == ["2024-caq-0001", "2024-caq-0002", "2024-caq-0003"]
    assert listed.headers["x-total-count"] == "3"
    assert call("GET", "/submissions", params={"q": "单位2"}).headers["x-total-count"] == "1"
    assert call("GET", "/submissions", params={"page": 2}).json()["items"] == []
    problem(call("GET", "/submissions", params={"state": "none"}), 422, "request_invalid")


def test_rights_on_submissions_are_those_of_the_pages(site: Any) -> None:
    where = _submitted(site, Caller(site, "office"))
    for role in ("applicant", "unit"):
        call = Caller(site, role)
        problem(call("GET", where), 404, "not_found")
        problem(call("GET", f"{where}/report"), 404, "not_found")
        assert call("GET", "/submissions").headers["x-total-count"] == "0"
        assert call("PUT", f"{where}/area", json={"areas": ["tqm"]}, headers={"If-Match": "*"}).status_code == 403
    problem(Caller(site, "applicant")("POST", f"{where}/decision", json={"action": "pass"}, headers={"If-Match": "*"}), 404, "not_found")
    problem(Caller(site, "reviewer")("GET", where), 403, "forbidden")
    problem(Caller(site, "office")("GET", "/submissions/99999999999999999999"), 404, "not_found")


def test_an_applicant_withdraws_and_renews(site: Any, open_round: None) -> None:
    call = Caller(site, "applicant")
    draft = upload(call, "/drafts", edition="2024-caq").headers["location"].removeprefix(V1)
    where = call("POST", f"{draft}/submission", json=DECLARED).headers["location"].removeprefix(V1)
    renewed = upload(call, f"{where}/versions", TEXT + b"2", headers={"If-Match": "*"})
    assert renewed.json()["version"] == 2, renewed.text
    problem(upload(call, f"{where}/versions", TEXT + b"3", headers={"If-Match": '"1-1"'}), 412, "changed_meanwhile")
    problem(call("POST", f"{where}/decision", json={"action": "pass"}, headers={"If-Match": "*"}), 409, "step_impossible")
    gone = call("POST", f"{where}/decision", json={"action": "withdraw"}, headers={"If-Match": "*"})
    assert gone.json()["state"] == "withdrawn"


# --- batches and reviews -------------------------------------------------------------------------------------------------------------


def test_a_batch(site: Any) -> None:
    call = Caller(site, "office")
    made = call("POST", "/batches", json={"edition": "2024-caq", "name": "第一批"})
    assert made.status_code == 201, made.text
    where = made.headers["location"].removeprefix(V1)
    assert upload(call, f"{where}/files").json()["state"] == "waiting"
    assert upload(call, f"{where}/files", b"\x7fELF", file_name="程序.exe").json()["state"] == "refused"
    site.run_jobs()
    assert (call("GET", where).json()["done"], call("GET", where).json()["refused"]) == (1, 1)
    files = call("GET", f"{where}/files").json()["items"]
    assert [each["state"] for each in files] == ["done", "refused"]
    assert call("GET", "/batches").headers["x-total-count"] == "1"
    problem(Caller(site, "applicant")("GET", where), 403, "forbidden")


def test_a_review(site: Any) -> None:
    office = Caller(site, "office")
    where = _submitted(site, office)
    site.run_jobs()
    call = Caller(site, "reviewer")
    with site.connection() as db:
        values = {"submission": int(where.rpartition("/")[2]), "reviewer": site.user("reviewer"), "by": site.user("office")}
        mine = f"/reviews/{db.execute(assignments.insert().values(**values).returning(assignments.c.id)).scalar_one()}"
    assert call("GET", mine).json()["declared"] is False
    problem(call("GET", f"{mine}/report"), 404, "not_found")
    assert call("POST", f"{mine}/declaration", json={"conflict": False}).json()["declared"] is True
    etag = call("GET", mine).headers["etag"]
    assert call("GET", f"{mine}/report").json()["schema"] == "report/1"
    written = {"comments": {"science": "方法清楚"}, "overall": "建议通过"}
    problem(call("PUT", f"{mine}/comments", json=written), 428, "precondition_needed")
    saved = call("PUT", f"{mine}/comments", json=written, headers={"If-Match": etag})
    assert (saved.status_code, saved.json()["state"]) == (200, "started"), saved.text
    problem(call("PUT", f"{mine}/comments", json=written, headers={"If-Match": etag}), 412, "review_changed")
    assert call("POST", f"{mine}/finish", headers={"If-Match": saved.headers["etag"]}).json()["state"] == "finished"
    problem(Caller(site, "reviewer", name="another")("GET", mine), 404, "not_found")
    assert [each["state"] for each in call("GET", "/reviews").json()["items"]] == ["finished"]


# --- the document --------------------------------------------------------------------------------------------------------------------


def test_the_document_is_complete(site: Any) -> None:
    document = site.as_(None).get(f"{V1}/openapi.json").json()
    assert set(document["components"]["securitySchemes"]) == {"token", "session"}
    assert "HTTPValidationError" not in json.dumps(document)
    for path, methods in document["paths"].items():
        assert path.startswith(V1)
        for method, operation in methods.items():
            at = f"{method} {path}"
            assert operation["summary"], at
            assert operation["description"], at
            assert operation["tags"], at
            assert operation["security"], at
            assert {"401", "403", "422", "500"} <= set(operation["responses"]), at
            for parameter in operation.get("parameters", ()):
                assert parameter["description"], (at, parameter["name"])
    described = [
        (name, field)
        for name, schema in document["components"]["schemas"].items()
        for field, value in schema.get("properties", {}).items()
        if not {"description", "$ref"} & set(value) and "items" not in value
    ]
    assert described == [], "every field says what it is"
