"""Places comments in a document's XML: the range marks around exact words, runs split only where a range begins or ends inside one."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from copy import deepcopy
from typing import Final

from lxml import etree

from service.parse.docx_drawing import MC, M
from service.parse.docx_emit import Segment
from service.parse.docx_format import W

_P: Final = W + "p"
_R: Final = W + "r"
_T: Final = W + "t"
_ID: Final = W + "id"
_SPACE: Final = "{http://www.w3.org/XML/1998/namespace}space"
_XML_BLANKS: Final = " \t\r\n"
_BARE_CONTROLS: Final = ("text", "dataBinding", "date", "dropDownList", "comboBox")
# Word allows no comment inside these; the comment goes around them, in the paragraph that holds them.
_CLOSED: Final = frozenset(
    {MC + "AlternateContent", M + "oMath", M + "oMathPara"}
    | {W + name for name in ("txbxContent", "drawing", "pict", "object", "ruby", "fldSimple", "del", "moveFrom")}
)


class Anchors:
    """The segments of a reading, kept true while runs are split. `place` puts one comment's marks."""

    __slots__ = ("_footnotes", "_mark_style", "_root", "_segments", "_starts")

    def __init__(self, root: etree._Element, segments: tuple[Segment, ...], *, mark_style: str | None) -> None:
        """`mark_style` is the id of the character style that comment marks have in this file, where it has one."""
        self._root = root
        self._segments = sorted(segments, key=lambda item: (item.start, item.end))
        self._starts = [item.start for item in self._segments]
        self._mark_style = mark_style
        self._footnotes: dict[tuple[str, str], etree._Element] | None = None

    def place(self, start: int, end: int, comment: int) -> bool:
        """Marks text[start:end] for the comment of that number; False where the document has no place for it at all."""
        found = self._span(start, end)
        if found is None:
            return False
        first, last = found
        closing = self._edge(last, min(end, self._segments[last].end), opening=False)
        # Closing first: the split leaves the left part in its segment, so that `first` stays true.
        opening = self._edge(first, max(start, self._segments[first].start), opening=True)
        if opening is None:
            return False
        if closing is None or _before(closing, opening):
            closing = opening  # both ends in one run: what was its end has moved into the run that now begins the range
        opening.addprevious(etree.Element(W + "commentRangeStart", {_ID: str(comment)}))
        stop = etree.Element(W + "commentRangeEnd", {_ID: str(comment)})
        _add_after(closing, stop)
        _add_after(stop, self._mark(comment))
        return True

    def _mark(self, comment: int) -> etree._Element:
        run = etree.Element(_R)
        if self._mark_style is not None:
            etree.SubElement(etree.SubElement(run, W + "rPr"), W + "rStyle", {W + "val": self._mark_style})
        etree.SubElement(run, W + "commentReference", {_ID: str(comment)})
        return run

    def _span(self, start: int, end: int) -> tuple[int, int] | None:
        """Indexes of the first and the last segment of a span; the nearest one for a span without text of its own."""
        if not self._segments:
            return None
        if start == end:
            index = bisect_left(self._starts, start)
            drawn = range(index, bisect_right(self._starts, start))
            figure = next((item for item in drawn if self._segments[item].end == start), None)
            if figure is not None:
                return figure, figure
        first = max(0, bisect_right(self._starts, start) - 1)
        while first < len(self._segments) and self._segments[first].end <= start:
            first += 1
        last = bisect_left(self._starts, end) - 1
        while last >= first and self._segments[last].start == self._segments[last].end:
            last -= 1
        if first < len(self._segments) and last >= first:
            return first, last
        nearest = min(first, len(self._segments) - 1)
        return nearest, nearest

    def _edge(self, index: int, position: int, *, opening: bool) -> etree._Element | None:
        """The inline element that begins (or ends) at a position of the text; its run is split where that lies inside it."""
        segment = self._segments[index]
        node, whole = self._outer(segment.element)
        if node is None or whole or node.tag != _R or segment.element.getparent() is not node:
            return node
        text = segment.element.text or ""
        cut = segment.offset + position - segment.start
        if segment.element.tag == _T and text[:cut].strip() and text[cut:].strip():  # no run is split for blanks alone
            after = _split_run(node, self._split(index, position))
            return after if opening else node
        if opening:
            return _split_run(node, segment.element)
        following = segment.element.getnext()
        if following is not None:
            _split_run(node, following)
        return node

    def _split(self, index: int, position: int) -> etree._Element:
        """Parts the `w:t` of a segment at a position of the text; the new element with the rest."""
        segment = self._segments[index]
        cut = segment.offset + position - segment.start
        right, lost = _split_text(segment.element, cut)
        parts: list[Segment] = []
        begin = stop = index
        while begin and self._segments[begin - 1].element is segment.element:
            begin -= 1
        while stop < len(self._segments) and self._segments[stop].element is segment.element:
            stop += 1
        for item in self._segments[begin:stop]:
            if item.start < position:
                parts.append(Segment(item.start, min(item.end, position), item.element, item.offset - lost))
            if item.end > position:
                start = max(item.start, position)
                parts.append(Segment(start, item.end, right, item.offset + start - item.start - cut))
        self._segments[begin:stop] = parts
        self._starts[begin:stop] = [item.start for item in parts]
        return right

    def _outer(self, element: etree._Element) -> tuple[etree._Element | None, bool]:
        """The inline element that a mark may stand beside, and whether it must be taken as a whole."""
        path = [element, *element.iterancestors()]
        if path[-1] is not self._root:
            reference = self._reference(path)
            return (None, True) if reference is None else (self._outer(reference)[0], True)
        inner = next((place for place in range(len(path)) if path[place].tag == _P), None)
        if inner is None:
            return None, True
        outermost = max(place for place in range(len(path)) if path[place].tag == _P)
        closed = [place for place in range(outermost) if path[place].tag in _CLOSED or _is_plain_control(path[place])]
        base = closed[-1] if closed else 0
        # Up to the run that holds it; an equation or a control stands among the runs itself.
        for place in range(base, outermost):
            if path[place].tag == _R:
                return path[place], bool(closed)
            if path[place].tag == _P:
                break
        return path[base], True

    def _reference(self, path: list[etree._Element]) -> etree._Element | None:
        """The mark in the text of the footnote or endnote that holds an element."""
        if self._footnotes is None:
            self._footnotes = {}
            for kind in ("footnote", "endnote"):
                for mark in self._root.iter(f"{W}{kind}Reference"):
                    self._footnotes.setdefault((W + kind, mark.get(_ID) or ""), mark)
        for item in path:
            if item.tag in {W + "footnote", W + "endnote"}:
                return self._footnotes.get((str(item.tag), item.get(_ID) or ""))
        return None


