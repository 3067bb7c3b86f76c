DROP TABLE registration_lines;
DROP TABLE registration_batches;
