CREATE TABLE applicant_tokens (
    token_hash TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    created_at TEXT NOT NULL
);
CREATE INDEX applicant_tokens_account_id_idx ON applicant_tokens (account_id);
CREATE INDEX applicant_tokens_created_at_idx ON applicant_tokens (created_at);
ALTER TABLE accounts ADD COLUMN mailbox_used_at TEXT NULL;
-- Whoever was asked for information came by a mailed link.
INSERT INTO applicant_tokens (token_hash, account_id, created_at)
SELECT applicant_token_hash, id, updated_at FROM accounts WHERE status = 'information_requested' AND applicant_token_hash IS NOT NULL;
UPDATE accounts SET applicant_token_hash = NULL WHERE status = 'information_requested';
