"""The embedded server: several processes at once, kill -9 of anything, long folders, and what is said when it cannot start."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from service.database.server import Server
from service.errors import ServiceError

ROOT = Path(__file__).parent.parent
CLIENT = """
import sys, time
from pathlib import Path
import psycopg
from service.database.server import Server
server = Server(Path(sys.argv[1]))
with psycopg.connect(host=str(server.ensure()), user="biaogan", dbname="biaogan", autocommit=True) as connection:
    connection.execute("INSERT INTO seen VALUES (%s)", (int(sys.argv[2]),))
    print("in", flush=True)
    sys.stdin.readline()
server.leave()
"""


@pytest.fixture(name="made", scope="module")
def _made(blank: Path, memory: Path) -> Path:
    """A cluster that was made and stopped, with the table `seen`: tests copy it."""
    folder = memory / "made" / "postgres"
    shutil.copytree(blank, folder)
    server = Server(folder)
    query(server, "CREATE TABLE seen (number int)")
    server.leave()
    assert not (folder / "data" / "postmaster.pid").exists()
    return folder


@pytest.fixture(name="base")
def _base(memory: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


@pytest.fixture(name="folder")
def _folder(made: Path, base: Path) -> Iterator[Path]:
    folder = base / "postgres"
    shutil.copytree(made, folder)
    yield folder
    stop(folder)


def stop(folder: Path) -> None:
    """A test that fails must not leave a server behind."""
    server = Server(folder)
    if (folder / "data" / "postmaster.pid").exists():
        server.ensure()
        server.leave()


def query(server: Server, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(host=str(server.ensure()), user="biaogan", dbname="biaogan") as connection:
        cursor = connection.execute(statement)  # type: ignore[call-overload]
        return list(cursor.fetchall()) if cursor.description else []


def postmaster(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])


def client(folder: Path, number: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CLIENT, str(folder), str(number)]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> None:
    out, _ = process.communicate("\n", timeout=30)
    assert process.returncode == 0, out


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
            if "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]:
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.02)
    return False


def test_a_new_server_speaks_utf8_in_the_order_of_code_points_and_listens_to_no_network(folder: Path) -> None:
    server = Server(folder)
    (row,) = query(
        server,
        "SELECT current_setting('server_encoding'), 'B' < 'a', lower('Ａ'), current_setting('jit'), current_setting('fsync'), "
        "current_setting('listen_addresses')",
    )
    assert row == ("UTF8", True, "ａ", "off", "on", "")
    assert folder.stat().st_mode & 0o077 == 0
    server.leave()


def test_processes_share_one_server_and_the_last_one_stops_it(folder: Path) -> None:
    clients = [client(folder, number) for number in range(3)]
    for process in clients:
        assert process.stdout is not None
        assert process.stdout.readline() == "in\n"
    pid = postmaster(folder)
    finish(clients[0])
    finish(clients[1])
    assert postmaster(folder) == pid
    os.kill(pid, 0)
    finish(clients[2])
    assert gone(pid)
    assert not (folder / "data" / "postmaster.pid").exists()
    assert not (folder / ".s.PGSQL.5432").exists()


def test_two_processes_make_one_cluster_though_a_third_was_killed_at_it(base: Path) -> None:
    (base / "new" / "postgres" / "data.new" / "base").mkdir(parents=True)
    code = (
        "import sys; from pathlib import Path; from service.database.server import Server\n"
        "server = Server(Path(sys.argv[1])); server.ensure(); server.leave()"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, str(base / "new" / "postgres")], cwd=ROOT) for _ in range(2)]
    assert [process.wait(60) for process in processes] == [0, 0]
    assert (base / "new" / "postgres" / "data" / "PG_VERSION").exists()
    assert not (base / "new" / "postgres" / "data.new").exists()


def test_a_killed_client_is_no_user_any_more(folder: Path) -> None:
    process = client(folder, 7)
    assert process.stdout is not None
    assert process.stdout.readline() == "in\n"
    process.kill()
    process.communicate()
    pid = postmaster(folder)
    server = Server(folder)
    assert query(server, "SELECT * FROM seen") == [(7,)]
    assert postmaster(folder) == pid  # it ran on
    server.leave()
    assert gone(pid)


def test_a_killed_server_is_started_again_with_all_that_was_committed(folder: Path) -> None:
    server = Server(folder)
    query(server, "INSERT INTO seen SELECT generate_series(1, 1000)")
    pid = postmaster(folder)
    os.kill(pid, signal.SIGKILL)
    assert gone(pid)
    assert query(server, "SELECT count(*) FROM seen") == [(1000,)]
    assert postmaster(folder) != pid
    server.leave()


def test_a_pid_that_another_program_got_is_no_server(folder: Path) -> None:
    """As in a container, where numbers begin anew: PostgreSQL itself would refuse to start."""
    server = Server(folder)
    server.ensure()
    pid = folder / "data" / "postmaster.pid"
    text = pid.read_text()
    os.kill(postmaster(folder), signal.SIGKILL)
    lines = text.splitlines()
    other = subprocess.Popen(["sleep", "60"])
    try:
        while (folder / "data" / "postmaster.pid").exists() and not gone(int(lines[0])):
            time.sleep(0.01)
        pid.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        (folder / ".s.PGSQL.5432.lock").write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        assert query(server, "SELECT count(*) FROM seen") == [(0,)]
        server.leave()
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize("name", ["数据" * 40, "with, comma", 'quote"d'])
def test_any_folder_will_do(made: Path, base: Path, name: str) -> None:
    folder = base / name / "postgres"
    shutil.copytree(made, folder)
    server = Server(folder)
    sockets = server.ensure()
    assert query(server, "SELECT 1") == [(1,)]
    assert len(os.fsencode(sockets)) < 90
    assert sockets.stat().st_mode & 0o077 == 0
    server.leave()
    assert not sockets.exists() or sockets == folder


def test_a_socket_folder_that_someone_prepared_is_refused(made: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = base / ("long" * 30) / "postgres"
    shutil.copytree(made, folder)
    server = Server(folder)
    sockets = server.ensure()
    server.leave()
    sockets.mkdir(mode=0o755)
    sockets.chmod(0o755)
    try:
        with pytest.raises(ServiceError, match="套接字"):
            server.ensure()
    finally:
        server.leave()
        sockets.rmdir()


def test_lost_data_is_not_begun_anew(folder: Path) -> None:
    (folder / "data" / "PG_VERSION").unlink()
    with pytest.raises(ServiceError, match="从备份恢复") as caught:
        Server(folder).ensure()
    assert caught.value.code == "database_damaged"


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    (folder / "data" / "global" / "pg_control").unlink()
    server = Server(folder)
    with pytest.raises(ServiceError, match=r"server\.log") as caught:
        server.ensure()
    assert caught.value.code == "database_start_failed"
    assert "pg_control" in caught.value.message or "database system" in caught.value.message
    server.leave()


def test_a_newer_cluster_is_refused(folder: Path) -> None:
    (folder / "data" / "PG_VERSION").write_text("99\n")
    with pytest.raises(ServiceError) as caught:
        Server(folder).ensure()
    assert caught.value.code == "database_newer"


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ServiceError, match="BIAOGAN_DATA_DIR") as caught:
        Server(tmp_path / "file" / "postgres").ensure()
    assert caught.value.code == "data_folder_forbidden"


def test_a_forked_child_does_not_leave_for_its_parent(folder: Path) -> None:
    server = Server(folder)
    server.ensure()
    pid = postmaster(folder)
    child = os.fork()
    if child == 0:
        server.leave()
        os._exit(0)
    os.waitpid(child, 0)
    assert query(server, "SELECT 1") == [(1,)]
    assert postmaster(folder) == pid
    server.leave()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can do so")
def test_root_hands_over_to_a_powerless_account_where_there_are_no_user_namespaces(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as base:
        Path(base).chmod(0o755)
        folder = Path(base) / "postgres"
        shutil.copytree(made, folder)
        monkeypatch.setattr("shutil.which", lambda _: None)
        server = Server(folder)
        assert query(server, "SELECT count(*) FROM seen") == [(0,)]
        assert folder.stat().st_uid != 0
        server.leave()
        monkeypatch.undo()  # later, with namespaces: the folder's owner goes on
        assert query(server, "SELECT count(*) FROM seen") == [(0,)]
        assert {path.stat().st_uid for path in folder.iterdir()} == {folder.stat().st_uid}
        server.leave()
