CREATE TABLE accounts (
    id UUID NOT NULL PRIMARY KEY,
    account_number TEXT NOT NULL CONSTRAINT accounts_account_number_key UNIQUE,
    status TEXT NOT NULL CHECK (status IN ('draft', 'submitted', 'in_review', 'information_requested', 'approved', 'active', 'rejected', 'withdrawn', 'expired', 'suspended', 'closed')),
    version BIGINT NOT NULL CHECK (version > 0),
    company_name TEXT NOT NULL,
    company_key TEXT NOT NULL,
    country TEXT NOT NULL,
    vat_registered BOOLEAN NOT NULL,
    vat_number TEXT NULL,
    street TEXT NOT NULL,
    postal_code TEXT NOT NULL,
    city TEXT NOT NULL,
    contact_name TEXT NOT NULL,
    contact_email TEXT NOT NULL,
    contact_email_key TEXT NOT NULL,
    contact_phone TEXT NULL,
    legacy_cps_email TEXT NULL,
    language TEXT NOT NULL,
    source TEXT NULL,
    authority_declared_at TIMESTAMPTZ NOT NULL,
    authority_declared_from TEXT NOT NULL,
    terms_version TEXT NOT NULL,
    terms_accepted_at TIMESTAMPTZ NOT NULL,
    applicant_token_hash TEXT NULL CONSTRAINT accounts_applicant_token_hash_key UNIQUE,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    approved_at TIMESTAMPTZ NULL,
    ended_at TIMESTAMPTZ NULL,
    suspended_from TEXT NULL CHECK (suspended_from IN ('approved', 'active')),
    CHECK ((status = 'suspended') = (suspended_from IS NOT NULL))
);
CREATE INDEX accounts_contact_email_key_idx ON accounts (contact_email_key);
CREATE INDEX accounts_vat_number_idx ON accounts (country, vat_number);
CREATE INDEX accounts_status_idx ON accounts (status, id);
CREATE TABLE reviews (
    account_id UUID NOT NULL PRIMARY KEY REFERENCES accounts (id),
    submitted_at TIMESTAMPTZ NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    asked_at TIMESTAMPTZ NULL,
    asked_note TEXT NULL,
    claimed_by UUID NULL,
    claimed_until TIMESTAMPTZ NULL,
    decision TEXT NULL,
    decision_codes JSONB NOT NULL,
    decision_note TEXT NULL,
    decided_by UUID NULL,
    decided_at TIMESTAMPTZ NULL
);
CREATE INDEX reviews_due_at_idx ON reviews (due_at, account_id);
CREATE TABLE documents (
    id UUID NOT NULL PRIMARY KEY,
    account_id UUID NOT NULL REFERENCES accounts (id),
    version BIGINT NOT NULL CHECK (version > 0),
    kind TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'accepted', 'revision_requested', 'rejected')),
    codes JSONB NOT NULL,
    media_type TEXT NOT NULL,
    size BIGINT NOT NULL CHECK (size > 0),
    sha256 TEXT NOT NULL,
    file_name TEXT NOT NULL,
    issued_date DATE NULL,
    file_key TEXT NULL CONSTRAINT documents_file_key_key UNIQUE,
    decided_by UUID NULL,
    decided_at TIMESTAMPTZ NULL,
    created_at TIMESTAMPTZ NOT NULL,
    removed_at TIMESTAMPTZ NULL
);
CREATE INDEX documents_account_id_idx ON documents (account_id, id);
