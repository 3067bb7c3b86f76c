CREATE INDEX work_items_due_at_idx ON work_items (due_at, id) WHERE closed_at IS NULL;
-- Each serial number that is held waits for staff; an item has the number of its product.
INSERT INTO work_items (id, kind, subject_id, account_id, due_at, opened_at)
SELECT id, 'stolen_serial', 'prd_' || replace(CAST(id AS TEXT), '-', ''), account_id, updated_at, updated_at
FROM products WHERE status = 'disputed';
