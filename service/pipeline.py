"""analyse(): one call a stage, in order. A stage that fails leaves a Note and makes the report partial; the others go on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from service import checks
from service.advise import advise
from service.classify import focus
from service.errors import ServiceError
from service.model import Document, Edition, Note, Outcome, Report, Submission
from service.models import Models
from service.parse import Reading
from service.segment import segment
from service.summarise import one_line, summarise
from service.text import counts

if TYPE_CHECKING:
    from service.encode import Encoder
    from service.match import Candidates
    from service.model import Match, Past, Similarity

_log = logging.getLogger(__name__)
_STAGE_FAILED = "“{stage}”这一步出错，相关结果缺失，其余结果有效。请把文件名和这条提示告知系统管理员。"
_NO_LIBRARY = Note("library_none", "还没有建立往年标杆库，本次没有与往年标杆比对。建库请运行 biaogan library import 文件夹。")
_EMPTY_LIBRARY = Note("library_empty", "往年标杆库是空的，本次没有与往年标杆比对。导入请运行 biaogan library import 文件夹。")
_Result = TypeVar("_Result")


@dataclass(slots=True)
class _Stages:
    """Runs stages one after another; keeps their times and what failed."""

    timing: dict[str, float] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)  # what failed
    facts: list[Note] = field(default_factory=list)  # what the reader should know, nothing having failed

    def run(self, stage: str, name: str, work: Callable[[], _Result]) -> _Result | None:
        began = time.perf_counter()
        try:
            return work()
        except ServiceError as error:
            self.notes.append(Note(error.code, error.message))
            return None
        except Exception:  # noqa: BLE001 - the one boundary where a fault of ours must not cost the user the rest of the report
            _log.exception("stage %s failed", stage)
            self.notes.append(Note("stage_failed", _STAGE_FAILED.format(stage=name)))
            return None
        finally:
            self.timing[stage] = round((time.perf_counter() - began) * 1000, 2)


def analyse(
    reading: Reading, edition: Edition, *, models: Models | None = None, library: Callable[[], Candidates | None] | None = None
) -> Report:
    """The report on a file that was read, or the failed report on one that could not be.

    Without models sections are found by words alone, and nothing is said of focus areas and summaries. `library` opens the library of
    past benchmarks, None where there is none yet; without it nothing is compared, and nothing is said of it.
    """
    if not isinstance(reading.outcome, Document):
        refusal = reading.outcome
        return Report(
            name=reading.name,
            sha256=reading.sha256,
            format=reading.format,
            edition=edition.id,
            edition_hash=edition.hash,
            status="failed",
            notes=(Note(refusal.code, refusal.message),),
            timing={"read": round(reading.milliseconds, 2)},
            path=str(reading.path),
        )
    document = reading.outcome
    stages = _Stages(timing={"read": round(reading.milliseconds, 2)})
    content = None if models is None else models.content
    submission = stages.run("segment", "划分章节", lambda: segment(document, edition.sections, content=content))
    found: dict[str, Any] = {}
    if submission is not None:
        found = _understood(submission, edition, stages=stages, models=models)
        if models is not None and library is not None:
            encoder = models.encoder
            compared = stages.run(
                "matches", "与往年标杆比对", lambda: _compared(submission, edition, library(), encoder=encoder, facts=stages.facts)
            )
            found |= compared or {}
    return _report(document, submission, found, edition=edition, stages=stages, path=str(reading.path))


def _understood(submission: Submission, edition: Edition, *, stages: _Stages, models: Models | None) -> dict[str, Any]:
    """What the stages after segmenting found: the Report's fields of these names."""
    outcomes: tuple[Outcome, ...] = stages.run("checks", "逐项检查", lambda: checks.run(submission, edition.rules)) or ()
    found: dict[str, Any] = {"outcomes": outcomes}
    if models is not None:
        known = models
        found["models"] = known.versions
        found["focus"] = stages.run("focus", "判断重点方向", lambda: focus(submission, edition, model=known.focus, encoder=known.own))
        found["summaries"] = stages.run("summaries", "摘取各部分要点", lambda: summarise(submission, encoder=known.encoder)) or ()
        found["one_line"] = stages.run("one_line", "概括全文", lambda: one_line(submission, found["summaries"]))
    found["advice"] = stages.run("advice", "提出修改建议", lambda: advise(submission, outcomes, edition=edition, focus=found.get("focus")))
    return found


def _compared(
    submission: Submission, edition: Edition, library: Candidates | None, *, encoder: Encoder, facts: list[Note]
) -> dict[str, Any]:
    """The Report's fields on what the submission shares with the library; empty, with the reason among `facts`, where there is none."""
    if library is None:
        facts.append(_NO_LIBRARY)
        return {}
    if not submission.is_writeup:
        return {}
    candidates = library.find(submission, encoder=encoder)
    if not library.compared:
        facts.append(_EMPTY_LIBRARY)
        return {}
    matches, similarity = matched(submission, edition, candidates, library, encoder=encoder)
    return {"matches": matches, "similarity": similarity}


def matched(
    submission: Submission, edition: Edition, candidates: Sequence[Past], *sources: Candidates, encoder: Encoder
) -> tuple[tuple[Match, ...], Similarity]:
    """What the submission shares with candidates that were found in these sources; the edition's own wording counts nothing."""
    from service.exclude import wording  # noqa: PLC0415 - only where there is something to compare with
    from service.match import match  # noqa: PLC0415

    return match(
        submission,
        candidates,
        encoder=encoder,
        common=frozenset(phrase for source in sources for phrase in source.common),
        notice=wording(edition),
        compared=sum(source.compared for source in sources),
    )


def with_batch(report: Report, edition: Edition, batch: Candidates, *, encoder: Encoder) -> tuple[tuple[Match, ...], Similarity]:
    """What a reported write-up shares with the library, as found before, and with the other files of the call, taken together."""
    assert report.submission is not None
    candidates = [*(match.past for match in report.matches), *batch.find(report.submission, encoder=encoder)]
    matches, similarity = matched(report.submission, edition, candidates, batch, encoder=encoder)
    before = 0 if report.similarity is None else report.similarity.compared
    return matches, replace(similarity, compared=similarity.compared + before, only_among=report.similarity is None)


def further(report: Report, stage: str, name: str, work: Callable[[], _Result]) -> tuple[_Result | None, Report]:
    """Runs one more stage on a report that is made; where it fails, the report says so."""
    stages = _Stages()
    result = stages.run(stage, name, work)
    if stages.notes:
        report = replace(report, status="partial", notes=(*report.notes, *stages.notes))
    return result, replace(report, timing={**report.timing, **stages.timing})


def _report(
    document: Document, submission: Submission | None, found: Mapping[str, Any], *, edition: Edition, stages: _Stages, path: str
) -> Report:
    return Report(
        name=document.name,
        sha256=document.sha256,
        format=document.format,
        edition=edition.id,
        edition_hash=edition.hash,
        status="partial" if stages.notes else "complete",
        notes=(*document.notes, *(submission.notes if submission else ()), *stages.facts, *stages.notes),
        submission=submission or Submission(document, None, None, (), (), (), edition.sections, end=len(document.text)),
        timing=stages.timing,
        path=path,
        counts=counts(document.text),
        **found,
    )
