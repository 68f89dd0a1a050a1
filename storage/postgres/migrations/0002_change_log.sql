-- The change log. Writers append with seq 0; readers number. The changes of one
-- record have rising ids, since an id is drawn while the record is locked.
CREATE TABLE {changes} (
	id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	tenant        text COLLATE "C" NOT NULL,
	seq           bigint NOT NULL DEFAULT 0,
	type          text COLLATE "C" NOT NULL,
	record        text COLLATE "C" NOT NULL,
	connection    text COLLATE "C" NOT NULL,
	kind          text COLLATE "C" NOT NULL,
	paths         text COLLATE "C" NOT NULL,
	version       bigint NOT NULL,
	hidden        boolean NOT NULL,
	time          timestamptz NOT NULL,
	links_added   bigint NOT NULL DEFAULT 0,
	links_removed bigint NOT NULL DEFAULT 0,
	token         uuid
);
CREATE INDEX {changes_seq} ON {changes} (tenant, seq, id);

-- The links that a change added and removed, under the change's token.
CREATE TABLE {change_links} (
	token       uuid NOT NULL,
	relation    text COLLATE "C" NOT NULL,
	target_type text COLLATE "C" NOT NULL,
	target_id   text COLLATE "C" NOT NULL,
	added       boolean NOT NULL,
	PRIMARY KEY (token, relation, target_type, target_id, added)
);

-- How far a tenant's changes are numbered. Who numbers locks the row.
CREATE TABLE {logs} (
	tenant   text COLLATE "C" PRIMARY KEY,
	last_seq bigint NOT NULL
);
