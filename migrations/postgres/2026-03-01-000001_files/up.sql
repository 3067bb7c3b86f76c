-- A file has a row before it has bytes, so that what is unfinished is found by its row.
CREATE TABLE files (
    key TEXT NOT NULL PRIMARY KEY,
    account_id UUID NOT NULL REFERENCES accounts (id),
    state TEXT NOT NULL CHECK (state IN ('receiving', 'scanning', 'stored', 'refused', 'gone')),
    created_at TIMESTAMPTZ NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX files_account_id_idx ON files (account_id);
CREATE INDEX files_receiving_idx ON files (created_at) WHERE state = 'receiving';
CREATE INDEX files_unwanted_idx ON files (key) WHERE state IN ('refused', 'gone');

INSERT INTO files (key, account_id, state, created_at, changed_at)
SELECT file_key, account_id, 'stored', created_at, created_at FROM documents WHERE file_key IS NOT NULL;
