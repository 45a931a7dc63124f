"""What happens at the same time: one draft submitted twice, one file uploaded and deleted by many."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from draft_desk import FIRST, upload
from sqlalchemy import func, select
from test_applications import accept, told

from service.database.programme_tables import analyses, draft_versions, drafts, submissions


def test_one_draft_submitted_by_two_clicks_is_one_submission(site: Any) -> None:
    accept(site)
    client = site.as_("applicant")
    address = upload(client)
    others = [site.as_("applicant") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda each: each.submit(f"{address}/submit", told()), others))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    with site.connection() as db:
        assert db.execute(select(func.count()).select_from(submissions)).scalar_one() == 1


def test_one_file_of_many_is_kept_while_one_of_them_needs_it(site: Any) -> None:
    """Six people upload the same bytes, delete and submit them again and again; nothing is lost, nothing is left behind."""
    accept(site)
    codes: Counter[int] = Counter()

    def work(number: int) -> None:
        client = site.as_("applicant", name=f"applicant{number}")
        for turn in range(4):
            address = upload(client, FIRST)
            if number % 2 and turn == 1:
                codes[client.submit(f"{address}/submit", told()).status_code] += 1
            codes[client.get(f"{address}/file").status_code] += 1
            codes[client.submit(f"{address}/versions", files={"file": ("b.txt", FIRST.encode())}).status_code] += 1
            if turn != 3:
                codes[client.submit(f"{address}/delete").status_code] += 1

    with ThreadPoolExecutor(6) as pool:
        working = [pool.submit(work, number) for number in range(6)]
        while not all(each.done() for each in working):
            site.run_jobs()
        for each in working:
            each.result()
    assert set(codes) <= {200, 303}, codes
    assert len(list(site.files.iterate())) == 1
    with site.connection() as db:
        assert db.execute(select(func.count()).select_from(drafts)).scalar_one() == 6
        assert db.execute(select(func.count()).select_from(submissions)).scalar_one() == 3
        assert db.execute(select(func.count()).select_from(analyses)).scalar_one() == 1
        assert db.execute(select(func.count()).select_from(draft_versions)).scalar_one() == 12
    site.run_jobs()
    for number in range(6):
        client = site.as_("applicant", name=f"applicant{number}")
        for draft in client.get("/drafts").text.split('href="/drafts/')[2:3]:
            assert "先看这里" in client.get(f"/drafts/{draft[:16]}").text
