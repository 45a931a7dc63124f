"""doc, wps and rtf through LibreOffice to docx: one run for many files, with its own profile and folder, shut in as far as possible."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from service.errors import Unreadable
from service.model import Format
from service.parse.limits import Limits
from service.parse.process import clean_environment, end_group

_PROGRAMS = ("soffice", "libreoffice", "/Applications/LibreOffice.app/Contents/MacOS/soffice")
_MEMORY_KIB = 6 * 1024 * 1024  # address space; LibreOffice maps some 2 GB before it does anything
_POLL = 0.03
# What the sandbox may see of the machine, read only; fonts and libraries, no home, no data.
_VISIBLE = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/opt", "/nix", "/var/cache/fontconfig", "/var/lib/libreoffice")
# Fields that make LibreOffice fetch something; the same number of other letters leaves them to their stored result.
_FETCHING = ("INCLUDEPICTURE", "INCLUDETEXT", "DDEAUTO")
_FETCHING_BYTES = re.compile(b"|".join(re.escape(word.encode(code)) for word in _FETCHING for code in ("ascii", "utf-16-le")))
_SETTINGS = (
    ("org.openoffice.Office.Common/Security/Scripting", "MacroSecurityLevel", "3"),
    ("org.openoffice.Office.Common/Security/Scripting", "DisableMacrosExecution", "true"),
    ("org.openoffice.Office.Common/Security/Scripting", "BlockUntrustedRefererLinks", "true"),
    ("org.openoffice.Office.Java/VirtualMachine", "Enable", "false"),
    ("org.openoffice.Setup/Office", "FirstRun", "false"),
)
_SETTING = '<item oor:path="/{path}"><prop oor:name="{name}" oor:op="fuse"><value>{value}</value></prop></item>\n'


def find_soffice(named: str | None = None) -> str | None:
    """LibreOffice's program: the one named, or the first found; None where there is none."""
    for program in (named,) if named else _PROGRAMS:
        found = shutil.which(program)
        if found:
            return found
    return None


def convert_many(
    sources: Sequence[tuple[bytes, Format]], *, limits: Limits, soffice: str | None = None, stopped: Callable[[], bool] = lambda: False
) -> Iterator[tuple[int, bytes | Unreadable]]:
    """Each source's position with its docx, or why there is none, as they come. A file that breaks LibreOffice costs only itself.

    `stopped` is asked all the time: once it is true LibreOffice is ended and nothing more comes.
    """
    program = find_soffice(soffice)
    if program is None:
        for position, (_, kind) in enumerate(sources):
            yield position, _missing(kind)
        return
    with tempfile.TemporaryDirectory(prefix="biaogan-convert-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        _prepare(folder, sources)
        pending = list(range(len(sources)))
        while pending and not stopped():
            answered = set()
            for position, outcome in _run(program, folder, [(p, sources[p][1]) for p in pending], limits=limits, stopped=stopped):
                answered.add(position)
                yield position, outcome
            pending = [position for position in pending if position not in answered]


def _missing(kind: Format) -> Unreadable:
    return Unreadable(
        "convert_missing", f"读取 .{kind} 格式需要 LibreOffice，本机没有找到。请用 Word 或 WPS 打开并“另存为”.docx 后再提交。"
    )


def _prepare(folder: Path, sources: Sequence[tuple[bytes, Format]]) -> None:
    for part in ("in", "out", "home", "profile/user", "tmp"):
        (folder / part).mkdir(parents=True)
    items = "".join(_SETTING.format(path=path, name=name, value=value) for path, name, value in _SETTINGS)
    settings = f'<?xml version="1.0"?>\n<oor:items xmlns:oor="http://openoffice.org/2001/registry">\n{items}</oor:items>\n'
    (folder / "profile/user/registrymodifications.xcu").write_text(settings, "utf-8")
    for position, (data, kind) in enumerate(sources):
        harmless = _FETCHING_BYTES.sub(lambda found: bytes(byte if byte == 0 else 0x58 for byte in found[0]), data)
        (folder / "in" / _input_name(position, kind)).write_bytes(harmless)


def _input_name(position: int, kind: Format) -> str:
    return f"{position:05d}.{'rtf' if kind == 'rtf' else 'doc'}"


def _run(
    program: str, folder: Path, files: Sequence[tuple[int, Format]], *, limits: Limits, stopped: Callable[[], bool]
) -> Iterator[tuple[int, bytes | Unreadable]]:
    """One run of LibreOffice over `files`, in order. At least one is answered, all unless the run breaks off."""
    inputs = [str(folder / "in" / _input_name(position, kind)) for position, kind in files]
    process = subprocess.Popen(  # noqa: S603 - a program the installation names, on files with names of ours
        [*_sandbox(program, folder), *_command(program, folder), *inputs],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=clean_environment() | {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), "SAL_USE_VCLPLUGIN": "svp"},
        cwd="/",
        start_new_session=True,
    )
    answered = 0
    try:
        deadline = time.monotonic() + limits.convert_seconds + limits.convert_start_seconds
        while process.poll() is None and time.monotonic() < deadline and not stopped():
            time.sleep(_POLL)
            # A file is whole when a later one has begun: LibreOffice works through them in order.
            begun = _last_written(folder, files)
            for position, _ in files[answered:begun]:
                yield position, _result(folder, position, limits=limits)
                deadline = time.monotonic() + limits.convert_seconds
            answered = max(answered, begun)
        overdue = process.poll() is None
    finally:
        end_group(process)
    if not stopped():
        yield from _rest(folder, files[answered:], limits=limits, overdue=overdue, whole=process.returncode == 0)


