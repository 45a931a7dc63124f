"""Measures the office's table with 5,000 constructed submissions: p50 and p95 of the page, of its query alone, and of walking in it.

    python benchmarks/lists.py [--rows 5000] [--times 20] [--out benchmarks/lists.json]

The pages are asked over HTTP from a service in a process of its own, one after the other, as one member of staff does; the database is the
embedded one, in a temporary folder. Rows are constructed by a seed, with reports of the usual size, which lists must not read. Beside the
time that passed stands the processors' time of service and database together: what a quiet machine needs, whatever else this one did.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import uvicorn
from sqlalchemy import Engine

from service import rulebook
from service.database import queue
from service.database.engine import close, connect
from service.database.place import Place
from service.database.programme_tables import (
    analyses,
    assignments,
    similar_submissions,
    submission_versions,
    submissions,
    units,
    users,
)
from service.programme import listing, sessions
from service.programme.listing import Filters
from service.programme.viewer import Viewer
from service.settings import Settings, Web
from service.web.app import create

HERE = Path(__file__).parent
EDITIONS = ("2024-caq", "2022-hebei")
PORT = 8490
# What staff asks for; the first is the page that opens.
PAGES = {
    "first page": "",
    "received, with errors": "state=received&has=errors",
    "search": "q=%E8%A3%85%E5%A4%87",
    "search, nothing found": "q=%E6%B2%A1%E6%9C%89%E8%BF%99%E4%B8%AA",
    "by similarity": "sort=-similarity",
    "similar at least 30%": "share=30&flag=reuse",
    "by unit, one edition": "edition=2024-caq&sort=unit",
    "one rule": "rule=2024-caq/4.1",
    "by organisation, last page": "sort=organisation&page=100",
    "200 a page": "size=200",
    "unassigned": "assigned=no&state=passed",
}


def fill(engine: Engine, rows: int) -> None:
    draw = random.Random(20241101)
    words = ("装备", "钢铁", "食品", "电器", "化工", "纺织", "医药", "水泥", "轴承", "玻璃")
    places = ("石家庄", "唐山", "保定", "邯郸", "沧州", "廊坊", "邢台", "张家口", "承德", "秦皇岛")
    methods = ("六西格玛", "精益管理", "全面质量管理", "数字化质量管控", "质量追溯体系", "供应链协同", "可靠性设计", "班组自主管理")
    rules = {id_: [rule.id for rule in rulebook.load(id_).rules] for id_ in EDITIONS}
    areas = {id_: [area.id for area in rulebook.load(id_).areas] for id_ in EDITIONS}
    start = datetime(2024, 5, 1, tzinfo=UTC)
    with engine.begin() as db:
        staff = db.execute(users.insert().values(name="office", shown="办公室", role="office").returning(users.c.id)).scalar_one()
        reviewer = db.execute(users.insert().values(name="reviewer", shown="专家", role="reviewer").returning(users.c.id)).scalar_one()
        for number in range(40):
            db.execute(units.insert().values(name=f"{draw.choice(places)}推荐单位{number}（构造）"))
        made: list[dict[str, Any]] = []
        for number in range(1, rows + 1):
            edition = draw.choice(EDITIONS)
            failed = draw.random() < 0.01
            judged = None if failed else draw.randrange(6)
            made.append(
                {
                    "sha256": f"{number:064x}",
                    "edition": edition,
                    "edition_hash": "e",
                    "program": "p",
                    "models": "m",
                    "library": 0,
                    "state": "failed" if failed else "done",
                    "status": None if failed else "complete",
                    "words": None if failed else draw.randrange(2000, 12000),
                    "errors": judged,
                    "warnings": None if failed else draw.randrange(12),
                    "advice": None if failed else draw.randrange(8),
                    "rules": draw.sample(rules[edition], min(6, len(rules[edition]))),
                    "areas": [draw.choice(areas[edition])],
                    "primary_area": draw.choice(areas[edition]),
                    "area_score": round(draw.random(), 4),
                    "similarity": round(draw.random() ** 3, 4),
                    "flag": draw.choice((None, None, "related", "reuse", "near_duplicate")),
                    "report": draw.randbytes(30_000),  # about what a stored report takes; lists must not read it
                }
            )
            if len(made) == 500 or number == rows:
                db.execute(analyses.insert(), made)
                made = []
        listed = [
            {
                "number": f"bench-{number:04d}",
                "edition": draw.choice(EDITIONS),
                "unit": draw.randrange(1, 41),
                "rank": draw.choice((None, number % 30 + 1)),
                "organisation": f"{draw.choice(places)}{draw.choice(words)}有限公司{number}（构造）",
                "title": f"实施{draw.choice(methods)}提升{draw.choice(words)}产品质量的经验",
                "credit_code": f"{number:018d}",
                "state": draw.choices(("received", "passed", "returned", "set_aside", "withdrawn"), (50, 30, 14, 4, 2))[0],
                "analysis": number,
                "submitted_at": start + timedelta(minutes=number),
            }
            for number in range(1, rows + 1)
        ]
        db.execute(submissions.insert(), listed)
        file = {"size": 100_000, "by": staff}
        db.execute(
            submission_versions.insert(),
            [
                {
                    **file,
                    "submission": n,
                    "number": 1,
                    "sha256": f"{n:064x}",
                    "file_name": f"申报书{n}.docx",
                    "analysis": n,
                    "receipt": f"R{n}",
                }
                for n in range(1, rows + 1)
            ],
        )
        pairs = {(draw.randrange(1, rows + 1), draw.randrange(1, rows + 1)) for _ in range(rows // 5)}
        db.execute(
            similar_submissions.insert(),
            [{"one": a, "other": b, "flag": "reuse", "share": round(draw.random(), 3), "score": 0.5} for a, b in sorted(pairs) if a != b],
        )
        db.execute(assignments.insert(), [{"submission": n, "reviewer": reviewer, "by": staff} for n in range(1, rows + 1, 7)])
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.exec_driver_sql("ANALYZE")


def timed(ask: Callable[[], object], times: int) -> dict[str, float]:
    """Milliseconds: the median, and the 95th part of a hundred (of few, the largest but one)."""
    ask()
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - begun) * 1000)
    return {"p50": round(statistics.median(taken), 1), "p95": round(statistics.quantiles(taken, n=20, method="inclusive")[-1], 1)}


def spent(engine: Engine, process: int) -> float:
    """Milliseconds of processor time so far, of the service and of the database's processes."""
    with engine.connect() as db:
        pids = [process, *db.exec_driver_sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'").scalars()]
    times = [psutil.Process(pid).cpu_times() for pid in pids if psutil.pid_exists(pid)]
    return sum(each.user + each.system for each in times) * 1000


def serve(place: Place) -> None:
    app = create(place, settings=Web(url=f"http://127.0.0.1:{PORT}"), analysis=Settings(data=place.data))
    uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="error")


