CREATE TABLE event_inbox (
    number INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    stream TEXT NOT NULL,
    resource TEXT NOT NULL,
    type TEXT NOT NULL,
    version BIGINT NOT NULL,
    data TEXT NOT NULL CHECK (length(CAST(data AS BLOB)) <= 4096),
    actor TEXT NOT NULL,
    reason TEXT NULL,
    request_id TEXT NULL,
    created_at TEXT NOT NULL
);

INSERT INTO event_inbox (id, stream, resource, type, version, data, actor, reason, request_id, created_at)
WITH words (old, new) AS (
    VALUES ('legacy_account.proven', 'account.legacy_proven'),
        ('legacy_account.attached', 'account.legacy_attached'),
        ('legacy_account.attach', 'account.legacy_attached'),
        ('legacy_account.migrated', 'account.migrated'),
        ('account.change_contact', 'account.changed'),
        ('account.first_password_link', 'account.link_sent'),
        ('account.suspend', 'account.suspended'),
        ('account.reopen', 'account.reopened'),
        ('document.decide', 'document.decided'),
        ('points.adjust', 'points.adjusted'),
        ('review.claim', 'review.claimed'),
        ('review.approve', 'review.decided'),
        ('review.reject', 'review.decided'),
        ('review.request_information', 'review.decided')
), acts AS (
    SELECT s.id, s.action AS old, COALESCE(w.new, s.action) AS type, 'acc_' || replace(CAST(s.account_id AS TEXT), '-', '') AS holder, s.account_id,
        'staff:usr_' || replace(CAST(s.user_id AS TEXT), '-', '') AS actor, s.reason, s.created_at
    FROM staff_actions s LEFT JOIN words w ON w.old = s.action
), told AS (
    SELECT e.id, e.kind AS old, COALESCE(w.new, e.kind) AS type, e.resource AS holder, e.payload, e.created_at,
        substr(e.resource, 5) AS account_hex,
        substr(COALESCE(e.payload ->> 'document_id', e.payload ->> 'product_id', e.payload ->> 'invoice_id', e.payload ->> 'membership_id'), 5) AS about_hex
    FROM events e LEFT JOIN words w ON w.old = e.kind
), happened AS (
    -- What staff did is told once where both tables told it: by the event, with the actor and the reason of the other.
    SELECT t.id, t.old, t.type, t.holder, t.payload, COALESCE(a.actor, 'service:migrate') AS actor, a.reason, t.created_at,
        substr(t.account_hex, 1, 8) || '-' || substr(t.account_hex, 9, 4) || '-' || substr(t.account_hex, 13, 4) || '-' || substr(t.account_hex, 17, 4) || '-' || substr(t.account_hex, 21) AS account_id,
        substr(t.about_hex, 1, 8) || '-' || substr(t.about_hex, 9, 4) || '-' || substr(t.about_hex, 13, 4) || '-' || substr(t.about_hex, 17, 4) || '-' || substr(t.about_hex, 21) AS about_id
    FROM told t LEFT JOIN (
        SELECT type, holder, created_at, min(actor) AS actor, min(reason) AS reason FROM acts GROUP BY type, holder, created_at
    ) a ON a.type = t.type AND a.holder = t.holder AND a.created_at = t.created_at
    UNION ALL
    SELECT a.id, a.old, a.type, a.holder, '{}', a.actor, a.reason, a.created_at, a.account_id, NULL FROM acts a
    WHERE NOT EXISTS (SELECT 1 FROM told t WHERE a.type = t.type AND a.holder = t.holder AND a.created_at = t.created_at)
)
SELECT o.id,
    CASE WHEN o.type LIKE 'review.%' OR o.type LIKE 'staff.%' THEN 'operator' ELSE o.holder END,
    CASE
        WHEN o.type LIKE 'review.%' THEN 'reviews/' || o.holder
        WHEN o.type LIKE 'document.%' THEN COALESCE(o.payload ->> 'document_id', o.holder)
        WHEN o.type LIKE 'user.%' THEN COALESCE(o.payload ->> 'user_id', o.holder)
        WHEN o.type LIKE 'product.%' THEN COALESCE(o.payload ->> 'product_id', o.holder)
        WHEN o.type LIKE 'membership.%' THEN COALESCE(o.payload ->> 'membership_id', o.holder)
        WHEN o.type LIKE 'invoice.%' THEN COALESCE(o.payload ->> 'invoice_id', o.holder)
        ELSE o.holder
    END,
    o.type, 1,
    json_patch(json_patch(CASE WHEN o.type = 'staff.created' THEN json_object('user_id', o.holder) ELSE json_object('account_id', o.holder) END,
        COALESCE((SELECT json_group_object(f.key, json(o.payload -> f.key)) FROM json_each(o.payload) f
            WHERE (f.key = 'reason' AND o.type = 'product.ended') OR f.key IN (
                'document_id', 'kind', 'status', 'user_id', 'roles', 'product_id', 'membership_id', 'level', 'ends_date', 'invoice_id',
                'number', 'amount', 'balance', 'company', 'contact')), '{}')),
        COALESCE(CASE o.type
            WHEN 'account.invited' THEN json_object('counting', json(o.payload -> 'points'))
            WHEN 'account.link_sent' THEN (SELECT json_object('user_id', 'usr_' || replace(CAST(u.id AS TEXT), '-', '')) FROM users u WHERE u.account_id = o.account_id ORDER BY u.id LIMIT 1)
            WHEN 'account.legacy_attached' THEN (SELECT json_object('legacy_account_id', 'leg_' || replace(CAST(t.legacy_account_id AS TEXT), '-', '')) FROM legacy_takeovers t WHERE t.account_id = o.account_id LIMIT 1)
            WHEN 'account.migrated' THEN (SELECT json_object('legacy_account_id', 'leg_' || replace(CAST(t.legacy_account_id AS TEXT), '-', '')) FROM legacy_takeovers t WHERE t.account_id = o.account_id LIMIT 1)
            WHEN 'document.decided' THEN (SELECT json_object('codes', json(d.codes)) FROM documents d WHERE d.id = o.about_id)
            WHEN 'product.registered' THEN (SELECT json_object('model_id', 'mod_' || replace(CAST(p.model_id AS TEXT), '-', '')) FROM products p WHERE p.id = o.about_id)
            WHEN 'points.adjusted' THEN (SELECT json_object('entry_id', 'pnt_' || replace(CAST(p.id AS TEXT), '-', '')) FROM points_entries p WHERE p.account_id = o.account_id AND p.kind = 'adjustment' AND p.created_at = o.created_at LIMIT 1)
            WHEN 'membership.started' THEN (SELECT json_object('member_number', m.member_number, 'starts_date', CAST(m.starts_date AS TEXT), 'ends_date', CAST(m.ends_date AS TEXT)) FROM memberships m WHERE m.id = o.about_id)
            WHEN 'invoice.issued' THEN (SELECT json_object('gross', json_object('amount', printf('%.2f', i.gross_cents / 100.0), 'currency', i.currency), 'due_date', CAST(i.due_date AS TEXT)) FROM invoices i WHERE i.id = o.about_id)
            WHEN 'review.claimed' THEN json_object('claimed_until', o.created_at)
            WHEN 'review.decided' THEN json_object('decision', substr(o.old, 8), 'codes', json('[]'))
        END, '{}')),
    o.actor, o.reason, NULL, o.created_at
