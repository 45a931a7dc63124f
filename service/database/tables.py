"""The tables, as the newest migration leaves them. tests/test_database_migrations.py compares both."""

from __future__ import annotations

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR

from service.database.programme_tables import (
    analyses,
    area_corrections,
    batch_files,
    draft_versions,
    submission_versions,
)
from service.database.schema import metadata
from service.errors import ServiceError

REVISION = "0002"  # of the newest migration: later ones sort after it
WIDTH = 256  # of an embedding in a new database; `set_width` changes it
_LARGEST_WIDTH = 4000  # numbers in a halfvec that HNSW takes (pgvector)

benchmarks = Table(
    "benchmarks",
    metadata,
    Column("id", Text, primary_key=True),  # for people: 2022-0007
    Column("number", Integer, Identity(always=True), nullable=False, unique=True),  # for the two tables with millions of rows
    Column("year", Integer, nullable=False),
    Column("level", Text, CheckConstraint("level IN ('national', 'province', 'city')", name="level")),
    Column("organisation", Text, nullable=False),
    Column("credit_code", Text),  # 统一社会信用代码
    Column("former_names", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("title", Text, nullable=False),
    Column("edition", Text),
    Column("areas", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column(
        "status",
        Text,
        CheckConstraint("status IN ('in_force', 'revoked')", name="status"),
        nullable=False,
        server_default=text("'in_force'"),
    ),
    Column("revoked_reason", Text),
    Column("revoked_on", Date),
    Column("sha256", Text),  # of the source file in the store
    Column("file_name", Text),
    Column("text", Text),  # Document.text; null where only organisation and title are known
    Column("normal", LargeBinary),  # the text as it is matched, in the library's own form
    Column("sections", JSONB),
    Column("words", Integer),
    Column("search", TSVECTOR),
    Column("model", Text),  # version of the embedding of its passages
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Index("benchmarks_year", "year"),
    Index("benchmarks_organisation", "organisation"),
    Index("benchmarks_search", "search", postgresql_using="gin"),
    Index("benchmarks_sha256", "sha256", unique=True, postgresql_where=text("sha256 IS NOT NULL")),
)

passages = Table(
    "passages",
    metadata,
    Column("benchmark", Integer, ForeignKey("benchmarks.number", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("start", Integer, nullable=False),  # offsets in benchmarks.text
    Column("stop", Integer, nullable=False),
    Column("embedding", HALFVEC(WIDTH)),  # of length 1; null until `library reindex` has made it
    PrimaryKeyConstraint("benchmark", "number"),
    # Inner product: for vectors of length 1 the same order as cosine, without reckoning lengths. Ask with `<#>`.
    Index(
        "passages_embedding",
        "embedding",
        postgresql_using="hnsw",
        postgresql_ops={"embedding": "halfvec_ip_ops"},
        postgresql_with={"m": 16, "ef_construction": 64},
    ),
)

fingerprints = Table(
    "fingerprints",
    metadata,
    Column("hash", BigInteger, nullable=False),
    Column("around", BigInteger, nullable=False),
    Column("benchmark", Integer, ForeignKey("benchmarks.number", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Index("fingerprints_hash", "hash", postgresql_include=["around", "benchmark", "position"]),
    # A benchmark's rows lie together, so that a few pages of ranges find them when it is removed.
    Index(
        "fingerprints_benchmark",
        "benchmark",
        postgresql_using="brin",
        postgresql_ops={"benchmark": "int4_minmax_multi_ops"},
        postgresql_with={"pages_per_range": 16, "autosummarize": "on"},
    ),
)

common_phrases = Table(
    "common_phrases",
    metadata,
    Column("phrase", Text, primary_key=True),
    Column("source", Text, CheckConstraint("source IN ('learnt', 'office', 'notice')", name="source"), nullable=False),
    Column("documents", Integer),
    Column("kept", Boolean, nullable=False, server_default=text("true")),
)

library_state = Table(
    "library_state",
    metadata,
    Column("one", Boolean, CheckConstraint("one", name="one"), primary_key=True, server_default=text("true")),
    Column("revision", BigInteger, nullable=False, server_default=text("0")),
    Column("settings", JSONB, nullable=False, server_default=text("'{}'")),
)

imports = Table(
    "imports",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("folder", Text, nullable=False),
    Column("file", Text, nullable=False),
    Column("sha256", Text),
    Column("state", Text, nullable=False),
    Column("message", Text),
    Column("benchmark", Text),  # benchmarks.id, kept when it is removed
    Column("at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Index("imports_folder", "folder", "file", unique=True),
    Index("imports_sha256", "sha256"),
)

FILES = (
    benchmarks.c.sha256,
    draft_versions.c.sha256,
    submission_versions.c.sha256,
)  # columns that name a file of the store: what no one of them names is an orphan
HISTORY = (
    imports.c.sha256,
    analyses.c.sha256,
    area_corrections.c.sha256,
    batch_files.c.sha256,
)  # columns that name a file that was seen, kept or not


def changed(connection: Connection) -> int:
    """Raises the library's revision and gives the new one. Call it last in a transaction that changes the library: the row stays locked."""
    revision: int = connection.execute(
        library_state.update().values(revision=library_state.c.revision + 1).returning(library_state.c.revision)
    ).scalar_one()
    return revision


def width(connection: Connection) -> int:
    """How many numbers an embedding has in this database."""
    found: int = connection.execute(
        text("SELECT atttypmod FROM pg_attribute WHERE attrelid = 'passages'::regclass AND attname = 'embedding'")
    ).scalar_one()
    return found


def set_width(connection: Connection, numbers: int) -> None:
    """Another width of embeddings, for another model: all embeddings are dropped and must be made again; nothing where it is the same."""
    if not 0 < numbers <= _LARGEST_WIDTH:
        told = f"向量有 {numbers} 维，数据库的索引只支持 1 到 {_LARGEST_WIDTH} 维。请换用维数较小的向量模型。"
        raise ServiceError("embedding_width", told)
    if numbers == width(connection):
        return
    drop_passage_index(connection)
    connection.execute(text(f"ALTER TABLE passages ALTER COLUMN embedding TYPE halfvec({numbers:d}) USING NULL"))
    create_passage_index(connection)


def drop_passage_index(connection: Connection) -> None:
    """Before many passages come in: building it once is far quicker than adding to it row by row."""
    connection.execute(text("DROP INDEX IF EXISTS passages_embedding"))


def create_passage_index(connection: Connection) -> None:
    connection.execute(
        text(
            "CREATE INDEX IF NOT EXISTS passages_embedding ON passages USING hnsw (embedding halfvec_ip_ops) "
            "WITH (m = 16, ef_construction = 64)"
        )
    )
