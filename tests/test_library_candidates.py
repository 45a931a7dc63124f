"""What is worth aligning with a submission: every shared run, the rewritten, the titles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from library_shelf import TEXTS, benchmark_text, fill, indexer, prepared, submission, titled
from sqlalchemy import text

from service import exclude
from service.database.files import open_store
from service.errors import ServiceError
from service.fingerprints import LEAST, normalised, winnow
from service.library.candidates import NEAREST, Library, _counting
from service.library.change import remove, revoke
from service.library.phrases import add
from service.library.upkeep import after_import

ENCODER = indexer().own


@pytest.fixture(name="library")
def _library(engine: Any) -> Iterator[Library]:
    found = Library(engine, ENCODER, encoder=ENCODER)
    yield found
    found.close()


def _ids(library: Library, whole: str) -> list[str]:
    return [past.id for past in library.find(submission(whole), encoder=ENCODER)]


# Few different characters, so that runs, near runs and repetitions are met often; blanks and marks stand between.
_TEXT = st.text(alphabet="质量管理标杆，0 。Aａ\n", min_size=0, max_size=60)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(_TEXT, min_size=1, max_size=6), mine=_TEXT, taken=st.tuples(st.integers(0, 5), st.integers(0, 60), st.integers(0, 30))
)
def test_every_shared_run_is_found_in_sql(engine: Any, library: Library, texts: list[str], mine: str, taken: tuple[int, int, int]) -> None:
    source = texts[taken[0] % len(texts)]
    mine += source[taken[1] : taken[1] + taken[2]]
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE benchmarks CASCADE"))
    ids = fill(engine, *(prepared(each, sha256=None, title=str(at)) for at, each in enumerate(texts)))
    with engine.connect() as connection:
        numbers = dict(connection.execute(text("SELECT number, id FROM benchmarks")).all())
    found = {numbers[each.number] for each in library.shared(winnow(normalised(mine)))}
    assert {name for name, each in zip(ids, texts, strict=True) if _share_a_run(mine, each)} <= found


def _share_a_run(first: str, second: str) -> bool:
    one, other = ("".join(map(chr, normalised(each).points)) for each in (first, second))
    return any(one[at : at + LEAST] in other for at in range(len(one) - LEAST + 1))


def test_the_source_of_a_copied_sentence_comes_first(engine: Any, library: Library) -> None:
    ids = fill(engine, *(prepared(benchmark_text(name)) for name in ("p01", "q01", "p05")))
    sentence = "小组拿20个阀块、3名试验员、每人重复3次做测量系统分析，结果重复性与再现性合计占公差的41%"
    found = library.find(submission(f"# 别家的经验\n## 一、企业概况\n我们是一家做泵的厂。\n## 二、做法\n{sentence}。"), encoder=ENCODER)
    assert found[0].id == ids[0]
    assert found[0].text.startswith("霁垣液压用六西格玛")
    assert found[0].organisation == "澄岳阀门有限公司"


def test_a_text_in_other_words_is_named_by_its_neighbours(engine: Any, library: Library) -> None:
    names = [f"{series}{number:02d}" for series in "pqr" for number in range(11, 15)]
    ids = dict(zip(names, fill(engine, *(prepared(benchmark_text(name)) for name in names)), strict=True))
    after_import(engine)
    rewritten = (TEXTS.parent / "revisions" / "rw-p11.md").read_text("utf-8")
    assert ids["p11"] in _ids(library, rewritten)[:2]


def test_an_entry_without_text_is_found_by_its_title(engine: Any, library: Library) -> None:
    ids = fill(engine, titled(title="基于双归零的轨道制动质量管理实践"), titled(title="数字化供应链协同经验", organisation="别家"))
    found = library.find(submission("# 铎隐公司质量问题双归零的实践\n## 一、企业概况\n我们做制动。"), encoder=ENCODER)
    assert [past.id for past in found][:1] == ids[:1]
    assert found[0].text == ""


def test_what_half_the_library_says_names_no_candidate(engine: Any, library: Library) -> None:
    said = "坚持以顾客为关注焦点的质量方针和质量目标"
    fill(
        engine,
        *(prepared(f"# 第{at}家的经验\n## 一、概况\n我们{said}，按《GB/T 19580 卓越绩效评价准则》做。", title=str(at)) for at in range(3)),
    )
    mine = f"# 我们的经验\n## 一、概况\n公司{said}，依据《GB/T 19580 卓越绩效评价准则》执行。"
    shared = lambda: library.shared(_asked_prints(library, mine))  # noqa: E731
    assert len(shared()) == 3
    add(engine, said)
    assert len(_ids(library, mine)) == 3  # by the neighbours
    assert shared() == []


def _asked_prints(library: Library, whole: str) -> Any:
    normal = normalised(whole)
    return _counting(winnow(normal), exclude.reasons(whole, normal, common=library.common))


def test_an_empty_library_compares_with_nothing(library: Library) -> None:
    assert library.compared == 0
    assert _ids(library, "# 题目\n正文一句。") == []


def test_changes_are_seen_at_the_next_question(engine: Any, library: Library) -> None:
    whole = benchmark_text("p07")
    assert _ids(library, whole) == []
    (name,) = fill(engine, prepared(whole))
    assert _ids(library, whole) == [name]
    assert library.compared == 1


def test_a_revoked_benchmark_is_still_compared_with(engine: Any, library: Library) -> None:
    (name,) = fill(engine, prepared(benchmark_text("p07")))
    revoke(engine, name, reason="重大质量事故", on=date(2023, 5, 1))
    assert _ids(library, benchmark_text("p07")) == [name]


def test_a_removed_benchmark_is_not_found(engine: Any, library: Library, place: Any) -> None:
    (name,) = fill(engine, prepared(benchmark_text("p07"), sha256=None))
    remove(engine, open_store(place), name)
    assert _ids(library, benchmark_text("p07")) == []
    with engine.connect() as connection:
        for table in ("benchmarks", "passages", "fingerprints"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0


def test_without_its_index_the_search_is_right(engine: Any, library: Library) -> None:
    fill(engine, *(prepared(benchmark_text(name)) for name in ("p11", "q11", "r11")))
    vectors = indexer().index(submission(benchmark_text("p12"))).vectors
    after_import(engine)
    with_index = library.neighbours(vectors)
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX passages_embedding"))
    assert sorted(library.neighbours(vectors)) == sorted(with_index)
    assert len(with_index) == NEAREST * len(vectors)


def test_the_neighbours_are_the_nearest(engine: Any, library: Library) -> None:
    stored = prepared(benchmark_text("p11"))
    fill(engine, stored)
    assert stored.indexed is not None
    products = stored.indexed.vectors.astype(np.float16).astype(np.float32) @ stored.indexed.vectors.T
    found = [product for which, _, product in library.neighbours(stored.indexed.vectors) if which == 3]
    assert np.allclose(sorted(found, reverse=True), np.sort(products[:, 3])[::-1][:NEAREST], atol=2e-3)


def test_a_library_of_another_model_is_not_asked(engine: Any) -> None:
    fill(engine, prepared(benchmark_text("p11")))
    with engine.begin() as connection:
        connection.execute(text("UPDATE benchmarks SET model = 'other'"))
    with pytest.raises(ServiceError) as raised:
        Library(engine, ENCODER, encoder=ENCODER)
    assert raised.value.code == "library_outdated"
    assert "reindex" in raised.value.message


def test_texts_with_characters_that_postgresql_does_not_take_are_kept(engine: Any, library: Library) -> None:
    whole = "# 题\0目\n## 一、概况\n这里有一个\0空字符和半个代理\ud800，还有'引号\\反斜杠和很长的一句话。"
    (name,) = fill(engine, prepared(whole, title="题\0目'\\"))
    assert _ids(library, whole) == [name]
