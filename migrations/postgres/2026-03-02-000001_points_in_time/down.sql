DROP TRIGGER points_entries_in_time ON points_entries;
DROP FUNCTION points_entries_check_time;
