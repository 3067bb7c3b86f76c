ALTER TABLE sign_in_failures RENAME COLUMN counted_hash TO email_hash;
