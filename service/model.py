"""Every value that passes between stages: frozen, slotted dataclasses. Offsets count code points of `Document.text`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Format = Literal["docx", "doc", "wps", "rtf", "pdf", "txt", "md"]
BlockKind = Literal["title", "heading", "paragraph", "table", "caption", "figure", "list", "toc", "note"]
Alignment = Literal["left", "center", "right", "justify"]
Basis = Literal["notice", "programme", "ours"]
Severity = Literal["error", "warning", "advice"]
Verdict = Literal["pass", "fail", "not_checked"]
Status = Literal["complete", "partial", "failed"]
MatchKind = Literal["verbatim", "edited", "paraphrase"]
MatchFlag = Literal["near_duplicate", "reuse", "related"]
Exclusion = Literal["quote", "standard", "notice", "common"]


@dataclass(frozen=True, slots=True)
class Note:
    """Our own limitation, or a fact about the file that the reader should know. `message` is Chinese."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Layout:
    """Effective formatting of a paragraph after all inheritance, by the majority of its characters. None: unknown."""

    style: str | None = None  # the style's name as in the file, e.g. "heading 1", "标题 1"
    font: str | None = None  # typeface of the East-Asian characters: 宋体, SimSun, 黑体 … as the file names it
    size: float | None = None  # points; 小四 = 12, 四号 = 14, 小二 = 18
    bold: bool | None = None
    alignment: Alignment | None = None
    line_rule: Literal["auto", "exact", "at_least"] | None = None
    line_spacing: float | None = None  # multiple of single for "auto", points otherwise
    outline: int | None = None  # 1-9 as Word counts from 1; None = body text
    indent: float | None = None  # first-line indent in points


@dataclass(frozen=True, slots=True)
class Cell:
    """A table cell. Merged cells appear once, at their first row and column."""

    row: int  # from 0
    column: int  # from 0, in grid columns
    rows: int  # rows spanned, at least 1
    columns: int
    start: int
    end: int
    more: tuple[tuple[int, int], ...] = ()  # its other lines, where the text has the table line by line as printed (PDF)
    joined: str = ""  # its lines as one text, where there are others

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        return ((self.start, self.end), *self.more)


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, table, figure … in document order.

    Blocks are joined by one newline in `Document.text` and never overlap. A figure adds nothing to the text: start == end, at the end
    of the text of the block before it. A table's rows are joined by newlines and its cells by tabs; inside a cell
    paragraphs and line breaks become one blank. Where cells of a PDF run over several lines, the table stands line by line as printed, and
    `Document.cell_text` gives a cell in one piece.
    """

    kind: BlockKind
    start: int
    end: int
    level: int | None = None  # heading or list level, from 1
    label: str = ""  # the automatic number as printed by Word ("一、", "1.1", "（二）"), without trailing blank; not part of the text
    page: int | None = None  # from 1, where the format knows pages
    layout: Layout | None = None
    cells: tuple[Cell, ...] = ()
    columns: int = 0  # grid columns of a table


@dataclass(frozen=True, slots=True)
class PageSetup:
    """A run of pages of one size; millimetres."""

    width: float
    height: float
    top: float | None = None
    bottom: float | None = None
    left: float | None = None
    right: float | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """What was read, before any judging."""

    name: str  # file name without folder
    sha256: str  # of the file's bytes
    format: Format
    text: str
    blocks: tuple[Block, ...] = ()
    notes: tuple[Note, ...] = ()
    pages: int | None = None
    page_setups: tuple[PageSetup, ...] = ()
    layout_known: bool = False  # fonts, sizes, alignment are real (docx, PDF with a text layer), not guessed (txt, OCR)
    margins: tuple[str, ...] = ()  # distinct texts of page headers, footers and watermarks, which are no part of `text`

    def cell_text(self, cell: Cell) -> str:
        """A cell's text in one piece, however many lines it is printed in."""
        return cell.joined or self.text[cell.start : cell.end]


@dataclass(frozen=True, slots=True)
class SectionSpec:
    """A section as an edition declares it."""

    key: str  # overview, background, process, results, abstract, lessons, extension
    name: str  # the notice's own heading, e.g. 企业概况
    required: bool
    headings: tuple[str, ...] = ()  # other headings that are accepted, without numbers
    group: str | None = None  # heading above it that holds several sections (2014: 质量标杆典型经验)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of the write-up, in document order."""

    block: int  # index into Document.blocks
    level: int  # depth in the heading tree, from 1
    label: str  # the number as printed, automatic or typed: "一、", "（二）", "1.1", "第一部分"; "" if none
    form: str  # what kind of number: "一、", "（一）", "1.", "（1）", "1.1", "1.1.1", "第一章", "①" …; "" if none
    number: int | None  # its value: 一、 -> 1; for 1.2.3 the last part
    text: str  # without the number
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Title:
    text: str
    start: int
    end: int
    block: int | None = None  # None where the title does not stand in a block of its own (a table cell, 经验名称：…)


