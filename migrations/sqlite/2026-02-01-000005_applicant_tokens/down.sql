ALTER TABLE accounts DROP COLUMN mailbox_used_at;
DROP TABLE applicant_tokens;
