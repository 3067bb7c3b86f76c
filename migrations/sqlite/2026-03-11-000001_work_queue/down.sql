DELETE FROM work_items WHERE kind <> 'dead_job';
DROP INDEX work_items_due_at_idx;
