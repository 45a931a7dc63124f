"""Submissions of one edition that share text: facts to look at, kept in both directions. Drafts take no part, the library gains nothing.

`compare` runs as a job when a submission's analysis is done. It writes the submission's fingerprints first and looks for others afterwards,
so that of two jobs at once at least the later one sees the other. Which others are worth aligning is told by the fingerprints they share,
rare ones weighing more, and for what was said in other words by the means of their passages' vectors; the texts decide (service/match.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy import ARRAY, BigInteger, ColumnElement, Connection, Engine, Select, bindparam, delete, func, literal, or_, select, text
from sqlalchemy.dialects.postgresql import insert

from service import exclude, rulebook
from service.database.programme_tables import (
    similar_submissions,
    submission_fingerprints,
    submission_vectors,
    submission_versions,
    submissions,
)
from service.database.tables import common_phrases
from service.encode import Encoder
from service.errors import ServiceError
from service.fingerprints import normalised, runs, winnow
from service.match import Candidates
from service.model import Edition, Match, MatchFlag, Past, Report, Submission
from service.models import Models
from service.passages import cut
from service.pipeline import matched
from service.programme import analyses
from service.programme.submissions import one as read_one
from service.programme.submissions import visible
from service.programme.viewer import Viewer, not_found

_LOOKED = 12  # others whose texts are looked at, those with most that is rare first
_ALIGNED = 4  # of them aligned sentence by sentence; of the others the common runs count
_NEAR = 5  # others whose texts are about the same as a whole, aligned as well
_ENOUGH = 10  # submissions from which on their mean says what all have in common
_HALF = np.dtype("<f2")
_LEAST = 0.03  # share of either text from which on a pair is kept: less is a phrase that both know
_LOCK = 0x62_69_61_6F_73_69_6D  # "biaosim": one writer at a time, so that two jobs never wait for each other
_FLAGS = ("near_duplicate", "reuse", "related")
_TOLD = frozenset({"admin", "office", "unit"})  # who is told of others' texts
_HASHES = ARRAY(BigInteger)


@dataclass(frozen=True, slots=True)
class Alike:
    """Another submission, and what part of the first one (0-1) stands in it too."""

    submission: int
    number: str
    organisation: str
    title: str
    flag: MatchFlag
    share: float
    own: bool  # of the same organisation


@dataclass(frozen=True, slots=True)
class Pair:
    """Two submissions side by side: the first one's report, whose only match is the second."""

    report: Report
    edition: Edition
    number: str
    other: Alike


@dataclass(frozen=True, slots=True, eq=False)
class _Text:
    """A submission as it is compared; `analysis` tells whether a newer version has come meanwhile."""

    id: int
    analysis: int
    edition: str
    report: Report

    @property
    def submission(self) -> Submission:
        assert self.report.submission is not None  # see _read
        return self.report.submission

    def past(self, *, runs_only: bool) -> Past:
        mine = self.submission
        title = mine.title.text if mine.title else ""
        return Past(str(self.id), title, mine.text, organisation=mine.organisation, file=self.report.name, among=True, runs_only=runs_only)


@dataclass(frozen=True, slots=True)
class _Others:
    """`match.Candidates` of what was found already."""

    compared: int
    common: Collection[str]

    def find(self, submission: Submission, *, encoder: Encoder) -> Sequence[Past]:  # noqa: ARG002 - nothing is searched
        return ()


def of(connection: Connection, viewer: Viewer, submission: int) -> list[Alike]:
    """What is like a submission that the viewer may see, most alike first: all for staff, its own for a unit, nothing for others."""
    if viewer.role not in _TOLD:
        return []
    read_one(connection, viewer, submission)
    query = _listed().where(visible(viewer), similar_submissions.c.one == submission, submissions.c.state != "withdrawn")
    found = [Alike(*row) for row in connection.execute(query.order_by(similar_submissions.c.share.desc(), submissions.c.id))]
    return sorted(found, key=lambda one: _FLAGS.index(one.flag))


def pair(connection: Connection, viewer: Viewer, one: int, other: int, *, encoder: Encoder) -> Pair:
    """The two aligned anew, as they are now; not_found where the viewer may not see one of them, ServiceError while a report is wanting."""
    if viewer.role not in _TOLD or one == other:
        not_found("这两份材料的对照")
    first, second = read_one(connection, viewer, one), read_one(connection, viewer, other)
    mine, theirs = _read(connection, one), _read(connection, other)
    if mine is None or theirs is None:
        told = f"{first.number} 与 {second.number} 现在不能对照：至少有一份还没有审读完、未能审读，或不是申报正文。请稍后再看。"
        raise ServiceError("pair_not_ready", told, status=409)
    edition = rulebook.load(mine.edition)
    source = _Others(1, _common(connection))
    past = replace(theirs.past(runs_only=False), title=second.title, organisation=second.organisation, file=second.number)
    matches, similarity = matched(mine.submission, edition, [past], source, encoder=encoder)
    report = replace(mine.report, matches=matches, similarity=replace(similarity, only_among=True))
    flag, share = (matches[0].flag, matches[0].share) if matches else ("related", 0.0)
    own = first.organisation == second.organisation
    return Pair(report, edition, first.number, Alike(other, second.number, second.organisation, second.title, flag, share, own))


