CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    key TEXT NOT NULL CONSTRAINT jobs_key_key UNIQUE,
    payload TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('ready', 'running', 'done', 'dead')),
    run_at TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    lease TEXT NULL,
    leased_until TEXT NULL,
    last_error TEXT NULL,
    created_at TEXT NOT NULL,
    finished_at TEXT NULL
);
CREATE INDEX jobs_due_idx ON jobs (run_at, id) WHERE state IN ('ready', 'running');
CREATE TABLE mails (
    id TEXT NOT NULL PRIMARY KEY,
    to_address TEXT NOT NULL,
    to_key TEXT NOT NULL,
    template TEXT NOT NULL,
    language TEXT NOT NULL,
    sealed TEXT NULL,
    created_at TEXT NOT NULL,
    sent_at TEXT NULL
);
CREATE INDEX mails_to_key_idx ON mails (to_key, id);
CREATE TABLE idempotency_keys (
    scope TEXT NOT NULL PRIMARY KEY,
    request_hash TEXT NOT NULL,
    answer TEXT NOT NULL,
    sealed TEXT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at);
CREATE TABLE events (
    id TEXT NOT NULL PRIMARY KEY,
    resource TEXT NOT NULL,
    seq BIGINT NOT NULL CHECK (seq > 0),
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    created_at TEXT NOT NULL,
    CONSTRAINT events_seq_key UNIQUE (resource, seq)
);
CREATE TABLE staff_actions (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    action TEXT NOT NULL,
    account_id TEXT NULL REFERENCES accounts (id),
    resource TEXT NULL,
    reason TEXT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX staff_actions_account_id_idx ON staff_actions (account_id, id);
