"""Where the data are. Imports nothing slow: `biaogan check` asks here whether there is a library at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """The data folder, and what is kept elsewhere. URLs may hold passwords: they are never shown."""

    data: Path  # BIAOGAN_DATA_DIR
    database: str | None = field(default=None, repr=False)  # BIAOGAN_DATABASE_URL: another PostgreSQL than the embedded one
    files: str | None = field(default=None, repr=False)  # BIAOGAN_FILES_URL: another store than the folder files/

    @property
    def server(self) -> Path:
        """Folder of the embedded server: its data, socket, locks and log."""
        return self.data / "postgres"

    @property
    def begun(self) -> bool:
        """Whether a database has been named or made; False means that there is no library and nothing to connect to."""
        return self.database is not None or (self.server / "data" / "PG_VERSION").exists()
