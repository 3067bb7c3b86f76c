DROP TABLE documents;
DROP TABLE reviews;
DROP TABLE accounts;
