CREATE TABLE applicant_tokens (
    token_hash TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    created_at TEXT NOT NULL
);
CREATE INDEX applicant_tokens_account_id_idx ON applicant_tokens (account_id);
CREATE INDEX applicant_tokens_created_at_idx ON applicant_tokens (created_at);
ALTER TABLE accounts ADD COLUMN mailbox_used_at TEXT NULL;
