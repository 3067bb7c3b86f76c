CREATE TABLE points_accounts (
    account_id UUID NOT NULL PRIMARY KEY REFERENCES accounts (id),
    balance BIGINT NOT NULL,
    held BIGINT NOT NULL CHECK (held >= 0),
    seq BIGINT NOT NULL CHECK (seq >= 0),
    invited_at TIMESTAMPTZ NULL,
    below_since TIMESTAMPTZ NULL
);
CREATE TABLE points_entries (
    id UUID NOT NULL PRIMARY KEY,
    account_id UUID NOT NULL REFERENCES accounts (id),
    seq BIGINT NOT NULL CHECK (seq > 0),
    kind TEXT NOT NULL CHECK (kind IN ('award', 'reversal', 'adjustment', 'hold', 'release')),
    amount BIGINT NOT NULL,
    balance BIGINT NOT NULL,
    held BIGINT NOT NULL CHECK (held >= 0),
    product_id UUID NULL REFERENCES products (id),
    reverses UUID NULL CONSTRAINT points_entries_reverses_key UNIQUE REFERENCES points_entries (id),
    value_valid_from DATE NULL,
    reason TEXT NOT NULL,
    made_by UUID NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT points_entries_seq_key UNIQUE (account_id, seq),
    CHECK ((kind = 'reversal') = (reverses IS NOT NULL)),
    CHECK ((kind = 'award') = (value_valid_from IS NOT NULL)),
    CHECK (kind = 'adjustment' OR product_id IS NOT NULL)
);
CREATE INDEX points_entries_product_id_idx ON points_entries (product_id);
CREATE INDEX points_entries_created_at_idx ON points_entries (account_id, created_at);

CREATE FUNCTION points_entries_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'points_entries: an entry is never changed or deleted';
END $$;
CREATE TRIGGER points_entries_no_change BEFORE UPDATE OR DELETE ON points_entries
    FOR EACH ROW EXECUTE FUNCTION points_entries_refuse();
CREATE TRIGGER points_entries_no_truncate BEFORE TRUNCATE ON points_entries
    FOR EACH STATEMENT EXECUTE FUNCTION points_entries_refuse();

CREATE FUNCTION points_entries_check() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last points_entries%ROWTYPE;
    award points_entries%ROWTYPE;
BEGIN
    SELECT * INTO last FROM points_entries WHERE account_id = NEW.account_id ORDER BY seq DESC LIMIT 1;
    IF NEW.seq <> COALESCE(last.seq, 0) + 1 THEN
        RAISE EXCEPTION 'points_entries: seq has a gap';
    END IF;
    IF NEW.balance <> COALESCE(last.balance, 0) + (CASE WHEN NEW.kind IN ('hold', 'release') THEN 0 ELSE NEW.amount END) THEN
        RAISE EXCEPTION 'points_entries: the balance is not that of the entries';
    END IF;
    IF NEW.held <> COALESCE(last.held, 0) + (CASE NEW.kind WHEN 'hold' THEN NEW.amount WHEN 'release' THEN -NEW.amount ELSE 0 END) THEN
        RAISE EXCEPTION 'points_entries: held is not that of the entries';
    END IF;
    IF NEW.kind = 'award' AND EXISTS (
        SELECT 1 FROM points_entries a WHERE a.product_id = NEW.product_id AND a.kind = 'award'
            AND NOT EXISTS (SELECT 1 FROM points_entries r WHERE r.reverses = a.id)
    ) THEN
        RAISE EXCEPTION 'points_entries: the registration has an award that stands';
    END IF;
    IF NEW.kind = 'reversal' THEN
        SELECT * INTO award FROM points_entries WHERE id = NEW.reverses;
        IF NOT FOUND OR award.kind <> 'award' OR award.account_id <> NEW.account_id OR award.product_id <> NEW.product_id OR award.amount <> -NEW.amount THEN
            RAISE EXCEPTION 'points_entries: a reversal takes back one award for its amount';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER points_entries_right BEFORE INSERT ON points_entries
    FOR EACH ROW EXECUTE FUNCTION points_entries_check();
