CREATE TABLE models (
    id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL CONSTRAINT models_name_key_key UNIQUE,
    category TEXT NOT NULL,
    launched_date DATE NULL,
    serial_pattern TEXT NULL,
    example BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE model_points (
    model_id UUID NOT NULL REFERENCES models (id),
    valid_from DATE NOT NULL,
    points BIGINT NOT NULL CHECK (points >= 0),
    PRIMARY KEY (model_id, valid_from)
);
CREATE TABLE products (
    id UUID NOT NULL PRIMARY KEY,
    account_id UUID NOT NULL REFERENCES accounts (id),
    model_id UUID NOT NULL REFERENCES models (id),
    version BIGINT NOT NULL CHECK (version > 0),
    status TEXT NOT NULL CHECK (status IN ('incomplete', 'complete', 'disputed', 'offered', 'ended')),
    serial_number TEXT NULL,
    serial_key TEXT NULL,
    serial_since TIMESTAMPTZ NULL,
    purchase_date DATE NULL,
    purchase_country TEXT NULL,
    dealer TEXT NULL,
    estimated TEXT NOT NULL,
    checked_at TIMESTAMPTZ NULL,
    end_reason TEXT NULL,
    legacy_reference TEXT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ NULL,
    CHECK ((status = 'ended') = (ended_at IS NOT NULL)),
    CHECK ((serial_number IS NULL) = (serial_key IS NULL))
);
CREATE UNIQUE INDEX products_serial_key_key ON products (model_id, serial_key) WHERE ended_at IS NULL AND serial_key IS NOT NULL;
CREATE INDEX products_account_id_idx ON products (account_id, id);
CREATE INDEX products_stolen_idx ON products (model_id, serial_key) WHERE end_reason = 'stolen';
CREATE TABLE legacy_accounts (
    id UUID NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL CONSTRAINT legacy_accounts_email_key_key UNIQUE,
    member_number TEXT NOT NULL CONSTRAINT legacy_accounts_member_number_key UNIQUE,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE TABLE legacy_products (
    id UUID NOT NULL PRIMARY KEY,
    legacy_account_id UUID NOT NULL REFERENCES legacy_accounts (id),
    legacy_reference TEXT NOT NULL,
    model TEXT NOT NULL,
    serial_number TEXT NULL,
    purchase_date DATE NULL,
    purchase_country TEXT NULL,
    dealer TEXT NULL,
    result TEXT NULL,
    product_id UUID NULL REFERENCES products (id),
    CONSTRAINT legacy_products_legacy_reference_key UNIQUE (legacy_account_id, legacy_reference)
);
CREATE TABLE legacy_takeovers (
    legacy_account_id UUID NOT NULL PRIMARY KEY REFERENCES legacy_accounts (id),
    account_id UUID NOT NULL CONSTRAINT legacy_takeovers_account_id_key UNIQUE REFERENCES accounts (id),
    attached_by UUID NULL,
    reason TEXT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    migrated_at TIMESTAMPTZ NULL
);
CREATE TABLE legacy_proofs (
    account_id UUID NOT NULL PRIMARY KEY REFERENCES accounts (id),
    email_key TEXT NOT NULL,
    sealed_code TEXT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    tries BIGINT NOT NULL,
    mails BIGINT NOT NULL,
    mails_since TIMESTAMPTZ NOT NULL,
    proven_at TIMESTAMPTZ NULL
);
