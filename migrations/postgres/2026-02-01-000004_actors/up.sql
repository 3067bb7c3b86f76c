ALTER TABLE points_entries DISABLE TRIGGER points_entries_no_change;
ALTER TABLE points_entries ADD COLUMN actor TEXT NOT NULL DEFAULT 'service:unknown';
UPDATE points_entries SET actor =
    (SELECT CASE WHEN users.account_id IS NULL THEN 'staff:usr_' ELSE 'user:usr_' END FROM users WHERE users.id = points_entries.made_by)
    || replace(made_by::text, '-', '')
WHERE made_by IN (SELECT id FROM users);
ALTER TABLE points_entries ALTER COLUMN actor DROP DEFAULT;
ALTER TABLE points_entries DROP COLUMN made_by;
ALTER TABLE points_entries ENABLE TRIGGER points_entries_no_change;

ALTER TABLE points_accounts ADD COLUMN last_at TIMESTAMPTZ NULL;
UPDATE points_accounts SET last_at =
    (SELECT created_at FROM points_entries WHERE points_entries.account_id = points_accounts.account_id AND points_entries.seq = points_accounts.seq);

ALTER TABLE reviews ADD COLUMN version BIGINT NOT NULL DEFAULT 1 CHECK (version > 0);
