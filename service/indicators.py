"""Indicators, years and values as sentences state them: "准时交付率由2019年的91.2%提高到2021年的97.5%" gives two figures.

Only what is stated plainly is read; what a reader would have to guess is left out. Nothing here is a limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from service.quantities import Quantity, Years, fold, quantities, year_groups
from service.text import sentences

_VERB = (
    "(?:降低|下降|降|减少|减|压缩|压减|压降|压|缩短|缩减|缩小|缩|提高|提升|上升|升高|升|增加|增长|增|扩大|收窄|改善|优化|恢复|回升|攀升|跃升|控制|稳定|保持|维持|做|涨|跌|回落|突破|发展|变)"
    "了?(?:到|至|为|在|成)了?"
)
_TO_VERB = re.compile(f"(?:{_VERB}|达到了?|达|分别)\\Z")
_LINK = re.compile(
    "(?:已经|已|由|从|自|的|是|为|约为|约|近|接近|超过|超|仅为|仅|只有|只|只用|共计|合计|累计|共|则|均|再|又|也|就|才|便|一路|逐年|逐步|进一步|稳步"
    "|大幅|显著|明显|持续|实际|当年|全年|年底|年末|到|至|[:：（(）) ，,、])\\Z"
)
_LONGEST_ENDING = 5  # characters that _TO_VERB and _LINK match at most
_LEAD = re.compile(
    "(?:其中|同时|此外|另外|目前|现在|截至|截止|到了?|至|而|且|并且?|使得?|将|把|让|则|本?公司|我公司|我司|企业|全公司|全厂|全所|我所|我厂|全集团|集团|单位|全院|我院|实现|完成|取得|达到|全年|当年|年度|年底|年末"
    '|底|末|度(?!电)|的|共|同期|以及|和|及|与|经|年|[“”"、：:）) ，,])'
)
_TREND = re.compile(
    "(?:也|均|都|则)?(?:逐年|持续|稳步|明显|大幅|连续|不断|显著|进一步|快速|三年|连年|同步)*(?:提高|提升|上升|增长|增加|改善|下降|降低|减少|缩短|好转|向好|攀升|变化|变化明显)(?:明显|显著)?\\Z"
)
_CHANGED = (
    "(?:提高|降低|减少|增加|增长|下降|节约|节省|缩短|上升|提升|少|多|高于|低于|优于|好于|相差|差|超过|高出|(?<!可)比|较|同比|环比|降幅|增幅|升幅|新增|折合|相当于"
    "|第|排名|位列|居|每|按)\\Z"
)
_CHANGE = re.compile(
    f"{_CHANGED}|\\A(?:提高|降低|减少|增加|增长|下降|节约|节省|缩短|上升|提升|少|多|新增)|(?<!可)比(?!例|重|率|值|武)|较[上前去202]|同比|环比|每"
)
_CHANGE_OF = re.compile(_CHANGED)
_LONGEST_SENTENCE = 1500  # characters: beyond that it is a table that lost its form
_ADVERBIAL = re.compile("据|统计|数据|显示|截[至止]|调查|其中|通过|经过|以来|预计|结果|表明|到$|自$|过程|努力|情况")
_ORGANISATION = re.compile("(?<![分子])(?:公司|集团|研究所|研究院|医院|机场|酒店|学院|我厂|全厂|本厂|总厂)$")
_FROM = re.compile("(?<=[一-鿿]{3})[由从](?!业)")
_SERIES = re.compile("分别|依次|逐年为|各年")
_DIGIT = re.compile("[0-9]")
_YEARLESS = re.compile(f"由|从|{_SERIES.pattern}")  # what a sentence without a year needs to state a figure: 由 a 到 b, 分别为 a、b、c
_FROM_VALUE = re.compile("[由从](?!业)")
_ON_TO = re.compile("(?:到了?|[至为成])(?:约|近|了|的){0,2}[ ]?\\Z")  # 提高到, 增至, 缩短为: what stands before the b of 由 a 到 b
_LONGEST_WAY = 24  # characters between a and b
_LATER = re.compile("以来|以后|之后|后|起|至今|开始|启动|实施|推行|上线|投产")  # 2019年改造以来: the values need not be of that year
_FULL_MARKS = re.compile("(?:满分|总分)(?:为|是|[:：])?[ ]?\\Z")
_LIST_GAP = re.compile("[ ]?(?:[、,，;；/→]|和|及|与|到|至|再到)?[ ]?(?:约|近|的)?[ ]?\\Z")
_YEARS_WORD = re.compile("(?:近|前|过去|最近|上述|这)?(?:三|3|两|四|五|几)年(?:来|间|里)?")
_BRACKETED = re.compile("[（(【\\[][^（）()【】\\[\\]]{0,40}[）)】\\]]")
_CLAUSE_END = re.compile("[，。；：！？\\n]|,(?![0-9])")
_NOISE = re.compile("[ 　\\t\\n“”\"'‘’《》*·、]")
_NEUTRAL = re.compile(
    "(?:本公司|我公司|公司|企业|全公司|全厂|全所|我所|我厂|集团|全集团|本单位|单位|全院|全年|年度|当年|主要|整体|总体|综合(?=满意|得分)|第三方(?:机构)?(?:调查|测评)?的?|年)+"
)
_NAME = re.compile("[0-9A-Za-z一-鿿μ%/—-]{2,26}")
_HAN_PAIR = re.compile("[一-鿿]{2}|[A-Za-z]{3,}")


@dataclass(frozen=True, slots=True)
class Figure:
    """One value of an indicator in text[start:end].

    `year` is None where only the place in a series is known: `order` = (1, 3) is the second of three (由 a 到 b: of two).
    """

    indicator: str  # as written, cleaned
    year: int | None
    quantity: Quantity
    start: int
    end: int
    order: tuple[int, int] = (0, 1)
    group: int = 0  # figures of one statement share it

    @property
    def key(self) -> str:
        return plain(self.indicator)


@lru_cache(maxsize=2048)  # the same names again and again
def plain(name: str) -> str:
    """An indicator's name for comparing: no brackets, blanks, quotes, 公司/全年 before it; 顾客 = 客户."""
    bare = _NOISE.sub("", _BRACKETED.sub("", name)).replace("的", "").replace("顾客", "客户").replace("用户", "客户").lower()
    shorter = _NEUTRAL.sub("", bare, count=1) if _NEUTRAL.match(bare) else bare
    return shorter if len(shorter) >= 2 else bare