@dataclass(frozen=True, slots=True)
class Section:
    key: str
    heading: str | None  # as printed, number included; None where the write-up gives none
    start: int  # of the heading, or of the body where there is none
    body_start: int  # after the heading line
    end: int
    words: int  # 字数 of the body: heading line excluded; subheadings, captions and tables included
    blocks: tuple[int, ...] = ()  # indexes into Document.blocks, heading included


@dataclass(frozen=True, slots=True, eq=False)
class Submission:
    """A document understood as a write-up. Equal only to itself, so that what several checks ask of it can be kept by identity."""

    document: Document
    title: Title | None
    organisation: str | None
    sections: tuple[Section, ...]  # in document order; a key may recur
    headings: tuple[Heading, ...]
    missing: tuple[str, ...]  # keys of required sections not found, in the edition's order
    specs: tuple[SectionSpec, ...]  # the edition's sections
    start: int = 0  # the write-up inside the document: cover, contents, application form and evidence are outside
    end: int = 0
    is_writeup: bool = True  # False: only a form, evidence or something else was found; no rule about the write-up can be judged
    notes: tuple[Note, ...] = ()

    @property
    def text(self) -> str:
        return self.document.text

    def named(self, *keys: str) -> tuple[Section, ...]:
        """The sections of these keys, in document order."""
        return tuple(section for section in self.sections if section.key in keys)

    def blocks_of(self, *sections: Section) -> tuple[Block, ...]:
        """The blocks of these sections, headings included, in document order."""
        indexes = sorted({index for section in sections for index in section.blocks})
        return tuple(self.document.blocks[index] for index in indexes)

    def name_of(self, key: str) -> str:
        """The notice's own heading of a section; the key itself where the edition declares none."""
        return next((spec.name for spec in self.specs if spec.key == key), key)


@dataclass(frozen=True, slots=True)
class Violation:
    """One place where a rule is not kept. `values` fill the rule's message; "measured" and "allowed" are reported as well."""

    start: int
    end: int
    values: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotChecked:
    reason: str  # Chinese


@dataclass(frozen=True, slots=True)
class Finding:
    message: str
    start: int
    end: int
    measured: str | int | float | None = None
    allowed: str | int | float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    rule: str  # "2022-hebei/2.3"
    check: str
    basis: Basis
    clause: str | None
    verdict: Verdict
    severity: Severity
    reason: str | None = None  # why it was not checked
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of a rulebook: a check bound to its parameters, with what the reader is told where it is not kept."""

    id: str  # "2022-hebei/2.3"
    check: str
    basis: Basis
    clause: str | None
    severity: Severity
    message: str  # Chinese, with the check's placeholders
    params: object | None = None  # an instance of the check's Params; None where unavailable
    unavailable: str | None = None  # why the rule cannot be judged: the notice points to a guide that it does not contain


@dataclass(frozen=True, slots=True)
class Area:
    """A focus area that an edition declares."""

    id: str
    name: str  # official wording, shortened to a label
    wording: str  # official wording
    clause: str
    themes: tuple[str, ...]
    group: str | None = None
    by_facts: bool = False  # decided by what the enterprise is (中小企业 …), not by what the write-up is about
    facts: tuple[str, ...] = ()  # names of facts in service/lexicon/facts.toml, one of which must stand in the write-up
    words: tuple[str, ...] = ()  # the area's own words, where its themes are another area's as well: without them it is not chosen


@dataclass(frozen=True, slots=True)
class Criterion:
    """A standard of selection that an edition declares (附件 第八条 / 第六条)."""

    id: str  # science, system, effect
    name: str  # 科学性和创新性
    clause: str
    wording: str


@dataclass(frozen=True, slots=True)
class Edition:
    """A year's rulebook, read and validated."""

    id: str
    name: str
    document: str  # 文号
    issuer: str
    date: str | None  # ISO; None where the notice as kept gives none
    year: int  # the year of application
    count: str  # 字数口径
    tolerance: float  # share above a limit that is still let pass
    sections: tuple[SectionSpec, ...]
    areas: tuple[Area, ...]
    rules: tuple[Rule, ...]
    hash: str  # sha256 of the file
    choice: Literal["one", "several"] = "several"  # how many focus areas a write-up may be entered for
    criteria: tuple[Criterion, ...] = ()


@dataclass(frozen=True, slots=True)
class FocusEvidence:
    """A sentence that speaks for a focus area, and the terms in it that do."""

    start: int
    end: int
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FocusScore:
    """How far a write-up belongs to a focus area of the edition."""

    area: str
    name: str
    score: float  # calibrated probability, 0-1
    chosen: bool
    evidence: tuple[FocusEvidence, ...] = ()  # the strongest first


