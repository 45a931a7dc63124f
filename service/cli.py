"""biaogan …: the command line. Reads arguments and settings, writes files and the terminal; judges nothing itself."""

from __future__ import annotations

import argparse
import io
import logging
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from types import ModuleType
from typing import TYPE_CHECKING, BinaryIO

from service import __version__, maintain, settings
from service.arguments import Parser
from service.curate import arguments as curate
from service.curate.terminal import Setting
from service.database.place import Place
from service.errors import ServiceError, reason
from service.model import Note
from service.operate import demo, serve, user, worker
from service.parse import PassedOver, Progress, Reader, Walk, walk

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.model import Edition, Report
    from service.parse import Reading
    from service.train.corpora import WriteUp

_DONE, _ERRORS, _FAILED = 0, 1, 2
_INTERRUPTED = 130
_OPERATE: dict[str, ModuleType] = {"serve": serve, "worker": worker, "demo": demo, "user": user}
_COPY = re.compile(r"-批注(-\d+)?$")


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="biaogan", description="标杆审读：按当年通知审读质量标杆典型经验材料，全程在本机完成。", add_help=False)
    parser.add_argument("-h", "--help", action="help", help="显示用法")
    parser.add_argument("--version", action="version", version=f"biaogan {__version__}", help="显示版本")
    commands = parser.add_subparsers(dest="command", metavar="命令", required=True, parser_class=Parser)

    check = commands.add_parser("check", help="审读一个或多个文件（或文件夹）", add_help=False)
    _paths(check)
    check.add_argument("--edition", metavar="ID", help="按哪一届通知审读；运行 biaogan editions 查看可选项")
    check.add_argument("--json", metavar="FILE", help="把报告写成 JSON，一行一个文件；写 - 则输出到标准输出")
    check.add_argument("--html", metavar="DIR", help="每个文件写一份可单独打开的网页报告")
    check.add_argument("--xlsx", metavar="FILE", help="写一份初审汇总表")
    check.add_argument("--annotate", metavar="DIR", help="把问题写成批注，存为申报材料的 Word 副本（仅限 .docx）")
    check.add_argument("--among", action="store_true", help="把本次的文件也互相比对")
    _jobs(check)

    compare = commands.add_parser("compare", help="比对两个文件，列出相同和改写的段落", add_help=False)
    compare.add_argument("-h", "--help", action="help", help="显示用法")
    compare.add_argument("first", metavar="A", help="要看的文件")
    compare.add_argument("second", metavar="B", help="与它比对的文件")
    compare.add_argument("--edition", metavar="ID", default="2022-hebei", help="按哪一届通知划分章节，默认 2022-hebei")
    compare.add_argument("--json", metavar="FILE", help="写成 JSON（A 的报告，matches 里是 B）；写 - 则输出到标准输出")

    read = commands.add_parser("read", help="只看读出了什么，不作判断", add_help=False)
    _paths(read)
    read.add_argument("--json", metavar="FILE", help="写成 JSON，一行一个文件；写 - 则输出到标准输出")
    _jobs(read)

    train = commands.add_parser("train", help="由语料重新训练模型", add_help=False)
    train.add_argument("-h", "--help", action="help", help="显示用法")
    train.add_argument("model", choices=("embedding", "focus", "sections"), help="训练哪个模型：向量、重点方向、章节内容")
    train.add_argument("--corpora", metavar="DIR", help="语料文件夹，默认为程序自带的 corpora")
    train.add_argument("--text", metavar="DIR", help="embedding 用的纯文本文件夹（.txt、.txt.gz，一行一段）")
    train.add_argument("--measure", metavar="DIR", help="embedding 用的评测集文件夹（含 pairs、revisions），分数写入清单")
    train.add_argument("--out", metavar="DIR", help="模型写到哪个文件夹，默认为模型文件夹下的同名文件夹")
    train.add_argument("--with-corrections", action="store_true", help="focus：一并使用办公室在申报材料上更正过的重点方向")

    curate.add_commands(commands)
    maintain.add_commands(commands)
    for module in _OPERATE.values():
        module.add_command(commands)

    editions = commands.add_parser("editions", help="查看各届规则；写明 ID 则显示其全部内容", add_help=False)
    editions.add_argument("-h", "--help", action="help", help="显示用法")
    editions.add_argument("edition", nargs="?", metavar="ID", help="规则编号，例如 2022-hebei")
    return parser


