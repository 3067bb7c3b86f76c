DROP INDEX registrations_batch_id_idx;
ALTER TABLE registrations DROP COLUMN batch_id;
DROP TABLE registration_lines;
DROP TABLE registration_batches;
