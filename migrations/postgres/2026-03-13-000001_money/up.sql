-- Money: what was bought, invoices that count, what came and where each cent of it went.
CREATE TABLE seller_terms (
    id UUID NOT NULL PRIMARY KEY,
    seller_key TEXT NOT NULL,
    sha256 TEXT NOT NULL CONSTRAINT seller_terms_sha256_key UNIQUE,
    content JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX seller_terms_seller_key_idx ON seller_terms (seller_key, id);

CREATE TABLE purchases (
    id UUID NOT NULL PRIMARY KEY,
    account_id UUID NOT NULL REFERENCES accounts (id),
    version BIGINT NOT NULL CHECK (version > 0),
    kind TEXT NOT NULL CHECK (kind IN ('join', 'upgrade', 'renewal', 'reinstatement')),
    state TEXT NOT NULL CHECK (state IN ('booked', 'started', 'undone')),
    membership_id UUID NULL REFERENCES memberships (id),
    from_membership_id UUID NULL REFERENCES memberships (id),
    level TEXT NOT NULL,
    level_name TEXT NOT NULL,
    from_level TEXT NULL,
    fee_cents BIGINT NOT NULL CHECK (fee_cents >= 0),
    from_fee_cents BIGINT NULL CHECK (from_fee_cents >= 0),
    net_cents BIGINT NOT NULL CHECK (net_cents >= 0),
    currency TEXT NOT NULL,
    starts_date DATE NOT NULL,
    ends_date DATE NOT NULL,
    term_days BIGINT NOT NULL CHECK (term_days > 0),
    days_left BIGINT NOT NULL,
    products BIGINT NOT NULL CHECK (products >= 0),
    points BIGINT NOT NULL,
    seller_terms_id UUID NOT NULL REFERENCES seller_terms (id),
    payment_method TEXT NOT NULL CHECK (payment_method IN ('card', 'bank_transfer')),
    terms_version TEXT NOT NULL,
    actor TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CHECK (starts_date <= ends_date),
    CHECK (days_left BETWEEN 1 AND term_days),
    CHECK (state = 'booked' OR membership_id IS NOT NULL),
    CHECK ((kind = 'join') = (from_membership_id IS NULL)),
    CHECK ((kind = 'upgrade') = (from_level IS NOT NULL)),
    CHECK ((kind = 'upgrade') = (from_fee_cents IS NOT NULL))
);
CREATE INDEX purchases_account_id_idx ON purchases (account_id, id);
CREATE INDEX purchases_membership_id_idx ON purchases (membership_id);
-- What a membership began with is bought once.
CREATE UNIQUE INDEX purchases_membership_id_key ON purchases (membership_id) WHERE kind = 'join';
CREATE UNIQUE INDEX purchases_from_membership_id_key ON purchases (from_membership_id) WHERE kind = 'renewal' AND state = 'booked';

-- An invoice is rebuilt with what it says: whatever stands keeps its number, its sums and its words. Nothing refers to one yet.
CREATE TABLE invoices_before AS SELECT * FROM invoices;
DROP TABLE invoices;
CREATE TABLE invoices (
    id UUID NOT NULL PRIMARY KEY,
    account_id UUID NOT NULL REFERENCES accounts (id),
    membership_id UUID NOT NULL REFERENCES memberships (id),
    purchase_id UUID NULL REFERENCES purchases (id),
    seller_terms_id UUID NULL REFERENCES seller_terms (id),
    version BIGINT NOT NULL CHECK (version > 0),
    kind TEXT NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    issue_no BIGINT NOT NULL CHECK (issue_no > 0),
    corrects_id UUID NULL REFERENCES invoices (id),
    replaces_id UUID NULL REFERENCES invoices (id),
    number TEXT NOT NULL CONSTRAINT invoices_number_key UNIQUE,
    seller_key TEXT NOT NULL,
    year BIGINT NOT NULL,
    seq BIGINT NOT NULL CHECK (seq > 0),
    status TEXT NOT NULL CHECK (status IN ('open', 'paid', 'credited')),
    issued_at TIMESTAMPTZ NOT NULL,
    issued_date DATE NOT NULL,
    due_date DATE NULL,
    collect_from DATE NULL,
    paused_until DATE NULL,
    currency TEXT NOT NULL,
    net_cents BIGINT NOT NULL,
    vat_cents BIGINT NOT NULL,
    gross_cents BIGINT NOT NULL,
    open_cents BIGINT NOT NULL,
    payment_method TEXT NOT NULL CHECK (payment_method IN ('card', 'bank_transfer')),
    payment_reference TEXT NULL CONSTRAINT invoices_payment_reference_key UNIQUE,
    reason TEXT NULL,
    content_version BIGINT NOT NULL CHECK (content_version > 0),
    content JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT invoices_seq_key UNIQUE (seller_key, year, seq),
    CHECK (gross_cents = net_cents + vat_cents),
    CHECK (gross_cents > 0 OR content_version = 1),
    CHECK (open_cents BETWEEN 0 AND gross_cents),
    CHECK ((status = 'open') = (open_cents > 0)),
    CHECK ((kind = 'credit_note') = (corrects_id IS NOT NULL)),
    CHECK ((kind = 'invoice') = (due_date IS NOT NULL)),
    CHECK ((kind = 'invoice') = (collect_from IS NOT NULL)),
    -- What stood before has these filled in once, by the command that migrates.
    CHECK (content_version = 1 OR (purchase_id IS NOT NULL AND seller_terms_id IS NOT NULL))
);
INSERT INTO invoices (
    id, account_id, membership_id, purchase_id, seller_terms_id, version, kind, issue_no, corrects_id, replaces_id, number, seller_key, year, seq, status,
    issued_at, issued_date, due_date, collect_from, paused_until, currency, net_cents, vat_cents, gross_cents, open_cents, payment_method,
    payment_reference, reason, content_version, content, created_at
)
SELECT
    id, account_id, membership_id, NULL, NULL, version, 'invoice', 1, NULL, NULL, number, seller_key, year, seq,
    CASE WHEN gross_cents = 0 THEN 'paid' ELSE status END,
    created_at, issued_date, due_date, due_date, NULL, currency, net_cents, vat_cents, gross_cents,
    CASE WHEN status = 'open' THEN gross_cents ELSE 0 END,
    payment_method, payment_reference, NULL, 1, content, created_at
FROM invoices_before;
DROP TABLE invoices_before;
CREATE INDEX invoices_account_id_idx ON invoices (account_id, id);
CREATE INDEX invoices_membership_id_idx ON invoices (membership_id, id);
CREATE INDEX invoices_status_idx ON invoices (status, id);
CREATE INDEX invoices_corrects_id_idx ON invoices (corrects_id) WHERE corrects_id IS NOT NULL;
CREATE INDEX invoices_due_date_idx ON invoices (due_date, id) WHERE status = 'open' AND kind = 'invoice';
CREATE INDEX invoices_open_cents_idx ON invoices (open_cents, id);
CREATE UNIQUE INDEX invoices_issue_no_key ON invoices (purchase_id, issue_no) WHERE kind = 'invoice';

ALTER TABLE cards ADD COLUMN provider TEXT NOT NULL DEFAULT 'sandbox';
ALTER TABLE cards ADD COLUMN fingerprint TEXT NULL;
ALTER TABLE cards ADD COLUMN state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'detached'));

