ALTER TABLE users ADD COLUMN invited_until TEXT NULL;
-- Whoever waits for a first password was invited, but for the first user of an account that was approved, and staff.
UPDATE users SET invited_until = strftime('%Y-%m-%dT%H:%M:%f000Z', created_at, '+5 days')
WHERE password_hash IS NULL AND removed_at IS NULL AND account_id IN
    (SELECT id FROM accounts WHERE status <> 'approved' AND (suspended_from IS NULL OR suspended_from <> 'approved'));
DROP INDEX users_email_key_key;
CREATE UNIQUE INDEX users_email_key_key ON users (email_key) WHERE removed_at IS NULL AND invited_until IS NULL;
CREATE INDEX users_invited_idx ON users (email_key) WHERE removed_at IS NULL AND invited_until IS NOT NULL;