def _paths(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-h", "--help", action="help", help="显示用法")
    parser.add_argument("paths", nargs="+", metavar="PATH", help="文件或文件夹（含其下各级文件夹）")


def _jobs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--jobs", type=_positive, metavar="N", help="同时读取几个文件，默认与处理器核数相同")


def _positive(value: str) -> int:
    if not (value.isdecimal() and int(value) > 0):
        raise argparse.ArgumentTypeError("须为正整数")
    return int(value)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit code of REPORT.md."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a character that the terminal does not know must not end the work
    options = _parser().parse_args(arguments)
    commands: dict[str, Callable[[argparse.Namespace], int]] = {"check": _check, "read": _read, "editions": _editions, "train": _train}
    commands |= {"compare": _compare, "library": _library, **dict.fromkeys(maintain.COMMANDS, _maintain)}
    commands |= {name: module.run for name, module in _OPERATE.items()}
    try:
        return commands[options.command](options)
    except ServiceError as error:
        print(error.message, file=sys.stderr)  # noqa: T201
        return _FAILED
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
    except KeyboardInterrupt:
        print("已中断，尚未读完的文件没有结果。", file=sys.stderr)  # noqa: T201
        return _INTERRUPTED


# --- check -------------------------------------------------------------------------------------------------------------------------


def _check(options: argparse.Namespace) -> int:
    wanted = settings.read()
    with _reader(options, wanted) as reader:
        from service import batch  # noqa: PLC0415 - the first child starts meanwhile

        folders = batch.Folders(wanted.models, wanted.embedding, _place(wanted))
        batch.open_ahead(folders)
        edition = _edition(options.edition)
        found = _without_outputs(walk(options.paths), options)
        _refuse_empty(found)
        outputs = _Outputs(options, found.files)
        reports: list[Report] = []
        # What was read before an interruption is still reported.
        with _json_stream(options.json, found.files) as stream, _progress() as tell, suppress(KeyboardInterrupt):
            readings = reader.read_all(found.files, progress=tell)
            jobs = options.jobs or os.cpu_count() or 1
            for report in batch.analyse_all(readings, edition, files=len(found.files), jobs=jobs, folders=folders, among=options.among):
                reports.append(outputs.write(report, edition))
                if stream is not None:
                    _write_json(stream, reports[-1])
        if not reports:
            raise KeyboardInterrupt
        outputs.finish(reports, edition)
        _show(options, reports, edition, found)
    return _ended(reports, found, outputs.failures)


def _ended(reports: Sequence[Report], found: Walk, failures: Sequence[str]) -> int:
    """The exit code; what went wrong on the way is said last, where it is seen."""
    for failure in failures:
        print(failure, file=sys.stderr)  # noqa: T201
    if len(reports) < len(found.files):
        print(f"已中断：{len(found.files)} 个文件中审读了 {len(reports)} 个，其余没有结果。", file=sys.stderr)  # noqa: T201
        return _INTERRUPTED
    return _FAILED if failures else _exit_code(reports)


def _edition(wanted: str | None) -> Edition:
    from service.rulebook import editions, load  # noqa: PLC0415

    if wanted is None:
        choices = "\n".join(f"  {edition.id:16}{edition.name}" for edition in editions())
        raise ServiceError("edition_missing", f"请用 --edition 写明按哪一届通知审读，可选：\n{choices}")
    return load(wanted)


def _refuse_empty(found: Walk) -> None:
    if not found.files:
        listed = "；".join(f"{passed.path.name}（{passed.reason}）" for passed in found.passed_over[:10])
        raise ServiceError("no_files", f"没有可审读的文件{f'：{listed}' if listed else ''}。请给出 Word、PDF 或文本文件。")


def _without_outputs(found: Walk, options: argparse.Namespace) -> Walk:
    """What an earlier call wrote into the folder that is walked is no material; named itself, it is."""
    folder = None if options.annotate is None else Path(options.annotate).resolve()
    named = {Path(path) for path in options.paths}
    copies = [path for path in found.files if path.parent.resolve() == folder and _COPY.search(path.stem) and path not in named]
    passed = (*found.passed_over, *(PassedOver(path, "以前写出的批注副本，不审读") for path in copies))
    return replace(found, files=tuple(path for path in found.files if path not in copies), passed_over=passed)


def _exit_code(reports: Sequence[Report]) -> int:
    if any(report.status == "failed" for report in reports):
        return _FAILED
    errors = any(outcome.verdict == "fail" and outcome.severity == "error" for report in reports for outcome in report.outcomes)
    return _ERRORS if errors else _DONE


class _Outputs:
    """Files asked for beside the terminal: distinct names, never an input; `failures` says what could not be written."""

    def __init__(self, options: argparse.Namespace, inputs: Sequence[Path]) -> None:
        from service.render.names import stems  # noqa: PLC0415

        self._html = _folder(options.html)
        self._annotate = _folder(options.annotate)
        self._xlsx = _target(options.xlsx, inputs)
        self._inputs = {path.resolve() for path in inputs}
        self._stems = stems(inputs)
        self._taken: set[Path] = set()
        self._pages: dict[str, str] = {}  # a report's path -> its page, as the workbook links to it
        self.failures: list[str] = []

    def _free(self, folder: Path, report: Report, suffix: str) -> Path:
        """A path in `folder` that is neither an input nor taken in this call."""
        from service.render.names import fitting  # noqa: PLC0415

        number = 1
        while True:
            path = folder / fitting(self._stems[report.path], suffix if number == 1 else f"-{number}{suffix}")
            if path.resolve() not in self._inputs and path not in self._taken:
                self._taken.add(path)
                return path
            number += 1

    def write(self, report: Report, edition: Edition) -> Report:
        """Writes what stands alone for this document; the report with what there is to say about it."""
        if self._annotate is not None and report.submission is not None and report.submission.is_writeup:
            report = self._annotated(report, self._annotate)
        if self._html is not None:
            from service.pipeline import further  # noqa: PLC0415 - a call with many files has its stages elsewhere
            from service.render.html import report_html  # noqa: PLC0415

            page, report = further(report, "html", "网页报告", lambda: report_html(report, edition))
            if page is not None:
                path = self._free(self._html, report, ".html")
                self._save(path, page.encode())
                if self._xlsx is not None:
                    self._pages[report.path] = Path(os.path.relpath(path, self._xlsx.parent)).as_posix()
        return report

    def _annotated(self, report: Report, folder: Path) -> Report:
        if report.format != "docx":
            note = Note("annotate_docx_only", "批注只能写进 .docx 文件，这个文件没有生成批注副本；请提交 Word（.docx）版本。")
            return replace(report, notes=(*report.notes, note))
        from service.pipeline import further  # noqa: PLC0415
        from service.render.word import annotate  # noqa: PLC0415

        data, report = further(report, "annotate", "Word 批注", lambda: annotate(Path(report.path).read_bytes(), report))
        if data is not None:
            self._save(self._free(folder, report, "-批注.docx"), data)
        return report

    def finish(self, reports: Sequence[Report], edition: Edition) -> None:
        if self._xlsx is not None:
            from service.render.xlsx import workbook  # noqa: PLC0415

            self._save(self._xlsx, workbook(reports, edition, self._pages))

    def _save(self, path: Path, data: bytes) -> None:
        try:
            path.write_bytes(data)
        except OSError as error:
            self.failures.append(_unwritable(path, error).message)


def _folder(name: str | None) -> Path | None:
    """The folder, made where it is not there yet: what cannot be written is known before anything is read."""
    if name is None:
        return None
    path = Path(name)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path):
            return path
    except (FileExistsError, NotADirectoryError) as error:
        raise ServiceError("output_not_folder", f"{path} 不是文件夹，不能把报告写进去。请换一个文件夹名。") from error
    except OSError as error:
        raise _unwritable(path, error) from error