CREATE TABLE mandates (
    id UUID NOT NULL PRIMARY KEY,
    account_id UUID NOT NULL REFERENCES accounts (id),
    version BIGINT NOT NULL CHECK (version > 0),
    card_id UUID NULL REFERENCES cards (id),
    provider TEXT NOT NULL,
    provider_setup_id TEXT NOT NULL CONSTRAINT mandates_provider_setup_id_key UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('open', 'active', 'ended', 'failed')),
    text_version TEXT NOT NULL,
    text_language TEXT NOT NULL,
    text_sha256 TEXT NOT NULL,
    agreed_by TEXT NOT NULL,
    agreed_from TEXT NOT NULL,
    agreed_at TIMESTAMPTZ NOT NULL,
    ended_reason TEXT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CHECK ((state IN ('active', 'ended')) = (card_id IS NOT NULL)),
    CHECK ((state IN ('ended', 'failed')) = (ended_reason IS NOT NULL))
);
CREATE UNIQUE INDEX mandates_account_id_key ON mandates (account_id) WHERE state = 'active';
CREATE INDEX mandates_card_id_idx ON mandates (card_id) WHERE card_id IS NOT NULL;

CREATE TABLE billing_profiles (
    account_id UUID NOT NULL PRIMARY KEY REFERENCES accounts (id),
    version BIGINT NOT NULL CHECK (version > 0),
    payment_method TEXT NOT NULL CHECK (payment_method IN ('card', 'bank_transfer')),
    mandate_id UUID NULL REFERENCES mandates (id),
    provider_customer_id TEXT NULL CONSTRAINT billing_profiles_provider_customer_id_key UNIQUE,
    company_number TEXT NULL,
    your_reference TEXT NULL,
    electronic_address TEXT NULL,
    invoice_email TEXT NULL,
    invoice_email_used_at TIMESTAMPTZ NULL,
    invoice_email_waiting TEXT NULL,
    invoice_email_token_hash TEXT NULL CONSTRAINT billing_profiles_invoice_email_token_hash_key UNIQUE,
    invoice_email_token_ends_at TIMESTAMPTZ NULL,
    invoice_email_asked_by UUID NULL REFERENCES users (id),
    automatic_renewal BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CHECK ((payment_method = 'card') = (mandate_id IS NOT NULL)),
    CHECK ((invoice_email IS NULL) = (invoice_email_used_at IS NULL)),
    CHECK ((invoice_email_waiting IS NULL) = (invoice_email_token_hash IS NULL)),
    CHECK ((invoice_email_waiting IS NULL) = (invoice_email_token_ends_at IS NULL)),
    CHECK ((invoice_email_waiting IS NULL) = (invoice_email_asked_by IS NULL))
);

