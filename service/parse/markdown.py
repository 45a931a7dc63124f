"""Markdown to blocks by markdown-it: headings, lists, tables, figures; what the marks show is kept, the marks are not."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from service.parse.blocks import Builder, CellText, is_caption
from service.parse.plain import join

_FRONT_MATTER_LINES = 60
_TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,200}>")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_BLANKS = " \t\u3000\xa0\n"
_MOST_NESTED = 20


def add_markdown(text: str, builder: Builder) -> None:
    """Adds the blocks of a Markdown text, in order."""
    parser = MarkdownIt("commonmark", {"maxNesting": _MOST_NESTED}).enable(["table", "strikethrough"])
    # Chinese writers indent paragraphs by blanks: that is no code.
    parser.disable(["code", "entity"])
    tokens = parser.parse(_without_front_matter(text))
    position = 0
    lists: list[str] = []  # the label of each list level; "" where bulleted
    while position < len(tokens):
        token = tokens[position]
        if token.type == "table_open":
            position = _add_table(tokens, position, builder)
            continue
        _follow_lists(token, lists)
        if token.type == "inline":
            opener = tokens[position - 1]
            _add_inline(token, opener, lists, builder)
            if lists and opener.type == "paragraph_open":
                lists[-1] = ""
        elif token.type in {"fence", "code_block", "html_block"}:
            for line in _plain(token.content).split("\n"):
                _add_text(line, builder)
        position += 1


def _without_front_matter(text: str) -> str:
    """The text without the settings that some editors keep between two lines of hyphens at its head."""
    lines = text.split("\n", _FRONT_MATTER_LINES)
    if lines[0] != "---" or "---" not in lines[1:-1]:
        return text
    end = lines.index("---", 1)
    is_settings = all(":" in line or line[:1] in " -" for line in lines[1:end])
    return "\n".join(lines[end + 1 :]) if is_settings else text


def _follow_lists(token: Token, lists: list[str]) -> None:
    if token.type in {"bullet_list_open", "ordered_list_open"}:
        lists.append("")
    elif token.type in {"bullet_list_close", "ordered_list_close"}:
        lists.pop()
    elif token.type == "list_item_open":
        lists[-1] = f"{token.info}{token.markup}" if token.info else "•"


def _add_inline(token: Token, opener: Token, lists: Sequence[str], builder: Builder) -> None:
    if opener.type == "heading_open":
        text = _inline_text(token).replace("\n", " ").strip(_BLANKS)
        if text:
            builder.add(text, kind="heading", level=int(opener.tag[1:]))
        return
    children = token.children or []
    for image in [child for child in children if child.type == "image"]:
        builder.add_figure()
        caption = image.content.strip(_BLANKS)
        if caption:
            builder.add(caption, kind="caption" if is_caption(caption) else "paragraph")
    for number, line in enumerate(_inline_text(token).split("\n")):
        if lists and lists[-1] and not number and line.strip(_BLANKS):
            builder.add(line.strip(_BLANKS), kind="list", level=len(lists), label=lists[-1])
        else:
            _add_text(line, builder)


def _add_text(line: str, builder: Builder) -> None:
    if line.strip(_BLANKS):
        builder.add(" ".join(line.strip(_BLANKS).split("\t")))


def _inline_text(token: Token) -> str:
    """What is shown of a line, pictures apart; hard breaks as newlines, soft ones joined as in a paragraph."""
    pieces: list[str] = [""]
    broken = False
    for child in token.children or []:
        if child.type == "softbreak":
            broken = True
            continue
        piece = "\n" if child.type == "hardbreak" else "" if child.type == "image" else _plain(child.content)
        if broken and piece:
            # Joined by the last character alone: a text is not built anew for each of its lines.
            piece = join(pieces[-1][-1:], piece.lstrip(_BLANKS))[len(pieces[-1][-1:]) :] if pieces[-1] else piece
        pieces += [piece] if piece else []
        broken = broken and not piece
    return "".join(pieces)


def _plain(text: str) -> str:
    return _TAG.sub("", _BREAK.sub("\n", _without_comments(text)))


def _without_comments(text: str) -> str:
    kept: list[str] = []
    at = 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start)) >= 0:
        kept.append(text[at:start])
        at = end + 3
    return "".join([*kept, text[at:]])


def _add_table(tokens: Sequence[Token], position: int, builder: Builder) -> int:
    """Adds the table that opens at a token; the position after it."""
    cells: list[CellText] = []
    row, column = -1, 0
    while tokens[position].type != "table_close":
        token = tokens[position]
        if token.type == "tr_open":
            row, column = row + 1, 0
        elif token.type == "inline":
            cells.append(CellText(row, column, _inline_text(token).replace("\n", " ").strip(_BLANKS)))
            column += 1
        position += 1
    builder.add_table(cells)
    return position + 1
