"""Text and Markdown files: the encoding found by content, lines made paragraphs, tables kept."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

from service.errors import Unreadable
from service.model import Document, Format, Note
from service.parse.blocks import Builder, CellText
from service.parse.limits import Limits
from service.parse.plain_tables import display_width, table_at

_CONTROL = re.compile("[\x00-\x08\x0e-\x19\x1b-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
# Written Chinese and English: what a text decoded with the right encoding is made of.
_ORDINARY = re.compile("[\t-\r -~·×÷°±µ–—‘’“”…‰Ⅰ-Ⅻ①-⓿─-╿■-◿\u2000-\u206f\u2100-\u22ff\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
_ENOUGH_ORDINARY = 0.95
_ENOUGH_USUAL = 0.6  # traditional characters share some two thirds with GB2312
_SAMPLE = 200_000
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\x0c\x1a]")
_BLANKS = " \t\u3000\xa0"
_WORST_DAMAGE = 0.005  # share of bytes that may be undecodable: a file cut or edited with the wrong tool
_CONTENTS = re.compile(r"目[ \u3000]*[录次]")
_LONGEST_MARKDOWN_LINE = 20_000  # above, nobody wrote it, and the parser's time may grow with its square
_CONTENTS_LONGEST = 200
_CONTENTS_ENTRY = re.compile(r"(?P<text>.*?[^\s.…·‥])[\s.…·‥\u3000]+\d{1,3}")
_NUMBERED = re.compile(
    r"(?:第[一二三四五六七八九十\d]+[章节部]|[（(]?[一二三四五六七八九十]{1,3}[)）、.．]|[（(]?\d{1,2}(?:\.\d{1,2})*[)）、.．\s]|[①-⑳])"
)
# What an editor keeps together at a line's end: a Latin word, a character with the marks around it.
_UNIT = re.compile(r"[!-~]+|[“‘（《「『【]*.[，。、；：？！”’）》」』】…—%％]*")
_WRAP_WIDTHS = range(40, 111)  # columns at which editors and e-mail wrap
_WRAP_SPREAD = 6  # columns between full lines: marks that hang over, characters and words that did not fit
_WRAP_SHARE = 0.35  # of the lines that are full, in a text wrapped by its editor
_WRAP_LINES = 6  # fewer say nothing


def decode(data: bytes) -> str | None:
    """The text of the bytes as UTF-8, UTF-16 (with or without a mark) or GB18030; None where it is no text."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return _clean(data.decode(encoding, "replace"))
    if b"\0" in data:
        return _without_mark(data)
    text = _decoded(data, "utf-8")
    if text is not None:
        return text
    text = _decoded(data, "gb18030")
    return text if text is not None and _is_usual_chinese(text) else _without_mark(data)


def _is_usual_chinese(text: str) -> bool:
    """Whether the characters are in use: nearly any two bytes are some character, but few are one of GB2312."""
    sample = text[:_SAMPLE]
    return len(sample.encode("gb2312", "ignore").decode("gb2312")) >= _ENOUGH_USUAL * len(sample)


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return _clean(data.decode(encoding))
    except UnicodeDecodeError:
        text = data.decode(encoding, "replace")
        return _clean(text) if text.count("\ufffd") <= max(1, _WORST_DAMAGE * len(data)) else None


def _without_mark(data: bytes) -> str | None:
    """UTF-16 without a mark: the byte order that gives ordinary characters."""
    if len(data) % 2:
        return None
    for encoding in ("utf-16-le", "utf-16-be"):
        text = _clean(data.decode(encoding, "replace"))
        if text is not None and _is_usual_chinese(text):
            return text
    return None


def _clean(text: str) -> str | None:
    """The text if it looks like one: no control characters, nearly all of it ordinary."""
    sample = text[:_SAMPLE]
    if not sample or _CONTROL.search(text) or len(_ORDINARY.findall(sample)) < _ENOUGH_ORDINARY * len(sample):
        return None
    return text


