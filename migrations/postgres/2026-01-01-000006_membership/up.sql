CREATE TABLE cards (
    id UUID NOT NULL PRIMARY KEY,
    account_id UUID NOT NULL REFERENCES accounts (id),
    provider_token TEXT NOT NULL,
    brand TEXT NOT NULL,
    last4 TEXT NOT NULL,
    expires_year BIGINT NOT NULL,
    expires_month BIGINT NOT NULL CHECK (expires_month BETWEEN 1 AND 12),
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX cards_account_id_idx ON cards (account_id, id);
CREATE TABLE memberships (
    id UUID NOT NULL PRIMARY KEY,
    account_id UUID NOT NULL REFERENCES accounts (id),
    version BIGINT NOT NULL CHECK (version > 0),
    member_number TEXT NOT NULL,
    level TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'ended')),
    starts_date DATE NOT NULL,
    ends_date DATE NOT NULL,
    payment_method TEXT NOT NULL CHECK (payment_method IN ('card', 'bank_transfer')),
    card_id UUID NULL REFERENCES cards (id),
    fee_cents BIGINT NOT NULL CHECK (fee_cents >= 0),
    currency TEXT NOT NULL,
    points_at_joining BIGINT NOT NULL,
    terms_version TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ NULL,
    CHECK ((payment_method = 'card') = (card_id IS NOT NULL)),
    CHECK ((status = 'ended') = (ended_at IS NOT NULL))
);
CREATE UNIQUE INDEX memberships_account_id_key ON memberships (account_id) WHERE status = 'active';
CREATE TABLE member_numbers (
    number TEXT NOT NULL PRIMARY KEY,
    account_id UUID NULL REFERENCES accounts (id),
    membership_id UUID NULL REFERENCES memberships (id),
    legacy_account_id UUID NULL REFERENCES legacy_accounts (id),
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX member_numbers_account_id_idx ON member_numbers (account_id);
CREATE TABLE invoice_counters (
    seller TEXT NOT NULL,
    year BIGINT NOT NULL,
    last BIGINT NOT NULL CHECK (last >= 0),
    PRIMARY KEY (seller, year)
);
CREATE TABLE invoices (
    id UUID NOT NULL PRIMARY KEY,
    account_id UUID NOT NULL REFERENCES accounts (id),
    membership_id UUID NOT NULL CONSTRAINT invoices_membership_id_key UNIQUE REFERENCES memberships (id),
    version BIGINT NOT NULL CHECK (version > 0),
    number TEXT NOT NULL CONSTRAINT invoices_number_key UNIQUE,
    seller_key TEXT NOT NULL,
    year BIGINT NOT NULL,
    seq BIGINT NOT NULL CHECK (seq > 0),
    status TEXT NOT NULL CHECK (status IN ('open', 'paid', 'credited')),
    issued_date DATE NOT NULL,
    due_date DATE NOT NULL,
    currency TEXT NOT NULL,
    net_cents BIGINT NOT NULL,
    vat_cents BIGINT NOT NULL,
    gross_cents BIGINT NOT NULL,
    payment_method TEXT NOT NULL,
    payment_reference TEXT NULL CONSTRAINT invoices_payment_reference_key UNIQUE,
    content JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT invoices_seq_key UNIQUE (seller_key, year, seq),
    CHECK (gross_cents = net_cents + vat_cents)
);
CREATE INDEX invoices_account_id_idx ON invoices (account_id, id);
