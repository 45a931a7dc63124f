"""Two versions of a write-up as their page shows them: figures, findings, text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from service.model import Edition, Report
from service.programme.mended import Mended, mended
from service.programme.paragraphs import Aligned, Kind, Piece, align, pieces
from service.render import limits
from service.render.limits import Row
from service.render.masked import masked
from service.render.view import Brief, brief

_MOST = 400  # differing paragraphs that are shown


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of both versions; None where one has it not. `unit` stands behind it."""

    name: str
    old: int | None
    new: int | None
    allowed: str = ""

    @property
    def change(self) -> str:
        """+120, -3, or nothing."""
        if self.old is None or self.new is None or self.old == self.new:
            return ""
        return f"{self.new - self.old:+,}".replace("-", "−")


@dataclass(frozen=True, slots=True)
class Difference:
    """A row of the text: `kind` same stands for `count` paragraphs that are the same."""

    kind: Kind
    old: tuple[Piece, ...] = ()
    new: tuple[Piece, ...] = ()
    count: int = 1
    heading: bool = False


@dataclass(frozen=True, slots=True)
class Compared:
    figures: tuple[Figure, ...]
    sections: tuple[Figure, ...]  # 字数
    mended: Mended | None  # None: one of them could not be judged
    text: tuple[Difference, ...]
    left_out: int  # differing paragraphs that are not shown
    cut: bool  # so long that the end was not compared


def compared(old: Report, new: Report, edition: Edition) -> Compared:
    before, after = masked(old), masked(new)
    heads = brief(old, edition), brief(new, edition)
    every: list[Difference] = []
    cut = False
    if before.submission is not None and after.submission is not None:
        aligned = align(before.submission.document, after.submission.document)
        every, cut = list(_text(aligned)), aligned.cut
    shown = _first(every)
    return Compared(
        figures=tuple(_figures(*heads)),
        sections=tuple(_sections(before, after, edition)),
        mended=mended(old, new),
        text=shown,
        left_out=sum(one.kind != "same" for one in every) - sum(one.kind != "same" for one in shown),
        cut=cut,
    )


def _figures(old: Brief, new: Brief) -> Iterator[Figure]:
    yield Figure("全文字数", old.total.words, new.total.words, new.total.allowed)
    for kind, name in (("error", "错误"), ("warning", "提醒"), ("advice", "建议")):
        first, second = (head.tally[kind] if head.judged else None for head in (old, new))  # type: ignore[index]  # a severity
        yield Figure(name, first, second)
    yield Figure("未检查的规则", old.rules["not_checked"], new.rules["not_checked"])


def _sections(old: Report, new: Report, edition: Edition) -> Iterator[Figure]:
    first, second = ({row.name: row for row in _rows(report, edition)} for report in (old, new))
    for name in dict.fromkeys((*second, *first)):
        one, other = first.get(name), second.get(name)
        allowed = next((row.allowed for row in (other, one) if row is not None), "")
        yield Figure(name, _words(one), _words(other), allowed)


def _rows(report: Report, edition: Edition) -> tuple[Row, ...]:
    submission = report.submission
    return limits.rows(submission, edition) if submission is not None and submission.is_writeup else ()


def _words(row: Row | None) -> int | None:
    return None if row is None or row.start is None else row.words


def _text(aligned: Aligned) -> Iterator[Difference]:
    """What differs, in the order of the new text; paragraphs that are the same are counted."""
    same = 0
    for pair in aligned.pairs:
        if pair.kind == "same":
            same += 1
            continue
        if same:
            yield Difference("same", count=same)
            same = 0
        old = None if pair.old is None else aligned.old[pair.old]
        new = None if pair.new is None else aligned.new[pair.new]
        heading = any(one is not None and one.heading for one in (old, new))
        if old is not None and new is not None and pair.kind == "changed":
            yield Difference("changed", pieces(old, new), pieces(new, old), heading=heading)
        else:
            first, second = (() if one is None else (Piece(one.text, changed=False),) for one in (old, new))
            yield Difference(pair.kind, first, second, heading=heading)
    if same:
        yield Difference("same", count=same)


def _first(every: list[Difference]) -> tuple[Difference, ...]:
    """As many as a page holds."""
    shown: list[Difference] = []
    left = _MOST
    for one in every:
        left -= one.kind != "same"
        if left < 0:
            break
        shown.append(one)
    return tuple(shown)
