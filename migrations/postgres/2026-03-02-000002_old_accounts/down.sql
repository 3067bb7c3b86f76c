DROP INDEX member_numbers_number_key_key;
ALTER TABLE member_numbers DROP COLUMN number_key;
DROP INDEX legacy_takeovers_account_id_idx;
ALTER TABLE legacy_takeovers ADD CONSTRAINT legacy_takeovers_account_id_key UNIQUE (account_id);
