"""The service in this process on the test's own database: `site.as_("office")` is a signed-in client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from starlette.testclient import TestClient

from service.database.files import Files
from service.database.programme_tables import units, users
from service.programme import sessions
from service.settings import Settings, Web
from service.web.app import create


class Client(TestClient):
    """A browser with a session; `submit` sends a form with the session's token, as our pages do."""

    csrf = ""
    user = 0

    def bring(self, token: str) -> None:
        """As if the server had set this session's cookie, so that it may replace or delete it."""
        self.cookies.clear()
        self.cookies.set("biaogan", token, domain="testserver.local")

    def submit(self, url: str, data: dict[str, Any] | None = None, *, files: Any = None, **options: Any) -> Any:
        return self.post(url, data={"csrf": self.csrf, **(data or {})}, files=files, follow_redirects=False, **options)


class Site:
    def __init__(self, place: Any, *, settings: Web | None = None) -> None:
        self.place = place
        self.settings = settings or Web(url="http://testserver")
        self.app = create(place, settings=self.settings, analysis=Settings(data=place.data))
        self._main = TestClient(self.app)
        self._main.__enter__()  # runs the lifespan: connects
        self._clients: list[TestClient] = []

    @property
    def engine(self) -> Any:
        return self.app.state.engine

    @property
    def files(self) -> Files:
        return self.app.state.files

    def close(self) -> None:
        self._main.__exit__(None, None, None)

    def connection(self) -> Any:
        return self.engine.begin()

    def user(self, role: str, *, name: str | None = None, organisation: str | None = None, unit: int | None = None) -> int:
        """The account of this name, made where there is none."""
        name = name or role
        with self.connection() as db:
            found = db.execute(users.select().where(users.c.name == name)).one_or_none()
            if found is not None:
                return int(found.id)
            if role == "unit" and unit is None:
                unit = self.unit(db, "测试推荐单位")
            values = {"name": name, "shown": name, "role": role, "organisation": organisation, "unit": unit}
            return int(db.execute(users.insert().values(**values).returning(users.c.id)).scalar_one())

    def unit(self, db: Connection, name: str) -> int:
        found = db.execute(units.select().where(units.c.name == name)).one_or_none()
        if found is not None:
            return int(found.id)
        return int(db.execute(units.insert().values(name=name).returning(units.c.id)).scalar_one())

    def as_(self, role: str | None, **account: Any) -> Client:
        """A client of its own, signed in as a user of the role; None: nobody is signed in."""
        client = Client(self.app, base_url=self.settings.url, raise_server_exceptions=True)
        if role is not None:
            client.user = self.user(role, **account)
            with self.connection() as db:
                token = sessions.open_session(db, client.user, hours=1)
                viewer = sessions.viewer(db, token)
            assert viewer is not None
            client.csrf = viewer.csrf
            client.bring(token)
        return client

    def run_jobs(self) -> int:
        """Runs the analyses that wait, here and now; how many there were."""
        from service import jobs

        return jobs.run_waiting(self.engine, self.files)


@pytest.fixture(name="site")
def _site(place: Any, tmp_path: Path) -> Iterator[Site]:
    site = Site(place)
    yield site
    site.close()
