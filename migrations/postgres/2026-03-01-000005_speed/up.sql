CREATE INDEX products_serial_key_idx ON products (serial_key, model_id);
DROP INDEX products_stolen_idx;
