"""The library of past benchmarks."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE benchmarks (
        id text PRIMARY KEY,
        number integer GENERATED ALWAYS AS IDENTITY UNIQUE,
        year integer NOT NULL,
        level text CONSTRAINT benchmarks_level_check CHECK (level IN ('national', 'province', 'city')),
        organisation text NOT NULL,
        credit_code text,
        former_names text[] NOT NULL DEFAULT '{}',
        title text NOT NULL,
        edition text,
        areas text[] NOT NULL DEFAULT '{}',
        status text NOT NULL DEFAULT 'in_force' CONSTRAINT benchmarks_status_check CHECK (status IN ('in_force', 'revoked')),
        revoked_reason text,
        revoked_on date,
        sha256 text,
        file_name text,
        text text,
        normal bytea,
        sections jsonb,
        words integer,
        search tsvector,
        model text,
        created_at timestamptz NOT NULL DEFAULT now(),
        changed_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX benchmarks_year ON benchmarks (year)",
    "CREATE INDEX benchmarks_organisation ON benchmarks (organisation)",
    "CREATE INDEX benchmarks_search ON benchmarks USING gin (search)",
    "CREATE UNIQUE INDEX benchmarks_sha256 ON benchmarks (sha256) WHERE sha256 IS NOT NULL",
    """
    CREATE TABLE passages (
        benchmark integer NOT NULL REFERENCES benchmarks (number) ON DELETE CASCADE,
        number integer NOT NULL,
        start integer NOT NULL,
        stop integer NOT NULL,
        embedding halfvec(256),
        PRIMARY KEY (benchmark, number)
    )
    """,
    "CREATE INDEX passages_embedding ON passages USING hnsw (embedding halfvec_ip_ops) WITH (m = 16, ef_construction = 64)",
    """
    CREATE TABLE fingerprints (
        hash bigint NOT NULL,
        around bigint NOT NULL,
        benchmark integer NOT NULL REFERENCES benchmarks (number) ON DELETE CASCADE,
        position integer NOT NULL
    )
    """,
    "CREATE INDEX fingerprints_hash ON fingerprints (hash) INCLUDE (around, benchmark, position)",
    """
    CREATE INDEX fingerprints_benchmark ON fingerprints USING brin (benchmark int4_minmax_multi_ops)
    WITH (pages_per_range = 16, autosummarize = on)
    """,
    """
    CREATE TABLE common_phrases (
        phrase text PRIMARY KEY,
        source text NOT NULL CONSTRAINT common_phrases_source_check CHECK (source IN ('learnt', 'office', 'notice')),
        documents integer,
        kept boolean NOT NULL DEFAULT true
    )
    """,
    """
    CREATE TABLE library_state (
        one boolean PRIMARY KEY DEFAULT true CONSTRAINT library_state_one_check CHECK (one),
        revision bigint NOT NULL DEFAULT 0,
        settings jsonb NOT NULL DEFAULT '{}'
    )
    """,
    "INSERT INTO library_state DEFAULT VALUES",
    """
    CREATE TABLE imports (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        folder text NOT NULL,
        file text NOT NULL,
        sha256 text,
        state text NOT NULL,
        message text,
        benchmark text,
        at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE UNIQUE INDEX imports_folder ON imports (folder, file)",
    "CREATE INDEX imports_sha256 ON imports (sha256)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
