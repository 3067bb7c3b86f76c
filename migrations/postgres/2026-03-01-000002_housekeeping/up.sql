-- Housekeeping is planned hour by hour from now on, not by the task before.
DELETE FROM jobs WHERE kind = 'keep_house' AND state <> 'done';
CREATE INDEX refresh_tokens_expires_at_idx ON refresh_tokens (expires_at);
CREATE INDEX one_time_tokens_expires_at_idx ON one_time_tokens (expires_at);
CREATE INDEX sign_in_failures_last_at_idx ON sign_in_failures (last_at);
CREATE INDEX mails_created_at_idx ON mails (created_at);
CREATE INDEX work_items_closed_at_idx ON work_items (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX legacy_proofs_expires_at_idx ON legacy_proofs (expires_at);