CREATE TABLE charges (
    id UUID NOT NULL PRIMARY KEY,
    invoice_id UUID NOT NULL REFERENCES invoices (id),
    version BIGINT NOT NULL CHECK (version > 0),
    attempt BIGINT NOT NULL CHECK (attempt > 0),
    initiator TEXT NOT NULL CHECK (initiator IN ('schedule', 'retry', 'new_card', 'customer')),
    card_id UUID NULL REFERENCES cards (id),
    mandate_id UUID NULL REFERENCES mandates (id),
    amount_cents BIGINT NOT NULL CHECK (amount_cents > 0),
    currency TEXT NOT NULL,
    due_date DATE NOT NULL,
    charge_date DATE NOT NULL,
    provider TEXT NOT NULL,
    provider_id TEXT NULL CONSTRAINT charges_provider_id_key UNIQUE,
    idempotency_key TEXT NOT NULL CONSTRAINT charges_idempotency_key_key UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('sending', 'unknown', 'processing', 'action_required', 'succeeded', 'declined', 'cancelled')),
    decline_code TEXT NULL,
    decline_class TEXT NULL CHECK (decline_class IN ('soft', 'hard', 'authentication', 'unknown')),
    asked BIGINT NOT NULL CHECK (asked >= 0),
    sent_at TIMESTAMPTZ NOT NULL,
    sent_at_machine TIMESTAMPTZ NOT NULL,
    resolved_at TIMESTAMPTZ NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT charges_attempt_key UNIQUE (invoice_id, attempt),
    CONSTRAINT charges_never_early CHECK (initiator = 'customer' OR charge_date >= due_date),
    CHECK ((state IN ('succeeded', 'declined', 'cancelled')) = (resolved_at IS NOT NULL))
);
-- One that may still take money, at most.
CREATE UNIQUE INDEX charges_invoice_id_key ON charges (invoice_id) WHERE state IN ('sending', 'unknown', 'processing', 'action_required');
CREATE INDEX charges_card_id_idx ON charges (card_id) WHERE card_id IS NOT NULL;
CREATE INDEX charges_mandate_id_idx ON charges (mandate_id) WHERE mandate_id IS NOT NULL;

