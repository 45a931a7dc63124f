"""/admin/system: versions, the queue, what is stored and how it is set up. Nothing secret stands here."""

from __future__ import annotations

import platform
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection, func, select, text

from service import __version__, jobs
from service.database import examine
from service.database.files import Files
from service.database.place import Place
from service.database.programme_tables import analyses
from service.database.tables import REVISION, benchmarks
from service.render.wording import words_for
from service.settings import Web
from service.web import context

router = APIRouter(prefix="/system")
_ALIVE = 60  # seconds since a worker was last heard of
_FAILED = 20  # analyses listed


@router.get("")
def system(request: Request, db: context.Db, _viewer: context.Admin) -> HTMLResponse:
    place: Place = request.app.state.place
    figures = jobs.figures(db)
    return context.page(
        request,
        "admin/system.html.j2",
        facts_shown=(*_versions(), *examine.glance(db, place)),
        stored=_stored(db, context.files(request)),
        settings=_settings(context.web(request)),
        figures=figures,
        stages=[
            (words_for("stages", stage), f"{spent / 1000:,.1f} 秒，{number:,} 个文件") for stage, (spent, number) in figures.stages.items()
        ],
        workers=_workers(db),
        failed=_failed(db),
    )


def _versions() -> tuple[tuple[str, str], ...]:
    return ("程序", __version__), ("Python", platform.python_version()), ("系统", platform.platform()), ("数据表", REVISION)


def _workers(db: Connection) -> int | None:
    """How many worker processes were heard of in the last minute; None where the queue does not tell."""
    if db.execute(text("SELECT to_regclass('queue.procrastinate_workers')")).scalar() is None:
        return None
    alive = text("SELECT count(*) FROM queue.procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => :seconds)")
    found: int = db.execute(alive, {"seconds": _ALIVE}).scalar_one()
    return found


def _failed(db: Connection) -> list[tuple[str, str, int, datetime | None]]:
    """Analyses that were given up: what of, why, how often tried, when. The file's name is its owner's and not shown."""
    query = select(analyses.c.sha256, analyses.c.reason, analyses.c.tries, analyses.c.finished_at).where(analyses.c.state == "failed")
    return [(row[0], row[1] or "", row[2], row[3]) for row in db.execute(query.order_by(analyses.c.id.desc()).limit(_FAILED))]


def _stored(db: Connection, files: Files) -> list[tuple[str, str]]:
    names = {"users": "账号", "drafts": "草稿", "submissions": "申报材料", "analyses": "审读结果", "events": "操作记录"}
    counted = [(words, f"{db.execute(text(f'SELECT count(*) FROM {name}')).scalar_one():,} 条") for name, words in names.items()]  # noqa: S608 - our tables
    past: int = db.execute(select(func.count()).select_from(benchmarks)).scalar_one()
    return [*counted, ("往年标杆", f"{past:,} 份"), ("原文件存放处", files.shown)]


def _settings(settings: Web) -> list[tuple[str, str]]:
    """As they are in force (docs/settings.md); of what is secret only whether it is set."""
    yes = {True: "是", False: "否"}
    return [
        ("网址", settings.url),
        ("只经加密连接", yes[settings.secure]),
        ("登录有效", f"{settings.session_hours} 小时"),
        ("上传上限", f"{settings.upload_mb} MB，每人每小时 {settings.uploads_an_hour} 个"),
        ("草稿保留", f"{settings.draft_days} 天"),
        ("允许自行注册", yes[settings.registration]),
        ("反向代理", settings.proxy or "无"),
        ("统一身份认证", settings.oidc_issuer or "未启用"),
        ("监控令牌", "已设" if settings.metrics_token else "未设，只供本机读取"),
    ]