def _rest(
    folder: Path, files: Sequence[tuple[int, Format]], *, limits: Limits, overdue: bool, whole: bool
) -> Iterator[tuple[int, bytes | Unreadable]]:
    """What a run left: after a good end everything it could read; else up to the file that broke it, and those behind get another run."""
    for position, _ in files:
        if whole or _is_whole(folder, position):
            yield position, _result(folder, position, limits=limits)
            continue
        if overdue:
            yield (
                position,
                Unreadable(
                    "convert_timeout",
                    f"LibreOffice 转换超过 {limits.convert_seconds:.0f} 秒仍未完成，已停止。请用 Word 另存为 .docx 后再提交。",
                ),
            )
        else:
            yield position, _failed()
        return


def _failed() -> Unreadable:
    return Unreadable("convert_failed", "LibreOffice 打不开这个文件，可能已损坏或设有密码。请用 Word 打开检查，另存为 .docx 后再提交。")


def _output(folder: Path, position: int) -> Path:
    return folder / "out" / f"{position:05d}.docx"


def _last_written(folder: Path, files: Sequence[tuple[int, Format]]) -> int:
    """Index of the last file whose output has begun; those before it are done with."""
    return max((index for index, (position, _) in enumerate(files) if _output(folder, position).exists()), default=0)


def _is_whole(folder: Path, position: int) -> bool:
    return zipfile.is_zipfile(_output(folder, position))


def _result(folder: Path, position: int, *, limits: Limits) -> bytes | Unreadable:
    path = _output(folder, position)
    if not _is_whole(folder, position):
        return _failed()
    if path.stat().st_size > limits.file_bytes:
        return Unreadable("file_too_large", "转换后的文件过大。请在 Word 中压缩图片并另存为 .docx 后再提交。")
    data = path.read_bytes()
    path.unlink()
    return data


def _command(program: str, folder: Path) -> list[str]:
    return [
        program,
        f"-env:UserInstallation={(folder / 'profile').as_uri()}",
        "--headless",
        "--norestore",
        "--nologo",
        "--nolockcheck",
        "--nodefault",
        "--convert-to",
        "docx:MS Word 2007 XML",
        "--outdir",
        str(folder / "out"),
    ]


def _sandbox(program: str, folder: Path) -> list[str]:
    """What to put before the command: bubblewrap with only the system's programs and no network, else no network, else limits alone."""
    limited = ["/bin/sh", "-c", f'ulimit -c 0; ulimit -v {_MEMORY_KIB}; exec "$@"', "sh"]
    kind = isolation(program)
    if kind == "bubblewrap":
        return [*_bubblewrap(), "--bind", str(folder), str(folder), *limited]
    return [*_unshare(), *limited] if kind == "no network" else limited


def _bubblewrap() -> list[str]:
    binds = [part for path in _VISIBLE for part in ("--ro-bind-try", path, path)]
    return ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", *binds, "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]  # noqa: S108


def _unshare() -> list[str]:
    return ["unshare", "--map-root-user", "--net", "--"]


@lru_cache
def isolation(program: str) -> str:
    """How far a program can be shut in: "bubblewrap", "no network" or "none". Tried once: many containers forbid it."""
    for kind, before in (("bubblewrap", _bubblewrap()), ("no network", _unshare())):
        if shutil.which(before[0]) and _works([*before, "/bin/sh", "-c", 'test -x "$0"', program]):
            return kind
    return "none"


def _works(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=5, check=False).returncode == 0  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
