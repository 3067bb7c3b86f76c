ALTER TABLE sign_in_failures RENAME COLUMN email_hash TO counted_hash;