def _is_plain_control(element: etree._Element) -> bool:
    """A content control that holds bare text only, or text that Word fetches from elsewhere."""
    if element.tag != W + "sdt":
        return False
    properties = element.find(W + "sdtPr")
    return properties is not None and any(
        properties.find(W + name) is not None for name in ("text", "dataBinding", "date", "dropDownList", "comboBox")
    )


def _split_text(element: etree._Element, position: int) -> tuple[etree._Element, int]:
    """Parts a `w:t`: it keeps what is before `position`; the new one after it with the rest, and how much was cut off at its beginning."""
    text = element.text or ""
    left, right = text[:position], text[position:]
    if element.get(_SPACE) != "preserve":  # blanks at the ends were not shown, and must not appear now
        left, right = left.lstrip(_XML_BLANKS), right.rstrip(_XML_BLANKS)
    new = etree.Element(_T)
    for part, content in ((element, left), (new, right)):
        part.text = content
        if content[:1] in _XML_BLANKS or content[-1:] in _XML_BLANKS:
            part.set(_SPACE, "preserve")
    _add_after(element, new)
    return new, position - len(left)


def _split_run(run: etree._Element, child: etree._Element) -> etree._Element:
    """The run that begins with `child`: `run` itself where nothing printed stands before it, else a new one of the same looks."""
    properties = run[0] if len(run) and run[0].tag == W + "rPr" else None
    before = child.getprevious()
    if before is None or before is properties:
        return run
    new = etree.Element(_R, {str(name): str(value) for name, value in run.attrib.items()})
    if properties is not None:
        new.append(deepcopy(properties))
    for item in [child, *child.itersiblings()]:
        new.append(item)
    _add_after(run, new)
    return new


def _add_after(element: etree._Element, new: etree._Element) -> None:
    """As the next sibling, behind blanks that follow in a pretty-printed file."""
    tail, element.tail = element.tail, None
    element.addnext(new)
    new.tail = tail


def _before(one: etree._Element, other: etree._Element) -> bool:
    """Whether `one` stands before `other` in the document."""
    return _path(one) < _path(other)


def _path(element: etree._Element) -> list[int]:
    path = []
    parent = element.getparent()
    while parent is not None:
        path.append(parent.index(element))
        element, parent = parent, parent.getparent()
    return path[::-1]
