"""Submissions whose analyses are done, in the test's own database, without a worker."""

from __future__ import annotations

from typing import Any

from library_shelf import document
from sqlalchemy import Connection

from service import rulebook
from service.database.programme_tables import analyses as table
from service.database.programme_tables import users
from service.model import Report
from service.parse import Reading
from service.pipeline import analyse
from service.programme import analyses, submissions
from service.programme.digest import digest
from service.programme.submissions import Submitted, Uploaded
from service.programme.viewer import Viewer


def office(connection: Connection, name: str = "office") -> Viewer:
    """An account of the office."""
    found = connection.execute(users.select().where(users.c.name == name)).one_or_none()
    if found is None:
        values = {"name": name, "shown": name, "role": "office"}
        found = connection.execute(users.insert().values(**values).returning(users)).one()
    return Viewer(found.id, found.name, found.shown, "office")


def report(text: str, *, edition: str = "2022-hebei", name: str = "材料.txt", models: Any = None) -> Report:
    from pathlib import Path

    found = document(text, name)
    return analyse(Reading(Path(name), name, found.sha256, "txt", found, 1.0), rulebook.load(edition), models=models)


def analysed(connection: Connection, made: Report) -> int:
    """analyses.id of a report that is there."""
    key = {"sha256": made.sha256, "edition_hash": made.edition_hash, "program": "0/1", "models": "none", "library": 0}
    known = connection.execute(table.select().filter_by(**key)).one_or_none()
    if known is not None:
        return int(known.id)
    values = {**key, "edition": made.edition, "state": "done", "report": analyses.encoded(made), **digest(made)}
    return int(connection.execute(table.insert().values(**values).returning(table.c.id)).scalar_one())


def handed_in(
    connection: Connection, viewer: Viewer, text: str, *, title: str = "题目", organisation: str = "澄岳阀门有限公司", **said: Any
) -> Submitted:
    """A submission with this text, reported."""
    edition = said.pop("edition", "2022-hebei")
    made = report(text, edition=edition, models=said.pop("models", None))
    file = Uploaded(made.sha256, said.pop("file_name", "材料.txt"), len(text.encode()))
    values = {"edition": edition, "file": file, "analysis": analysed(connection, made), "title": title, "organisation": organisation}
    return submissions.submit(connection, viewer, **{**values, **said})
