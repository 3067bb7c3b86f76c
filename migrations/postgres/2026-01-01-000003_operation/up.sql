CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE jobs (
    id UUID NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    key TEXT NOT NULL CONSTRAINT jobs_key_key UNIQUE,
    payload JSONB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('ready', 'running', 'done', 'dead')),
    run_at TIMESTAMPTZ NOT NULL,
    attempts BIGINT NOT NULL,
    lease TEXT NULL,
    leased_until TIMESTAMPTZ NULL,
    last_error TEXT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ NULL
);
CREATE INDEX jobs_due_idx ON jobs (run_at, id) WHERE state IN ('ready', 'running');
CREATE TABLE mails (
    id UUID NOT NULL PRIMARY KEY,
    to_address TEXT NOT NULL,
    to_key TEXT NOT NULL,
    template TEXT NOT NULL,
    language TEXT NOT NULL,
    sealed TEXT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    sent_at TIMESTAMPTZ NULL
);
CREATE INDEX mails_to_key_idx ON mails (to_key, id);
CREATE TABLE idempotency_keys (
    scope TEXT NOT NULL PRIMARY KEY,
    request_hash TEXT NOT NULL,
    answer JSONB NOT NULL,
    sealed TEXT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at);
CREATE TABLE events (
    id UUID NOT NULL PRIMARY KEY,
    resource TEXT NOT NULL,
    seq BIGINT NOT NULL CHECK (seq > 0),
    kind TEXT NOT NULL,
    payload JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT events_seq_key UNIQUE (resource, seq)
);
CREATE TABLE staff_actions (
    id UUID NOT NULL PRIMARY KEY,
    user_id UUID NOT NULL,
    action TEXT NOT NULL,
    account_id UUID NULL REFERENCES accounts (id),
    resource TEXT NULL,
    reason TEXT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX staff_actions_account_id_idx ON staff_actions (account_id, id);
