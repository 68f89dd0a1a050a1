-- What is hidden waits for its end, which looks for it alone.
CREATE INDEX {records_hidden} ON {records} (tenant, type, id) WHERE hidden;

-- With what decides whether a record is visible beside the key, totals are counted
-- and offsets skipped in the index alone, a tenth of what there is to read.
ALTER TABLE {records} DROP CONSTRAINT {records_key};
ALTER TABLE {records} ADD CONSTRAINT {records_key} PRIMARY KEY (tenant, type, id) INCLUDE (connection, hidden);
