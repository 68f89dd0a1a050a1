-- The change log. SQLite has one writer at a time, so that changes are numbered
-- when they are written.

CREATE TABLE muster_logs (
	tenant TEXT NOT NULL PRIMARY KEY,
	last   INTEGER NOT NULL -- the number of the last change, forgotten or not
) STRICT, WITHOUT ROWID;

CREATE TABLE muster_changes (
	tenant        TEXT NOT NULL,
	seq           INTEGER NOT NULL,
	type          TEXT NOT NULL,
	id            TEXT NOT NULL,
	connection    TEXT NOT NULL,
	version       INTEGER NOT NULL,
	hidden        INTEGER NOT NULL,
	kind          TEXT NOT NULL,
	paths         TEXT NOT NULL, -- a JSON array, or empty
	time          INTEGER NOT NULL,
	links_added   INTEGER NOT NULL,
	links_removed INTEGER NOT NULL,
	PRIMARY KEY (tenant, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE muster_change_links (
	tenant      TEXT NOT NULL,
	seq         INTEGER NOT NULL,
	relation    TEXT NOT NULL,
	target_type TEXT NOT NULL,
	target_id   TEXT NOT NULL,
	added       INTEGER NOT NULL, -- 0: removed
	PRIMARY KEY (tenant, seq, relation, target_type, target_id, added)
) STRICT, WITHOUT ROWID;
