-- How often customers say of late that what a partner reported is not theirs.
CREATE INDEX registrations_not_mine_idx ON registrations (partner_id, changed_at) WHERE reason = 'not_mine';
