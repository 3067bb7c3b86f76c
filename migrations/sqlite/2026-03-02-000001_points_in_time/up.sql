CREATE TRIGGER points_entries_in_time BEFORE INSERT ON points_entries
BEGIN
    SELECT RAISE(ABORT, 'points_entries: the entry lies before the last one')
    WHERE NEW.created_at < (SELECT created_at FROM points_entries WHERE account_id = NEW.account_id ORDER BY seq DESC LIMIT 1);
END;
