DROP TABLE points_entries;
DROP TABLE points_accounts;
DROP FUNCTION points_entries_check();
DROP FUNCTION points_entries_refuse();