@lru_cache(maxsize=128)  # two checks ask about the same paragraphs
def stated(text: str, start: int = 0, end: int | None = None) -> tuple[Figure, ...]:
    """What the sentences of text[start:end] state."""
    folded = fold(text)
    found: list[Figure] = []
    subject: Figure | None = None
    for left, right in sentences(folded, start, len(text) if end is None else end):
        if right - left > _LONGEST_SENTENCE:
            continue
        figures = _sentence(folded, left, right, subject)
        found.extend(
            Figure(each.indicator, each.year, each.quantity, each.start, each.end, each.order, each.group + left * 64) for each in figures
        )
        subject = figures[-1] if figures else None
    return tuple(found)


def _sentence(text: str, start: int, end: int, subject: Figure | None) -> list[Figure]:
    if not _DIGIT.search(text, start, end):
        return []
    years = list(year_groups(text, start, end))
    if not years and not _YEARLESS.search(text, start, end):
        return []
    numbers = [q for q in quantities(text, start, end) if not _is_attribute(text, q)]
    if not numbers:
        return []
    taken: set[int] = set()
    figures = list(_series(text, start, end, numbers, years, taken))
    figures.extend(_singles(text, start, [q for q in numbers if q.start not in taken], years, subject))
    return sorted(figures, key=lambda figure: figure.start)


def _is_attribute(text: str, quantity: Quantity) -> bool:
    """12个月市场返回率: part of a name; 5分制, 满分100分: what a score is out of."""
    after = text[quantity.end : quantity.end + 1]
    if quantity.base == "分" and (after == "制" or _FULL_MARKS.search(text, max(0, quantity.start - 5), quantity.start)):
        return True
    return quantity.unit == "个月" and "一" <= after <= "鿿" and after not in "的内以后来降缩延增减提到为，。"


def _series(text: str, start: int, end: int, numbers: Sequence[Quantity], years: Sequence[Years], taken: set[int]) -> Iterator[Figure]:
    """…分别为 a、b 和 c, with the years before it or only 三年."""
    for match in _SERIES.finditer(text, start, end):
        run = _run(text, match.end(), numbers)
        before = [group for group in years if group.end <= match.start()]
        group = before[-1] if before else None
        worded = _last(_YEARS_WORD, text, start, match.start())
        clause = _clause_start(text, start, match.start())
        if group is not None and len(group.years) == len(run) > 1:
            named: tuple[int | None, ...] = group.years
            spot_start, spot_end = group.start, group.end
        elif worded is not None and len(run) > 1:
            named = (None,) * len(run)
            spot_start, spot_end = worded
        else:
            continue
        name = _clean(text[max(spot_end, clause) : match.start()]) or _before(text, start, spot_start, back=True)
        for order, (year, quantity) in enumerate(zip(named, run, strict=True)):
            taken.add(quantity.start)
            yield Figure(name, year, quantity, quantity.start, quantity.end, (order, len(run)), match.start() % 64)


