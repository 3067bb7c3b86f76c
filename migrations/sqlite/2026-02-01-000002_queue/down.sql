DROP TABLE work_items;
DROP INDEX mails_stranger_waits_idx;
ALTER TABLE mails DROP COLUMN stranger_waits;
ALTER TABLE mails DROP COLUMN expires_at;
DROP INDEX jobs_done_idx;
DROP INDEX jobs_dead_idx;
DROP INDEX jobs_running_idx;
DROP INDEX jobs_ready_idx;
-- What comes with the later version has no place in the earlier one's queue.
DELETE FROM jobs WHERE kind IN ('keep_house', 'sweep_files') AND state <> 'done';
ALTER TABLE jobs DROP COLUMN error_class;
ALTER TABLE jobs DROP COLUMN queue;
CREATE INDEX jobs_due_idx ON jobs (run_at, id) WHERE state IN ('ready', 'running');
