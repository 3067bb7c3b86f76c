ALTER TABLE reviews DROP COLUMN version;
ALTER TABLE points_accounts DROP COLUMN last_at;
DROP TRIGGER points_entries_no_update;
ALTER TABLE points_entries ADD COLUMN made_by TEXT NULL;
UPDATE points_entries SET made_by = substr(substr(actor, instr(actor, '_') + 1),1,8)||'-'||substr(substr(actor, instr(actor, '_') + 1),9,4)||'-'||substr(substr(actor, instr(actor, '_') + 1),13,4)||'-'||substr(substr(actor, instr(actor, '_') + 1),17,4)||'-'||substr(substr(actor, instr(actor, '_') + 1),21)
WHERE actor LIKE 'staff:usr!_%' ESCAPE '!' OR actor LIKE 'user:usr!_%' ESCAPE '!';
ALTER TABLE points_entries DROP COLUMN actor;
CREATE TRIGGER points_entries_no_update BEFORE UPDATE ON points_entries
BEGIN
    SELECT RAISE(ABORT, 'points_entries: an entry is never changed or deleted');
END;
