UPDATE accounts SET applicant_token_hash =
    (SELECT max(token_hash) FROM applicant_tokens WHERE applicant_tokens.account_id = accounts.id)
WHERE applicant_token_hash IS NULL AND status IN ('draft', 'submitted', 'in_review', 'information_requested');
ALTER TABLE accounts DROP COLUMN mailbox_used_at;
DROP TABLE applicant_tokens;
