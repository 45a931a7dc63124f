"""What an applicant gets of an analysis of his own: what to mend first, the report as a part of the page, files to take away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from fastapi.responses import Response
from markupsafe import Markup

from service.database.files import Files
from service.errors import ServiceError
from service.model import Edition, Report, Submission
from service.render.html import report_html
from service.render.page import report_fragment
from service.render.view import Item
from service.render.word import annotate
from service.render.wording import printable
from service.web import context

_PARTS = ("bars", "digest", "matches", "text", "findings")
_MOST = 6  # errors named at the top; all stand beside the text
_FORMATS = {"doc": "旧版 Word（.doc）", "wps": "WPS（.wps）", "rtf": "RTF", "pdf": "PDF", "txt": "纯文本", "md": "Markdown"}


@dataclass(frozen=True, slots=True)
class Result:
    """A report on the applicant's page. `unread`: why the file could not be read; then there is nothing else."""

    html: Markup
    unread: str | None
    judged: bool
    missing: tuple[tuple[str, int | None], ...]  # required sections that are not there, and the finding that says so
    errors: tuple[Item, ...]  # the first of them, those sections apart
    more: int  # errors that are not named
    tally: dict[str, int]
    words: int
    partial: str | None  # what could not be done of it
    no_word: str | None  # why there is no annotated Word file


def result(report: Report, edition: Edition, *, dismissed: Callable[[Item], str | None] | None = None) -> Result:
    """`dismissed`: why a finding does not count (report_fragment)."""
    submission = report.submission
    fragment = report_fragment(report, edition, parts=_PARTS, dismissed=dismissed)
    judged = submission is not None and submission.is_writeup
    errors = [item for item in fragment.items if item.severity == "error"]
    others = [item for item in errors if item.check != "section_present"]
    return Result(
        html=fragment.html,
        unread=None if submission is not None else "；".join(note.message for note in report.notes) or "没有读出来。",
        judged=judged,
        missing=_missing(submission, fragment.items) if submission is not None and judged else (),
        errors=tuple(others[:_MOST]),
        more=len(others[_MOST:]),
        tally={kind: sum(item.severity == kind for item in fragment.items) for kind in ("error", "warning", "advice")},
        words=0 if report.counts is None else report.counts.words,
        partial="有一步没有完成，结果不完整；其余结果有效，见“说明”。" if report.status == "partial" else None,
        no_word=no_word(report),
    )


def _missing(submission: Submission, found: Sequence[Item]) -> tuple[tuple[str, int | None], ...]:
    names = [submission.name_of(key) for key in submission.missing]
    told = [item for item in found if item.check == "section_present"]
    return tuple((name, next((item.number for item in told if name in item.message), None)) for name in names)


def no_word(report: Report) -> str | None:
    """Why no comments can be written into the file; None where they can."""
    if report.format == "docx" and report.submission is not None:
        return None
    if report.submission is None:
        return "文件没有读出来，没有可批注的内容。"
    return f"批注只能写进 .docx。这份文件是{_FORMATS.get(report.format or '', '其他格式')}；另存为 .docx 再上传，即可下载带批注的 Word。"


def annotated(files: Files, report: Report) -> Response:
    """The applicant's own file with the report's remarks as Word comments."""
    why = no_word(report)
    if why is not None:
        raise ServiceError("annotate_docx_only", why, status=409)
    return context.download(annotate(files.get(report.sha256), report), _named(report.name, "批注", ".docx"), media=_WORD)


_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def standalone(report: Report, edition: Edition) -> Response:
    """The report as one file that opens anywhere."""
    return context.download(
        report_html(report, edition).encode(), _named(report.name, "审读报告", ".html"), media="text/html; charset=utf-8"
    )


def original(files: Files, sha256: str, file_name: str) -> Response:
    return context.download(files.get(sha256), printable(file_name))


def not_yet() -> ServiceError:
    return ServiceError("analysis_not_done", "还没有审读完，暂时没有报告。请稍后再打开。", status=409)


def _named(name: str, what: str, suffix: str) -> str:
    """甲公司-批注.docx of 甲公司.docx."""
    return f"{printable(PurePath(name).stem) or '申报材料'}-{what}{suffix}"
