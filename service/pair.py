"""Two files compared with each other, without the library: the first one's Report with what it shares with the second."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from service.errors import Unreadable
from service.model import Document, Edition, Note, Past, Report, Submission
from service.models import encoders
from service.parse import Reading
from service.pipeline import matched
from service.segment import segment
from service.text import counts

_IDENTICAL = Note("pair_identical", "两个文件的文字完全相同。")


class _One:
    """`match.Candidates` of a single text."""

    compared = 1
    common = ()

    def __init__(self, past: Past) -> None:
        self._past = past

    def find(self, submission: Submission, *, encoder: object) -> tuple[Past, ...]:  # noqa: ARG002 - there is but one
        return (self._past,)


def compared(first: Reading, second: Reading, edition: Edition, *, models: tuple[Path | None, Path | None] = (None, None)) -> Report:
    """Raises Unreadable where one of them could not be read. No rule is judged; `models` are the folders of the command line."""
    mine, theirs = _submission(first, edition), _submission(second, edition)
    _, encoder = encoders(*models)
    past = Past(
        id=second.name,
        title=theirs.title.text if theirs.title is not None else "",
        text=theirs.text,
        organisation=theirs.organisation,
        file=second.name,
        among=True,
    )
    one = _One(past)
    matches, similarity = matched(mine, edition, one.find(mine, encoder=encoder), one, encoder=encoder)
    same = (_IDENTICAL,) if mine.text == theirs.text else ()
    return Report(
        name=first.name,
        sha256=first.sha256,
        format=first.format,
        edition=edition.id,
        edition_hash=edition.hash,
        status="complete",
        notes=(*mine.document.notes, *mine.notes, *same),
        submission=mine,
        path=str(first.path),
        counts=counts(mine.text),
        matches=matches,
        similarity=replace(similarity, only_among=True),
        models={"embedding": encoder.version},
    )


def _submission(reading: Reading, edition: Edition) -> Submission:
    document = reading.outcome
    if not isinstance(document, Document):
        raise Unreadable(document.code, f"{reading.name}：{document.message}")
    return segment(document, edition.sections)
