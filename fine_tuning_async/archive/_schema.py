"""What an archive is on the disk: the names of its files, the tables of its database."""

from __future__ import annotations

__all__ = ["APPLICATION", "CONTENTS", "DATABASE", "LOCK", "OWNERS", "OWN_NAMES", "PARTIAL", "SCHEMA", "VERSION"]

DATABASE = "archive.sqlite"
LOCK = "archive.lock"
CONTENTS = "contents"
PARTIAL = ".partial"
"""In the folder of contents: what is on its way there."""

OWN_NAMES = frozenset({DATABASE, *(f"{DATABASE}-{end}" for end in ("wal", "shm", "journal")), LOCK, CONTENTS})
"""What a process can leave in the directory, wherever it is killed."""

APPLICATION = 0x46744172
"""In the header of the database file (SQLite's application_id): `FtAr`."""

VERSION = 1

OWNERS = {"events": "job_id", "checkpoints": "job_id", "permissions": "checkpoint"}
"""The tables of what belongs to something else, each with the column that says to what."""

# Documents are the server's own JSON, as text, so that SQLite's functions can be asked about them. What belongs
# to something is numbered from the oldest on, as the server listed it: its times are whole seconds, with ties.
SCHEMA = """
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    created_at NUMERIC NOT NULL,
    tie INTEGER NOT NULL, -- its place in the server's list, among those of the same time
    status TEXT NOT NULL,
    settled INTEGER NOT NULL DEFAULT 0, -- whether all of it is here, and will not change
    document TEXT NOT NULL
);
CREATE INDEX jobs_by_time ON jobs (created_at DESC, tie);

CREATE TABLE events (
    job_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    id TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (job_id, number)
) WITHOUT ROWID;

CREATE TABLE checkpoints (
    job_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    id TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (job_id, number)
) WITHOUT ROWID;

CREATE TABLE permission_lists (
    checkpoint TEXT PRIMARY KEY,
    state TEXT NOT NULL DEFAULT 'wanted' -- wanted, stored, gone
);

CREATE TABLE permissions (
    checkpoint TEXT NOT NULL,
    number INTEGER NOT NULL,
    id TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (checkpoint, number)
) WITHOUT ROWID;

CREATE TABLE files (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL DEFAULT 'wanted', -- wanted, stored, gone
    created_at NUMERIC NOT NULL DEFAULT 0,
    tie INTEGER NOT NULL DEFAULT 0, -- as of jobs
    sha256 TEXT, -- of the content, which lies in the folder under this name
    size INTEGER,
    document TEXT
);

CREATE TABLE models (
    id TEXT PRIMARY KEY,
    document TEXT NOT NULL
);

CREATE TABLE gaps (
    kind TEXT NOT NULL, -- job, file, permissions, models
    id TEXT NOT NULL,
    status INTEGER, -- of the server's answer, if there was one
    reason TEXT NOT NULL,
    PRIMARY KEY (kind, id)
);

CREATE TABLE runs (
    number INTEGER PRIMARY KEY,
    base_url TEXT NOT NULL,
    started_at REAL NOT NULL,
    ended_at REAL -- null if it was broken off
);
"""