def read_plain(data: bytes, name: str, *, format: Format, limits: Limits) -> Document:  # noqa: A002 - the model's word
    """A Document without layout. Raises Unreadable where the bytes are no text or too long."""
    text = decode(data)
    if text is None:
        raise Unreadable("file_damaged", "无法识别文本的编码，内容可能已损坏。请用记事本另存为 UTF-8 编码，或改用 .docx 提交。")
    if len(text) > limits.characters or text.count("\n") + text.count("\r") > 2 * limits.lines:
        most = f"{limits.characters // 10000} 万字或 {limits.lines // 10000} 万行"
        raise Unreadable("file_over_limit", f"文本超过 {most} 的上限。请拆分后再提交。")
    notes: tuple[Note, ...] = ()
    if "\ufffd" in text:
        notes = (Note("encoding_damaged", f"文本中有 {text.count(chr(0xFFFD))} 处字符损坏，无法还原，字数和检查结果可能略有出入。"),)
    text = _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    builder = Builder()
    if format == "md" and max(map(len, text.split("\n"))) <= _LONGEST_MARKDOWN_LINE:
        from service.parse.markdown import add_markdown  # noqa: PLC0415 - the rare case

        add_markdown(text, builder)
    else:
        _add_lines(text.split("\n"), builder)
    return Document(name, hashlib.sha256(data).hexdigest(), format, builder.text, builder.blocks, notes)


def _add_lines(lines: Sequence[str], builder: Builder) -> None:
    """Paragraphs and tables of a text file, in order; a typed contents page as `toc` blocks."""
    width = wrap_width(lines)
    position = 0
    in_contents = False
    no_table_before = 0
    while position < len(lines):
        line = lines[position].strip(_BLANKS)
        entry = _CONTENTS_ENTRY.fullmatch(line) if in_contents and len(line) <= _CONTENTS_LONGEST else None
        if _CONTENTS.fullmatch(line) or entry:
            builder.add(entry["text"] if entry else line, kind="toc")
            in_contents = True
            position += 1
            continue
        in_contents = in_contents and not line
        table = table_at(lines, position) if position >= no_table_before else None
        if table and not table.rows:
            no_table_before = table.end
        elif table:
            builder.add_table(CellText(row, column, text) for row, cells in enumerate(table.rows) for column, text in enumerate(cells))
            position = table.end
            continue
        paragraph, position = _paragraph(lines, position, width)
        if paragraph:
            builder.add(paragraph)


def _paragraph(lines: Sequence[str], position: int, width: int | None) -> tuple[str, int]:
    """The paragraph that begins at a line, blanks around it gone, and the line after it."""
    text = lines[position].strip(_BLANKS)
    while width and text and position + 1 < len(lines) and _goes_on(lines[position], lines[position + 1], width):
        position += 1
        text = join(text, lines[position].strip(_BLANKS))
    return " ".join(text.split("\t")), position + 1


def join(before: str, after: str) -> str:
    """Two lines of a paragraph: a blank between Latin words, none next to a Chinese character or inside a number."""
    latin = before[-1:].isascii() and after[:1].isascii() and not (before[-1:].isdigit() and after[:1].isdigit())
    return f"{before} {after}" if latin else before + after


def wrap_width(lines: Sequence[str]) -> int | None:
    """The width at which an editor wrapped the text, in columns; None where a line is a paragraph.

    A text is wrapped where no line but a table's is longer and many just reach the same width.
    """
    widths = [display_width(line.rstrip(_BLANKS)) for line in lines if line.strip(_BLANKS) and "\t" not in line.strip(_BLANKS)]
    longest = max(widths, default=0)
    full = Counter(width for width in widths if width >= longest - _WRAP_SPREAD)
    if len(widths) < _WRAP_LINES or longest not in _WRAP_WIDTHS or full.total() < _WRAP_SHARE * len(widths):
        return None
    # Half-width characters shift a line by one column; marks that hang over make few lines longer.
    commonest, times = max(full.items(), key=lambda item: (item[1], item[0]))
    return commonest + 1 if full[commonest + 1] * 4 > times else commonest


def _goes_on(line: str, following: str, width: int) -> bool:
    """Whether a wrapped line's paragraph goes on in the next one: what stands there would not have fitted any more."""
    if not following.strip(_BLANKS) or following[0] in _BLANKS or _NUMBERED.match(following):
        return False
    unit = _UNIT.match(following)
    return display_width(line.rstrip(_BLANKS)) + display_width(unit[0] if unit else following[0]) > width