def _target(name: str | None, inputs: Sequence[Path]) -> Path | None:
    if name is None:
        return None
    path = Path(name)
    _folder(str(path.parent))
    try:
        is_folder = path.is_dir()
    except OSError as error:
        raise _unwritable(path, error) from error
    if is_folder:
        raise ServiceError("output_is_folder", f"{path} 是文件夹，请写成文件名，例如 {path / '初审表.xlsx'}。")
    if path.resolve() in {source.resolve() for source in inputs}:
        raise ServiceError("output_is_input", f"输出文件 {path} 就是要审读的文件，为免覆盖已停止。请换一个文件名。")
    return path


def _unwritable(path: Path, error: OSError) -> ServiceError:
    return ServiceError("output_failed", f"写不了 {path}（{reason(error)}）。请检查文件夹权限和磁盘空间，或关闭正打开它的程序。")


@contextmanager
def _json_stream(name: str | None, inputs: Sequence[Path]) -> Iterator[BinaryIO | None]:
    if name is None:
        yield None
    elif name == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    else:
        path = _target(name, inputs)
        assert path is not None
        try:
            stream = path.open("wb")
        except OSError as error:
            raise _unwritable(path, error) from error
        with stream:
            yield stream


def _write_json(stream: BinaryIO, report: Report) -> None:
    from service.render.json import line, report_json  # noqa: PLC0415

    stream.write(line(report_json(report)))
    stream.flush()


