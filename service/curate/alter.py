"""biaogan library change, remove, revoke, reinstate, reindex and phrases."""

from __future__ import annotations

import argparse
from datetime import date

from service.curate.terminal import Setting, asked, bar, indexer, opened, say
from service.errors import ServiceError

_EMPTY = "标杆库里还没有内容。请先运行 biaogan library import 文件夹。"
_DONE, _FAILED = 0, 2


def remove(options: argparse.Namespace, setting: Setting) -> int:
    from service.database.files import open_store  # noqa: PLC0415
    from service.library.change import remove  # noqa: PLC0415
    from service.library.read import shown, unknown  # noqa: PLC0415

    with opened(setting, begin=False) as engine:
        if engine is None:
            raise unknown(options.ids[0])
        with engine.connect() as connection:
            titles = [shown(connection, each)[0].entry.title for each in options.ids]
        files = open_store(setting.place)
        for wanted, title in zip(options.ids, titles, strict=True):
            remove(engine, files, wanted)
            say(f"已删除 {wanted} {title}")
    return _DONE


def revoke(options: argparse.Namespace, setting: Setting) -> int:
    from service.library import benchmark  # noqa: PLC0415
    from service.library.change import revoke  # noqa: PLC0415
    from service.library.read import unknown  # noqa: PLC0415

    today = date.today()  # noqa: DTZ011 - the office's own day
    on = today if options.date is None else benchmark.past_day(options.date, today)
    with opened(setting, begin=False) as engine:
        if engine is None:
            raise unknown(options.id)
        revoke(engine, options.id, reason=options.reason, on=on, replace=options.replace)
    say(f"已撤销 {options.id}（{on.isoformat()}）。正文仍保留，比对时照常使用。")
    return _DONE


def reinstate(options: argparse.Namespace, setting: Setting) -> int:
    from service.library.change import reinstate  # noqa: PLC0415
    from service.library.read import unknown  # noqa: PLC0415

    with opened(setting, begin=False) as engine:
        if engine is None:
            raise unknown(options.id)
        reinstate(engine, options.id)
    say(f"已恢复 {options.id}，撤销的原因和日期已去掉。")
    return _DONE


def change(options: argparse.Namespace, setting: Setting) -> int:
    from service.curate.bring import given_of  # noqa: PLC0415
    from service.library.change import amend  # noqa: PLC0415
    from service.library.describing import Given  # noqa: PLC0415
    from service.library.read import unknown  # noqa: PLC0415

    said = given_of(options)
    if said == Given():
        raise ServiceError(
            "change_nothing", "没有写要改什么。请加上要改的，例如 --year 2022 --title 标题 --organisation 单位 --level 省级。"
        )
    with opened(setting, begin=False) as engine:
        if engine is None:
            raise unknown(options.id)
        with engine.begin() as connection:
            found = amend(connection, lambda: indexer(setting), options.id, said)
    say(f"已更新 {options.id}：{'；'.join(each.told() for each in found)}。" if found else f"{options.id} 本来就是这样，没有改动。")
    return _DONE


def reindex(options: argparse.Namespace, setting: Setting) -> int:
    from service.library import phrases, upkeep  # noqa: PLC0415
    from service.library.change import reindex  # noqa: PLC0415

    with opened(setting, begin=False) as engine:
        if engine is None:
            say(_EMPTY)
            return _DONE
        with bar("重建索引", None) as tell:
            count = reindex(engine, indexer(setting), every=options.all, tell=lambda done, _total: tell("", done))
            tell("建立索引", count)
            upkeep.after_import(engine)
            phrases.learn(engine)
    say(f"已重建 {count} 条的索引。" if count else "索引没有过时，不需要重建。")
    return _DONE


def phrases(options: argparse.Namespace, setting: Setting) -> int:
    from service.library import phrases  # noqa: PLC0415

    with opened(setting, begin=options.add is not None) as engine:
        if engine is None:
            say(_EMPTY)
            return _DONE
        if options.add is not None:
            say(f"已加入“{phrases.add(engine, options.add)}”。")
        if options.remove is not None:
            phrases.remove(engine, options.remove)
            say(f"已去掉“{options.remove}”。")
        if options.learn:
            say(f"归纳出 {phrases.learn(engine)} 条。")
        if options.add is None and options.remove is None and not options.learn:
            shown = {"learnt": "归纳", "office": "自定", "notice": "通知"}
            found = asked(engine, phrases.listed)
            if not found:
                say("还没有常用语。导入至少五家单位的标杆后会自动归纳，也可以用 --add 加入。")
            for each in found:
                say(f"{shown[each.source]}\t{each.documents or '-'}\t{each.phrase}")
    return _DONE
