CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL CHECK (version > 0),
    account_id TEXT NULL REFERENCES accounts (id),
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    name TEXT NOT NULL,
    roles TEXT NOT NULL,
    language TEXT NOT NULL,
    password_hash TEXT NULL,
    session_version BIGINT NOT NULL,
    created_at TEXT NOT NULL,
    removed_at TEXT NULL
);
CREATE UNIQUE INDEX users_email_key_key ON users (email_key) WHERE removed_at IS NULL;
CREATE INDEX users_account_id_idx ON users (account_id, id);
CREATE TABLE one_time_tokens (
    token_hash TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    purpose TEXT NOT NULL CHECK (purpose IN ('first_password', 'password_reset')),
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    ended_at TEXT NULL
);
CREATE INDEX one_time_tokens_user_id_idx ON one_time_tokens (user_id);
CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    created_at TEXT NOT NULL,
    ended_at TEXT NULL
);
CREATE INDEX sessions_user_id_idx ON sessions (user_id);
CREATE TABLE refresh_tokens (
    token_hash TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id),
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    used_at TEXT NULL
);
CREATE INDEX refresh_tokens_session_id_idx ON refresh_tokens (session_id);
CREATE TABLE sign_in_failures (
    email_hash TEXT NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL CHECK (failures > 0),
    last_at TEXT NOT NULL,
    blocked_until TEXT NULL
);
