-- A change is looked up by its tenant and number, never by its id alone.
DROP INDEX {schema.changes_seq};
ALTER TABLE {changes} DROP CONSTRAINT {changes_pkey};
ALTER TABLE {changes} ADD CONSTRAINT {changes_key} PRIMARY KEY (tenant, seq, id);

-- What is hidden waits for its end, which looks for it alone.
CREATE INDEX {records_hidden} ON {records} (tenant, type, id) WHERE hidden;
