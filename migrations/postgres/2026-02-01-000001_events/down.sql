CREATE TEMPORARY TABLE kept AS
SELECT e.id, e.position AS n, e.stream, e.resource, e.type, e.data, e.actor, r.reason, e.created_at
FROM events e LEFT JOIN event_reasons r ON r.event_id = e.id
UNION ALL
SELECT i.id, i.number + COALESCE((SELECT max(position) FROM events), 0), i.stream, i.resource, i.type, i.data, i.actor, i.reason, i.created_at
FROM event_inbox i;
DROP TABLE event_reasons;
DROP TABLE event_counters;
DROP TABLE events;
DROP FUNCTION events_refuse();
DROP TABLE event_inbox;
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
INSERT INTO events (id, resource, seq, kind, payload, created_at)
SELECT id, resource, row_number() OVER (PARTITION BY resource ORDER BY n), type, CAST(data AS JSONB), created_at FROM kept;
INSERT INTO staff_actions (id, user_id, action, account_id, resource, reason, created_at)
SELECT id, CAST(substr(actor, 11) AS UUID), type,
    CASE WHEN stream LIKE 'acc_%' THEN CAST(substr(stream, 5) AS UUID) END,
    resource, reason, created_at
FROM kept WHERE actor LIKE 'staff:%';
DROP TABLE kept;
