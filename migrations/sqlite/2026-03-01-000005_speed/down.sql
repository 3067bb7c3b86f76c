CREATE INDEX products_stolen_idx ON products (model_id, serial_key) WHERE end_reason = 'stolen';
DROP INDEX products_serial_key_idx;
