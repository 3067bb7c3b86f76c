DROP TRIGGER points_entries_in_time;
