DROP INDEX jobs_failing_idx;
ALTER TABLE jobs DROP COLUMN tried_since;
