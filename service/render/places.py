"""Where a span of the text stands, as readers look for it: section, subheading, page."""

from __future__ import annotations

from dataclasses import dataclass

from service.model import Section, Submission
from service.render.wording import cut, section_name

_HEADING = 20  # characters of a subheading


@dataclass(frozen=True, slots=True)
class Place:
    key: str | None  # of the section; None outside of all
    section: str  # 实施过程, 题目, 各部分之外
    heading: str  # the nearest subheading; "" where there is none
    page: int | None

    @property
    def line(self) -> str:
        return in_line(self.section, self.heading, self.page)


def place_of(submission: Submission, start: int, end: int) -> Place:
    section = _section_at(submission, start, end)
    heading = "" if section is None else _subheading(submission, section, start, end)
    name = _outside(submission, start) if section is None else section_name(submission, section.key)
    return Place(None if section is None else section.key, name, heading, _page_at(submission, start))


def in_line(section: str, heading: str, page: int | None) -> str:
    """Section, subheading and page in one line."""
    return " · ".join(part for part in (section, heading, "" if page is None else f"第{page}页") if part)


def _section_at(submission: Submission, start: int, end: int) -> Section | None:
    """The section that holds the span; a point right after a section's last character (a figure at its end) is still in it."""
    inside = [section for section in submission.sections if section.start <= start < section.end]
    if not inside and start == end:
        inside = [section for section in submission.sections if section.start < start == section.end]
    return inside[0] if inside else None


def _outside(submission: Submission, start: int) -> str:
    title = submission.title
    return "题目" if title is not None and title.start <= start < title.end else "各部分之外"


def _subheading(submission: Submission, section: Section, start: int, end: int) -> str:
    above = [heading for heading in submission.headings if section.body_start <= heading.start <= start]
    # A span that runs over several subheadings (a whole section) has no nearest one.
    spanned = any(start < heading.start < end for heading in submission.headings)
    if spanned or not above:
        return ""
    label, text_only = above[-1].label, above[-1].text
    return cut(f"{label} {text_only}" if label[-1:].isdigit() else f"{label}{text_only}", _HEADING)


def _page_at(submission: Submission, start: int) -> int | None:
    page = None
    for block in submission.document.blocks:
        if block.start > start:
            break
        page = block.page or page
    return page