def _show(options: argparse.Namespace, reports: Sequence[Report], edition: Edition, found: Walk) -> None:
    if options.json == "-":
        return
    from service.render.names import distinct  # noqa: PLC0415
    from service.render.terminal import show_reports  # noqa: PLC0415

    named = distinct([passed.path for passed in found.passed_over])
    show_reports(reports, edition, passed_over=[(name, passed.reason) for name, passed in zip(named, found.passed_over, strict=True)])


# --- read, editions ----------------------------------------------------------------------------------------------------------------


def _read(options: argparse.Namespace) -> int:
    wanted = settings.read()
    found = walk(options.paths)
    _refuse_empty(found)
    failed = False
    with _reader(options, wanted) as reader, _json_stream(options.json, found.files) as stream, _progress() as tell:
        for reading in reader.read_all(found.files, progress=tell):
            failed |= not _write_read(reading, stream)
    return _FAILED if failed else _DONE


def _write_read(reading: Reading, stream: BinaryIO | None) -> bool:
    from service.model import Document, Report  # noqa: PLC0415
    from service.render.json import line, read_json  # noqa: PLC0415

    outcome = reading.outcome
    if isinstance(outcome, Document):
        shown: Document | Report = outcome
    else:
        note = Note(outcome.code, outcome.message)
        shown = Report(reading.name, reading.sha256, reading.format, "", "", "failed", notes=(note,), path=str(reading.path))
    if stream is not None:
        stream.write(line(read_json(shown)))
    else:
        from service.render.terminal import show_read  # noqa: PLC0415

        show_read(shown)
    return isinstance(outcome, Document)


def _editions(options: argparse.Namespace) -> int:
    from service.render.rulebooks import show_edition, show_editions  # noqa: PLC0415
    from service.rulebook import editions, load  # noqa: PLC0415

    if options.edition is None:
        show_editions(editions())
    else:
        show_edition(load(options.edition))
    return _DONE


