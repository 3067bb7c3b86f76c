-- When a job was first begun since it came, or was revived.
ALTER TABLE jobs ADD COLUMN tried_since TIMESTAMPTZ NULL;
CREATE INDEX jobs_failing_idx ON jobs (queue, tried_since) WHERE state = 'ready' AND tried_since IS NOT NULL;
