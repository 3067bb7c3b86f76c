ALTER TABLE credentials DROP COLUMN token_version;
