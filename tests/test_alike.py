"""Submissions of one edition are compared with each other; both directions are kept, and drafts take no part."""

from __future__ import annotations

import csv
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from library_shelf import TEXTS
from programme_shelf import analysed, handed_in, office, report
from sqlalchemy import func, select

from service import models
from service.database.programme_tables import similar_submissions, submission_fingerprints, submissions, units
from service.errors import ServiceError
from service.programme import alike
from service.programme import submissions as domain
from service.programme.submissions import Uploaded
from service.programme.viewer import Viewer

REVISIONS = TEXTS.parent / "revisions"
MODELS = models.load()


def text(name: str) -> str:
    folder = TEXTS if "-" not in name else REVISIONS
    return Path(folder / f"{name}.md").read_text("utf-8")


def shelf(engine: Any, *names: str, **said: Any) -> list[int]:
    with engine.begin() as connection:
        viewer = office(connection)
        return [handed_in(connection, viewer, text(name), title=name, organisation=f"{name}有限公司", **said).id for name in names]


def told(engine: Any, id_: int, viewer: Viewer | None = None) -> list[alike.Alike]:
    with engine.begin() as connection:
        return alike.of(connection, viewer or office(connection), id_)


def test_a_revision_finds_its_source_and_nothing_else(engine: Any) -> None:
    first, other, revised = shelf(engine, "p18", "q10", "pa-p18")
    for id_ in (first, other):
        assert alike.compare(engine, id_, models=MODELS) == 0
    assert alike.compare(engine, revised, models=MODELS) == 1
    (source,) = told(engine, revised)
    (back,) = told(engine, first)
    assert (source.submission, back.submission) == (first, revised)
    assert source.number == "2022-hebei-0001"
    assert source.share > 0.2
    assert back.share > 0.1
    assert told(engine, other) == []


def test_what_was_said_in_other_words_is_found(engine: Any) -> None:
    shelf(engine, "p02", "q11", "r01")
    source, rewritten = shelf(engine, "p11", "rw-p11")
    for id_ in (source, rewritten):
        alike.compare(engine, id_, models=MODELS)
    (found,) = told(engine, rewritten)
    assert found.submission == source
    assert [one.submission for one in told(engine, source)] == [rewritten]


def test_the_same_text_is_told_as_such(engine: Any) -> None:
    one, two = shelf(engine, "p01", "p01")
    alike.compare(engine, one, models=MODELS)
    alike.compare(engine, two, models=MODELS)
    (found,) = told(engine, one)
    assert (found.submission, found.flag, found.share, found.own) == (two, "near_duplicate", 1.0, True)


def test_other_editions_and_the_withdrawn_are_left_alone(engine: Any) -> None:
    (one,) = shelf(engine, "p01")
    (elsewhere,) = shelf(engine, "p01", edition="2024-caq")
    (withdrawn,) = shelf(engine, "p01")
    for id_ in (one, elsewhere, withdrawn):
        alike.compare(engine, id_, models=MODELS)
    assert [found.submission for found in told(engine, one)] == [withdrawn]
    with engine.begin() as connection:
        connection.execute(submissions.update().where(submissions.c.id == withdrawn).values(state="withdrawn"))
    assert told(engine, one) == []
    assert alike.compare(engine, withdrawn, models=MODELS) == 0


def test_comparing_again_changes_nothing(engine: Any) -> None:
    ids = shelf(engine, "p18", "pa-p18", "sh-p12")
    counted = set()
    for _ in range(2):
        for id_ in ids:
            alike.compare(engine, id_, models=MODELS)
        with engine.begin() as connection:
            pairs = {tuple(row) for row in connection.execute(select(similar_submissions.c.one, similar_submissions.c.other))}
            counted.add(connection.execute(select(func.count()).select_from(submission_fingerprints)).scalar_one())
        assert pairs == {(ids[0], ids[1]), (ids[1], ids[0])}
    assert len(counted) == 1


def test_two_jobs_at_once_miss_no_pair_and_write_none_twice(engine: Any) -> None:
    ids = shelf(engine, "p18", "pa-p18", "p18")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda id_: alike.compare(engine, id_, models=MODELS), [*ids, *ids]))
    with engine.begin() as connection:
        pairs = {tuple(row) for row in connection.execute(select(similar_submissions.c.one, similar_submissions.c.other))}
        mine = submission_fingerprints.c.submission == ids[0]
        twice = select(submission_fingerprints.c.hash).where(mine).group_by(submission_fingerprints.c.hash).having(func.count() > 1)
        assert connection.execute(twice).all() == []
    assert pairs == {(one, other) for one in ids for other in ids if one != other}


