ALTER TABLE accounts ADD COLUMN contact_email_proposed TEXT NULL;
ALTER TABLE accounts ADD COLUMN contact_email_proposed_by UUID NULL;
