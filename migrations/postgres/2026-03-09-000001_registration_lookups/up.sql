-- Staff look for a line of any dealer.
CREATE INDEX registrations_external_id_idx ON registrations (external_id, id);
CREATE INDEX registrations_serial_key_idx ON registrations (serial_key, id);
