CREATE TABLE accounts (
    id TEXT NOT NULL PRIMARY KEY,
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
    authority_declared_at TEXT NOT NULL,
    authority_declared_from TEXT NOT NULL,
    terms_version TEXT NOT NULL,
    terms_accepted_at TEXT NOT NULL,
    applicant_token_hash TEXT NULL CONSTRAINT accounts_applicant_token_hash_key UNIQUE,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    approved_at TEXT NULL,
    ended_at TEXT NULL,
    suspended_from TEXT NULL CHECK (suspended_from IN ('approved', 'active')),
    CHECK ((status = 'suspended') = (suspended_from IS NOT NULL))
);
CREATE INDEX accounts_contact_email_key_idx ON accounts (contact_email_key);
CREATE INDEX accounts_vat_number_idx ON accounts (country, vat_number);
CREATE INDEX accounts_status_idx ON accounts (status, id);
CREATE TABLE reviews (
    account_id TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id),
    submitted_at TEXT NOT NULL,
    due_at TEXT NOT NULL,
    asked_at TEXT NULL,
    asked_note TEXT NULL,
    claimed_by TEXT NULL,
    claimed_until TEXT NULL,
    decision TEXT NULL,
    decision_codes TEXT NOT NULL,
    decision_note TEXT NULL,
    decided_by TEXT NULL,
    decided_at TEXT NULL
);
CREATE INDEX reviews_due_at_idx ON reviews (due_at, account_id);
CREATE TABLE documents (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    version BIGINT NOT NULL CHECK (version > 0),
    kind TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'accepted', 'revision_requested', 'rejected')),
    codes TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size BIGINT NOT NULL CHECK (size > 0),
    sha256 TEXT NOT NULL,
    file_name TEXT NOT NULL,
    issued_date DATE NULL,
    file_key TEXT NULL CONSTRAINT documents_file_key_key UNIQUE,
    decided_by TEXT NULL,
    decided_at TEXT NULL,
    created_at TEXT NOT NULL,
    removed_at TEXT NULL
);
CREATE INDEX documents_account_id_idx ON documents (account_id, id);