def test_a_new_version_replaces_what_was_known(engine: Any) -> None:
    one, two = shelf(engine, "p01", "p01")
    for id_ in (one, two):
        alike.compare(engine, id_, models=MODELS)
    with engine.begin() as connection:
        made = report(text("q12"))
        file = Uploaded(made.sha256, "新.txt", 1)
        domain.new_version(connection, office(connection), two, file=file, analysis=analysed(connection, made))
    assert alike.compare(engine, two, models=MODELS) == 0
    assert told(engine, one) == told(engine, two) == []


def test_a_version_that_is_no_write_up_is_forgotten(engine: Any) -> None:
    one, two = shelf(engine, "p01", "p01")
    for id_ in (one, two):
        alike.compare(engine, id_, models=MODELS)
    with engine.begin() as connection:
        made = report("企业法人营业执照")
        made = replace(made, submission=replace(made.submission, is_writeup=False))
        file = Uploaded(made.sha256, "证照.txt", 1)
        domain.new_version(connection, office(connection), two, file=file, analysis=analysed(connection, made))
    assert alike.compare(engine, two, models=MODELS) == 0
    assert told(engine, one) == []


def test_a_unit_sees_its_own_and_others_see_nothing(engine: Any) -> None:
    with engine.begin() as connection:
        ours, theirs = connection.execute(units.insert().values([{"name": "甲"}, {"name": "乙"}]).returning(units.c.id)).scalars()
    (one,) = shelf(engine, "p01", unit=ours)
    (two,) = shelf(engine, "p01", unit=ours)
    (three,) = shelf(engine, "p01", unit=theirs)
    for id_ in (one, two, three):
        alike.compare(engine, id_, models=MODELS)
    assert len(told(engine, one)) == 2
    assert [found.submission for found in told(engine, one, Viewer(1, "u", "u", "unit", unit=ours))] == [two]
    assert told(engine, one, Viewer(1, "r", "r", "reviewer")) == []
    with pytest.raises(ServiceError) as refused:
        told(engine, three, Viewer(1, "u", "u", "unit", unit=ours))
    assert refused.value.status == 404


def test_two_side_by_side(engine: Any) -> None:
    first, revised = shelf(engine, "p18", "pa-p18")
    with engine.begin() as connection:
        pair = alike.pair(connection, office(connection), revised, first, encoder=MODELS.encoder)
        assert pair.other.number == "2022-hebei-0001"
        assert len(pair.report.matches) == 1
        assert pair.report.matches[0].passages
        with pytest.raises(ServiceError) as refused:
            alike.pair(connection, Viewer(9, "a", "a", "applicant"), revised, first, encoder=MODELS.encoder)
    assert refused.value.status == 404


@pytest.mark.slow
def test_every_revision_of_the_corpus_is_found(engine: Any) -> None:
    """62 texts and their 22 revisions in one edition: 12 of these are rewritten sentence by sentence. Figures: docs/batches.md."""
    sources: dict[str, str] = {}
    for name in ("revisions_a.csv", "revisions_b.csv"):
        with (TEXTS.parent / name).open(encoding="utf-8") as stream:
            sources |= {row["file"].removesuffix(".md"): row["source"].removesuffix(".md") for row in csv.DictReader(stream)}
    names = [*(path.stem for path in sorted(TEXTS.glob("*.md"))), *sources]
    ids = dict(zip(names, shelf(engine, *names), strict=True))
    for id_ in ids.values():
        alike.compare(engine, id_, models=MODELS)
    called = {id_: name for name, id_ in ids.items()}
    found = {name: {called[other.submission]: other for other in told(engine, id_)} for name, id_ in ids.items()}
    assert [name for name, source in sources.items() if source not in found[name]] == []
    family = {name: sources.get(name, name) for name in names}
    pairs = [(one, other, each.flag) for one, others in found.items() for other, each in others.items()]
    strangers = {frozenset((one, other)): flag for one, other, flag in pairs if family[one] != family[other]}
    assert set(strangers.values()) <= {"related"}
    assert len(strangers) <= 12
