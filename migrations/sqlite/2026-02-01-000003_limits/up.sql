CREATE TABLE request_counts (
    policy TEXT NOT NULL,
    caller_hash TEXT NOT NULL,
    day DATE NOT NULL,
    requests BIGINT NOT NULL CHECK (requests > 0),
    PRIMARY KEY (policy, caller_hash, day)
);
CREATE INDEX request_counts_day_idx ON request_counts (day);
