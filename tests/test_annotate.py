"""The applicant's own .docx with comments: at the exact words, and nothing else changed."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from docx_parts import NAMESPACES, SECTION, docx, para, row, run, table
from lxml import etree

from service.errors import ServiceError
from service.model import Finding, Outcome, Report, Section, Submission, Title
from service.parse.docx import read_docx
from service.render.word import AUTHOR, annotate

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
BOX = "<w:txbxContent>{}</w:txbxContent>"


def report(data: bytes, *words: str, title: str | None = None) -> Report:
    """A report with a finding at each of `words`; a finding that concerns the whole is written as ""."""
    document = read_docx(data, "申报.docx")
    text = document.text
    place = Title(title, text.index(title), text.index(title) + len(title)) if title else None
    findings = tuple(
        Finding(
            f"第{number}处：{word or '全文'}。", *((text.index(word), text.index(word) + len(word)) if word else (len(text), len(text)))
        )
        for number, word in enumerate(words, 1)
    )
    sections = (Section("process", None, 0, 0, len(text), 0),) if "" not in words else ()
    submission = Submission(document, place, None, sections, (), (), (), 0, len(text))
    outcome = Outcome("2022-hebei/9", "placeholder", "notice", "附件2 一、3", "fail" if words else "pass", "warning", None, findings)
    return Report("申报.docx", document.sha256, "docx", "2022-hebei", "0", "complete", submission=submission, outcomes=(outcome,))


def part(data: bytes, name: str) -> etree._Element:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return etree.fromstring(archive.read(name))


def comments(data: bytes) -> dict[str, list[str]]:
    """Our comments by id: their paragraphs."""
    root = part(data, "word/comments.xml")
    return {
        comment.get(W + "id", ""): ["".join(t.text or "" for t in p.iter(W + "t")) for p in comment.iter(W + "p")]
        for comment in root
        if comment.get(W + "author") == AUTHOR
    }


def commented(data: bytes) -> list[str]:
    """The words inside each of our ranges, in the order of the comments; every range must be whole and have its mark."""
    open_ranges: dict[str, list[str]] = {}
    closed: dict[str, str] = {}
    marks = []
    for element in part(data, "word/document.xml").iter():
        number = element.get(W + "id", "")
        if element.tag == W + "commentRangeStart":
            open_ranges[number] = []
        elif element.tag == W + "commentRangeEnd":
            closed[number] = "".join(open_ranges.pop(number))
        elif element.tag == W + "commentReference":
            marks.append(number)
        elif element.tag == W + "t":
            for words in open_ranges.values():
                words.append(element.text or "")
    assert not open_ranges
    ours = comments(data)
    assert set(ours) <= set(closed)
    assert sorted(marks) == sorted(set(marks)) == sorted(closed)
    return [closed[number] for number in ours]


def check(body: str, *words: str, **parts: str) -> bytes:
    """Annotates `words`; what is read afterwards must be what was read before."""
    data = docx(body + SECTION, **parts)
    out = annotate(data, report(data, *words))
    before, after = read_docx(data, "申报.docx"), read_docx(out, "申报.docx")
    assert (after.text, after.blocks) == (before.text, before.blocks)
    return out


def test_words_inside_a_run() -> None:
    out = check(para(run("该项目由××部门负责实施。", "<w:b/>")), "××部门")
    assert commented(out) == ["××部门"]
    assert list(comments(out).values()) == [["【提醒】第1处：××部门。", "依据：附件2 一、3"]]
    runs = part(out, "word/document.xml").findall(f".//{W}r[{W}t]")
    assert [item.find(f"{W}rPr/{W}b") is not None for item in runs] == [True, True, True]


def test_a_run_is_not_split_where_a_range_ends_with_it() -> None:
    out = check(para("前文", "待补充", "后文"), "待补充")
    assert len(part(out, "word/document.xml").findall(f".//{W}t")) == 3


def test_several_ranges_that_overlap_in_one_run() -> None:
    assert commented(check(para("甲乙丙丁戊己庚辛"), "甲乙", "乙丙丁", "丙丁戊己", "辛")) == ["甲乙", "乙丙丁", "丙丁戊己", "辛"]


def test_range_inside_a_run_with_a_break_and_a_tab() -> None:
    body = para("<w:r><w:t>前面的话</w:t><w:tab/><w:t>中间的话</w:t><w:br/><w:t>后面的话。</w:t></w:r>")
    assert commented(check(body, "话\t中间", "后面")) == ["话中间", "后面"]


def test_range_over_paragraphs_and_cells() -> None:
    body = para("第一段的末尾。") + para("第二段的开头。") + table(row("年份", "产量"), row("2021年", "35万吨"))
    assert commented(check(body, "末尾。\n第二段", "产量\n2021年\t35")) == ["末尾。第二段", "产量2021年35"]


def test_blanks_at_the_ends_of_a_span_reach_into_no_other_run() -> None:
    assert commented(check(para("for ", "education and ", "training"), " education and ")) == ["education and "]


def test_blanks_that_are_trimmed_keep_the_place() -> None:
    body = "<w:p><w:r><w:t>  　　首行缩进的正文  </w:t></w:r></w:p>"
    assert commented(check(body, "缩进")) == ["缩进"]
    assert commented(check(body, "首行")) == ["　　首行"]  # no run is split for an indent alone


def test_characters_that_nobody_sees_do_not_shift_the_place() -> None:
    assert commented(check(para("质\u200b量标\u200b杆经验"), "杆经", "质量")) == ["质\u200b量", "杆经"]


@pytest.mark.parametrize(
    "wrapped",
    [
        '<w:hyperlink w:anchor="x">{}</w:hyperlink>',
        "<w:sdt><w:sdtContent>{}</w:sdtContent></w:sdt>",
        '<w:ins w:id="7" w:author="某人">{}</w:ins>',
        '<w:smartTag w:element="x">{}</w:smartTag>',
    ],
)
def test_exact_words_inside_wrappers(wrapped: str) -> None:
    assert commented(check(para("前", wrapped.format(run("其中的若干文字")), "后"), "若干")) == ["若干"]


def test_a_plain_text_control_is_marked_as_a_whole() -> None:
    control = f"<w:sdt><w:sdtPr><w:text/></w:sdtPr><w:sdtContent>{run('控件里的文字')}</w:sdtContent></w:sdt>"
    out = check(para("前", control, "后"), "里的")
    assert commented(out) == ["控件里的文字"]
    assert part(out, "word/document.xml").find(f".//{W}sdtContent/{W}commentRangeStart") is None


def test_text_box_is_marked_at_its_anchor() -> None:
    shape = f"<wps:wsp><wps:txbx>{BOX.format(para('框里的提示文字'))}</wps:txbx></wps:wsp>"
    body = para(
        "正文在此。",
        f'<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing>{shape}</w:drawing></mc:Choice></mc:AlternateContent></w:r>',
    )
    out = check(body, "提示")
    root = part(out, "word/document.xml")
    assert root.find(f".//{W}txbxContent//{W}commentRangeStart") is None
    start = root.find(f".//{W}commentRangeStart")
    assert start is not None
    assert start.getnext().find(f".//{W}txbxContent") is not None


def test_footnote_is_marked_at_its_number() -> None:
    note = f'<w:footnote w:id="2">{para("脚注里的待补充内容")}</w:footnote>'
    out = check(para("正文", '<w:r><w:footnoteReference w:id="2"/></w:r>', "后"), "待补充", footnotes=note)
    start = part(out, "word/document.xml").find(f".//{W}commentRangeStart")
    assert start is not None
    assert start.getnext().find(W + "footnoteReference") is not None


def test_what_has_no_place_stands_at_the_title_in_one_comment() -> None:
    data = docx(para("实施精益管理的经验") + para("正文。") + SECTION)
    out = annotate(data, report(data, "", "", title="实施精益管理的经验"))
    assert commented(out) == ["实施精益管理的经验"]
    assert [len(lines) for lines in comments(out).values()] == [4]


def test_comments_of_the_applicant_stay() -> None:
    own = f'<w:comments {NAMESPACES}><w:comment w:id="4" w:author="某人">{para("请核对")}</w:comment></w:comments>'
    links = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId9" Target="comments.xml"'
        ' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/comments"/>'
        "</Relationships>"
    )
    body = para(
        '<w:commentRangeStart w:id="4"/>', "已有批注", '<w:commentRangeEnd w:id="4"/><w:r><w:commentReference w:id="4"/></w:r>', "的正文"
    )
    data = docx(body + SECTION, extra={"word/comments.xml": own, "word/_rels/document.xml.rels": links})
    out = annotate(data, report(data, "正文"))
    assert [item.get(W + "id") for item in part(out, "word/comments.xml")] == ["4", "5"]
    assert commented(out) == ["正文"]


def test_everything_else_stays_byte_for_byte() -> None:
    data = docx(para("待补充") + SECTION, styles="<w:style/>", extra={"word/media/image1.png": "no picture"})
    out = annotate(data, report(data, "待补充"))
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(io.BytesIO(out)) as new:
        changed = {name for name in new.namelist() if name not in old.namelist() or old.read(name) != new.read(name)}
    assert changed == {"word/document.xml", "word/comments.xml", "word/_rels/document.xml.rels", "[Content_Types].xml"}


def test_no_finding_no_change() -> None:
    data = docx(para("正文") + SECTION)
    assert annotate(data, report(data)) == data


def test_another_file_than_the_report_s_is_refused() -> None:
    data = docx(para("正文") + SECTION)
    with pytest.raises(ServiceError, match="重新审读"):
        annotate(docx(para("改过的正文") + SECTION), report(data, "正文"))


def annotations(fodt: Path) -> list[str]:
    """The words inside each annotation of a flat OpenDocument file, blanks squeezed."""
    open_ranges: dict[str, list[str]] = {}
    closed: list[str] = []

    def walk(element: etree._Element) -> None:
        name = element.get(OFFICE + "name", "")
        if element.tag == OFFICE + "annotation":
            open_ranges[name] = []
        elif element.tag == OFFICE + "annotation-end":
            closed.append(re.sub(r"\s", "", "".join(open_ranges.pop(name))))
        else:
            for words in open_ranges.values():
                words.append(element.text or "")
            for child in element:
                walk(child)
        for words in open_ranges.values():
            words.append(element.tail or "")

    body = etree.parse(str(fodt)).getroot().find(f"{OFFICE}body/{OFFICE}text")
    assert body is not None
    walk(body)
    assert not open_ranges
    return closed


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("soffice") is None, reason="needs LibreOffice")
def test_libreoffice_shows_the_comments_at_the_words(tmp_path: Path) -> None:
    body = (
        para("第一段含有××字样。")
        + para("链接", f'<w:hyperlink w:anchor="x">{run("去看附录说明")}</w:hyperlink>')
        + para("修订", f'<w:ins w:id="7" w:author="某人" w:date="2022-01-01T00:00:00Z">{run("后来加入的文字")}</w:ins>')
        + table(row("指标", "数值"), row("合格率", "待补充"))
        + para("末段")
    )
    words = ["××", "附录", "加入", "待补充", "末段"]
    path = tmp_path / "批注.docx"
    path.write_bytes(check(body, *words))
    subprocess.run(
        [
            "soffice",
            "--headless",
            f"-env:UserInstallation=file://{tmp_path}/profile",
            "--convert-to",
            "fodt",
            "--outdir",
            str(tmp_path),
            str(path),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    assert annotations(tmp_path / "批注.fodt") == words