CREATE TABLE bank_statements (
    id UUID NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL CHECK (version > 0),
    file_sha256 TEXT NOT NULL,
    format TEXT NOT NULL CHECK (format IN ('camt.053', 'csv')),
    -- What a bank leaves out is stored empty: two NULLs would never be the same.
    message_id TEXT NOT NULL,
    statement_ref TEXT NOT NULL,
    sequence TEXT NOT NULL,
    page BIGINT NOT NULL CHECK (page > 0),
    last_page BOOLEAN NOT NULL,
    account TEXT NOT NULL,
    currency TEXT NOT NULL,
    from_date TEXT NOT NULL,
    to_date TEXT NOT NULL,
    opening TEXT NOT NULL,
    closing TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('receiving', 'booked', 'held', 'incomplete', 'foreign')),
    why TEXT NULL,
    reversals_inverted BOOLEAN NOT NULL,
    -- What its booked entries come to, and of them those that take an earlier one back: the balances are the witnesses of these.
    booked_sum TEXT NOT NULL,
    reversed_sum TEXT NOT NULL,
    lines_new BIGINT NOT NULL CHECK (lines_new >= 0),
    lines_seen BIGINT NOT NULL CHECK (lines_seen >= 0),
    lines_pending BIGINT NOT NULL CHECK (lines_pending >= 0),
    imported_by TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT bank_statements_statement_ref_key UNIQUE (account, statement_ref, sequence, from_date, page, opening, closing)
);
CREATE INDEX bank_statements_file_sha256_idx ON bank_statements (file_sha256);
CREATE INDEX bank_statements_account_idx ON bank_statements (account, created_at);
CREATE INDEX bank_statements_held_idx ON bank_statements (id) WHERE state = 'held';
-- Two files of one account that say the same come one after the other: what one has brought counts as seen for the other.
CREATE UNIQUE INDEX bank_statements_account_key ON bank_statements (account) WHERE state = 'receiving';

CREATE TABLE bank_transactions (
    id UUID NOT NULL PRIMARY KEY,
    statement_id UUID NOT NULL REFERENCES bank_statements (id),
    version BIGINT NOT NULL CHECK (version > 0),
    position BIGINT NOT NULL CHECK (position >= 0),
    account TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'superseded', 'open', 'matched', 'ignored', 'reversed')),
    -- Negative where the money goes out; nothing where it has a fraction of a cent.
    amount_cents BIGINT NULL,
    amount_text TEXT NOT NULL,
    currency TEXT NOT NULL,
    booking_date DATE NULL,
    value_date DATE NULL,
    bank_reference TEXT NULL,
    end_to_end_id TEXT NULL,
    reference TEXT NULL,
    texts JSONB NOT NULL,
    payer_name TEXT NULL,
    payer_account TEXT NULL,
    is_reversal BOOLEAN NOT NULL,
    has_charges BOOLEAN NOT NULL,
    is_batch BOOLEAN NOT NULL,
    fingerprint TEXT NOT NULL,
    ordinal BIGINT NOT NULL CHECK (ordinal >= 0),
    evidence JSONB NOT NULL,
    reason TEXT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT bank_transactions_fingerprint_key UNIQUE (account, fingerprint, ordinal),
    CHECK (state <> 'matched' OR amount_cents <> 0),
    CHECK (state <> 'ignored' OR reason IS NOT NULL)
);
CREATE INDEX bank_transactions_statement_id_idx ON bank_transactions (statement_id, position);
CREATE INDEX bank_transactions_state_idx ON bank_transactions (state, id);
CREATE INDEX bank_transactions_amount_cents_idx ON bank_transactions (account, amount_cents);
CREATE INDEX bank_transactions_payer_account_idx ON bank_transactions (payer_account) WHERE payer_account IS NOT NULL;
CREATE INDEX bank_transactions_bank_reference_idx ON bank_transactions (account, bank_reference) WHERE bank_reference IS NOT NULL;
CREATE INDEX bank_transactions_pending_idx ON bank_transactions (bank_reference) WHERE state = 'pending';

CREATE TABLE payments (
    id UUID NOT NULL PRIMARY KEY,
    account_id UUID NOT NULL REFERENCES accounts (id),
    charge_id UUID NULL CONSTRAINT payments_charge_id_key UNIQUE REFERENCES charges (id),
    bank_transaction_id UUID NULL REFERENCES bank_transactions (id),
    amount_cents BIGINT NOT NULL CHECK (amount_cents > 0),
    open_cents BIGINT NOT NULL,
    currency TEXT NOT NULL,
    received_date DATE NOT NULL,
    disputed_at TIMESTAMPTZ NULL,
    -- Since when it is not this account's after all: its line may be matched again.
    taken_back_at TIMESTAMPTZ NULL,
    actor TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CHECK (open_cents BETWEEN 0 AND amount_cents),
    CHECK ((charge_id IS NULL) <> (bank_transaction_id IS NULL)),
    CHECK (taken_back_at IS NULL OR (open_cents = amount_cents AND bank_transaction_id IS NOT NULL))
);
CREATE INDEX payments_account_id_idx ON payments (account_id, id);
CREATE INDEX payments_bank_transaction_id_idx ON payments (bank_transaction_id) WHERE bank_transaction_id IS NOT NULL;
CREATE INDEX payments_received_date_idx ON payments (received_date, id);
CREATE INDEX payments_open_cents_idx ON payments (id) WHERE open_cents > 0;

