ALTER TABLE accounts DROP COLUMN contact_email_proposed_by;
ALTER TABLE accounts DROP COLUMN contact_email_proposed;
