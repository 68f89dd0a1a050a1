-- Records, their keys and their links. Keys and times are of type ANY: where a
-- record has none, the column is x'', which SQLite sorts behind everything.

CREATE TABLE muster_records (
	tenant       TEXT NOT NULL,
	type         TEXT NOT NULL,
	id           TEXT NOT NULL,
	connection   TEXT NOT NULL,
	version      INTEGER NOT NULL,
	created      ANY NOT NULL,  -- microseconds since 1970
	modified     ANY NOT NULL,
	hidden       INTEGER NOT NULL,
	label        TEXT NOT NULL,
	user_name    ANY NOT NULL,
	external_id  ANY NOT NULL,
	display_name ANY NOT NULL,
	active       ANY NOT NULL,
	keys         BLOB NOT NULL, -- what the tables of keys hold of the record
	doc          BLOB NOT NULL,
	PRIMARY KEY (tenant, type, id)
) STRICT;

CREATE INDEX muster_records_user_name ON muster_records (tenant, type, user_name, id);
CREATE INDEX muster_records_external_id ON muster_records (tenant, type, external_id, id);
CREATE INDEX muster_records_display_name ON muster_records (tenant, type, display_name, id);
CREATE INDEX muster_records_active ON muster_records (tenant, type, active, id);
CREATE INDEX muster_records_created ON muster_records (tenant, type, created, id);
CREATE INDEX muster_records_modified ON muster_records (tenant, type, modified, id);

-- How many records there are, so that totals need not be counted.
CREATE TABLE muster_populations (
	tenant     TEXT NOT NULL,
	type       TEXT NOT NULL,
	connection TEXT NOT NULL,
	hidden     INTEGER NOT NULL,
	n          INTEGER NOT NULL,
	PRIMARY KEY (tenant, type, connection, hidden)
) STRICT, WITHOUT ROWID;

CREATE TABLE muster_unique_keys (
	tenant TEXT NOT NULL,
	type   TEXT NOT NULL,
	attr   TEXT NOT NULL,
	key    TEXT NOT NULL,
	id     TEXT NOT NULL,
	PRIMARY KEY (tenant, type, attr, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE muster_entries (
	tenant    TEXT NOT NULL,
	type      TEXT NOT NULL,
	attr      TEXT NOT NULL,
	key       TEXT NOT NULL,
	qualifier TEXT NOT NULL,
	id        TEXT NOT NULL,
	PRIMARY KEY (tenant, type, attr, key, qualifier, id)
) STRICT, WITHOUT ROWID;

-- The attributes that are indexed, and whether all records of the type have
-- their keys of it. The form is what keys are made from.
CREATE TABLE muster_indexes (
	type     TEXT NOT NULL,
	attr     TEXT NOT NULL,
	form     TEXT NOT NULL,
	complete INTEGER NOT NULL,
	PRIMARY KEY (type, attr)
) STRICT, WITHOUT ROWID;

-- A number that every change of the list of indexes draws anew, so that what was
-- read of it need not be read again.
CREATE TABLE muster_index_generation (generation INTEGER NOT NULL) STRICT;
INSERT INTO muster_index_generation (generation) VALUES (0);

CREATE TABLE muster_links (
	tenant      TEXT NOT NULL,
	owner_type  TEXT NOT NULL,
	owner_id    TEXT NOT NULL,
	relation    TEXT NOT NULL,
	target_type TEXT NOT NULL,
	target_id   TEXT NOT NULL,
	PRIMARY KEY (tenant, owner_type, owner_id, relation, target_type, target_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX muster_links_target ON muster_links (tenant, target_type, target_id, owner_type, relation, owner_id);
