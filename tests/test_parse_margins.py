"""Page headers, footers and watermarks are no part of the text, but are known: a mark of secrecy usually stands there."""

from __future__ import annotations

import io

import docx
from pdf_drawing import drawn, flowed

from service.parse.docx import read_docx
from service.parse.pdf import read_pdf

TEXT = "项目组把装配扭矩逐台记录下来，发现偏差集中在夜班交接后的半小时，于是调整了交接顺序和首件复核的办法。"


def test_headers_and_footers_of_word() -> None:
    file = docx.Document()
    file.add_paragraph(TEXT)
    file.sections[0].header.paragraphs[0].text = "机密★5年"
    file.sections[0].footer.paragraphs[0].text = "第1页"
    out = io.BytesIO()
    file.save(out)
    document = read_docx(out.getvalue(), "a.docx")
    assert document.text == TEXT
    assert set(document.margins) == {"机密★5年", "第1页"}


def test_headers_of_pdf() -> None:
    different = (TEXT, "".join(reversed(TEXT)), TEXT.replace("的", "之").replace("，", "；")[6:])
    pages = [[(480.0, 40.0, 9.0, "秘密★3年"), *flowed(text)] for text in different]
    document = read_pdf(drawn(pages), "a.pdf").document
    assert "秘密★3年" not in document.text
    assert document.margins == ("秘密★3年",)
