-- Several old accounts may go to one account, each once.
CREATE TABLE new_legacy_takeovers (
    legacy_account_id TEXT NOT NULL PRIMARY KEY REFERENCES legacy_accounts (id),
    account_id TEXT NOT NULL REFERENCES accounts (id),
    attached_by TEXT NULL,
    reason TEXT NULL,
    created_at TEXT NOT NULL,
    migrated_at TEXT NULL
);
INSERT INTO new_legacy_takeovers SELECT * FROM legacy_takeovers;
DROP TABLE legacy_takeovers;
ALTER TABLE new_legacy_takeovers RENAME TO legacy_takeovers;
CREATE INDEX legacy_takeovers_account_id_idx ON legacy_takeovers (account_id, created_at);
ALTER TABLE member_numbers ADD COLUMN number_key TEXT NOT NULL DEFAULT '';
UPDATE member_numbers SET number_key = upper(replace(replace(number, ' ', ''), '-', ''));
-- Of old numbers that are the same one, each but the first keeps its spelling as its key.
UPDATE member_numbers SET number_key = number WHERE EXISTS (
    SELECT 1 FROM member_numbers other WHERE other.number_key = member_numbers.number_key AND other.number < member_numbers.number
);
CREATE UNIQUE INDEX member_numbers_number_key_key ON member_numbers (number_key);
