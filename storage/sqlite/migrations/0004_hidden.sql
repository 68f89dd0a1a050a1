-- What is hidden waits for its end, which looks for it alone.

CREATE INDEX muster_records_hidden ON muster_records (tenant, type, id) WHERE hidden;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('muster_records', 'muster_records_hidden', '10000 1000 500 1');
ANALYZE sqlite_schema;
