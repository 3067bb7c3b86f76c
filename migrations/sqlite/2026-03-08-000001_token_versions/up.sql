-- Raised by whatever ends the tokens of a credential.
ALTER TABLE credentials ADD COLUMN token_version BIGINT NOT NULL DEFAULT 1;