CREATE TABLE allocations (
    id UUID NOT NULL PRIMARY KEY,
    invoice_id UUID NOT NULL REFERENCES invoices (id),
    payment_id UUID NULL REFERENCES payments (id),
    credit_note_id UUID NULL REFERENCES invoices (id),
    written_off BOOLEAN NOT NULL,
    amount_cents BIGINT NOT NULL CHECK (amount_cents <> 0),
    reverses_id UUID NULL CONSTRAINT allocations_reverses_id_key UNIQUE REFERENCES allocations (id),
    reason TEXT NULL,
    actor TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CHECK (
        CASE WHEN payment_id IS NULL THEN 0 ELSE 1 END + CASE WHEN credit_note_id IS NULL THEN 0 ELSE 1 END + CASE WHEN written_off THEN 1 ELSE 0 END = 1
    ),
    CHECK ((reverses_id IS NULL) = (amount_cents > 0)),
    CHECK (reason IS NOT NULL OR NOT written_off)
);
CREATE INDEX allocations_invoice_id_idx ON allocations (invoice_id, id);
CREATE INDEX allocations_payment_id_idx ON allocations (payment_id) WHERE payment_id IS NOT NULL;
CREATE INDEX allocations_credit_note_id_idx ON allocations (credit_note_id) WHERE credit_note_id IS NOT NULL;

CREATE TABLE refunds (
    id UUID NOT NULL PRIMARY KEY,
    payment_id UUID NOT NULL REFERENCES payments (id),
    version BIGINT NOT NULL CHECK (version > 0),
    kind TEXT NOT NULL CHECK (kind IN ('card', 'bank_transfer', 'dispute', 'bank_reversal')),
    amount_cents BIGINT NOT NULL CHECK (amount_cents > 0),
    currency TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('to_pay', 'sending', 'unknown', 'succeeded', 'failed')),
    reason TEXT NOT NULL,
    credit_note_id UUID NULL REFERENCES invoices (id),
    provider_id TEXT NULL CONSTRAINT refunds_provider_id_key UNIQUE,
    idempotency_key TEXT NOT NULL CONSTRAINT refunds_idempotency_key_key UNIQUE,
    payee_name TEXT NULL,
    payee_account TEXT NULL,
    paid_date DATE NULL,
    -- The line of money out that paid it.
    bank_transaction_id UUID NULL CONSTRAINT refunds_bank_transaction_id_key UNIQUE REFERENCES bank_transactions (id),
    actor TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    CHECK (kind <> 'bank_transfer' OR payee_account IS NOT NULL),
    CHECK (state <> 'to_pay' OR kind = 'bank_transfer'),
    CHECK (bank_transaction_id IS NULL OR (kind = 'bank_transfer' AND state IN ('succeeded', 'failed')))
);
CREATE INDEX refunds_payment_id_idx ON refunds (payment_id);
CREATE INDEX refunds_credit_note_id_idx ON refunds (credit_note_id) WHERE credit_note_id IS NOT NULL;
CREATE INDEX refunds_state_idx ON refunds (state, id);

CREATE TABLE provider_events (
    provider TEXT NOT NULL,
    event_id TEXT NOT NULL,
    type TEXT NOT NULL,
    object_id TEXT NOT NULL,
    body TEXT NULL,
    applied_at TIMESTAMPTZ NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (provider, event_id)
);
CREATE INDEX provider_events_created_at_idx ON provider_events (created_at) WHERE body IS NOT NULL;

CREATE TABLE reminders (
    id UUID NOT NULL PRIMARY KEY,
    invoice_id UUID NOT NULL REFERENCES invoices (id),
    round BIGINT NOT NULL CHECK (round > 0),
    step BIGINT NOT NULL CHECK (step > 0),
    outcome TEXT NOT NULL CHECK (outcome IN ('sent', 'skipped')),
    sent_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT reminders_step_key UNIQUE (invoice_id, round, step)
);

