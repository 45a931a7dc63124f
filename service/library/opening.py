"""Opens the library for questions once in a process, beginning early: a server may have to be started, and SQLAlchemy takes its time."""

from __future__ import annotations

import atexit
import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING

from service.database.place import Place

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.library.candidates import Library
    from service.models import Models

_opened: dict[Place, Opening] = {}


class Opening:
    """One place's library: connected in a thread of its own, asked by `library`."""

    def __init__(self, place: Place) -> None:
        self._engine: Future[Engine] = Future()
        self._library: Library | None = None
        self._thread = threading.Thread(target=self._connect, args=(place,), name="library", daemon=True)
        self._thread.start()

    def _connect(self, place: Place) -> None:
        try:
            from service.database.engine import connect  # noqa: PLC0415 - only where there is a library

            self._engine.set_result(connect(place))
        except BaseException as error:  # noqa: BLE001 - raised again where the library is asked for
            self._engine.set_exception(error)

    def library(self, models: Models) -> Library:
        """ServiceError where it cannot be reached, or was indexed by another model."""
        if self._library is None:
            engine = self._engine.result()
            from service.library.candidates import Library  # noqa: PLC0415

            self._library = Library(engine, models.own, encoder=models.encoder)
        return self._library

    def close(self) -> None:
        from service.database.engine import close  # noqa: PLC0415

        with suppress(Exception):
            engine = self._engine.result()
            if self._library is not None:
                self._library.close()
            close(engine)


def begin(place: Place) -> Opening | None:
    """The library of this place, being opened; None where there is none yet."""
    if place not in _opened:
        if not place.begun:
            return None
        if not _opened:
            atexit.register(close)
        _opened[place] = Opening(place)
    return _opened[place]


def close() -> None:
    """Leaves the database; the embedded server stops where no one else uses it."""
    atexit.unregister(close)
    while _opened:
        _opened.popitem()[1].close()
