CREATE TEMPORARY TABLE kept AS
SELECT e.id, e.position AS n, e.stream, e.resource, e.type, e.data, e.actor, r.reason, e.created_at
FROM events e LEFT JOIN event_reasons r ON r.event_id = e.id
UNION ALL
SELECT i.id, i.number + COALESCE((SELECT max(position) FROM events), 0), i.stream, i.resource, i.type, i.data, i.actor, i.reason, i.created_at
FROM event_inbox i;
DROP TABLE event_reasons;
DROP TABLE event_counters;
DROP TABLE events;
DROP TABLE event_inbox;
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
INSERT INTO events (id, resource, seq, kind, payload, created_at)
SELECT id, resource, row_number() OVER (PARTITION BY resource ORDER BY n), type, data, created_at FROM kept;
INSERT INTO staff_actions (id, user_id, action, account_id, resource, reason, created_at)
SELECT id, substr(substr(actor, 11), 1, 8) || '-' || substr(substr(actor, 11), 9, 4) || '-' || substr(substr(actor, 11), 13, 4) || '-' || substr(substr(actor, 11), 17, 4) || '-' || substr(substr(actor, 11), 21), type,
    CASE WHEN stream LIKE 'acc_%' THEN substr(substr(stream, 5), 1, 8) || '-' || substr(substr(stream, 5), 9, 4) || '-' || substr(substr(stream, 5), 13, 4) || '-' || substr(substr(stream, 5), 17, 4) || '-' || substr(substr(stream, 5), 21) END,
    resource, reason, created_at
FROM kept WHERE actor LIKE 'staff:%';
DROP TABLE kept;