CREATE TABLE invoice_files (
    invoice_id UUID NOT NULL REFERENCES invoices (id),
    kind TEXT NOT NULL CHECK (kind IN ('pdf', 'xml')),
    renderer TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes BIGINT NOT NULL CHECK (bytes > 0),
    file_key TEXT NOT NULL CONSTRAINT invoice_files_file_key_key UNIQUE,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (invoice_id, kind)
);

-- How a membership stands with what it owes while it is active, and why it ended.
ALTER TABLE memberships ADD COLUMN standing TEXT NULL CHECK (standing IN ('current', 'past_due', 'suspended'));
ALTER TABLE memberships ADD COLUMN suspended_at TIMESTAMPTZ NULL;
ALTER TABLE memberships ADD COLUMN ended_reason TEXT NULL CHECK (ended_reason IN ('expired', 'cancelled', 'unpaid', 'renewed'));
ALTER TABLE memberships ADD COLUMN cancelled_at TIMESTAMPTZ NULL;
ALTER TABLE memberships ADD COLUMN seller_terms_id UUID NULL REFERENCES seller_terms (id);
UPDATE memberships SET standing = 'current' WHERE status = 'active';
UPDATE memberships SET ended_reason = 'expired' WHERE status = 'ended';

ALTER TABLE memberships ADD CONSTRAINT memberships_standing_while_active CHECK ((status = 'active') = (standing IS NOT NULL));
ALTER TABLE memberships ADD CONSTRAINT memberships_reason_once_ended CHECK ((status = 'ended') = (ended_reason IS NOT NULL));
ALTER TABLE memberships ADD CONSTRAINT memberships_suspended_since CHECK (COALESCE(standing = 'suspended', FALSE) = (suspended_at IS NOT NULL));

CREATE FUNCTION money_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: never changed', TG_TABLE_NAME;
END $$;
CREATE TRIGGER seller_terms_no_change BEFORE UPDATE OR DELETE ON seller_terms
    FOR EACH ROW EXECUTE FUNCTION money_refuse();
CREATE TRIGGER seller_terms_no_truncate BEFORE TRUNCATE ON seller_terms
    FOR EACH STATEMENT EXECUTE FUNCTION money_refuse();
CREATE TRIGGER invoices_no_delete BEFORE DELETE ON invoices
    FOR EACH ROW EXECUTE FUNCTION money_refuse();
CREATE TRIGGER invoices_no_truncate BEFORE TRUNCATE ON invoices
    FOR EACH STATEMENT EXECUTE FUNCTION money_refuse();
CREATE TRIGGER payments_no_delete BEFORE DELETE ON payments
    FOR EACH ROW EXECUTE FUNCTION money_refuse();
CREATE TRIGGER payments_no_truncate BEFORE TRUNCATE ON payments
    FOR EACH STATEMENT EXECUTE FUNCTION money_refuse();
CREATE TRIGGER allocations_no_change BEFORE UPDATE OR DELETE ON allocations
    FOR EACH ROW EXECUTE FUNCTION money_refuse();
CREATE TRIGGER allocations_no_truncate BEFORE TRUNCATE ON allocations
    FOR EACH STATEMENT EXECUTE FUNCTION money_refuse();
CREATE TRIGGER refunds_no_delete BEFORE DELETE ON refunds
    FOR EACH ROW EXECUTE FUNCTION money_refuse();
CREATE TRIGGER refunds_no_truncate BEFORE TRUNCATE ON refunds
    FOR EACH STATEMENT EXECUTE FUNCTION money_refuse();

