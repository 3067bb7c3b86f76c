DROP TABLE legacy_proofs;
DROP TABLE legacy_takeovers;
DROP TABLE legacy_products;
DROP TABLE legacy_accounts;
DROP TABLE products;
DROP TABLE model_points;
DROP TABLE models;
