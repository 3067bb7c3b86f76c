CREATE TABLE partners (
    id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL CHECK (version > 0),
    name TEXT NOT NULL,
    country TEXT NOT NULL,
    contact_email TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'suspended')),
    lines_per_day BIGINT NULL CHECK (lines_per_day >= 0),
    created_at TEXT NOT NULL
);
CREATE TABLE credentials (
    id TEXT NOT NULL PRIMARY KEY,
    partner_id TEXT NOT NULL REFERENCES partners (id),
    version BIGINT NOT NULL CHECK (version > 0),
    name TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    previous_hash TEXT NULL,
    previous_until TEXT NULL,
    scopes TEXT NOT NULL,
    networks TEXT NOT NULL,
    created_at TEXT NOT NULL,
    last_used_at TEXT NULL,
    revoked_at TEXT NULL,
    CHECK ((previous_hash IS NULL) = (previous_until IS NULL))
);
CREATE INDEX credentials_partner_id_idx ON credentials (partner_id, id);
-- What a partner has used of its quotas on a day of UTC.
CREATE TABLE partner_days (
    partner_id TEXT NOT NULL REFERENCES partners (id),
    day DATE NOT NULL,
    lines BIGINT NOT NULL CHECK (lines >= 0),
    dry_run_lines BIGINT NOT NULL CHECK (dry_run_lines >= 0),
    unmatched BIGINT NOT NULL CHECK (unmatched >= 0),
    silent_matches BIGINT NOT NULL CHECK (silent_matches >= 0),
    PRIMARY KEY (partner_id, day)
);
CREATE INDEX partner_days_day_idx ON partner_days (day);
CREATE TABLE trusted_partners (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    partner_id TEXT NOT NULL REFERENCES partners (id),
    since TEXT NOT NULL,
    PRIMARY KEY (account_id, partner_id)
);
CREATE TABLE registrations (
    id TEXT NOT NULL PRIMARY KEY,
    partner_id TEXT NOT NULL REFERENCES partners (id),
    external_id TEXT NOT NULL,
    verb TEXT NOT NULL CHECK (verb IN ('register', 'return', 'correct')),
    of_id TEXT NULL REFERENCES registrations (id),
    body_hash TEXT NOT NULL,
    status TEXT NOT NULL,
    code TEXT NULL,
    reason TEXT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    product_id TEXT NULL REFERENCES products (id),
    model_id TEXT NULL REFERENCES models (id),
    serial_key TEXT NULL,
    reported TEXT NULL,
    offer_expires_at TEXT NULL,
    version BIGINT NOT NULL CHECK (version > 0),
    created_at TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    CONSTRAINT registrations_external_id_key UNIQUE (partner_id, external_id),
    CHECK ((verb = 'register') = (of_id IS NULL))
);
CREATE UNIQUE INDEX registrations_serial_key_key ON registrations (partner_id, model_id, serial_key)
    WHERE verb = 'register' AND status IN ('registered', 'offered', 'held', 'contested');
CREATE INDEX registrations_partner_id_idx ON registrations (partner_id, id);
CREATE INDEX registrations_product_id_idx ON registrations (product_id);
CREATE INDEX registrations_account_id_idx ON registrations (account_id, model_id, serial_key);
CREATE INDEX registrations_of_id_idx ON registrations (of_id);
CREATE INDEX registrations_offer_expires_at_idx ON registrations (offer_expires_at) WHERE offer_expires_at IS NOT NULL;

CREATE TABLE model_gtins (
    gtin TEXT NOT NULL PRIMARY KEY,
    model_id TEXT NOT NULL REFERENCES models (id)
);
CREATE INDEX model_gtins_model_id_idx ON model_gtins (model_id);
ALTER TABLE models ADD COLUMN manufacturer_code TEXT NULL;
ALTER TABLE models ADD COLUMN changed_in BIGINT NOT NULL DEFAULT 1;
CREATE UNIQUE INDEX models_manufacturer_code_key ON models (manufacturer_code);
CREATE INDEX models_changed_in_idx ON models (changed_in, id);
-- The catalogue's version counts from now on.
UPDATE settings SET value = '1' WHERE name = 'catalogue_version';

-- An offer and a claimant's product have a serial number without holding it.
ALTER TABLE products ADD COLUMN holds_serial BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE products ADD COLUMN evidence TEXT NOT NULL DEFAULT 'stated';
ALTER TABLE products ADD COLUMN recovered_at TEXT NULL;
UPDATE products SET holds_serial = TRUE WHERE ended_at IS NULL AND serial_key IS NOT NULL AND status <> 'offered';
DROP INDEX products_serial_key_key;
CREATE UNIQUE INDEX products_serial_key_key ON products (model_id, serial_key) WHERE holds_serial;
