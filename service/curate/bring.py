"""biaogan library add and import."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from service.curate.terminal import Setting, bar, indexer, opened, say, warn, word
from service.errors import ServiceError
from service.parse import Reader, Reading, walk

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.library.describing import Given
    from service.library.importing import Importer, Item, Outcome
    from service.library.manifest import Manifest

_EMPTY = "标杆库里还没有内容。请先运行 biaogan library import 文件夹。"
_DONE, _FAILED = 0, 2
_SHOWN = 20  # benchmarks whose guesses are told one by one


def given_of(options: argparse.Namespace) -> Given:
    """What the options say of a benchmark."""
    from service.library.describing import Given, given  # noqa: PLC0415

    names = {
        "year": "year",
        "level": "level",
        "edition": "edition",
        "organisation": "organisation",
        "title": "title",
        "credit_code": "credit_code",
        "former_name": "former_names",
        "area": "areas",
    }
    said = {key: value for option, key in names.items() if (value := getattr(options, option, None))}
    return given(said, Given())


def add(options: argparse.Namespace, setting: Setting) -> int:
    from service.library.importing import items  # noqa: PLC0415

    given = given_of(options)
    paths = [Path(path) for path in options.paths]
    if len(paths) > 1 and (given.title or given.organisation or given.credit_code):
        raise ServiceError(
            "add_one", "--organisation、--title、--credit-code 只能用于一个文件。多个文件请写清单后用 biaogan library import。"
        )
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise ServiceError("file_missing", f"没有找到文件：{'、'.join(missing)}。请检查路径；整个文件夹请用 biaogan library import。")
    with opened(setting) as engine:
        return _brought(items(paths, given), engine, setting, root=None)


def bring_in(options: argparse.Namespace, setting: Setting) -> int:
    from service.library.importing import items  # noqa: PLC0415
    from service.library.manifest import read as read_manifest  # noqa: PLC0415

    given, root = given_of(options), Path(options.folder)
    if not root.is_dir():
        raise ServiceError("file_missing", f"没有文件夹 {root}。请检查路径；单个文件请用 biaogan library add。")
    manifest = None if options.manifest is None else read_manifest(Path(options.manifest))
    root = root.resolve()
    found = walk([str(root)])
    own = None if manifest is None else manifest.path.resolve()
    files = [path for path in found.files if path.resolve() != own]
    passed = [(path.path, path.reason) for path in found.passed_over if path.path.resolve() != own]
    several = items(files, given, root=root, manifest=manifest)
    if manifest is not None:
        _columns(manifest)
    if not several:
        raise ServiceError("no_files", f"文件夹 {root} 里没有可导入的文件。请给出 Word、PDF 或文本文件。")
    if options.dry_run:
        code = _dry(several, setting, root)
    else:
        with opened(setting) as engine:
            code = _brought(several, engine, setting, root=root)
    for path, reason in passed:
        warn(f"没有导入 {path.name}：{reason}")
    return code


def _columns(manifest: Manifest) -> None:
    from service.library.exporting import HEADS  # noqa: PLC0415

    taken = "，".join(f"{HEADS[key]}←{name}" for key, name in manifest.taken.items())
    warn(f"清单 {manifest.path.name}：{len(manifest.rows)} 行，用到的列：{taken}。")
    if manifest.ignored:
        warn(f"没有用到的列：{'、'.join(manifest.ignored)}。")


def _importer(setting: Setting, engine: Engine | None, reader: Reader, root: Path | None, *, store: bool) -> Importer:
    from service.database.files import open_store  # noqa: PLC0415
    from service.library.importing import Importer  # noqa: PLC0415

    def read(paths: Iterable[Path]) -> Iterator[Reading]:
        return reader.read_all(paths)

    files = open_store(setting.place) if store else None
    return Importer(engine, files, lambda: indexer(setting), read, date.today(), root, store)  # noqa: DTZ011 - the office's own day


def _brought(several: Sequence[Item], engine: Engine, setting: Setting, *, root: Path | None) -> int:
    from service.library import phrases, upkeep  # noqa: PLC0415

    outcomes: list[Outcome] = []
    with setting.reader() as reader, bar("导入", len(several)) as tell:
        upkeep.check(engine, indexer(setting))
        upkeep.before_import(engine, len(several))
        try:
            for outcome in _importer(setting, engine, reader, root, store=True).run(several):
                outcomes.append(outcome)
                tell(outcome.name, len(outcomes))
        except KeyboardInterrupt:
            _report(several, outcomes)
            warn("已中断。已导入的都在库里，再运行一次同样的命令即可接着导入。")
            raise
        if any(outcome.state == "added" for outcome in outcomes) or not upkeep.is_whole(engine):
            tell("建立索引", len(outcomes))
            upkeep.after_import(engine)
            phrases.learn(engine)
    return _report(several, outcomes)


def _dry(several: Sequence[Item], setting: Setting, root: Path) -> int:
    with opened(setting, begin=False) as engine, setting.reader() as reader, bar("读取", len(several)) as tell:
        outcomes = []
        for outcome in _importer(setting, engine, reader, root, store=False).run(several):
            outcomes.append(outcome)
            tell(outcome.name, len(outcomes))
    for outcome in outcomes:
        if outcome.state == "added" and outcome.entry is not None:
            entry = outcome.entry
            level = word(entry.level)
            say("\t".join((outcome.name, str(entry.year), level, entry.organisation or "（单位未写明）", entry.title)))
    code = _report(several, outcomes, would=True)
    warn("以上为预演，没有写入。")
    return code


def _report(several: Sequence[Item], outcomes: Sequence[Outcome], *, would: bool = False) -> int:
    """What came of it in one line, then what was guessed and what failed, where it is seen."""
    added = [each for each in outcomes if each.state == "added"]
    updated = [each for each in outcomes if each.state == "updated"]
    same = [each for each in outcomes if each.state == "same"]
    repeated = [each for each in outcomes if each.state == "repeated"]
    shown = (("将更新" if would else "已更新", updated), ("已有", same), ("重复", repeated))
    failed = [each for each in outcomes if each.state == "failed"]
    bare = sum(each.entry is not None and each.entry.sha256 is None for each in added)
    revoked = sum(each.entry is not None and each.entry.status == "revoked" for each in added)
    among = [f"{kind} {count} 条" for kind, count in (("只有标题的", bare), ("已撤销的", revoked)) if count]
    parts = [f"{'将导入' if would else '导入'} {len(added)} 条" + (f"（其中{'，'.join(among)}）" if among else "")]
    for kind, several_of in (("将更新" if would else "更新", updated), ("已有", same), ("重复", repeated)):
        if several_of:
            parts.append(f"{kind} {len(several_of)} 条")
    if failed:
        parts.append(f"没有成功 {len(failed)} 条")
    if len(outcomes) < len(several):
        parts.append(f"还没有处理 {len(several) - len(outcomes)} 条")
    say("，".join(parts) + "。")
    for kind, each in ((kind, each) for kind, several in shown for each in several[:_SHOWN]):
        warn(f"{kind} {each.id or ''} {each.name}{'' if kind == '已有' else '：' + each.message + '。'}")
    if not would and len(added) == 1:
        say(f"{added[0].id}\t{added[0].name}")
    guessed = [each for each in added if each.message and each.message != "只有标题"]
    for each in guessed[:_SHOWN]:
        mend = f"要改请运行 biaogan library change {each.id} --year 年度 --title 标题 --organisation 单位。"
        warn(f"请核对 {each.id or ''} {each.name}：{each.message}。{'' if would else mend}")
    if len(guessed) > _SHOWN:
        warn(f"还有 {len(guessed) - _SHOWN} 条的年度、单位或标题是推断的，请运行 biaogan library list 核对，或写清单后重新导入。")
    for each in failed:
        warn(f"没有成功 {each.name}：{each.message}")
    return _FAILED if failed else _DONE
