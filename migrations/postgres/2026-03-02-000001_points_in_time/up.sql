CREATE FUNCTION points_entries_check_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.created_at < (SELECT created_at FROM points_entries WHERE account_id = NEW.account_id ORDER BY seq DESC LIMIT 1) THEN
        RAISE EXCEPTION 'points_entries: the entry lies before the last one';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER points_entries_in_time BEFORE INSERT ON points_entries
    FOR EACH ROW EXECUTE FUNCTION points_entries_check_time();