CREATE FUNCTION invoices_check() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF
        NEW.id IS DISTINCT FROM OLD.id OR NEW.account_id IS DISTINCT FROM OLD.account_id OR NEW.membership_id IS DISTINCT FROM OLD.membership_id
        OR NEW.kind IS DISTINCT FROM OLD.kind OR NEW.issue_no IS DISTINCT FROM OLD.issue_no OR NEW.corrects_id IS DISTINCT FROM OLD.corrects_id
        OR NEW.replaces_id IS DISTINCT FROM OLD.replaces_id OR NEW.number IS DISTINCT FROM OLD.number
        OR NEW.seller_key IS DISTINCT FROM OLD.seller_key OR NEW.year IS DISTINCT FROM OLD.year OR NEW.seq IS DISTINCT FROM OLD.seq
        OR NEW.issued_at IS DISTINCT FROM OLD.issued_at OR NEW.issued_date IS DISTINCT FROM OLD.issued_date
        OR NEW.due_date IS DISTINCT FROM OLD.due_date OR NEW.currency IS DISTINCT FROM OLD.currency OR NEW.net_cents IS DISTINCT FROM OLD.net_cents
        OR NEW.vat_cents IS DISTINCT FROM OLD.vat_cents OR NEW.gross_cents IS DISTINCT FROM OLD.gross_cents OR NEW.reason IS DISTINCT FROM OLD.reason
        OR NEW.content_version IS DISTINCT FROM OLD.content_version OR NEW.content IS DISTINCT FROM OLD.content
        OR NEW.created_at IS DISTINCT FROM OLD.created_at
        OR (OLD.purchase_id IS NOT NULL AND NEW.purchase_id IS DISTINCT FROM OLD.purchase_id)
        OR (OLD.seller_terms_id IS NOT NULL AND NEW.seller_terms_id IS DISTINCT FROM OLD.seller_terms_id)
        OR (OLD.payment_reference IS NOT NULL AND NEW.payment_reference IS DISTINCT FROM OLD.payment_reference)
    THEN
        RAISE EXCEPTION 'invoices: an issued invoice never changes';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER invoices_frozen BEFORE UPDATE ON invoices
    FOR EACH ROW EXECUTE FUNCTION invoices_check();

CREATE FUNCTION payments_check() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    of_line bank_transactions%ROWTYPE;
    placed BIGINT;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF
            NEW.id IS DISTINCT FROM OLD.id OR NEW.account_id IS DISTINCT FROM OLD.account_id OR NEW.charge_id IS DISTINCT FROM OLD.charge_id
            OR NEW.bank_transaction_id IS DISTINCT FROM OLD.bank_transaction_id OR NEW.amount_cents IS DISTINCT FROM OLD.amount_cents
            OR NEW.currency IS DISTINCT FROM OLD.currency OR NEW.received_date IS DISTINCT FROM OLD.received_date
            OR NEW.actor IS DISTINCT FROM OLD.actor OR NEW.created_at IS DISTINCT FROM OLD.created_at
            OR (OLD.taken_back_at IS NOT NULL AND NEW.taken_back_at IS DISTINCT FROM OLD.taken_back_at)
        THEN
            RAISE EXCEPTION 'payments: what came does not change';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.charge_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM charges c WHERE c.id = NEW.charge_id AND c.amount_cents = NEW.amount_cents AND c.currency = NEW.currency
    ) THEN
        RAISE EXCEPTION 'payments: not what was charged';
    END IF;
    IF NEW.bank_transaction_id IS NOT NULL THEN
        SELECT * INTO of_line FROM bank_transactions WHERE id = NEW.bank_transaction_id FOR UPDATE;
        SELECT COALESCE(SUM(amount_cents), 0) INTO placed FROM payments
        WHERE bank_transaction_id = NEW.bank_transaction_id AND taken_back_at IS NULL;
        IF NEW.amount_cents + placed > COALESCE(of_line.amount_cents, 0) THEN
            RAISE EXCEPTION 'payments: more than its line';
        END IF;
        IF NEW.currency <> of_line.currency THEN
            RAISE EXCEPTION 'payments: another currency than its line';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payments_right BEFORE INSERT OR UPDATE ON payments
    FOR EACH ROW EXECUTE FUNCTION payments_check();