FROM happened o
WHERE o.holder IS NOT NULL
ORDER BY o.id;
DROP TABLE staff_actions;
DROP TABLE events;

CREATE TABLE events (
    position INTEGER NOT NULL PRIMARY KEY CHECK (position > 0),
    id TEXT NOT NULL CONSTRAINT events_id_key UNIQUE,
    stream TEXT NOT NULL,
    stream_seq BIGINT NOT NULL CHECK (stream_seq > 0),
    resource TEXT NOT NULL,
    resource_seq BIGINT NOT NULL CHECK (resource_seq > 0),
    type TEXT NOT NULL,
    version BIGINT NOT NULL,
    data TEXT NOT NULL CHECK (length(CAST(data AS BLOB)) <= 4096),
    actor TEXT NOT NULL,
    reason_hash TEXT NULL,
    request_id TEXT NULL,
    created_at TEXT NOT NULL,
    hash TEXT NOT NULL,
    CONSTRAINT events_stream_seq_key UNIQUE (stream, stream_seq),
    CONSTRAINT events_resource_seq_key UNIQUE (resource, resource_seq)
);
CREATE TABLE event_counters (
    name TEXT NOT NULL PRIMARY KEY,
    last BIGINT NOT NULL CHECK (last > 0),
    hash TEXT NULL
);
CREATE TABLE event_reasons (
    event_id TEXT NOT NULL PRIMARY KEY REFERENCES events (id),
    salt TEXT NOT NULL,
    reason TEXT NOT NULL
);

CREATE TRIGGER events_no_update BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'events: an event is never changed or deleted');
END;
CREATE TRIGGER events_no_delete BEFORE DELETE ON events
BEGIN
    SELECT RAISE(ABORT, 'events: an event is never changed or deleted');
END;
