UPDATE users SET removed_at = invited_until WHERE invited_until IS NOT NULL AND removed_at IS NULL;
DROP INDEX users_invited_idx;
DROP INDEX users_email_key_key;
ALTER TABLE users DROP COLUMN invited_until;
CREATE UNIQUE INDEX users_email_key_key ON users (email_key) WHERE removed_at IS NULL;
