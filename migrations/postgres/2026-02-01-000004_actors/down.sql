ALTER TABLE reviews DROP COLUMN version;
ALTER TABLE points_accounts DROP COLUMN last_at;
ALTER TABLE points_entries DISABLE TRIGGER points_entries_no_change;
ALTER TABLE points_entries ADD COLUMN made_by UUID NULL;
UPDATE points_entries SET made_by = CAST(split_part(actor, '_', 2) AS UUID)
WHERE actor LIKE 'staff:usr!_%' ESCAPE '!' OR actor LIKE 'user:usr!_%' ESCAPE '!';
ALTER TABLE points_entries DROP COLUMN actor;
ALTER TABLE points_entries ENABLE TRIGGER points_entries_no_change;