@dataclass(frozen=True, slots=True)
class Focus:
    """Where a write-up stands among the edition's areas; areas by falling score. `primary` None: 无法判断."""

    areas: tuple[FocusScore, ...] = ()
    primary: str | None = None
    themes: Mapping[str, float] = field(default_factory=dict)  # calibrated probability a theme, whatever the edition's areas
    reason: str | None = None  # Chinese: why nothing was chosen


@dataclass(frozen=True, slots=True)
class SummarySentence:
    """A sentence of the write-up, verbatim; or a table's row told as its name, years and figures."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What carries a section, in document order."""

    section: str  # key
    start: int  # of the section it belongs to: a key may recur
    sentences: tuple[SummarySentence, ...] = ()


@dataclass(frozen=True, slots=True)
class AdviceItem:
    """Something worth mending first. `priority` counts from 1 within its section."""

    priority: int
    section: str | None  # key; None: the write-up as a whole
    message: str  # Chinese: what to do, and where
    reason: str  # Chinese: why, with the clause
    example: str  # Chinese: a constructed wording, marked as such by the one who shows it
    start: int
    end: int
    rule: str | None = None  # the rule it comes from; None: something a reader misses that no rule asks for


@dataclass(frozen=True, slots=True)
class Strength:
    """Something that the write-up does well, with the place that shows it."""

    section: str | None
    message: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CriterionEvidence:
    """What the text shows for a criterion of selection, and what a reader would look for in vain. Never a score: none is published."""

    criterion: str
    name: str
    clause: str
    shown: tuple[Strength, ...] = ()
    sought: tuple[str, ...] = ()  # Chinese


@dataclass(frozen=True, slots=True)
class Advice:
    items: tuple[AdviceItem, ...] = ()
    strengths: tuple[Strength, ...] = ()
    criteria: tuple[CriterionEvidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Past:
    """What a text is compared with: a past benchmark, or another submission of the batch. `text` is empty where only the title is known."""

    id: str
    title: str
    text: str
    organisation: str | None = None
    credit_code: str | None = None  # 统一社会信用代码
    former_names: tuple[str, ...] = ()
    year: int | None = None
    file: str | None = None
    among: bool = False  # of the same batch, no benchmark
    status: str = "in_force"  # of a benchmark: in_force, revoked
    runs_only: bool = False  # one of so many that share something that only its shared runs are looked at


@dataclass(frozen=True, slots=True)
class MatchedPassage:
    """text[start:end] shares with the other's text[their_start:their_end]; `changed` are spans of the former that differ there."""

    start: int
    end: int
    their_start: int
    their_end: int
    their_text: str
    kind: MatchKind
    score: float  # 0-1: how close the two are
    changed: tuple[tuple[int, int], ...] = ()
    excluded: Exclusion | None = None  # why it does not count; None: it counts


@dataclass(frozen=True, slots=True)
class Match:
    """What a submission shares with one other text: a fact to look at, never a verdict. `share` is the part of the submission, 0-1."""

    past: Past
    flag: MatchFlag
    score: float
    share: float
    own: bool  # the same organisation
    passages: tuple[MatchedPassage, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Wherever text[start:end] is matched, it counts nothing."""

    start: int
    end: int
    reason: Exclusion


@dataclass(frozen=True, slots=True)
class Similarity:
    """Shares of the submission's counted characters, 0-1, over all that it was compared with; `compared` is how many that were."""

    total: float
    without_quotes: float
    without_own: float
    largest_single: float
    first_half: float
    second_half: float
    characters: int  # matched ones
    passages: int
    compared: int
    left_out: tuple[LeftOut, ...] = ()  # quotations, standards' names, official and common wording of the whole document
    only_among: bool = False  # with other files of the call alone, no past benchmark


@dataclass(frozen=True, slots=True)
class Counts:
    """How long a text is: 字数 as Word counts, characters without blanks, Chinese characters."""

    words: int
    characters: int
    han: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything said of one document. `submission` is None where it could not be read."""

    name: str
    sha256: str
    format: Format | None
    edition: str
    edition_hash: str
    status: Status
    notes: tuple[Note, ...] = ()
    submission: Submission | None = None
    outcomes: tuple[Outcome, ...] = ()
    timing: Mapping[str, float] = field(default_factory=dict)  # milliseconds a stage
    path: str = ""  # as the caller named the file; tells two files of one name apart
    counts: Counts | None = None  # of the document's text, counted where it was analysed
    focus: Focus | None = None  # None: not judged, see notes
    summaries: tuple[Summary, ...] = ()
    one_line: str | None = None  # who did what by what method with what result
    advice: Advice | None = None
    matches: tuple[Match, ...] = ()
    similarity: Similarity | None = None  # None: nothing was compared, see notes
    models: Mapping[str, str] = field(default_factory=dict)  # name -> version of every model that was asked
