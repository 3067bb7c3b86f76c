-- Names are sorted by their code points, as SQLite does, whatever the collation of the database.
ALTER TABLE models ALTER COLUMN name_key TYPE TEXT COLLATE "C";
