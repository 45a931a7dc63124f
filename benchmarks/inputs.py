"""The documents that are measured: write-ups of 10,000字 with tables, drawn from the sample write-ups by a seed, and text PDFs."""

from __future__ import annotations

import io
import random
import re
from functools import cache
from pathlib import Path

import docx
from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Pt
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table

from service.text import words

FONT = Path(__file__).parent.parent / "corpora" / "samples" / "sources" / "fonts" / "serif.ttf"
SUBJECTS = ("质量部", "装配车间", "各班组", "供应商", "工艺小组", "检验人员", "设备部", "项目团队", "研发中心", "售后部门")
ACTIONS = ("核对了", "重新测定了", "改进了", "记录了", "统计了", "复查了", "分析了", "修订了", "试验了", "对比了")
OBJECTS = (
    "关键工序的参数",
    "量具的重复性",
    "来料的批次差异",
    "夹具的定位误差",
    "客户反馈的故障",
    "控制图的异常点",
    "试验台的读数",
    "作业指导书",
    "培训的效果",
    "返修品的原因",
)
RESULTS = ("合格率由{a}%提高到{b}%", "单件用时由{a}分钟降到{b}分钟", "不良品由{a}件减到{b}件", "过程能力指数达到1.{c}", "共形成措施{c}项")
PARTS = (("一、企业概况", 400), ("二、实施背景", 900), ("三、实施过程", 5200), ("四、实施成效", 1700))  # 字 of each
TABLES = 12
SOURCES = sorted((Path(__file__).parent.parent / "corpora" / "samples" / "sources").glob("*.md"))


@cache
def material() -> tuple[tuple[str, ...], tuple[tuple[tuple[str, ...], ...], ...]]:
    """Paragraphs and tables (rows of cells) of the constructed sample write-ups: text as applicants write it."""
    blocks = [block.strip() for path in SOURCES for block in path.read_text("utf-8").split("\n\n")]
    prose = tuple(
        block for block in blocks if len(block) > 60 and not block.startswith(("#", "|", "!")) and not re.search(r"\{[+\-=>a-z]", block)
    )
    tables = []
    for block in blocks:
        if block.startswith("|"):
            lines = [line for line in block.splitlines() if not re.fullmatch(r"[|\s:-]+", line)]
            tables.append(tuple(tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines))
    return prose, tuple(tables)


def sentence(chance: random.Random) -> str:
    result = chance.choice(RESULTS).format(a=chance.randint(20, 99), b=chance.randint(20, 99), c=chance.randint(10, 99))
    return f"{chance.choice(SUBJECTS)}在第{chance.randint(1, 52)}周{chance.choice(ACTIONS)}{chance.choice(OBJECTS)}，{result}。"


def paragraph(chance: random.Random) -> str:
    return "".join(sentence(chance) for _ in range(5))


def _add_table(document: Document, rows: tuple[tuple[str, ...], ...], number: int) -> None:
    document.add_paragraph(f"表{number} 主要内容").alignment = WD_ALIGN_PARAGRAPH.CENTER
    table = document.add_table(rows=len(rows), cols=max(map(len, rows)))
    for row, cells in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, cells, strict=False):
            cell.text = text


@cache
def writeup_docx(seed: int = 0) -> bytes:
    """10,000字 of the samples: paragraphs in the seed's order under four headings and twelve tables, set as the 2022 notice asks."""
    chance = random.Random(seed)
    prose, tables = material()
    paragraphs, chosen = iter(chance.sample(prose, len(prose))), iter(chance.sample(tables, TABLES))
    document = docx.Document()
    body = document.styles["Normal"]
    body.font.size = Pt(14)
    body.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), "宋体")
    document.add_paragraph("实施过程参数闭环的经验").alignment = WD_ALIGN_PARAGRAPH.CENTER
    number = since = 0
    for heading, wanted in PARTS:
        document.add_heading(heading, level=1)
        written = 0
        while written < wanted:
            text = next(paragraphs)
            document.add_paragraph(text)
            written += words(text)
            since += words(text)
            if since > 600 and number < TABLES:
                number, since = number + 1, 0
                _add_table(document, next(chosen), number)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


@cache
def text_pdf(*, pages: int, ruled: int, embedded: bool, seed: int = 0) -> bytes:
    """A PDF of `pages` full pages of Chinese text (about 1,000 characters each); `ruled` of them carry a ruled table.

    `embedded`: with its font inside, as Word and LibreOffice write it; else STSong-Light, which the reader has to replace.
    """
    font = "serif" if embedded else "STSong-Light"
    pdfmetrics.registerFont(TTFont(font, FONT) if embedded else UnicodeCIDFont(font))
    chance = random.Random(seed)
    style = ParagraphStyle("body", fontName=font, fontSize=12, leading=18, wordWrap="CJK", firstLineIndent=24)
    story: list[object] = []
    for page in range(pages):
        has_table = page < ruled
        story += [Paragraph(paragraph(chance), style) for _ in range(4 if has_table else 7)]
        if has_table:
            cells = [
                ["指标", "单位", "2019年", "2020年", "2021年"],
                *([f"指标{row}", "%", *(str(chance.randint(10, 99)) for _ in range(3))] for row in range(8)),
            ]
            grid = Table(cells, style=[("FONTNAME", (0, 0), (-1, -1), font), ("GRID", (0, 0), (-1, -1), 0.5, colors.black)])
            story += [Spacer(1, 12), grid]
        story.append(PageBreak())
    stream = io.BytesIO()
    SimpleDocTemplate(stream, pagesize=A4, invariant=1).build(story)
    return stream.getvalue()
