-- The defaults are for instances of the version before, which go on while this runs.
ALTER TABLE jobs ADD COLUMN queue TEXT NOT NULL DEFAULT 'rules';
ALTER TABLE jobs ADD COLUMN error_class TEXT NULL;
UPDATE jobs SET queue = CASE
    WHEN kind = 'send_mail' THEN 'mail'
    WHEN kind IN ('delete_file', 'delete_application_files') THEN 'files'
    WHEN kind = 'keep_house' THEN 'housekeeping'
    ELSE 'rules'
END;
-- A lease was measured by the settable clock, and no instance of before holds one any more.
UPDATE jobs SET state = 'ready', lease = NULL, leased_until = NULL WHERE state = 'running';
-- Housekeeping is planned day by day from now on, not by the task before.
DELETE FROM jobs WHERE kind = 'keep_house' AND state IN ('ready', 'dead');
DELETE FROM settings WHERE name = 'house_kept_since';
DROP INDEX jobs_due_idx;
CREATE INDEX jobs_ready_idx ON jobs (queue, run_at, id) WHERE state = 'ready';
CREATE INDEX jobs_running_idx ON jobs (leased_until) WHERE state = 'running';
CREATE INDEX jobs_dead_idx ON jobs (queue, finished_at) WHERE state = 'dead';
CREATE INDEX jobs_done_idx ON jobs (finished_at) WHERE state = 'done';
ALTER TABLE mails ADD COLUMN expires_at TEXT NULL;
ALTER TABLE mails ADD COLUMN stranger_waits BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX mails_stranger_waits_idx ON mails (id) WHERE stranger_waits = TRUE;
CREATE TABLE work_items (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    account_id TEXT NULL REFERENCES accounts (id),
    partner_id TEXT NULL,
    details TEXT NULL,
    due_at TEXT NOT NULL,
    claimed_by TEXT NULL REFERENCES users (id),
    claimed_until TEXT NULL,
    opened_at TEXT NOT NULL,
    closed_at TEXT NULL,
    closed_by TEXT NULL,
    CHECK ((closed_at IS NULL) = (closed_by IS NULL))
);
CREATE UNIQUE INDEX work_items_subject_id_key ON work_items (kind, subject_id) WHERE closed_at IS NULL;
