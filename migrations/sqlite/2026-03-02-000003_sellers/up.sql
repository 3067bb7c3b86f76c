-- Whose a membership is; of those before, as far as their invoices tell.
ALTER TABLE memberships ADD COLUMN seller_key TEXT NULL;
UPDATE memberships SET seller_key = (SELECT seller_key FROM invoices WHERE invoices.membership_id = memberships.id);
-- Only an instance whose programme knows the seller takes the job; any takes one without.
ALTER TABLE jobs ADD COLUMN seller_key TEXT NULL;
