DROP TABLE invoices;
DROP TABLE invoice_counters;
DROP TABLE member_numbers;
DROP TABLE memberships;
DROP TABLE cards;
