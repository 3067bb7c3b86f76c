DROP TABLE staff_actions;
DROP TABLE events;
DROP TABLE idempotency_keys;
DROP TABLE mails;
DROP TABLE jobs;
DROP TABLE settings;