def pages(engine: Engine, place: Place, times: int) -> dict[str, Any]:
    with engine.begin() as db:
        token = sessions.open_session(db, 1, hours=1)
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(place,), daemon=True)
    process.start()
    found: dict[str, Any] = {}
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{PORT}", cookies={"biaogan": token}, timeout=60) as client:
            wait(client)
            for _ in range(10):  # as after some minutes of work: templates compiled, statements prepared
                client.get("/submissions").raise_for_status()
            for name, query in PAGES.items():
                answer = client.get(f"/submissions?{query}")
                answer.raise_for_status()
                before = spent(engine, int(process.pid or 0))
                found[name] = timed(lambda query=query: client.get(f"/submissions?{query}"), times)
                found[name]["processor"] = round((spent(engine, int(process.pid or 0)) - before) / (times + 1), 1)
                found[name]["kilobytes"] = len(answer.content) // 1024
    finally:
        process.terminate()
        process.join()
    return found


def wait(client: httpx.Client) -> None:
    for _ in range(200):
        try:
            client.get("/healthz")
        except httpx.ConnectError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the service did not start")


def queries(engine: Engine, times: int) -> dict[str, Any]:
    viewer = Viewer(1, "office", "办公室", "office")
    filters = Filters(state="received", sort="-similarity")
    with engine.connect() as db:
        return {
            "a page's rows and counts": timed(lambda: listing.listed(db, viewer, filters), times),
            "choices of the filters": timed(lambda: listing.choices(db, viewer, filters), times),
            "next and previous": timed(lambda: listing.place_of(db, viewer, filters, 2500), times),
            "all rows, for a file": timed(lambda: listing.everything(db, viewer, Filters()), max(3, times // 5)),
        }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--out", type=Path, default=HERE / "lists.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        engine = connect(place)
        queue.prepare(engine)
        fill(engine, options.rows)
        found = {
            "rows": options.rows,
            "times": options.times,
            "machine": {
                "processor": platform.machine(),
                "cores": multiprocessing.cpu_count(),
                "python": platform.python_version(),
                "load": os.getloadavg()[0],
            },
            "milliseconds": {"pages over HTTP": pages(engine, place, options.times), "queries": queries(engine, options.times)},
        }
        close(engine)
    worst = max(found["milliseconds"]["pages over HTTP"].items(), key=lambda item: item[1]["p95"])
    found["worst"] = {"page": worst[0], "p95": worst[1]["p95"]}
    found["machine"]["load_after"] = os.getloadavg()[0]
    options.out.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", "utf8")
    print(json.dumps(found["milliseconds"], ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
