"""The tables."""

from __future__ import annotations

VERSION = 4
"""Written to `user_version`: an older file is brought up to date, a newer one refused."""

APPLICATION = 0x66746173
"""Written to `application_id`: "ftas" in the file's first bytes tells whose it is."""

TABLES = (
    "jobs",
    "job_metadata",
    "events",
    "checkpoints",
    "files",
    "chunks",
    "uploads",
    "parts",
    "verdicts",
    "models",
    "permissions",
    "idempotency",
    "settings",
    "deliveries",
)
"""What is forgotten by `clear`; webhooks are no part of it, which somebody has set up."""

# A list is ordered by `seq`, the order of insertion: times are whole seconds and tie.
# `view` is the JSON that a client sees, so that a page is joined rather than rendered.
# What is there already is left alone: so an older file gets the tables that it has not.
SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    record BLOB NOT NULL,
    view BLOB NOT NULL,
    due_at REAL,
    has_metadata INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS jobs_due ON jobs (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS jobs_without_metadata ON jobs (seq) WHERE has_metadata = 0;

CREATE TABLE IF NOT EXISTS job_metadata (
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    job_seq INTEGER NOT NULL,
    PRIMARY KEY (key, value, job_seq)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS events (
    job_seq INTEGER NOT NULL,
    number INTEGER NOT NULL,
    id TEXT NOT NULL,
    view BLOB NOT NULL,
    PRIMARY KEY (job_seq, number)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS events_id ON events (id);

CREATE TABLE IF NOT EXISTS checkpoints (
    job_seq INTEGER NOT NULL,
    number INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    model TEXT NOT NULL,
    view BLOB NOT NULL,
    PRIMARY KEY (job_seq, number)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS files (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT UNIQUE,
    purpose TEXT,
    filename TEXT,
    size INTEGER,
    expires_at INTEGER,
    view BLOB
);
CREATE INDEX IF NOT EXISTS files_whole ON files (seq) WHERE id IS NOT NULL;
CREATE INDEX IF NOT EXISTS files_purpose ON files (purpose, seq) WHERE id IS NOT NULL;
CREATE INDEX IF NOT EXISTS files_expiry ON files (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS chunks (
    file_seq INTEGER NOT NULL,
    number INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (file_seq, number)
);

CREATE TABLE IF NOT EXISTS uploads (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT UNIQUE,
    status TEXT NOT NULL,
    purpose TEXT NOT NULL,
    filename TEXT NOT NULL,
    size INTEGER NOT NULL,
    life INTEGER,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS uploads_expiry ON uploads (expires_at) WHERE status = 'pending';

-- A part's content is that of a file without an id. `whole_seq` is the file that it became a piece of.
CREATE TABLE IF NOT EXISTS parts (
    file_seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    upload_seq INTEGER NOT NULL,
    size INTEGER NOT NULL,
    whole_seq INTEGER,
    start INTEGER
);
CREATE INDEX IF NOT EXISTS parts_upload ON parts (upload_seq);
CREATE UNIQUE INDEX IF NOT EXISTS parts_whole ON parts (whole_seq, start) WHERE whole_seq IS NOT NULL;

CREATE TABLE IF NOT EXISTS verdicts (
    file_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    verdict BLOB NOT NULL,
    PRIMARY KEY (file_id, kind)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS models (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    view BLOB NOT NULL
);

CREATE TABLE IF NOT EXISTS permissions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    checkpoint TEXT NOT NULL,
    project_id TEXT NOT NULL,
    view BLOB NOT NULL,
    UNIQUE (checkpoint, project_id)
);
CREATE INDEX IF NOT EXISTS permissions_checkpoint ON permissions (checkpoint, seq);

CREATE TABLE IF NOT EXISTS idempotency (
    key BLOB PRIMARY KEY,
    digest BLOB NOT NULL,
    job_id TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS webhooks (
    url TEXT PRIMARY KEY,
    secret TEXT NOT NULL,
    events TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL,
    job_id TEXT NOT NULL,
    type TEXT NOT NULL,
    body BLOB NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0,
    outcome TEXT,
    spent REAL NOT NULL DEFAULT 0,
    due_at REAL
);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (url, due_at) WHERE due_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS settings (
    name TEXT PRIMARY KEY,
    value REAL NOT NULL
) WITHOUT ROWID;
"""
