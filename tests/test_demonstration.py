"""The demonstration: constructed people and submissions of every state, made once, only where nobody works yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from service.database import queue
from service.database.files import open_store
from service.database.programme_tables import assignments, drafts, reviews, submissions, users
from service.errors import ServiceError
from service.operate import demo_files, demonstration
from service.programme.analyses import Current
from service.programme.links import look

NOW = Current("0/1", "m=1")


@pytest.fixture(autouse=True)
def _queue(engine: Any) -> None:
    queue.prepare(engine)


def test_every_role_and_state_is_there_and_a_second_call_makes_links_alone(engine: Any, place: Any) -> None:
    with engine.begin() as db:
        assert demonstration.fill(db, open_store(place), NOW, most=12) == 12
    with engine.begin() as db:
        assert demonstration.fill(db, open_store(place), NOW, most=12) == 0
        links = demonstration.links_of(db)
        assert len(links) == 6
        assert all(look(db, token, purpose="demo") for _, token in links)
        assert set(db.execute(select(users.c.role)).scalars()) == {"admin", "office", "reviewer", "applicant", "unit"}
        assert {"received", "passed", "returned", "set_aside"} <= set(db.execute(select(submissions.c.state)).scalars())
        assert db.execute(select(func.count()).select_from(drafts)).scalar_one() == 1
        assert set(db.execute(select(assignments.c.conflict)).scalars()) == {True, False, None}
        assert db.execute(select(func.count()).where(reviews.c.finished_at.is_not(None))).scalar_one() == 1
        names = db.execute(select(submissions.c.organisation).where(submissions.c.batch.is_(None))).scalars().all()
        assert all(name.endswith("（构造）") for name in names)


def test_where_others_work_nothing_is_put_in(engine: Any, place: Any) -> None:
    with engine.begin() as db:
        db.execute(insert(users).values(name="somebody", shown="某人", role="office"))
        with pytest.raises(ServiceError, match="只放进空的数据库"):
            demonstration.fill(db, open_store(place), NOW, most=12)
        assert db.execute(select(func.count()).select_from(users)).scalar_one() == 1


def test_without_the_constructed_texts_it_says_so(engine: Any, place: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demonstration, "CORPORA", tmp_path)
    with engine.begin() as db, pytest.raises(ServiceError, match="没有找到虚构的样例材料"):
        demonstration.fill(db, open_store(place), NOW, most=12)


def test_a_word_file_is_made_of_headings_paragraphs_and_tables() -> None:
    from service.parse import Reader

    data = demo_files.word(
        ("# 题目", "## 一、企业概况", "一段文字。", "| 指标 | 2021年 |", "| --- | --- |", "| 合格率 | 98% |", "后一段。")
    )
    with Reader(jobs=1) as reader:
        document = reader.read_data(data, "x.docx").outcome
    assert [block.kind for block in document.blocks] == ["title", "heading", "paragraph", "table", "paragraph"]
    assert "合格率" in document.text
