"""Tables of the programme: accounts, drafts, submissions, reviews, the record of who did what. Made by migration 0002."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from service.database.schema import metadata

ROLES = ("admin", "office", "reviewer", "applicant", "unit")  # 管理员 办公室 评审专家 申报单位 推荐单位
STATES = ("received", "passed", "returned", "set_aside", "withdrawn")  # 待形审 通过 退回修改 搁置 已撤回


def _one_of(column: str, values: Sequence[str]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(value) for value in values)})", name=column)


def _at(name: str, *, needed: bool = True) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=not needed, server_default=text("now()") if needed else None)


# --- accounts ----------------------------------------------------------------------------------------------------------------------

units = Table(
    "units",  # 推荐单位
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    _at("created_at"),
)

unit_quotas = Table(
    "unit_quotas",  # 推荐名额
    metadata,
    Column("unit", Integer, ForeignKey("units.id", ondelete="CASCADE"), nullable=False),
    Column("edition", Text, nullable=False),
    Column("places", Integer, CheckConstraint("places >= 0", name="places"), nullable=False),
    PrimaryKeyConstraint("unit", "edition"),
)

users = Table(
    "users",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False, unique=True),  # what one signs in with, folded to lower case
    Column("shown", Text, nullable=False),  # what others see
    Column("role", Text, _one_of("role", ROLES), nullable=False),
    Column("organisation", Text),
    Column("credit_code", Text),  # of the organisation
    Column("unit", Integer, ForeignKey("units.id")),  # of a user of role unit
    Column("email", Text),
    Column("password", Text),  # argon2id; null until one has been set
    Column("subject", Text, unique=True),  # issuer and subject of OpenID Connect
    Column("active", Boolean, nullable=False, server_default=text("true")),
    _at("created_at"),
    _at("changed_at"),
    _at("signed_in_at", needed=False),
)

one_time_links = Table(
    "one_time_links",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),  # sha256: the token itself is kept nowhere
    Column("account", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("purpose", Text, _one_of("purpose", ("password", "demo")), nullable=False),
    _at("created_at"),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    _at("used_at", needed=False),
    Index("one_time_links_account", "account"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("account", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("csrf", Text, nullable=False),
    Column("address", Text),
    Column("agent", Text),
    _at("created_at"),
    _at("seen_at"),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Index("sessions_account", "account"),
)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("address", Text, nullable=False),
    _at("at"),
    Index("sign_in_failures_name", "name", "at"),
    Index("sign_in_failures_address", "address", "at"),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("account", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    _at("created_at"),
    _at("expires_at", needed=False),
    _at("used_at", needed=False),
    _at("revoked_at", needed=False),
    Index("api_tokens_account", "account"),
)

events = Table(
    "events",  # append-only: a trigger refuses changes, and each row's hash takes in the one before
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    _at("at"),
    Column("actor", Integer),  # users.id, kept when the account is removed; null: the system
    Column("actor_name", Text, nullable=False),
    Column("address", Text),
    Column("action", Text, nullable=False),  # user.signed_in, submission.returned …
    Column("object", Text),  # submission:12
    Column("details", JSONB, nullable=False, server_default=text("'{}'")),
    Column("previous", LargeBinary),
    Column("hash", LargeBinary, nullable=False),
    Index("events_object", "object", "id"),
    Index("events_actor", "actor", "id"),
    Index("events_action", "action", "id"),
)

idempotent_answers = Table(
    "idempotent_answers",
    metadata,
    Column("account", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("key", Text, nullable=False),
    Column("request", LargeBinary, nullable=False),  # sha256 of method, path and body
    Column("status", Integer),  # null while the first call is under way
    Column("headers", JSONB),
    Column("body", LargeBinary),
    _at("at"),
    PrimaryKeyConstraint("account", "key"),
)

# --- analyses ----------------------------------------------------------------------------------------------------------------------

analyses = Table(
    "analyses",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("edition", Text, nullable=False),
    Column("edition_hash", Text, nullable=False),
    Column("program", Text, nullable=False),  # version of the program and of its stored reports
    Column("models", Text, nullable=False),  # versions of all models, one text
    Column("library", BigInteger, nullable=False),  # library_state.revision when it was asked for
    Column("state", Text, _one_of("state", ("waiting", "running", "done", "failed")), nullable=False, server_default=text("'waiting'")),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("reason", Text),  # Chinese: why it failed for good, or is tried again
    Column("report", LargeBinary),  # msgpack of model.Report, compressed
    # What lists show, taken from the report.
    Column("status", Text),  # of the report: complete, partial, failed
    Column("title", Text),
    Column("organisation", Text),
    Column("words", Integer),
    Column("errors", Integer),
    Column("warnings", Integer),
    Column("advice", Integer),
    Column("unchecked", Integer),
    Column("missing", ARRAY(Text)),  # section keys
    Column("rules", ARRAY(Text)),  # rules with findings of any severity
    Column("areas", ARRAY(Text)),  # chosen focus areas, the strongest first
    Column("primary_area", Text),
    Column("area_score", Float),
    Column("similarity", Float),  # share without quotations, 0-1
    Column("flag", Text),  # gravest flag of its matches: near_duplicate, reuse, related
    Column("milliseconds", Integer),
    _at("wanted_at"),
    _at("started_at", needed=False),
    _at("finished_at", needed=False),
    UniqueConstraint("sha256", "edition_hash", "program", "models", "library", name="analyses_key"),
    Index("analyses_state", "state", "wanted_at"),
)

# --- drafts and submissions --------------------------------------------------------------------------------------------------------

rounds = Table(
    "rounds",  # an edition as it is run here
    metadata,
    Column("edition", Text, primary_key=True),
    Column("accepting", Boolean, nullable=False, server_default=text("true")),
    Column("opens_on", Date),
    Column("closes_on", Date),  # last day, inclusive
    Column("note", Text),
)

drafts = Table(
    "drafts",
    metadata,
    Column("id", Text, primary_key=True),  # random: says nothing of how many there are
    Column("owner", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("edition", Text, nullable=False),
    Column("name", Text),  # what its owner calls it
    _at("created_at"),
    _at("changed_at"),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("submission", Integer, ForeignKey("submissions.id", ondelete="SET NULL")),  # what became of it
    Index("drafts_owner", "owner"),
    Index("drafts_expires_at", "expires_at"),
)

draft_versions = Table(
    "draft_versions",
    metadata,
    Column("draft", Text, ForeignKey("drafts.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("analysis", BigInteger, ForeignKey("analyses.id"), nullable=False),
    _at("uploaded_at"),
    PrimaryKeyConstraint("draft", "number"),
    Index("draft_versions_analysis", "analysis"),
)

batches = Table(
    "batches",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("by", Integer, ForeignKey("users.id"), nullable=False),
    Column("edition", Text, nullable=False),
    Column("unit", Integer, ForeignKey("units.id")),
    Column("name", Text),
    _at("at"),
)

batch_files = Table(
    "batch_files",
    metadata,
    Column("batch", Integer, ForeignKey("batches.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("sha256", Text),
    Column("state", Text, _one_of("state", ("received", "refused")), nullable=False),
    Column("reason", Text),  # Chinese
    Column("submission", Integer, ForeignKey("submissions.id", ondelete="SET NULL")),
    _at("at"),
    PrimaryKeyConstraint("batch", "number"),
)

submissions = Table(
    "submissions",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("number", Text, nullable=False, unique=True),  # for people: 2024-caq-0007
    Column("edition", Text, nullable=False),
    Column("owner", Integer, ForeignKey("users.id")),  # the applicant; null where staff brought it in
    Column("unit", Integer, ForeignKey("units.id")),
    Column("rank", Integer),  # the recommending unit's order, 1 first
    Column("organisation", Text, nullable=False),
    Column("credit_code", Text),
    Column("contact_name", Text),  # contact data: never shown to reviewers
    Column("contact_phone", Text),
    Column("contact_email", Text),
    Column("title", Text, nullable=False),
    Column("areas", ARRAY(Text), nullable=False, server_default=text("'{}'")),  # directions that the applicant ticked
    Column("area", Text),  # main area as staff corrected it
    Column("state", Text, _one_of("state", STATES), nullable=False, server_default=text("'received'")),
    Column("revision", Integer, nullable=False, server_default=text("1")),  # raised by every change: the ETag
    Column("version", Integer, nullable=False, server_default=text("1")),  # the newest of submission_versions
    Column("analysis", BigInteger, ForeignKey("analyses.id"), nullable=False),  # of the newest version
    Column("dismissed_errors", Integer, nullable=False, server_default=text("0")),  # findings of the newest version that staff dismissed
    Column("dismissed_warnings", Integer, nullable=False, server_default=text("0")),
    Column("batch", Integer, ForeignKey("batches.id", ondelete="SET NULL")),
    _at("submitted_at"),
    _at("changed_at"),
    Index("submissions_edition", "edition", "state"),
    Index("submissions_owner", "owner"),
    Index("submissions_unit", "unit"),
    Index("submissions_analysis", "analysis"),
    Index("submissions_batch", "batch"),
)

submission_versions = Table(
    "submission_versions",
    metadata,
    Column("submission", Integer, ForeignKey("submissions.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("analysis", BigInteger, ForeignKey("analyses.id"), nullable=False),
    Column("by", Integer, ForeignKey("users.id"), nullable=False),
    Column("receipt", Text, nullable=False, unique=True),  # 回执编号
    _at("uploaded_at"),
    PrimaryKeyConstraint("submission", "number"),
    Index("submission_versions_analysis", "analysis"),
)

similar_submissions = Table(
    "similar_submissions",  # within an edition; both directions
    metadata,
    Column("one", Integer, ForeignKey("submissions.id", ondelete="CASCADE"), nullable=False),
    Column("other", Integer, ForeignKey("submissions.id", ondelete="CASCADE"), nullable=False),
    Column("flag", Text, nullable=False),
    Column("share", Float, nullable=False),  # part of `one` that is matched
    Column("score", Float, nullable=False),
    _at("at"),
    PrimaryKeyConstraint("one", "other"),
    Index("similar_submissions_other", "other"),
)

submission_fingerprints = Table(
    "submission_fingerprints",
    metadata,
    Column("hash", BigInteger, nullable=False),
    Column("submission", Integer, ForeignKey("submissions.id", ondelete="CASCADE"), nullable=False),
    Index("submission_fingerprints_hash", "hash", postgresql_include=["submission"]),
    Index("submission_fingerprints_submission", "submission"),
)

submission_vectors = Table(
    "submission_vectors",  # what a submission is about as a whole
    metadata,
    Column("submission", Integer, ForeignKey("submissions.id", ondelete="CASCADE"), primary_key=True),
    Column("model", Text, nullable=False),  # version of the encoder
    Column("vector", LargeBinary, nullable=False),  # mean of its passages' vectors, half floats, little-endian
)

# --- triage ------------------------------------------------------------------------------------------------------------------------

decisions = Table(
    "decisions",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("submission", Integer, ForeignKey("submissions.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("action", Text, _one_of("action", ("pass", "return", "set_aside", "reopen", "withdraw")), nullable=False),
    Column("reasons", Text),  # what the applicant reads
    Column("by", Integer, ForeignKey("users.id"), nullable=False),
    _at("at"),
    Index("decisions_submission", "submission", "id"),
)

dismissals = Table(
    "dismissals",  # findings that staff judged wrong
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("submission", Integer, ForeignKey("submissions.id", ondelete="CASCADE"), nullable=False),
    Column("version", Integer, nullable=False),  # where it was dismissed
    Column("rule", Text, nullable=False),
    Column("quote", Text, nullable=False),  # the words that were marked: a later version's finding on them is the same one
    Column("message", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Integer, ForeignKey("users.id"), nullable=False),
    _at("at"),
    _at("undone_at", needed=False),
    Index("dismissals_submission", "submission"),
    Index("dismissals_rule", "rule"),
)

area_corrections = Table(
    "area_corrections",  # training data: biaogan train focus --with-corrections
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("submission", Integer, ForeignKey("submissions.id", ondelete="CASCADE"), nullable=False),
    Column("sha256", Text, nullable=False),
    Column("edition", Text, nullable=False),
    Column("areas", ARRAY(Text), nullable=False),  # the main one first
    Column("proposed", ARRAY(Text), nullable=False),  # what the program had chosen
    Column("by", Integer, ForeignKey("users.id"), nullable=False),
    _at("at"),
    Index("area_corrections_submission", "submission"),
)

saved_views = Table(
    "saved_views",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("account", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("query", Text, nullable=False),  # the list's query string
    UniqueConstraint("account", "name", name="saved_views_name"),
)

# --- reviews -----------------------------------------------------------------------------------------------------------------------

assignments = Table(
    "assignments",
    metadata,
    Column("id", Integer, Identity(always=True), primary_key=True),
    Column("submission", Integer, ForeignKey("submissions.id", ondelete="CASCADE"), nullable=False),
    Column("reviewer", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("by", Integer, ForeignKey("users.id"), nullable=False),
    _at("at"),
    Column("conflict", Boolean),  # null: not declared yet
    Column("conflict_reason", Text),
    _at("declared_at", needed=False),
    UniqueConstraint("submission", "reviewer", name="assignments_submission"),
    Index("assignments_reviewer", "reviewer"),
)

reviews = Table(
    "reviews",
    metadata,
    Column("assignment", Integer, ForeignKey("assignments.id", ondelete="CASCADE"), primary_key=True),
    Column("notes", Text, nullable=False, server_default=text("''")),  # the reviewer's own
    Column("comments", JSONB, nullable=False, server_default=text("'{}'")),  # criterion -> 评语
    Column("overall", Text, nullable=False, server_default=text("''")),
    Column("revision", Integer, nullable=False, server_default=text("1")),
    _at("changed_at"),
    _at("finished_at", needed=False),
)
