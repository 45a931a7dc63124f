"""Accounts, drafts, submissions, reviews and the record of who did what."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STATEMENTS = (
    """
    CREATE TABLE analyses (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        sha256 TEXT NOT NULL,
        edition TEXT NOT NULL,
        edition_hash TEXT NOT NULL,
        program TEXT NOT NULL,
        models TEXT NOT NULL,
        library BIGINT NOT NULL,
        state TEXT DEFAULT 'waiting' NOT NULL CONSTRAINT analyses_state_check CHECK (state IN ('waiting', 'running', 'done', 'failed')),
        tries INTEGER DEFAULT 0 NOT NULL,
        reason TEXT,
        report BYTEA,
        status TEXT,
        title TEXT,
        organisation TEXT,
        words INTEGER,
        errors INTEGER,
        warnings INTEGER,
        advice INTEGER,
        unchecked INTEGER,
        missing TEXT[],
        rules TEXT[],
        areas TEXT[],
        primary_area TEXT,
        area_score FLOAT,
        similarity FLOAT,
        flag TEXT,
        milliseconds INTEGER,
        wanted_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        started_at TIMESTAMP WITH TIME ZONE,
        finished_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT analyses_pkey PRIMARY KEY (id),
        CONSTRAINT analyses_key UNIQUE (sha256, edition_hash, program, models, library)
    )
    """,
    "CREATE INDEX analyses_state ON analyses (state, wanted_at)",
    """
    CREATE TABLE events (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        actor INTEGER,
        actor_name TEXT NOT NULL,
        address TEXT,
        action TEXT NOT NULL,
        object TEXT,
        details JSONB DEFAULT '{}' NOT NULL,
        previous BYTEA,
        hash BYTEA NOT NULL,
        CONSTRAINT events_pkey PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX events_action ON events (action, id)",
    "CREATE INDEX events_actor ON events (actor, id)",
    "CREATE INDEX events_object ON events (object, id)",
    """
    CREATE TABLE rounds (
        edition TEXT NOT NULL,
        accepting BOOLEAN DEFAULT true NOT NULL,
        opens_on DATE,
        closes_on DATE,
        note TEXT,
        CONSTRAINT rounds_pkey PRIMARY KEY (edition)
    )
    """,
    """
    CREATE TABLE sign_in_failures (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        name TEXT NOT NULL,
        address TEXT NOT NULL,
        at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT sign_in_failures_pkey PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX sign_in_failures_address ON sign_in_failures (address, at)",
    "CREATE INDEX sign_in_failures_name ON sign_in_failures (name, at)",
    """
    CREATE TABLE units (
        id INTEGER GENERATED ALWAYS AS IDENTITY,
        name TEXT NOT NULL,
        active BOOLEAN DEFAULT true NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT units_pkey PRIMARY KEY (id),
        CONSTRAINT units_name_key UNIQUE (name)
    )
    """,
    """
    CREATE TABLE unit_quotas (
        unit INTEGER NOT NULL,
        edition TEXT NOT NULL,
        places INTEGER NOT NULL CONSTRAINT unit_quotas_places_check CHECK (places >= 0),
        CONSTRAINT unit_quotas_pkey PRIMARY KEY (unit, edition),
        CONSTRAINT unit_quotas_unit_fkey FOREIGN KEY(unit) REFERENCES units (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE users (
        id INTEGER GENERATED ALWAYS AS IDENTITY,
        name TEXT NOT NULL,
        shown TEXT NOT NULL,
        role TEXT NOT NULL CONSTRAINT users_role_check CHECK (role IN ('admin', 'office', 'reviewer', 'applicant', 'unit')),
        organisation TEXT,
        credit_code TEXT,
        unit INTEGER,
        email TEXT,
        password TEXT,
        subject TEXT,
        active BOOLEAN DEFAULT true NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        signed_in_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT users_pkey PRIMARY KEY (id),
        CONSTRAINT users_name_key UNIQUE (name),
        CONSTRAINT users_unit_fkey FOREIGN KEY(unit) REFERENCES units (id),
        CONSTRAINT users_subject_key UNIQUE (subject)
    )
    """,
    """
    CREATE TABLE api_tokens (
        id INTEGER GENERATED ALWAYS AS IDENTITY,
        account INTEGER NOT NULL,
        name TEXT NOT NULL,
        token_hash BYTEA NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE,
        used_at TIMESTAMP WITH TIME ZONE,
        revoked_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT api_tokens_pkey PRIMARY KEY (id),
        CONSTRAINT api_tokens_account_fkey FOREIGN KEY(account) REFERENCES users (id) ON DELETE CASCADE,
        CONSTRAINT api_tokens_token_hash_key UNIQUE (token_hash)
    )
    """,
    "CREATE INDEX api_tokens_account ON api_tokens (account)",
    """
    CREATE TABLE batches (
        id INTEGER GENERATED ALWAYS AS IDENTITY,
        by INTEGER NOT NULL,
        edition TEXT NOT NULL,
        unit INTEGER,
        name TEXT,
        at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT batches_pkey PRIMARY KEY (id),
        CONSTRAINT batches_by_fkey FOREIGN KEY(by) REFERENCES users (id),
        CONSTRAINT batches_unit_fkey FOREIGN KEY(unit) REFERENCES units (id)
    )
    """,
    """
    CREATE TABLE idempotent_answers (
        account INTEGER NOT NULL,
        key TEXT NOT NULL,
        request BYTEA NOT NULL,
        status INTEGER,
        headers JSONB,
        body BYTEA,
        at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT idempotent_answers_pkey PRIMARY KEY (account, key),
        CONSTRAINT idempotent_answers_account_fkey FOREIGN KEY(account) REFERENCES users (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE one_time_links (
        token_hash BYTEA NOT NULL,
        account INTEGER NOT NULL,
        purpose TEXT NOT NULL CONSTRAINT one_time_links_purpose_check CHECK (purpose IN ('password', 'demo')),
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        used_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT one_time_links_pkey PRIMARY KEY (token_hash),
        CONSTRAINT one_time_links_account_fkey FOREIGN KEY(account) REFERENCES users (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX one_time_links_account ON one_time_links (account)",
    """
    CREATE TABLE saved_views (
        id INTEGER GENERATED ALWAYS AS IDENTITY,
        account INTEGER NOT NULL,
        name TEXT NOT NULL,
        query TEXT NOT NULL,
        CONSTRAINT saved_views_pkey PRIMARY KEY (id),
        CONSTRAINT saved_views_name UNIQUE (account, name),
        CONSTRAINT saved_views_account_fkey FOREIGN KEY(account) REFERENCES users (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE sessions (
        token_hash BYTEA NOT NULL,
        account INTEGER NOT NULL,
        csrf TEXT NOT NULL,
        address TEXT,
        agent TEXT,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        seen_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT sessions_pkey PRIMARY KEY (token_hash),
        CONSTRAINT sessions_account_fkey FOREIGN KEY(account) REFERENCES users (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX sessions_account ON sessions (account)",
    """
    CREATE TABLE submissions (
        id INTEGER GENERATED ALWAYS AS IDENTITY,
        number TEXT NOT NULL,
        edition TEXT NOT NULL,
        owner INTEGER,
        unit INTEGER,
        rank INTEGER,
        organisation TEXT NOT NULL,
        credit_code TEXT,
        contact_name TEXT,
        contact_phone TEXT,
        contact_email TEXT,
        title TEXT NOT NULL,
        areas TEXT[] DEFAULT '{}' NOT NULL,
        area TEXT,
        state TEXT DEFAULT 'received' NOT NULL
            CONSTRAINT submissions_state_check CHECK (state IN ('received', 'passed', 'returned', 'set_aside', 'withdrawn')),
        revision INTEGER DEFAULT 1 NOT NULL,
        version INTEGER DEFAULT 1 NOT NULL,
        analysis BIGINT NOT NULL,
        dismissed_errors INTEGER DEFAULT 0 NOT NULL,
        dismissed_warnings INTEGER DEFAULT 0 NOT NULL,
        batch INTEGER,
        submitted_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT submissions_pkey PRIMARY KEY (id),
        CONSTRAINT submissions_number_key UNIQUE (number),
        CONSTRAINT submissions_owner_fkey FOREIGN KEY(owner) REFERENCES users (id),
        CONSTRAINT submissions_unit_fkey FOREIGN KEY(unit) REFERENCES units (id),
        CONSTRAINT submissions_analysis_fkey FOREIGN KEY(analysis) REFERENCES analyses (id),
        CONSTRAINT submissions_batch_fkey FOREIGN KEY(batch) REFERENCES batches (id) ON DELETE SET NULL
    )
    """,
    "CREATE INDEX submissions_analysis ON submissions (analysis)",
    "CREATE INDEX submissions_batch ON submissions (batch)",
    "CREATE INDEX submissions_edition ON submissions (edition, state)",
    "CREATE INDEX submissions_owner ON submissions (owner)",
    "CREATE INDEX submissions_unit ON submissions (unit)",
    """
    CREATE TABLE area_corrections (
        id INTEGER GENERATED ALWAYS AS IDENTITY,
        submission INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        edition TEXT NOT NULL,
        areas TEXT[] NOT NULL,
        proposed TEXT[] NOT NULL,
        by INTEGER NOT NULL,
        at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT area_corrections_pkey PRIMARY KEY (id),
        CONSTRAINT area_corrections_submission_fkey FOREIGN KEY(submission) REFERENCES submissions (id) ON DELETE CASCADE,
        CONSTRAINT area_corrections_by_fkey FOREIGN KEY(by) REFERENCES users (id)
    )
    """,
    "CREATE INDEX area_corrections_submission ON area_corrections (submission)",
    """
    CREATE TABLE assignments (
        id INTEGER GENERATED ALWAYS AS IDENTITY,
        submission INTEGER NOT NULL,
        reviewer INTEGER NOT NULL,
        by INTEGER NOT NULL,
        at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        conflict BOOLEAN,
        conflict_reason TEXT,
        declared_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT assignments_pkey PRIMARY KEY (id),
        CONSTRAINT assignments_submission UNIQUE (submission, reviewer),
        CONSTRAINT assignments_submission_fkey FOREIGN KEY(submission) REFERENCES submissions (id) ON DELETE CASCADE,
        CONSTRAINT assignments_reviewer_fkey FOREIGN KEY(reviewer) REFERENCES users (id) ON DELETE CASCADE,
        CONSTRAINT assignments_by_fkey FOREIGN KEY(by) REFERENCES users (id)
    )
    """,
    "CREATE INDEX assignments_reviewer ON assignments (reviewer)",
    """
    CREATE TABLE batch_files (
        batch INTEGER NOT NULL,
        number INTEGER NOT NULL,
        file_name TEXT NOT NULL,
        sha256 TEXT,
        state TEXT NOT NULL CONSTRAINT batch_files_state_check CHECK (state IN ('received', 'refused')),
        reason TEXT,
        submission INTEGER,
        at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT batch_files_pkey PRIMARY KEY (batch, number),
        CONSTRAINT batch_files_batch_fkey FOREIGN KEY(batch) REFERENCES batches (id) ON DELETE CASCADE,
        CONSTRAINT batch_files_submission_fkey FOREIGN KEY(submission) REFERENCES submissions (id) ON DELETE SET NULL
    )
    """,
    """
    CREATE TABLE decisions (
        id INTEGER GENERATED ALWAYS AS IDENTITY,
        submission INTEGER NOT NULL,
        version INTEGER NOT NULL,
        action TEXT NOT NULL CONSTRAINT decisions_action_check CHECK (action IN ('pass', 'return', 'set_aside', 'reopen', 'withdraw')),
        reasons TEXT,
        by INTEGER NOT NULL,
        at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT decisions_pkey PRIMARY KEY (id),
        CONSTRAINT decisions_submission_fkey FOREIGN KEY(submission) REFERENCES submissions (id) ON DELETE CASCADE,
        CONSTRAINT decisions_by_fkey FOREIGN KEY(by) REFERENCES users (id)
    )
    """,
    "CREATE INDEX decisions_submission ON decisions (submission, id)",
    """
    CREATE TABLE dismissals (
        id INTEGER GENERATED ALWAYS AS IDENTITY,
        submission INTEGER NOT NULL,
        version INTEGER NOT NULL,
        rule TEXT NOT NULL,
        quote TEXT NOT NULL,
        message TEXT NOT NULL,
        reason TEXT NOT NULL,
        by INTEGER NOT NULL,
        at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        undone_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT dismissals_pkey PRIMARY KEY (id),
        CONSTRAINT dismissals_submission_fkey FOREIGN KEY(submission) REFERENCES submissions (id) ON DELETE CASCADE,
        CONSTRAINT dismissals_by_fkey FOREIGN KEY(by) REFERENCES users (id)
    )
    """,
    "CREATE INDEX dismissals_rule ON dismissals (rule)",
    "CREATE INDEX dismissals_submission ON dismissals (submission)",
    """
    CREATE TABLE drafts (
        id TEXT NOT NULL,
        owner INTEGER NOT NULL,
        edition TEXT NOT NULL,
        name TEXT,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
        submission INTEGER,
        CONSTRAINT drafts_pkey PRIMARY KEY (id),
        CONSTRAINT drafts_owner_fkey FOREIGN KEY(owner) REFERENCES users (id) ON DELETE CASCADE,
        CONSTRAINT drafts_submission_fkey FOREIGN KEY(submission) REFERENCES submissions (id) ON DELETE SET NULL
    )
    """,
    "CREATE INDEX drafts_expires_at ON drafts (expires_at)",
    "CREATE INDEX drafts_owner ON drafts (owner)",
    """
    CREATE TABLE similar_submissions (
        one INTEGER NOT NULL,
        other INTEGER NOT NULL,
        flag TEXT NOT NULL,
        share FLOAT NOT NULL,
        score FLOAT NOT NULL,
        at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT similar_submissions_pkey PRIMARY KEY (one, other),
        CONSTRAINT similar_submissions_one_fkey FOREIGN KEY(one) REFERENCES submissions (id) ON DELETE CASCADE,
        CONSTRAINT similar_submissions_other_fkey FOREIGN KEY(other) REFERENCES submissions (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX similar_submissions_other ON similar_submissions (other)",
    """
    CREATE TABLE submission_fingerprints (
        hash BIGINT NOT NULL,
        submission INTEGER NOT NULL,
        CONSTRAINT submission_fingerprints_submission_fkey FOREIGN KEY(submission) REFERENCES submissions (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX submission_fingerprints_hash ON submission_fingerprints (hash) INCLUDE (submission)",
    "CREATE INDEX submission_fingerprints_submission ON submission_fingerprints (submission)",
    """
    CREATE TABLE submission_vectors (
        submission INTEGER NOT NULL,
        model TEXT NOT NULL,
        vector BYTEA NOT NULL,
        CONSTRAINT submission_vectors_pkey PRIMARY KEY (submission),
        CONSTRAINT submission_vectors_submission_fkey FOREIGN KEY(submission) REFERENCES submissions (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE submission_versions (
        submission INTEGER NOT NULL,
        number INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        file_name TEXT NOT NULL,
        size INTEGER NOT NULL,
        analysis BIGINT NOT NULL,
        by INTEGER NOT NULL,
        receipt TEXT NOT NULL,
        uploaded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT submission_versions_pkey PRIMARY KEY (submission, number),
        CONSTRAINT submission_versions_submission_fkey FOREIGN KEY(submission) REFERENCES submissions (id) ON DELETE CASCADE,
        CONSTRAINT submission_versions_analysis_fkey FOREIGN KEY(analysis) REFERENCES analyses (id),
        CONSTRAINT submission_versions_by_fkey FOREIGN KEY(by) REFERENCES users (id),
        CONSTRAINT submission_versions_receipt_key UNIQUE (receipt)
    )
    """,
    "CREATE INDEX submission_versions_analysis ON submission_versions (analysis)",
    """
    CREATE TABLE draft_versions (
        draft TEXT NOT NULL,
        number INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        file_name TEXT NOT NULL,
        size INTEGER NOT NULL,
        analysis BIGINT NOT NULL,
        uploaded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT draft_versions_pkey PRIMARY KEY (draft, number),
        CONSTRAINT draft_versions_draft_fkey FOREIGN KEY(draft) REFERENCES drafts (id) ON DELETE CASCADE,
        CONSTRAINT draft_versions_analysis_fkey FOREIGN KEY(analysis) REFERENCES analyses (id)
    )
    """,
    "CREATE INDEX draft_versions_analysis ON draft_versions (analysis)",
    """
    CREATE TABLE reviews (
        assignment INTEGER NOT NULL,
        notes TEXT DEFAULT '' NOT NULL,
        comments JSONB DEFAULT '{}' NOT NULL,
        overall TEXT DEFAULT '' NOT NULL,
        revision INTEGER DEFAULT 1 NOT NULL,
        changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        finished_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT reviews_pkey PRIMARY KEY (assignment),
        CONSTRAINT reviews_assignment_fkey FOREIGN KEY(assignment) REFERENCES assignments (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE OR REPLACE FUNCTION events_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'events are append-only' USING ERRCODE = 'insufficient_privilege';
    END
    $$
    """,
    "CREATE TRIGGER events_are_kept BEFORE UPDATE OR DELETE ON events FOR EACH ROW EXECUTE FUNCTION events_are_kept()",
    "CREATE TRIGGER events_are_not_emptied BEFORE TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION events_are_kept()",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
