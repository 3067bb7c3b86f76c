DROP INDEX legacy_proofs_expires_at_idx;
DROP INDEX work_items_closed_at_idx;
DROP INDEX mails_created_at_idx;
DROP INDEX sign_in_failures_last_at_idx;
DROP INDEX one_time_tokens_expires_at_idx;
DROP INDEX refresh_tokens_expires_at_idx;
DELETE FROM jobs WHERE kind = 'keep_house' AND state <> 'done';
