"""The package: parts found by relationships, Strict files, damaged and hostile ones."""

from __future__ import annotations

import io
import zipfile

import pytest
from docx_parts import SECTION, docx, para, texts, zipped

from service.errors import Unreadable
from service.parse.docx import read_docx, read_with_segments


def rebuilt(data: bytes, **changes: str | None) -> bytes:
    """The zip with parts replaced or (None) left out; "__" stands for "/" in names."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    for key, content in changes.items():
        name = next(item for item in files if item.endswith(key.replace("__", "/") + (".rels" if key.startswith("rels") else ".xml")))
        if content is None:
            del files[name]
        else:
            files[name] = content
    return zipped(files)


def test_main_part_is_found_by_its_relationship() -> None:
    assert texts(read_docx(docx(para("正文"), main="文稿/content.xml", styles=""), "a.docx")) == ["正文"]


def test_strict_file() -> None:
    body = para("严格", properties='<w:jc w:val="center"/>')
    data = docx(
        body + '<w:sectPr><w:pgSz w:w="595pt" w:h="842pt"/></w:sectPr>',
        styles='<w:docDefaults><w:rPrDefault><w:rPr><w:sz w:val="14pt"/></w:rPr></w:rPrDefault></w:docDefaults>',
    )
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    strict = {
        name: content.replace(
            "http://schemas.openxmlformats.org/wordprocessingml/2006/main", "http://purl.oclc.org/ooxml/wordprocessingml/main"
        ).replace(
            "http://schemas.openxmlformats.org/officeDocument/2006/relationships", "http://purl.oclc.org/ooxml/officeDocument/relationships"
        )
        for name, content in files.items()
    }
    document = read_docx(zipped(strict), "a.docx")
    layout = document.blocks[0].layout
    assert texts(document) == ["严格"]
    assert layout is not None
    assert (layout.alignment, layout.size) == ("center", 14.0)
    assert (document.page_setups[0].width, document.page_setups[0].height) == (209.9, 297.0)


def test_missing_and_broken_side_parts_do_no_harm() -> None:
    data = docx(para("正文", properties='<w:pStyle w:val="x"/><w:numPr><w:numId w:val="1"/></w:numPr>'), styles="<w:style/>", numbering="")
    assert texts(read_docx(rebuilt(data, styles=None, numbering="<broken"), "a.docx")) == ["正文"]


@pytest.mark.parametrize("content", ["<broken", "", "<w:document xmlns:w='urn:x'/>"])
def test_broken_main_part(content: str) -> None:
    with pytest.raises(Unreadable, match="损坏") as caught:
        read_docx(rebuilt(docx(para("正文")), word__document=content), "a.docx")
    assert caught.value.code == "file_damaged"


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04rest", b"no zip at all"])
def test_no_zip(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read_docx(data, "a.docx")


def test_truncated_zip() -> None:
    with pytest.raises(Unreadable):
        read_docx(docx(para("正文"))[:-40], "a.docx")


def test_zip_of_something_else() -> None:
    with pytest.raises(Unreadable, match="不是Word文档") as caught:
        read_docx(zipped({"[Content_Types].xml": "<Types/>", "readme.txt": "x"}), "a.docx")
    assert caught.value.code == "not_word"


def test_workbook_named_as_a_document() -> None:
    data = docx(para("正文"))
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/word/document.xml"'
        ' ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
    )
    with pytest.raises(Unreadable, match="不是Word文档"):
        read_docx(rebuilt(data, **{"[Content_Types]": types}), "a.docx")


@pytest.mark.parametrize("part", ["word__document", "styles"])
def test_doctype_is_refused(part: str) -> None:
    data = docx(para("正文"), styles="<w:style/>")
    with pytest.raises(Unreadable, match="DOCTYPE"):
        read_docx(rebuilt(data, **{part: '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'}), "a.docx")


def test_doctype_in_utf_16_is_refused() -> None:
    data = docx(para("正文"))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
    files["word/document.xml"] = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'.encode("utf-16")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    with pytest.raises(Unreadable, match="DOCTYPE"):
        read_docx(out.getvalue(), "a.docx")


def test_external_content_is_named_and_not_fetched() -> None:
    links = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="a" Type="http://x/image" Target="http://192.0.2.1/a.png" TargetMode="External"/>'
        '<Relationship Id="b" Type="http://x/attachedTemplate" Target="\\\\host\\a.dotx" TargetMode="External"/>'
        '<Relationship Id="c" Type="http://x/hyperlink" Target="http://192.0.2.1/" TargetMode="External"/></Relationships>'
    )
    document = read_docx(docx(para("正文"), extra={"word/_rels/document.xml.rels": links}), "a.docx")
    assert [note.code for note in document.notes] == ["external_links"]
    assert "外部模板1处、链接的图片1处" in document.notes[0].message


def test_embedded_document_is_named() -> None:
    document = read_docx(docx(para("正文") + '<w:altChunk r:id="x"/>'), "a.docx")
    assert [note.code for note in document.notes] == ["embedded_documents"]


def test_segments_lead_to_the_very_characters() -> None:
    body = para("甲乙", "<w:r><w:tab/></w:r>", "丙丁") + para("　戊") + SECTION
    reading = read_with_segments(docx(body), "a.docx")
    text = reading.document.text
    for segment in reading.segments:
        if segment.element.tag.endswith("}t"):
            length = segment.end - segment.start
            assert (segment.element.text or "")[segment.offset : segment.offset + length] == text[segment.start : segment.end]
    covered = sum(segment.end - segment.start for segment in reading.segments)
    assert covered == len(text) - text.count("\n")
