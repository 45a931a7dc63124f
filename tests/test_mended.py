"""What was mended between two versions, known again by rule and words, also in text that was moved or edited."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from service import rulebook
from service.model import Finding, Outcome, Report
from service.parse import Reader
from service.pipeline import analyse
from service.programme.mended import mended
from service.programme.paragraphs import align, pieces
from service.render.view import items

FIRST = "某公司成立于1998年，主营阀门，现有员工860人，产品出口三十个国家。"
SECOND = "公司以全面质量管理为抓手，推行卓越绩效模式，层层落实质量责任。"
THIRD = "质量损失率由0.94%降到0.52%，顾客满意度提高到96.3分。"
FOURTH = "员工精神面貌焕然一新，各项工作硕果累累，企业管理跃上新高度。"
OTHER = "2023年起建立供应商分级制度，对四十七家关键供应商开展驻厂审核。"


@pytest.fixture(name="report")
def _report(make_submission: Any) -> Any:
    def make(paragraphs: Sequence[str], findings: dict[str, Sequence[str]], *, blind: Sequence[str] = (), **case: Any) -> Report:
        """`findings`: rule -> marked words; words that begin with ! are a message on the whole text."""
        half = len(paragraphs) // 2
        sections = [
            {"key": "overview", "heading": "一、企业概况", "blocks": paragraphs[:half]},
            {"key": "results", "heading": "四、实施成效", "blocks": paragraphs[half:]},
        ]
        submission = make_submission({"title": "阀门质量管理经验", "sections": sections, **case})
        outcomes = []
        for rule, marks in findings.items():
            made = []
            for words in marks:
                title = submission.title
                start = title.start if words.startswith("!") else submission.text.index(words)
                end = title.end if words.startswith("!") else start + len(words)
                made.append(Finding(words.lstrip("!") if words.startswith("!") else f"{rule} 不对", start, end))
            outcomes.append(Outcome(rule, "vague_claims", "ours", None, "fail", "warning", findings=tuple(made)))
        outcomes += [Outcome(rule, "vague_claims", "ours", None, "not_checked", "warning", reason="没有找到") for rule in blind]
        return Report("a.docx", "0" * 64, "docx", "2022-hebei", "h", "complete", submission=submission, outcomes=tuple(outcomes))

    return make


def _told(found: Any) -> tuple[int, int, int]:
    return len(found.mended), len(found.new), len(found.remaining)


def test_the_same_version_mends_nothing(report: Any) -> None:
    one = report([FIRST, SECOND, THIRD, FOURTH], {"r/1": ["焕然一新"], "r/2": ["!缺少“实施背景”部分"]})
    assert _told(mended(one, one)) == (0, 0, 2)


def test_what_is_gone_is_mended_and_what_came_is_new(report: Any) -> None:
    old = report([FIRST, SECOND, THIRD, FOURTH], {"r/1": ["焕然一新"], "r/2": ["!缺少“实施背景”部分", "!缺少“实施过程”部分"]})
    new = report([FIRST, SECOND, THIRD, OTHER], {"r/2": ["!缺少“实施过程”部分"], "r/3": ["四十七家"]})
    found = mended(old, new)
    assert found is not None
    assert [item.message for item in found.mended] == ["缺少“实施背景”部分", "r/1 不对"]
    assert [item.message for item in found.new] == ["r/3 不对"]
    assert [item.message for item in found.remaining] == ["缺少“实施过程”部分"]


def test_a_finding_in_moved_text_remains(report: Any) -> None:
    old = report([FIRST, SECOND, THIRD, FOURTH], {"r/1": ["硕果累累"]})
    new = report([FOURTH, FIRST, SECOND, THIRD], {"r/1": ["硕果累累"]})
    assert _told(mended(old, new)) == (0, 0, 1)


def test_a_finding_in_an_edited_paragraph_remains(report: Any) -> None:
    old = report([FIRST, SECOND, THIRD, FOURTH], {"r/1": [FOURTH]})
    edited = FOURTH.replace("焕然一新", "昂扬向上")
    new = report([FIRST, OTHER, SECOND, THIRD, edited], {"r/1": [edited]})
    assert _told(mended(old, new)) == (0, 0, 1)


def test_short_words_elsewhere_are_another_finding(report: Any) -> None:
    old = report([FIRST, SECOND, THIRD, FOURTH], {"r/1": ["1998年"]})
    new = report(
        [FIRST.replace("1998年", "2008年"), SECOND, THIRD, FOURTH, "1998年建厂时只有三条产线，如今已有四座数字化车间。"],
        {"r/1": ["1998年"]},
    )
    assert _told(mended(old, new)) == (1, 1, 0)


def test_two_of_one_rule_are_not_taken_for_each_other(report: Any) -> None:
    old = report([FIRST, SECOND, THIRD, FOURTH], {"r/1": ["层层落实", "硕果累累"]})
    new = report([FIRST, SECOND, THIRD, FOURTH.replace("硕果累累", "扎实推进")], {"r/1": ["层层落实"]})
    found = mended(old, new)
    assert found is not None
    assert [item.snippet for item in found.mended] == ["硕果累累"]
    assert [item.snippet for item in found.remaining] == ["层层落实"]


def test_figures_in_what_is_said_of_the_whole_make_no_difference(report: Any) -> None:
    old = report([FIRST, SECOND], {"r/1": ["!全文9,120字，超过8,000字"]})
    new = report([FIRST, OTHER], {"r/1": ["!全文8,400字，超过8,000字"]})
    assert _told(mended(old, new)) == (0, 0, 1)


def test_what_cannot_be_checked_any_more_is_not_called_mended(report: Any) -> None:
    old = report([FIRST, SECOND, THIRD, FOURTH], {"r/1": ["焕然一新"]})
    new = report([FIRST, SECOND], {}, blind=["r/1"])
    found = mended(old, new)
    assert found is not None
    assert _told(found) == (0, 0, 0)
    assert len(found.unjudged) == 1


def test_nothing_is_said_where_one_was_not_judged(report: Any) -> None:
    old = report([FIRST, SECOND], {})
    assert mended(old, report([FIRST], {}, is_writeup=False)) is None
    assert mended(Report("a", "0" * 64, None, "2022-hebei", "h", "failed"), old) is None


def test_personal_data_are_masked(report: Any) -> None:
    found = mended(report([FIRST, "联系人手机13812345678，请拨打。"], {"r/1": ["手机13812345678"]}), report([FIRST, SECOND], {}))
    assert found is not None
    assert found.mended[0].snippet == "手机138****5678"


def test_paragraphs_are_aligned(report: Any) -> None:
    old = report([FIRST, SECOND, THIRD, FOURTH], {}).submission.document
    new = report([FOURTH, FIRST, THIRD.replace("96.3", "97.1"), OTHER], {}).submission.document
    aligned = align(old, new)
    kinds = {kind: [] for kind in ("same", "moved", "changed", "added", "removed")}
    for pair in aligned.pairs:
        kinds[pair.kind].append((aligned.new if pair.new is not None else aligned.old)[pair.new if pair.new is not None else pair.old].text)
    assert kinds["moved"] == [FOURTH]
    assert kinds["removed"] == [SECOND]
    assert kinds["added"] == [OTHER]
    assert kinds["changed"] == [THIRD.replace("96.3", "97.1")]
    changed = next(pair for pair in aligned.pairs if pair.kind == "changed")
    told = pieces(aligned.old[changed.old], aligned.new[changed.new])
    assert "".join(piece.text for piece in told) == THIRD
    assert [piece.text for piece in told if piece.changed] == ["96.3"]


def test_every_paragraph_stands_once(report: Any) -> None:
    old = report([FIRST, FIRST, SECOND, THIRD], {}).submission.document
    new = report([SECOND, FIRST, OTHER, FIRST, FIRST], {}).submission.document
    aligned = align(old, new)
    assert sorted(pair.old for pair in aligned.pairs if pair.old is not None) == list(range(len(aligned.old)))
    assert [pair.new for pair in aligned.pairs if pair.new is not None] == list(range(len(aligned.new)))


# --- on real files -----------------------------------------------------------------------------------------------------------------

SAMPLES = Path(__file__).resolve().parents[1] / "corpora/samples"


@pytest.fixture(name="read", scope="module")
def _read() -> Iterator[Any]:
    """The report on a sample whose main part was changed by `change`."""
    with Reader(jobs=1, ocr=False, convert=False) as reader:

        def read(name: str, edition: str, change: Callable[[str], str] = str) -> Report:
            out = io.BytesIO()
            with zipfile.ZipFile(SAMPLES / name) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
                for entry in source.infolist():
                    data = source.read(entry)
                    if entry.filename == "word/document.xml":
                        data = change(data.decode()).encode()
                    target.writestr(entry, data)
            return analyse(reader.read_data(out.getvalue(), name), rulebook.load(edition))

        yield read


PAIRS = [("s2", "2022-hebei"), ("s5", "2022-hebei"), ("s3", "2024-caq"), ("s4", "2022-hebei"), ("s9", "2016-jiangsu")]


@pytest.mark.parametrize(("name", "edition"), PAIRS)
def test_a_real_file_compared_with_itself_keeps_every_finding(read: Any, name: str, edition: str) -> None:
    one = read(f"{name}.docx", edition)
    found = mended(one, one)
    assert found is not None
    assert _told(found) == (0, 0, len(items(one)))
    assert items(one)


# s5 has text boxes: paragraphs within paragraphs, which cannot be cut out like this.
@pytest.mark.parametrize(("name", "edition"), [pair for pair in PAIRS if pair[0] != "s5"])
def test_every_finding_of_both_versions_is_told_once(read: Any, name: str, edition: str) -> None:
    old = read(f"{name}.docx", edition)
    paragraph = r"<w:p[ >](?:(?!</w:p>).)*?[，。](?:(?!</w:p>).)*?</w:p>"
    new = read(f"{name}.docx", edition, lambda text: re.sub(paragraph, "", text, count=9))
    found = mended(old, new)
    assert found is not None
    assert len(found.mended) + len(found.remaining) + len(found.unjudged) == len(items(old))
    assert len(found.new) + len(found.remaining) == len(items(new))


def test_a_placeholder_that_was_filled_in_is_the_one_finding_mended(read: Any) -> None:
    old = read("s2.docx", "2022-hebei")
    new = read("s2.docx", "2022-hebei", lambda text: text.replace("××", "38"))
    found = mended(old, new)
    assert found is not None
    assert [item.check for item in found.mended] == ["placeholder"]
    assert found.new == ()
    assert len(found.remaining) == len(items(old)) - 1


def test_a_shortened_section_that_is_still_too_long_remains(read: Any) -> None:
    old = read("s2.docx", "2022-hebei")
    start = re.search(r"<w:p[ >](?:(?!</w:p>).)*?为什么要做", read_text("s2.docx"))
    assert start is not None
    at = read_text("s2.docx").index("</w:p>", start.end())
    text = read_text("s2.docx")
    words = re.search(r"[一-鿿，]{20,}", text[at:])
    assert words is not None
    new = read("s2.docx", "2022-hebei", lambda text: text.replace(words[0], words[0][:5], 1))
    found = mended(old, new)
    assert found is not None
    assert "section_length" in [item.check for item in found.remaining]
    assert "section_length" not in [item.check for item in (*found.mended, *found.new)]


def read_text(name: str) -> str:
    with zipfile.ZipFile(SAMPLES / name) as source:
        return source.read("word/document.xml").decode()
