"""Tracked changes are read as accepted and reported; hidden text, comments, headers and footers are no text."""

from __future__ import annotations

from docx_parts import lines, para, read, row, run, table, texts

INS = '<w:ins w:id="1" w:author="a">{}</w:ins>'
DEL = '<w:del w:id="2" w:author="a">{}</w:del>'
DELETED = "<w:r><w:delText>{}</w:delText></w:r>"


def test_insertions_stay_and_deletions_go() -> None:
    document = read(para("原有", INS.format(run("加上的")), DEL.format(DELETED.format("删去的")), "文字"))
    assert texts(document) == ["原有加上的文字"]
    assert [note.code for note in document.notes] == ["tracked_changes"]
    assert "2处修订" in document.notes[0].message


def test_deletion_inside_an_insertion_goes() -> None:
    assert texts(read(para(INS.format(run("留下") + DEL.format(DELETED.format("又删")))))) == ["留下"]


def test_moved_text_stands_only_at_its_new_place() -> None:
    body = para('<w:moveFrom w:id="1">' + run("搬动的话") + "</w:moveFrom>", "甲") + para(
        '<w:moveTo w:id="2">' + run("搬动的话") + "</w:moveTo>", "乙"
    )
    assert texts(read(body)) == ["甲", "搬动的话乙"]


def test_deleted_paragraph_mark_joins_with_the_next_paragraph() -> None:
    body = para("前半句", properties='<w:rPr><w:del w:id="1" w:author="a"/></w:rPr>') + para("后半句", properties='<w:jc w:val="center"/>')
    document = read(body)
    assert texts(document) == ["前半句后半句"]
    assert document.blocks[0].layout is not None
    assert document.blocks[0].layout.alignment == "center"


def test_deleted_last_paragraph_before_a_table_is_kept_apart() -> None:
    body = para("前文", properties='<w:rPr><w:del w:id="1"/></w:rPr>') + table(row("甲", "乙")) + para("后文")
    assert texts(read(body)) == ["前文", "甲\t乙", "后文"]


def test_deleted_and_inserted_rows() -> None:
    body = table(row("甲", "乙"), row("删", "去", properties='<w:del w:id="1"/>'), row("丙", "丁", properties='<w:ins w:id="2"/>'))
    document = read(body)
    assert texts(document) == ["甲\t乙\n丙\t丁"]
    assert [(cell.row, cell.column) for cell in document.blocks[0].cells] == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_hidden_text_is_left_out_by_run_and_by_style() -> None:
    styles = (
        '<w:style w:type="paragraph" w:styleId="h"><w:name w:val="隐藏"/><w:rPr><w:vanish/></w:rPr></w:style>'
        '<w:style w:type="character" w:styleId="c"><w:name w:val="隐藏字"/><w:rPr><w:vanish/></w:rPr></w:style>'
    )
    body = (
        para("看得见", run("看不见", "<w:vanish/>"), run("也看不见", '<w:rStyle w:val="c"/>'), run("网页才不见", "<w:webHidden/>"))
        + para("整段隐藏", properties='<w:pStyle w:val="h"/>')
        + para(run("又现出来", '<w:vanish w:val="0"/>'), properties='<w:pStyle w:val="h"/>')
    )
    assert texts(read(body, styles=styles)) == ["看得见网页才不见", "又现出来"]


def test_hidden_numbered_paragraph_takes_no_number() -> None:
    numbering = (
        '<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
        '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    )
    number = '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'
    hidden = para(run("藏", "<w:vanish/>"), properties=number + "<w:rPr><w:vanish/></w:rPr>")
    document = read(para("甲", properties=number) + hidden + para("乙", properties=number), numbering=numbering)
    assert [label for _, label, _ in lines(document)] == ["1.", "2."]


def test_comments_are_no_text() -> None:
    body = para('<w:commentRangeStart w:id="0"/>', "正文", '<w:commentRangeEnd w:id="0"/><w:r><w:commentReference w:id="0"/></w:r>')
    document = read(body)
    assert texts(document) == ["正文"]
    assert document.notes == ()
