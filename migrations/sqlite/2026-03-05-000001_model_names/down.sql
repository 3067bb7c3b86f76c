-- Names are sorted by their code points already; PostgreSQL is told so.
SELECT 1;
