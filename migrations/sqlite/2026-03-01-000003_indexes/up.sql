CREATE INDEX memberships_account_id_idx ON memberships (account_id, id);
CREATE INDEX member_numbers_legacy_account_id_idx ON member_numbers (legacy_account_id);
CREATE INDEX accounts_address_idx ON accounts (postal_code, street);
