DROP TABLE points_entries;
DROP TABLE points_accounts;