def _listed() -> Select[Any]:
    """The columns of Alike."""
    mine = submissions.alias("mine")
    return (
        select(
            submissions.c.id,
            submissions.c.number,
            submissions.c.organisation,
            submissions.c.title,
            similar_submissions.c.flag,
            similar_submissions.c.share,
            mine.c.organisation == submissions.c.organisation,
        )
        .join(similar_submissions, similar_submissions.c.other == submissions.c.id)
        .join(mine, mine.c.id == similar_submissions.c.one)
    )


# --- the job -----------------------------------------------------------------------------------------------------------------------


def compare(engine: Engine, submission: int, *, models: Models) -> int:
    """Compares a submission's newest version with the others of its edition; how many it is like.

    May be run again and at the same time as others. Where there is nothing to compare (any more), what was known of it is forgotten.
    """
    with engine.begin() as connection:
        mine = _read(connection, submission)
        if mine is None:
            _forget(connection, submission)
            return 0
        common = _common(connection)
        edition = rulebook.load(mine.edition)
        _print(connection, mine, edition=edition, common=common, encoder=models.encoder)
    with engine.begin() as connection:
        near = _near(connection, mine, encoder=models.encoder)
        ids = dict.fromkeys([*_likely(connection, mine), *near])
        others = [other for id_ in ids if (other := _read(connection, id_)) is not None]
    source = _Others(len(others), common)
    found = _compared(mine, others, near=frozenset(near), edition=edition, source=source, encoder=models.encoder)
    with engine.begin() as connection:
        return _keep(connection, mine, found)


def _common(connection: Connection) -> frozenset[str]:
    """The common phrases of the library: they count as little here."""
    return frozenset(connection.execute(select(common_phrases.c.phrase).where(common_phrases.c.kept)).scalars())


def _read(connection: Connection, submission: int) -> _Text | None:
    """The newest version's report; None where there is none, or where it is no write-up that could be compared."""
    version = (submission_versions.c.submission == submissions.c.id) & (submission_versions.c.number == submissions.c.version)
    row = connection.execute(
        select(submissions.c.analysis, submissions.c.edition, submission_versions.c.file_name)
        .join(submission_versions, version)
        .where(submissions.c.id == submission, submissions.c.state != "withdrawn")
    ).one_or_none()
    report = None if row is None else analyses.report(connection, row.analysis, file_name=row.file_name)
    if row is None or report is None or report.submission is None or not report.submission.is_writeup:
        return None
    return _Text(submission, row.analysis, row.edition, report)


def _print(connection: Connection, mine: _Text, *, edition: Edition, common: Collection[str], encoder: Encoder) -> None:
    """Writes the fingerprints of what counts (official and common wording would lead to everyone), and what it is about as a whole."""
    whole = mine.submission.text
    normal = normalised(whole)
    prints = winnow(normal)
    marks = exclude.reasons(whole, normal, common=common, notice=exclude.wording(edition))
    hashes = np.unique(prints.hash[marks[prints.position] <= 1]).tolist()
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    connection.execute(delete(submission_fingerprints).where(submission_fingerprints.c.submission == mine.id))
    if hashes:
        values = select(func.unnest(bindparam("hashes", hashes, _HASHES)), literal(mine.id))
        connection.execute(submission_fingerprints.insert().from_select(["hash", "submission"], values))
    spans = cut(whole, mine.submission.sections, mine.submission.document.blocks)
    known = {"model": encoder.version, "vector": b""}
    if spans:
        known["vector"] = encoder.encode([whole[start:end] for start, end in spans]).mean(0).astype(_HALF).tobytes()
    statement = insert(submission_vectors).values(submission=mine.id, **known)
    connection.execute(statement.on_conflict_do_update(index_elements=["submission"], set_=known))


