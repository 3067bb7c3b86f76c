DROP INDEX member_numbers_number_key_key;
ALTER TABLE member_numbers DROP COLUMN number_key;
CREATE TABLE new_legacy_takeovers (
    legacy_account_id TEXT NOT NULL PRIMARY KEY REFERENCES legacy_accounts (id),
    account_id TEXT NOT NULL CONSTRAINT legacy_takeovers_account_id_key UNIQUE REFERENCES accounts (id),
    attached_by TEXT NULL,
    reason TEXT NULL,
    created_at TEXT NOT NULL,
    migrated_at TEXT NULL
);
INSERT INTO new_legacy_takeovers SELECT * FROM legacy_takeovers;
DROP TABLE legacy_takeovers;
ALTER TABLE new_legacy_takeovers RENAME TO legacy_takeovers;