def _run(text: str, position: int, numbers: Sequence[Quantity]) -> list[Quantity]:
    """The numbers after `position` that follow one another with nothing but 、和及 between."""
    run: list[Quantity] = []
    for quantity in numbers:
        if quantity.start < position:
            continue
        gap = text[run[-1].end if run else position : quantity.start]
        if run and not _LIST_GAP.match(gap):
            break
        if not run and (len(gap) > 6 or _CLAUSE_END.search(gap.replace("：", ""))):
            break
        run.append(quantity)
    return run


def _last(pattern: re.Pattern[str], text: str, start: int, end: int) -> tuple[int, int] | None:
    found = None
    for match in pattern.finditer(text, start, end):
        found = match.span()
    return found


def _singles(text: str, start: int, numbers: Sequence[Quantity], years: Sequence[Years], subject: Figure | None) -> Iterator[Figure]:
    """Numbers one by one: the year beside each, the name before it or taken over from the number before."""
    name, last_end, group_id = subject.indicator if subject else "", start, 0
    previous: Quantity | None = None
    last = subject.quantity if subject else None
    opened: Quantity | None = None  # the a of 由 a 到 b
    ending: tuple[int, int | None] | None = None  # where the b of 2021年…由 a 到 b stands, and its year
    for place, quantity in enumerate(numbers):
        clause = _clause_start(text, start, quantity.start)
        group = next((group for group in reversed(years) if last_end <= group.end <= quantity.start), None)
        near = group is not None and group.end >= clause and len(group.years) == 1 and not group.partial
        segment = text[max(last_end, clause, group.end if group else 0) : quantity.start]
        own = _own_name(text, segment, max(start, last_end), group if near else None, back=previous is None)
        if own:
            name, group_id, opened = own, quantity.start % 64, None
        elif _other_unit(last, quantity) or (previous is not None and _other_subject(segment, near=near, last_end=last_end, clause=clause)):
            name = ""
        year = _year_of(group, years, text, start, quantity.start, near=near)
        if ending is not None and ending[0] == quantity.start:
            year, near = ending[1], True
        ending = _end_of_change(text, group, segment, quantity, numbers[place + 1 : place + 2], years) if near else None
        last_end = quantity.end
        if not _is_name(name) or quantity.unit in {"个百分点", "百分点"} or (near and _is_compared(text, start, group)):
            previous, opened = quantity, None
            continue
        begins = bool(re.search("[由从]", segment)) and not near
        reaches = previous is not None and bool(_TO_VERB.search(_strip_links(segment)))
        if not near and opened is not None and reaches:
            first, final = _range_of(years, text, start, quantity.start)
            order = (0, 2) if first is None else (0, 1)
            yield Figure(name, first, opened, opened.start, opened.end, order, group_id)
            yield Figure(name, final, quantity, quantity.start, quantity.end, (1, 2) if final is None else (0, 1), group_id)
        elif year is not None and not begins and ending is None and not _CHANGE_OF.search(_strip_links(segment)):
            yield Figure(name, year, quantity, quantity.start, quantity.end, (0, 1), group_id)
        opened, previous, last = quantity if begins else None, quantity, quantity


def _end_of_change(
    text: str, group: Years | None, segment: str, first: Quantity, following: Sequence[Quantity], years: Sequence[Years]
) -> tuple[int, int | None] | None:
    """Where the b of "2021年合格率由 a 提高到 b" stands and its year: a is an earlier value. None where `first` is no such a."""
    if group is None or not following or not _FROM_VALUE.search(segment):
        return None
    second = following[0]
    way = text[first.end : second.start]
    if len(way) > _LONGEST_WAY or re.search("[。；;\\n]", way) or not _ON_TO.search(way):
        return None
    if any(first.end <= other.start < second.start for other in years):  # 2019年由 a 提高到2021年的 b: each has its year
        return None
    before = text[max(0, group.start - 1) : group.start]
    return second.start, None if _LATER.search(segment) or before in set("自从由比较") else group.years[0]