def _near(connection: Connection, mine: _Text, *, encoder: Encoder) -> list[int]:
    """Submissions of the edition that are about the same, nearest first, by how they differ from the edition's mean."""
    query = (
        select(submission_vectors.c.submission, submission_vectors.c.vector)
        .join(submissions, submissions.c.id == submission_vectors.c.submission)
        .where(submission_vectors.c.model == encoder.version, submission_vectors.c.vector != b"")
        .where(submissions.c.edition == mine.edition, submissions.c.state != "withdrawn")
        .order_by(submission_vectors.c.submission)
    )
    rows = connection.execute(query).all()
    ids = [row.submission for row in rows]
    if mine.id not in ids or len(ids) < 2:
        return []
    vectors = np.frombuffer(b"".join(row.vector for row in rows), _HALF).reshape(len(rows), -1).astype(np.float32)
    apart = vectors - vectors.mean(0) if len(rows) >= _ENOUGH else vectors
    apart /= np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-6)
    order = np.argsort(-(apart @ apart[ids.index(mine.id)]), kind="stable")
    return [ids[at] for at in order.tolist() if ids[at] != mine.id][:_NEAR]


def _likely(connection: Connection, mine: _Text) -> list[int]:
    """Submissions of the edition that share fingerprints, those with most that is rare first."""
    own, other = submission_fingerprints.alias("own"), submission_fingerprints.alias("other")
    shared = (
        select(other.c.submission, (1.0 / func.count().over(partition_by=own.c.hash)).label("weight"))
        .join(own, own.c.hash == other.c.hash)
        .join(submissions, submissions.c.id == other.c.submission)
        .where(own.c.submission == mine.id, other.c.submission != mine.id)
        .where(submissions.c.edition == mine.edition, submissions.c.state != "withdrawn")
        .subquery()
    )
    query = select(shared.c.submission).group_by(shared.c.submission).order_by(func.sum(shared.c.weight).desc(), shared.c.submission)
    known = select(similar_submissions.c.other).where(similar_submissions.c.one == mine.id)  # found from the other side
    return list(dict.fromkeys([*connection.execute(query.limit(_LOOKED)).scalars(), *connection.execute(known).scalars()]))


def _compared(
    mine: _Text, others: Sequence[_Text], *, near: Collection[int], edition: Edition, source: Candidates, encoder: Encoder
) -> list[tuple[_Text, Match, Match]]:
    """(other, what mine shares with it, what it shares with mine), where it is enough to speak of."""
    found = []
    normal = normalised(mine.submission.text)
    aligned = 0
    for other in others:
        if other.submission.text == mine.submission.text:
            found.append((other, _same(other), _same(mine)))
            continue
        if other.id not in near and not runs(normal, normalised(other.submission.text)):
            continue
        aligned += 1
        brief = aligned > _ALIGNED and other.id not in near
        there = _one(mine, other, edition=edition, source=source, encoder=encoder, brief=brief)
        back = _one(other, mine, edition=edition, source=source, encoder=encoder, brief=brief)
        if there is not None and back is not None and max(there.share, back.share) >= _LEAST:
            found.append((other, there, back))
    return found


def _same(other: _Text) -> Match:
    return Match(other.past(runs_only=True), "near_duplicate", 1.0, 1.0, own=False)


def _one(mine: _Text, other: _Text, *, edition: Edition, source: Candidates, encoder: Encoder, brief: bool) -> Match | None:
    matches, _ = matched(mine.submission, edition, [other.past(runs_only=brief)], source, encoder=encoder)
    return matches[0] if matches else None


def _keep(connection: Connection, mine: _Text, found: Sequence[tuple[_Text, Match, Match]]) -> int:
    """Replaces what was known of the submission, unless a newer version came meanwhile: that one's job will."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    ids = [mine.id, *(other.id for other, _, _ in found)]
    held = select(submissions.c.id, submissions.c.analysis).where(submissions.c.id.in_(ids)).with_for_update(read=True)
    newest = {row.id: row.analysis for row in connection.execute(held)}
    if newest.get(mine.id) != mine.analysis:
        return 0
    connection.execute(delete(similar_submissions).where(_of_either(mine.id)))
    current = [each for each in found if newest.get(each[0].id) == each[0].analysis]
    rows = [row for other, there, back in current for row in (_row(mine, other, there), _row(other, mine, back))]
    if rows:
        connection.execute(insert(similar_submissions).values(rows))
    return len(current)


def _forget(connection: Connection, submission: int) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    for table in (submission_fingerprints, submission_vectors):
        connection.execute(delete(table).where(table.c.submission == submission))
    connection.execute(delete(similar_submissions).where(_of_either(submission)))


def _of_either(submission: int) -> ColumnElement[bool]:
    return or_(similar_submissions.c.one == submission, similar_submissions.c.other == submission)


def _row(one: _Text, other: _Text, match: Match) -> dict[str, object]:
    return {"one": one.id, "other": other.id, "flag": match.flag, "share": match.share, "score": match.score}