def _train(options: argparse.Namespace) -> int:
    wanted = settings.read()
    try:
        from service.train import command  # noqa: PLC0415 - scikit-learn, and torch for the embedding: only here
    except ImportError as error:
        told = f"训练需要的程序包没有装全（{error.name}）。请运行 pip install 'biaogan[train]'。"
        raise ServiceError("package_missing", told, status=500) from error
    folders = command.Folders(
        corpora=None if options.corpora is None else Path(options.corpora),
        models=wanted.models,
        text=None if options.text is None else Path(options.text),
        measure=None if options.measure is None else Path(options.measure),
        out=None if options.out is None else Path(options.out),
    )
    if options.with_corrections and options.model != "focus":
        raise ServiceError("arguments_invalid", "--with-corrections 只用于训练重点方向：biaogan train focus --with-corrections。")
    corrected = _corrected(wanted) if options.with_corrections else ()
    scores = command.run(options.model, folders, corrected=corrected, tell=lambda line: print(line, file=sys.stderr, flush=True))  # noqa: T201
    for name, value in scores.items():
        print(f"{name}\t{value}")  # noqa: T201
    return _DONE


def _corrected(wanted: settings.Settings) -> list[WriteUp]:
    """The submissions whose focus areas were corrected in the service."""
    from service.database.engine import closing, connect  # noqa: PLC0415 - SQLAlchemy only where it is needed
    from service.programme.corrected import writeups  # noqa: PLC0415

    with closing(connect(_place(wanted))) as engine, engine.begin() as connection:
        found, unused = writeups(connection)
    told = f"更正过方向的材料 {len(found)} 份" + (f"，另有 {unused} 份没有可用的正文或主题，未使用" if unused else "")
    print(told, file=sys.stderr, flush=True)  # noqa: T201
    return found


def _place(wanted: settings.Settings) -> Place:
    return Place(wanted.data, wanted.database, wanted.files)


def _compare(options: argparse.Namespace) -> int:
    from service.pair import compared  # noqa: PLC0415
    from service.rulebook import load  # noqa: PLC0415

    wanted, edition = settings.read(), load(options.edition)
    paths = [Path(options.first), Path(options.second)]
    with _reader(options, wanted) as reader, _json_stream(options.json, paths) as stream, _progress() as tell:
        readings = list(reader.read_all(paths, progress=tell))
        report = compared(readings[0], readings[1], edition, models=(wanted.models, wanted.embedding))
        if stream is not None:
            _write_json(stream, report)
    if options.json is None:
        from service.render.pair import show_pair  # noqa: PLC0415

        show_pair(report)
    return _DONE


def _library(options: argparse.Namespace) -> int:
    wanted = settings.read()
    return curate.run(options, Setting(_place(wanted), wanted.models, wanted.embedding, lambda: _reader(options, wanted)))


def _maintain(options: argparse.Namespace) -> int:
    return maintain.run(options, _place(settings.read()))


# --- progress ----------------------------------------------------------------------------------------------------------------------


def _reader(options: argparse.Namespace, wanted: settings.Settings) -> Reader:
    return Reader(jobs=getattr(options, "jobs", None), convert=wanted.convert, ocr=wanted.ocr, soffice=wanted.soffice)


@contextmanager
def _progress() -> Iterator[Callable[[Progress], None]]:
    """A bar on a terminal's standard error, nothing when it is piped."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    stages = {"read": "读取", "convert": "转换", "ocr": "识别"}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("读取", total=None)

        def tell(progress: Progress) -> None:
            page = f" 第{progress.page}/{progress.pages}页" if progress.pages else ""
            bar.update(task, description=f"{stages[progress.stage]} {progress.name}{page}", completed=progress.done, total=progress.total)

        yield tell


if __name__ == "__main__":
    sys.exit(main())