CREATE FUNCTION allocations_check() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    currency_of_invoice TEXT;
BEGIN
    SELECT currency INTO currency_of_invoice FROM invoices WHERE id = NEW.invoice_id;
    IF currency_of_invoice <> COALESCE(
        (SELECT currency FROM payments WHERE id = NEW.payment_id), (SELECT currency FROM invoices WHERE id = NEW.credit_note_id), currency_of_invoice
    ) THEN
        RAISE EXCEPTION 'allocations: currencies differ';
    END IF;
    IF NEW.reverses_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM allocations a WHERE a.id = NEW.reverses_id AND a.reverses_id IS NULL AND a.amount_cents = -NEW.amount_cents
            AND a.invoice_id = NEW.invoice_id AND a.payment_id IS NOT DISTINCT FROM NEW.payment_id
            AND a.credit_note_id IS NOT DISTINCT FROM NEW.credit_note_id
    ) THEN
        RAISE EXCEPTION 'allocations: a reversal takes back one allocation whole';
    END IF;
    IF (SELECT kind FROM invoices WHERE id = NEW.invoice_id) <> 'invoice'
        OR (SELECT kind FROM invoices WHERE id = NEW.credit_note_id) <> 'credit_note' THEN
        RAISE EXCEPTION 'allocations: a credit note pays no credit note';
    END IF;
    IF NEW.amount_cents > 0 AND (SELECT taken_back_at FROM payments WHERE id = NEW.payment_id) IS NOT NULL THEN
        RAISE EXCEPTION 'allocations: the payment was taken back';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER allocations_right BEFORE INSERT ON allocations
    FOR EACH ROW EXECUTE FUNCTION allocations_check();
CREATE FUNCTION allocations_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE payments SET open_cents = open_cents - NEW.amount_cents WHERE id = NEW.payment_id;
    UPDATE invoices SET open_cents = open_cents - NEW.amount_cents,
        status = CASE WHEN open_cents = NEW.amount_cents THEN 'paid' ELSE 'open' END
    WHERE id = NEW.credit_note_id;
    UPDATE invoices SET open_cents = open_cents - NEW.amount_cents,
        status = CASE
            WHEN open_cents <> NEW.amount_cents THEN 'open'
            WHEN gross_cents = (SELECT COALESCE(SUM(amount_cents), 0) FROM allocations WHERE invoice_id = NEW.invoice_id AND credit_note_id IS NOT NULL) THEN 'credited'
            ELSE 'paid'
        END
    WHERE id = NEW.invoice_id;
    RETURN NULL;
END $$;
CREATE TRIGGER allocations_move AFTER INSERT ON allocations
    FOR EACH ROW EXECUTE FUNCTION allocations_move();

CREATE FUNCTION refunds_check() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state = 'failed' OR NOT EXISTS (
            SELECT 1 FROM payments p WHERE p.id = NEW.payment_id AND p.currency = NEW.currency AND p.taken_back_at IS NULL
        ) THEN
            RAISE EXCEPTION 'refunds: not of what came';
        END IF;
    ELSIF OLD.state = 'failed' OR (OLD.state = 'succeeded' AND NEW.state NOT IN ('succeeded', 'failed'))
        OR NEW.id IS DISTINCT FROM OLD.id OR NEW.payment_id IS DISTINCT FROM OLD.payment_id OR NEW.kind IS DISTINCT FROM OLD.kind
        OR NEW.amount_cents IS DISTINCT FROM OLD.amount_cents OR NEW.currency IS DISTINCT FROM OLD.currency
        OR NEW.idempotency_key IS DISTINCT FROM OLD.idempotency_key OR NEW.created_at IS DISTINCT FROM OLD.created_at
        OR (OLD.bank_transaction_id IS NOT NULL AND NEW.bank_transaction_id IS DISTINCT FROM OLD.bank_transaction_id)
    THEN
        RAISE EXCEPTION 'refunds: final';
    ELSIF NEW.bank_transaction_id IS DISTINCT FROM OLD.bank_transaction_id AND NOT EXISTS (
        SELECT 1 FROM bank_transactions t WHERE t.id = NEW.bank_transaction_id AND t.amount_cents = -NEW.amount_cents AND t.currency = NEW.currency
    ) THEN
        RAISE EXCEPTION 'refunds: not what its line paid';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refunds_right BEFORE INSERT OR UPDATE ON refunds
    FOR EACH ROW EXECUTE FUNCTION refunds_check();
CREATE FUNCTION refunds_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE payments SET open_cents = open_cents - NEW.amount_cents WHERE id = NEW.payment_id;
    ELSIF NEW.state = 'failed' AND OLD.state <> 'failed' THEN
        UPDATE payments SET open_cents = open_cents + NEW.amount_cents WHERE id = NEW.payment_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER refunds_move AFTER INSERT OR UPDATE ON refunds
    FOR EACH ROW EXECUTE FUNCTION refunds_move();

CREATE INDEX accounts_company_key_idx ON accounts (company_key);

-- What ends a term has a queue of its own.
UPDATE jobs SET queue = 'terms' WHERE kind = 'end_membership' AND queue = 'rules';