def _own_name(text: str, segment: str, start: int, group: Years | None, *, back: bool) -> str:
    """The name between a year (or the number before) and a number, with what narrows it before the year: A线2021年合格率 is not 合格率."""
    own = _clean(segment)
    if group is None:
        return own
    if not own:
        return _before(text, start, group.start, back=back)
    ahead = _bare(text[_clause_start(text, start, group.start) : group.start])
    if not ahead or _ADVERBIAL.search(ahead) or _ORGANISATION.search(ahead):
        return own
    return ahead + own if _is_name(ahead + own) else own


def _is_compared(text: str, start: int, group: Years | None) -> bool:
    """比2019年提高…: the year is what the value is compared with."""
    return group is not None and text[max(start, group.start - 1) : group.start] in set("比较与同")


def _other_subject(segment: str, *, near: bool, last_end: int, clause: int) -> bool:
    """Whether a new clause speaks of something that could not be read as a name."""
    return len(segment.strip()) > 3 and clause >= last_end and not near


def _other_unit(last: Quantity | None, quantity: Quantity) -> bool:
    return last is not None and bool(last.base and quantity.base) and last.base != quantity.base


def _strip_links(segment: str) -> str:
    return segment.rstrip(" 约近的")


def _year_of(group: Years | None, years: Sequence[Years], text: str, start: int, end: int, *, near: bool) -> int | None:
    """The year beside a number, or the one that the sentence begins with while no other is named (2021年销售…台，营业收入…亿元)."""
    if group is not None and near:
        return group.years[0]
    named = [other for other in years if other.end <= end]
    if len(named) == 1 and len(named[0].years) == 1 and not named[0].partial and not text[start : named[0].start].strip("截至到在 “"):
        return named[0].years[0]
    return None


def _range_of(years: Sequence[Years], text: str, start: int, end: int) -> tuple[int | None, int | None]:
    """First and last year where the sentence begins with a span and names no other year (2019年至2021年，返工率由…降到…)."""
    named = [group for group in years if group.end <= end]
    if len(named) == 1 and len(named[0].years) > 1 and named[0].spans and not text[start : named[0].start].strip(" “"):
        return named[0].years[0], named[0].years[-1]
    return None, None


def _before(text: str, start: int, end: int, *, back: bool) -> str:
    """The name that stands before a year: in its clause, or (`back`) the subject of the clause before."""
    clause = _clause_start(text, start, end)
    name = _clean(text[clause:end])
    if name or clause <= start or not back:
        return name
    stop = clause - 1
    earlier = text[_clause_start(text, start, stop) : stop]
    return _clean(_TREND.sub("", earlier))


def _clause_start(text: str, start: int, end: int) -> int:
    position = start
    for match in _CLAUSE_END.finditer(text, max(start, end - 60), end):
        if not _inside_bracket(text, max(start, end - 60), match.start()):
            position = match.end()
    return max(position, end - 60 if end - start > 60 and position == start else position)


def _inside_bracket(text: str, start: int, position: int) -> bool:
    opened = max(text.rfind("（", start, position), text.rfind("(", start, position))
    return opened >= 0 and max(text.rfind("）", opened, position), text.rfind(")", opened, position)) < 0


def _clean(piece: str) -> str:
    """A noun phrase without what links it to its number; "" where nothing is left or it speaks of a change."""
    piece = _FROM.split(_bare(piece))[0]
    return piece if _is_name(piece) else ""


def _bare(piece: str) -> str:
    """A piece without leading and trailing function words; "" where it speaks of a change."""
    piece = _BRACKETED.sub("", piece).strip()
    while True:
        shorter = _YEARS_WORD.sub("", piece) if len(piece) < 40 else piece
        if _CHANGE.search(shorter):
            return ""
        shorter = _without(_LINK, _without(_TO_VERB, shorter))
        lead = _LEAD.match(shorter)
        shorter = shorter[lead.end() :] if lead else shorter
        if shorter == piece:
            return piece
        piece = shorter


def _without(ending: re.Pattern[str], piece: str) -> str:
    """The piece without an ending, which is sought at its end only: a pattern for the end is else tried at every character."""
    found = ending.search(piece, max(0, len(piece) - _LONGEST_ENDING))
    return piece[: found.start()] if found else piece


def _is_name(name: str) -> bool:
    return 2 <= len(name) <= 26 and bool(_NAME.fullmatch(name)) and bool(_HAN_PAIR.search(name))
