"""What was not filled in, or left over from a template: ×× in a number's place, □□, ____, 待补充, TBD, broken references.

反例：收到职工建议××条；营业收入达到____万元；（此处插入流程图）；一、企业概况（500字以内）；错误!未找到引用源。
正例：尺寸3×5；□自评 ☑第三方；按“××公司”的式样命名；为某××型号配套；合格、待定、不合格三种状态；有待补充完善。
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from service.model import Block, NotChecked, Submission, Violation

VALUES = frozenset({"quote", "measured", "allowed"})

_CROSS = "×✕✖╳"
# A measure word, unit or part of a date: before it stands a number.
_MEASURE = (
    "(?:个?百分点|[%％‰℃]|多?[万亿千百十]|元|美元|年|月|日|号|条|项|件|个|台|套|家|人|名|次|起|吨|公斤|千克|克|米|公里|千米|小时|分钟|天|周|秒|分(?!厂|公司|院)|倍|层|类|种|批|期|届|位|篇"
    "|户|份|支|只|辆|艘|座|间|所|亩|平方|立方|升|度|kg|km|mm|cm|ppm|MW|kW|字)"
)
_CROSSES = re.compile(
    f"[{_CROSS}][{_CROSS} ]{{0,20}}[{_CROSS}]|(?<![0-9A-Za-z])[xX]{{2,12}}(?![0-9A-Za-z])"
    f"|(?<![A-Za-z0-9.])(?:19|20)[xX{_CROSS}]{{1,2}}(?=年)"
)
_ONE_CROSS_DATE = re.compile(f"[{_CROSS}xX]年[{_CROSS}xX]月(?:[{_CROSS}xX]日)?")
_AFTER_MEASURE = re.compile(f" ?{_MEASURE}")
_AFTER_ANONYMISED = re.compile(
    r" ?(?:型|客户|用户|顾客|部队|基地|工程|任务|卫星|导弹|装备|产品|项目|号机|号船|[省市县区镇村路街]|级|系列|军)"
)
_AFTER_SURNAME = re.compile(
    "[王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟"
    "龙万段雷钱汤尹黎易常武乔贺赖龚文老小]\\Z"
)
_AFTER_ORGANISATION = re.compile(r" ?[^\s，。；、“”‘’《》（）()]{0,8}(?:公司|集团|厂|研究所|研究院)")
# Customers kept anonymous in a list that says how many they are: ××建材、××管桩等7家
_ANONYMOUS_LIST = re.compile(
    f"(?:[{_CROSS}xX]{{2,3}}[一-鿿]{{1,8}}[、和及与])*[{_CROSS}xX]{{2,3}}[一-鿿]{{1,8}}等[0-9一二三四五六七八九十两多余数几]{{1,4}}[家个户位]"
)
_BEFORE_NUMBER = re.compile(r"(?:[：:=＝为达至约超共计由从到高低升降增减长了少是近第]|[≥≤><])[ 　]*\Z")
_GOES_ON = re.compile(" ?[0-9A-Za-z一-鿿]")
_QUOTED = re.compile("[“‘「『《\"']")
_HAN_AROUND = re.compile("[一-鿿，。；：、（(]")
_ANONYMOUS = re.compile(r"(?:某|如|例如|比如|为例|以|例)[ 　]*\Z")
_BOXES = re.compile(
    r"□{2,}|■{3,}|[_＿]{3,}(?![A-Za-z0-9])|(?<![0-9A-Za-z_])_{2}(?=" + _MEASURE + r")|(?<![0-9A-Za-z.])\*{3,}(?=" + _MEASURE + ")"
)
_EMPTY_ELLIPSIS = re.compile(rf"(?:[为达至约共到]|[：:]) ?(?:…+|\.{{3,6}}) ?(?={_MEASURE})")
_HINT_LIMIT = re.compile(
    r"[（(【\[〔](?:限|不超过|不少于|控制在|要求|建议|约|字数)?[:： ]?[0-9０-９,，一二两三四五六七八九十百千万]{1,6} ?"
    r"(?:[-—~～至] ?[0-9]{2,5} ?)?字(?:以内|以下|之内|左右|内|以上)?[)）】\]〕]"
)
_ORDINARY = re.compile(r"[有尚仍还亟均需急正]\Z")
_ORDINARY_AFTER = re.compile("完善|的")
_OPENING = "（(【[〔<＜"
_CLOSING = "）)】]〕>＞"
_SIGN = re.compile(rf"[{_CROSS}xX□■_＿*…{re.escape(_OPENING)}]")  # or three dots: what every pattern here has one of
_QUOTE_MAX = 30
_HINT_AFTER = 12  # characters of a paragraph before a word limit that make it the paragraph's heading


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    hints: tuple[str, ...]  # reported wherever they stand
    bracketed: tuple[str, ...]  # reported where a bracket opens with them


def check(submission: Submission, params: Params) -> tuple[Violation, ...] | NotChecked:
    text = submission.text
    places: list[tuple[int, int]] = []
    hints = tuple(hint for hint in params.hints if hint in text)
    for block in submission.document.blocks:
        if block.kind in {"toc", "figure"} or not _inside(submission, block):
            continue
        places.extend(_hints(text, block, hints))
        if not _SIGN.search(text, block.start, block.end) and text.find("...", block.start, block.end) < 0:
            continue
        places.extend(_crosses(text, block))
        places.extend(match.span() for match in _BOXES.finditer(text, block.start, block.end))
        places.extend(match.span() for match in _ONE_CROSS_DATE.finditer(text, block.start, block.end))
        places.extend(match.span() for match in _EMPTY_ELLIPSIS.finditer(text, block.start, block.end))
        places.extend(_limits(text, block))
        places.extend(_brackets(text, block, params.bracketed))
    return tuple(
        Violation(start, end, {"quote": _quote(text, start, end), "measured": text[start:end][:_QUOTE_MAX], "allowed": "无"})
        for start, end in _merged(places)
    )


def _inside(submission: Submission, block: Block) -> bool:
    """Forms and evidence around the write-up have blanks by nature."""
    return submission.start <= block.start and (not submission.end or block.end <= submission.end)


def _crosses(text: str, block: Block) -> Iterator[tuple[int, int]]:
    for match in _CROSSES.finditer(text, block.start, block.end):
        before, after = text[max(block.start, match.start() - 8) : match.start()], text[match.end() : min(block.end, match.end() + 14)]
        if before[-1:].isdigit() or after[:1].isdigit() or _QUOTED.search(before[-6:]):
            continue
        if _ANONYMOUS.search(before) or _ANONYMOUS_LIST.match(text, match.start(), block.end):
            continue
        stands_for_number = bool(_AFTER_MEASURE.match(after)) or (bool(_BEFORE_NUMBER.search(before)) and not _GOES_ON.match(after))
        stands_for_name = bool(_AFTER_ORGANISATION.match(after)) and len(match[0]) > 1
        upper = not match[0].islower()
        stands_for_word = (
            upper and not _AFTER_ANONYMISED.match(after) and not _AFTER_SURNAME.search(before) and bool(_HAN_AROUND.search(before[-1:]))
        )
        alone = not before.strip(" 　\t\n") and not after.strip(" 　\t\n")
        if stands_for_number or stands_for_name or stands_for_word or alone or len(match[0].replace(" ", "")) >= 4:
            yield match.span()


def _limits(text: str, block: Block) -> Iterator[tuple[int, int]]:
    for match in _HINT_LIMIT.finditer(text, block.start, block.end):
        rest = text[match.end() : block.end].strip(" 　\t：:。")
        if block.kind == "heading" or match.start() - block.start <= _HINT_AFTER or not rest:
            yield match.span()


def _hints(text: str, block: Block, hints: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    piece = text[block.start : block.end]
    for hint in hints:
        position = piece.find(hint)
        while position >= 0:
            end = position + len(hint)
            if _ORDINARY_AFTER.match(piece, end):
                position = piece.find(hint, end)
                continue
            whole_word = not hint.isascii() or not (_letter(piece, position - 1) or _letter(piece, end))
            if (
                whole_word
                and not _ORDINARY.search(piece[max(0, position - 1) : position])
                and not _QUOTED.match(piece[max(0, position - 1) : position])
            ):
                yield block.start + position, block.start + end
            position = piece.find(hint, end)


def _letter(text: str, position: int) -> bool:
    return 0 <= position < len(text) and text[position].isascii() and text[position].isalpha()


def _brackets(text: str, block: Block, words: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Brackets that open with a hint and close soon. Short nouns (数据, 图片) must fill a square one, or the whole paragraph."""
    for match in re.finditer(f"[{re.escape(_OPENING)}]", text[block.start : block.end]):
        start = block.start + match.start()
        inner = text[start + 1 : min(block.end, start + 60)]
        close = next((i for i, character in enumerate(inner) if character in _CLOSING), None)
        if close is None:
            continue
        content, end = inner[:close].strip(), start + close + 2
        if not content.startswith(words):
            continue
        for word in words:
            alone = text[start] not in "（(" or end - start == block.end - block.start
            if (content == word and alone) or (content.startswith(word) and _is_request(word)):
                yield start, end
                break


def _is_request(word: str) -> bool:
    """Words that ask for something (请…, 此处…, 待…) may be followed by what they ask for and stand in any bracket."""
    return word[0] in "请此待这" or word.endswith(("应", "介绍", "：", "：请", "本", "企业"))


def _merged(places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(set(places)):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _quote(text: str, start: int, end: int) -> str:
    """The place with a few characters around it, on one line."""
    left = max(text.rfind(mark, max(0, start - 10), start) for mark in "\n，。；、\t")
    left = max(start - 10, left + 1, 0)
    stops = [place for mark in "\n，。；、\t" if (place := text.find(mark, end, end + 8)) >= 0]
    return text[left : min([*stops, end + 8])].strip()[:_QUOTE_MAX]
