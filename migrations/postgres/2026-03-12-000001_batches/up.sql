CREATE TABLE registration_batches (
    id UUID NOT NULL PRIMARY KEY,
    partner_id UUID NOT NULL REFERENCES partners (id),
    credential_id UUID NOT NULL REFERENCES credentials (id),
    version BIGINT NOT NULL CHECK (version > 0),
    status TEXT NOT NULL CHECK (status IN ('receiving', 'queued', 'running', 'completed', 'cancelled', 'failed')),
    dry_run BOOLEAN NOT NULL,
    header JSONB NULL,
    lines BIGINT NOT NULL CHECK (lines >= 0),
    done BIGINT NOT NULL CHECK (done >= 0 AND done <= lines),
    counts JSONB NOT NULL,
    request_id TEXT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    queued_at TIMESTAMPTZ NULL,
    completed_at TIMESTAMPTZ NULL,
    CHECK ((status = 'receiving') = (queued_at IS NULL)),
    CHECK ((status IN ('completed', 'cancelled')) = (completed_at IS NOT NULL))
);
CREATE INDEX registration_batches_partner_id_idx ON registration_batches (partner_id, id);
CREATE INDEX registration_batches_open_idx ON registration_batches (partner_id, queued_at) WHERE status IN ('queued', 'running');
CREATE TABLE registration_lines (
    batch_id UUID NOT NULL REFERENCES registration_batches (id),
    line BIGINT NOT NULL CHECK (line > 0),
    external_id TEXT NULL,
    body TEXT NULL,
    status TEXT NOT NULL,
    code TEXT NULL,
    errors JSONB NULL,
    registration_id UUID NULL REFERENCES registrations (id),
    PRIMARY KEY (batch_id, line)
);
CREATE INDEX registration_lines_pending_idx ON registration_lines (batch_id, line) WHERE status = 'pending';
CREATE INDEX registration_lines_registration_id_idx ON registration_lines (registration_id) WHERE registration_id IS NOT NULL;

ALTER TABLE registrations ADD COLUMN batch_id UUID NULL REFERENCES registration_batches (id);
CREATE INDEX registrations_batch_id_idx ON registrations (batch_id, id) WHERE batch_id IS NOT NULL;
