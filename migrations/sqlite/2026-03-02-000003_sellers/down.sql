ALTER TABLE jobs DROP COLUMN seller_key;
ALTER TABLE memberships DROP COLUMN seller_key;
