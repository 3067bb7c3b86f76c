CREATE TABLE points_accounts (
    account_id TEXT NOT NULL PRIMARY KEY REFERENCES accounts (id),
    balance BIGINT NOT NULL,
    held BIGINT NOT NULL CHECK (held >= 0),
    seq BIGINT NOT NULL CHECK (seq >= 0),
    invited_at TEXT NULL,
    below_since TEXT NULL
);
CREATE TABLE points_entries (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    seq BIGINT NOT NULL CHECK (seq > 0),
    kind TEXT NOT NULL CHECK (kind IN ('award', 'reversal', 'adjustment', 'hold', 'release')),
    amount BIGINT NOT NULL,
    balance BIGINT NOT NULL,
    held BIGINT NOT NULL CHECK (held >= 0),
    product_id TEXT NULL REFERENCES products (id),
    reverses TEXT NULL CONSTRAINT points_entries_reverses_key UNIQUE REFERENCES points_entries (id),
    value_valid_from DATE NULL,
    reason TEXT NOT NULL,
    made_by TEXT NULL,
    created_at TEXT NOT NULL,
    CONSTRAINT points_entries_seq_key UNIQUE (account_id, seq),
    CHECK ((kind = 'reversal') = (reverses IS NOT NULL)),
    CHECK ((kind = 'award') = (value_valid_from IS NOT NULL)),
    CHECK (kind = 'adjustment' OR product_id IS NOT NULL)
);
CREATE INDEX points_entries_product_id_idx ON points_entries (product_id);
CREATE INDEX points_entries_created_at_idx ON points_entries (account_id, created_at);

CREATE TRIGGER points_entries_no_update BEFORE UPDATE ON points_entries
BEGIN
    SELECT RAISE(ABORT, 'points_entries: an entry is never changed or deleted');
END;
CREATE TRIGGER points_entries_no_delete BEFORE DELETE ON points_entries
BEGIN
    SELECT RAISE(ABORT, 'points_entries: an entry is never changed or deleted');
END;
CREATE TRIGGER points_entries_right BEFORE INSERT ON points_entries
BEGIN
    SELECT RAISE(ABORT, 'points_entries: seq has a gap')
    WHERE NEW.seq <> COALESCE((SELECT MAX(seq) FROM points_entries WHERE account_id = NEW.account_id), 0) + 1;
    SELECT RAISE(ABORT, 'points_entries: the balance is not that of the entries')
    WHERE NEW.balance <> COALESCE((SELECT balance FROM points_entries WHERE account_id = NEW.account_id ORDER BY seq DESC LIMIT 1), 0)
        + CASE WHEN NEW.kind IN ('hold', 'release') THEN 0 ELSE NEW.amount END;
    SELECT RAISE(ABORT, 'points_entries: held is not that of the entries')
    WHERE NEW.held <> COALESCE((SELECT held FROM points_entries WHERE account_id = NEW.account_id ORDER BY seq DESC LIMIT 1), 0)
        + CASE NEW.kind WHEN 'hold' THEN NEW.amount WHEN 'release' THEN -NEW.amount ELSE 0 END;
    SELECT RAISE(ABORT, 'points_entries: the registration has an award that stands')
    WHERE NEW.kind = 'award' AND EXISTS (
        SELECT 1 FROM points_entries a WHERE a.product_id = NEW.product_id AND a.kind = 'award'
            AND NOT EXISTS (SELECT 1 FROM points_entries r WHERE r.reverses = a.id)
    );
    SELECT RAISE(ABORT, 'points_entries: a reversal takes back one award for its amount')
    WHERE NEW.kind = 'reversal' AND NOT EXISTS (
        SELECT 1 FROM points_entries a WHERE a.id = NEW.reverses AND a.kind = 'award' AND a.account_id = NEW.account_id
            AND a.product_id = NEW.product_id AND a.amount = -NEW.amount
    );
END;
