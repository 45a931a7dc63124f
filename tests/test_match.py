"""What a submission shares with other texts: nothing common is missed, nothing independent is flagged, what does not count does not."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import encode, rulebook
from service.among import among
from service.artefacts import CORPORA, MODELS
from service.encode import Encoder
from service.exclude import says_little, wording
from service.fingerprints import normalised, runs
from service.match import is_own, match
from service.model import Document, Match, Past, Similarity, Submission, Title

BENCHMARKS = CORPORA / "benchmarks"
FLAGGED = {"near_duplicate", "reuse"}
ENCODER = encode.load(MODELS / "embedding")
NOTICE = ("企业概况", "实施背景", "各申报单位应当如实填写申报材料并对其真实性负责")
PIECES = [
    "公司每天开班前会。",
    "首件确认之后才可以开机生产",
    "，",
    "\n",
    "合格率由88%提高到97%；",
    "班组长",
    "把关键工序的参数逐项写进作业卡",
    "“",
    "”",
    "2022年",
]


def written(path: Path) -> str:
    """A benchmark's text as it is read from a document: headings without marks, a table's cells parted by tabs."""
    lines = (re.sub(r"^#+\s*", "", line.strip()) for line in path.read_text("utf8").splitlines())
    kept = [line for line in lines if line and not re.fullmatch(r"\|[\s:|-]+\|", line)]
    return "\n".join("\t".join(cell.strip() for cell in line.strip("|").split("|")) if line.startswith("|") else line for line in kept)


def benchmark(name: str) -> str:
    return written(BENCHMARKS / "texts" / f"{name}.md")


def submitted(text: str, *, organisation: str | None = None, title: str | None = None) -> Submission:
    document = Document("a.docx", f"{abs(hash(text)):064d}", "docx", text)
    return Submission(document, Title(title, 0, 0) if title else None, organisation, (), (), (), (), 0, len(text))


def compared(text: str, *others: str, encoder: Encoder = ENCODER, **options: Sequence[str]) -> tuple[tuple[Match, ...], Similarity]:
    pasts = [Past(str(number), "", other) for number, other in enumerate(others)]
    return match(submitted(text), pasts, encoder=encoder, notice=NOTICE, **options)


def renamed(text: str) -> str:
    """Other figures and another name."""
    chance = random.Random(3)
    return re.sub(r"\d", lambda _: chance.choice("123456789"), text).replace("霁垣", "远瀚")


def well_formed(found: Match, text: str) -> None:
    end = 0
    for passage in found.passages:
        assert end <= passage.start < passage.end <= len(text)
        assert passage.their_text == found.past.text[passage.their_start : passage.their_end]
        assert all(passage.start <= start < stop <= passage.end for start, stop in passage.changed)
        assert 0 < passage.score <= 1
        end = passage.end
    assert 0 <= found.share <= 1


def test_a_copy_is_a_near_duplicate_word_for_word() -> None:
    (found,), similarity = compared(benchmark("p01"), benchmark("p01"), benchmark("q12"))
    assert (found.flag, found.past.id) == ("near_duplicate", "0")
    assert found.share > 0.98
    assert {passage.kind for passage in found.passages} == {"verbatim"}
    assert similarity.total == 1
    assert similarity.without_quotes == similarity.largest_single == found.share
    assert min(similarity.first_half, similarity.second_half) > 0.96
    assert similarity.compared == 2
    well_formed(found, benchmark("p01"))


def test_of_one_among_very_many_the_shared_runs_are_told_and_nothing_else() -> None:
    text = benchmark("p11")
    past = Past("1", "", renamed(text), runs_only=True)
    (found,), _ = match(submitted(text), [past], encoder=ENCODER, notice=NOTICE)
    assert {passage.kind for passage in found.passages} == {"verbatim"}
    shared = {(start, length) for start, _, length in runs(normalised(text), normalised(past.text))}
    assert len(found.passages) <= len(shared)
    assert 0.1 < found.share < 1
    rewritten = submitted(written(BENCHMARKS / "revisions" / "rw-p11.md"))
    told, _ = match(rewritten, [Past("1", "", text, runs_only=True)], encoder=ENCODER, notice=NOTICE)
    assert all(passage.excluded for each in told for passage in each.passages)


def test_other_names_and_figures_change_little_and_are_marked() -> None:
    text = renamed(benchmark("p01"))
    (found,), _ = compared(text, benchmark("p01"))
    assert found.flag == "near_duplicate"
    changed = {text[start:end] for passage in found.passages for start, end in passage.changed}
    assert "远瀚" in changed
    assert any(re.fullmatch(r"[\d.]+", each) for each in changed)
    well_formed(found, text)


@pytest.mark.parametrize("path", sorted((BENCHMARKS / "revisions").glob("*.md")), ids=lambda path: path.stem)
def test_revisions_by_hand_are_found_and_only_their_source(path: Path) -> None:
    kind, source = path.stem.split("-")
    others = ["p01", "p05", "q03", "q08", "r07"]
    text = written(path)
    found, _ = compared(text, benchmark(source), *map(benchmark, others))
    assert [each.past.id for each in found if each.flag in FLAGGED] == ["0"]
    assert kind != "pa" or found[0].flag == "reuse"
    well_formed(found[0], text)


@pytest.mark.parametrize("number", range(1, 11))
def test_independent_texts_on_one_industry_and_method_are_related_at_most(number: int) -> None:
    names = [f"{series}{number:02d}" for series in "pqr"]
    texts = [benchmark(name) for name in names if (BENCHMARKS / "texts" / f"{name}.md").exists()]
    for text in texts:
        found, _ = compared(text, *(other for other in texts if other != text))
        assert not [each for each in found if each.flag in FLAGGED]


def test_a_table_of_rows_is_no_rewriting_of_one_like_line() -> None:
    rows = "\n".join(
        f"{n}.0.{n * 7 % 40}\t{n}.0.{1400 + n}\t{2001 + n} 年 {n % 12 + 1} 月\t数控加工中心远程诊断平台 {n}.0.{n * 7 % 40} 预览"
        for n in range(10, 40)
    )
    other = benchmark("q12")[:1500] + "\n数控加工中心远程诊断平台 9.0.19 预览（2021 年 7 月）"
    found, _ = compared(f"{benchmark('p03')[:600]}\n{rows}", other)
    assert not [each for each in found if each.flag in FLAGGED]


@given(st.lists(st.sampled_from(PIECES), max_size=25), st.lists(st.sampled_from(PIECES), max_size=25))
@settings(deadline=None, max_examples=60)
def test_every_common_run_stands_in_a_passage(mine: list[str], theirs: list[str]) -> None:
    text, other = "".join(mine), "".join(theirs)
    found, similarity = compared(text, other)
    a, b = normalised(text), normalised(other)
    inside = np.zeros(len(text) + 1, bool)
    for each in found:
        well_formed(each, text)
        for passage in each.passages:
            inside[passage.start : passage.end] = True
    for start, _, length in runs(a, b):
        places = a.places[start : start + length]
        only_figures = not found and says_little(text[places[0] : places[-1] + 1])  # such a candidate is left out
        assert inside[places].all() or only_figures
    assert 0 <= similarity.without_quotes <= similarity.total <= 1


def test_one_sentence_in_an_own_text_is_found_and_related() -> None:
    taken = "交叉孔改为先以十字铰去毛刺刀走一遍，再做热能去毛刺，最后用酸性清洗剂除氧化皮"
    assert taken in benchmark("p01")
    text = benchmark("q12") + "\n" + taken + "。"
    (found,), similarity = compared(text, benchmark("p01"))
    assert (found.flag, [passage.kind for passage in found.passages]) == ("related", ["verbatim"])
    assert found.passages[0].their_text.startswith(taken[:20])
    assert similarity.characters == len(normalised(taken))
    assert similarity.first_half == 0 < similarity.second_half


# --- what does not count -----------------------------------------------------------------------------------------------------------

SAID = "质量不是检验出来的而是设计和制造出来的这句话要落到每一道工序上"
OWN = "我们自己另外写了一段与别人毫不相干的文字，讲的是食堂怎样换了新的菜单，职工们都说好。"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"厂长在会上引用了“{SAID}”这句话。{OWN}", "quote"),
        (f"依据《{SAID}》开展工作。{OWN}", "standard"),
        (f"{OWN}\n{NOTICE[2]}\n{OWN}", "notice"),
    ],
    ids=["quote", "standard", "notice"],
)
def test_quotations_standards_and_official_wording_count_nothing(text: str, reason: str) -> None:
    (found,), similarity = compared(text, f"别处也有。\n{SAID}。\n{NOTICE[2]}。\n到此为止。")
    assert (found.flag, found.share) == ("related", 0)
    assert {passage.excluded for passage in found.passages} == {reason}
    assert (similarity.without_quotes, similarity.characters, similarity.passages, similarity.largest_single) == (0, 0, 0, 0)
    assert (similarity.total > 0) is (reason == "quote")


def test_common_phrases_count_nothing_and_headings_of_the_notice_neither() -> None:
    text, other = f"一、企业概况\n{SAID}。{OWN}\n二、实施背景", f"一、企业概况\n开头。{SAID}。\n二、实施背景"
    (found,), similarity = compared(text, other)
    assert (similarity.characters, similarity.passages) == (len(SAID), 1)
    (found,), similarity = compared(text, other, common=[SAID])
    assert {passage.excluded for passage in found.passages} == {"common"}
    assert (found.flag, similarity.total) == ("related", 0)


def test_the_head_of_a_table_is_nothing_shared() -> None:
    text, other = "指标 2019年 2020年 2021年\n一次合格率 91% 93% 96%", "项目 2019年 2020年 2021年\n渗漏率 3% 2% 1%"
    assert compared(text, other)[0] == ()
    (found,), similarity = compared(text + "\n班组长每天开工前把温控表逐台点验并签名", other + "\n班组长每天开工前把温控表逐台点验并签名")
    assert [each.excluded for each in found.passages if each.excluded != "common"] == [None]
    assert similarity.passages == 1


@pytest.mark.parametrize("name", ["2014-miit", "2016-jiangsu", "2021-zhumadian", "2022-hebei", "2024-caq"])
def test_an_edition_gives_its_own_wording(name: str) -> None:
    edition = rulebook.load(name)
    notice = wording(edition)
    text = "\n".join(
        (f"{OWN}", *(f"{number}、{heading}" for number, heading in zip("一二三", notice, strict=False)), edition.areas[0].wording)
    )
    found, similarity = match(submitted(text), [Past("1", "", text.replace(OWN, ""))], encoder=ENCODER, notice=notice)
    assert edition.sections[0].name in notice
    assert similarity.total < 0.1
    assert all(each.flag == "related" for each in found)


def test_a_term_in_quotation_marks_counts() -> None:
    text = f"全厂推行“首件三检制”以后，{SAID}。"
    (found,), _ = compared(text, text)
    assert found.share == 1


# --- the same organisation ---------------------------------------------------------------------------------------------------------


def test_the_same_organisation_is_known_by_code_and_name() -> None:
    past = Past("1", "", SAID, organisation="霁垣液压件有限公司", credit_code="91990000MA00000012", former_names=("霁垣液压厂",))
    named = submitted(SAID, organisation="霁垣液压件 有限公司")
    assert is_own(named, past)
    assert is_own(submitted(SAID, organisation="霁垣液压厂"), past)
    assert is_own(submitted(f"{SAID}\n统一社会信用代码：91990000ma00000012"), past)
    assert not is_own(submitted(f"{SAID}\n统一社会信用代码：91990000MA00000013", organisation="霁垣液压件股份有限公司"), past)
    assert not is_own(submitted(SAID), replace(past, organisation=None, former_names=()))
    (found,), similarity = match(named, [past], encoder=ENCODER)
    assert (found.own, found.flag) == (True, "near_duplicate")
    assert (similarity.total, similarity.without_own) == (1, 0)


# --- titles ------------------------------------------------------------------------------------------------------------------------


def test_a_benchmark_known_by_title_alone_is_related_at_most() -> None:
    submission = submitted(OWN, organisation="远瀚机械有限公司", title="远瀚机械用六西格玛压降阀块内泄漏的经验")
    same = Past("1", "霁垣液压用六西格玛压降阀块内泄漏的经验", "", organisation="霁垣液压有限公司")
    other = Past("2", "栖檐园区让顾客声音长成服务标准", "", organisation="栖檐园区服务有限公司")
    (found,), similarity = match(submission, [same, other], encoder=ENCODER)
    assert (found.past.id, found.flag, found.score, found.share, found.passages) == ("1", "related", 1.0, 0, ())
    assert (similarity.total, similarity.compared) == (0, 2)


# --- borders -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "\n", "。", "短", OWN])
def test_texts_of_any_size_are_compared(text: str) -> None:
    for other in ("。", "短", OWN, benchmark("p01")):
        for each in compared(text, other)[0]:
            well_formed(each, text)
    assert compared(text) == ((), Similarity(0, 0, 0, 0, 0, 0, 0, 0, 0))


def test_a_pattern_without_end_is_compared_soon() -> None:
    text = "首件合格。" * 3000
    (found,), _ = compared(text, text[:9000])
    assert found.flag == "near_duplicate"


def test_what_stands_outside_of_the_write_up_is_found_and_not_counted() -> None:
    text = f"{SAID}。\n{OWN}"
    start = text.index(OWN)
    (found,), similarity = match(replace(submitted(text), start=start), [Past("1", "", SAID)], encoder=ENCODER)
    assert (len(found.passages), found.share, similarity.total) == (1, 0, 0)


# --- within a batch ----------------------------------------------------------------------------------------------------------------


def test_a_batch_finds_its_copies_and_rewritings_and_leaves_each_out_for_itself() -> None:
    texts = [
        benchmark("p01"),
        renamed(benchmark("p01")),
        written(BENCHMARKS / "revisions" / "rw-p13.md"),
        benchmark("p13"),
        benchmark("q08"),
    ]
    submissions = [submitted(text, organisation=f"甲{number}公司") for number, text in enumerate(texts)]
    batch = among([*submissions, submissions[0]], encoder=ENCODER)
    assert batch.compared == 4
    flagged = []
    for number, submission in enumerate(submissions):
        candidates = batch.find(submission, encoder=ENCODER)
        assert submission.document.sha256 not in {past.id for past in candidates}
        found, _ = match(submission, candidates, encoder=ENCODER, compared=batch.compared)
        flagged += [(number, each.past.organisation) for each in found if each.flag in FLAGGED]
        assert all(each.past.among for each in found)
    assert flagged == [(0, "甲1公司"), (1, "甲0公司"), (2, "甲3公司"), (3, "甲2公司")]


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=20), st.lists(st.sampled_from(PIECES), min_size=1, max_size=20))
@settings(deadline=None, max_examples=40)
def test_a_batch_names_every_text_with_a_common_run(mine: list[str], theirs: list[str]) -> None:
    first, second = submitted("".join(mine)), submitted("".join(theirs) + "甲")
    others = [submitted(f"{OWN}{number}") for number in range(8)]
    batch = among([first, second, *others], encoder=ENCODER)
    if runs(normalised(first.text), normalised(second.text)):
        assert second.document.sha256 in {past.id for past in batch.find(first, encoder=ENCODER)}


def test_an_empty_batch_has_nothing_to_compare() -> None:
    assert among([], encoder=ENCODER).compared == 0
    alone = submitted(OWN)
    assert list(among([alone], encoder=ENCODER).find(alone, encoder=ENCODER)) == []
