-- What is kept of each resource. The last four columns hold the key of one
-- single-valued attribute each; '\xff', which is no text, stands for none, so
-- that it comes last. In created and modified, infinity does.
CREATE TABLE {records} (
	tenant       text COLLATE "C" NOT NULL,
	type         text COLLATE "C" NOT NULL,
	id           text COLLATE "C" NOT NULL,
	connection   text COLLATE "C" NOT NULL,
	version      bigint NOT NULL,
	created      timestamptz NOT NULL,
	modified     timestamptz NOT NULL,
	hidden       boolean NOT NULL,
	label        text COLLATE "C" NOT NULL,
	doc          bytea NOT NULL,
	user_name    bytea NOT NULL,
	external_id  bytea NOT NULL,
	display_name bytea NOT NULL,
	active       bytea NOT NULL
);
CREATE INDEX {records_user_name} ON {records} (tenant, type, user_name, id);
CREATE INDEX {records_external_id} ON {records} (tenant, type, external_id, id);
CREATE INDEX {records_display_name} ON {records} (tenant, type, display_name, id);
CREATE INDEX {records_active} ON {records} (tenant, type, active, id);
CREATE INDEX {records_created} ON {records} (tenant, type, created, id);
CREATE INDEX {records_modified} ON {records} (tenant, type, modified, id);
-- Of indexes that seem to cost the same, PostgreSQL takes the newest; and they seem
-- to as long as a table was not analyzed. So primary keys come last.
ALTER TABLE {records} ADD CONSTRAINT {records_key} PRIMARY KEY (tenant, type, id);

-- Who holds a unique key.
CREATE TABLE {uniques} (
	tenant text COLLATE "C" NOT NULL,
	type   text COLLATE "C" NOT NULL,
	attr   text COLLATE "C" NOT NULL,
	key    text COLLATE "C" NOT NULL,
	id     text COLLATE "C" NOT NULL
);
CREATE INDEX {uniques_id} ON {uniques} (tenant, type, id);
ALTER TABLE {uniques} ADD CONSTRAINT {uniques_key} PRIMARY KEY (tenant, type, attr, key);

-- The index entries of all attributes that have no column of records.
CREATE TABLE {entries} (
	tenant    text COLLATE "C" NOT NULL,
	type      text COLLATE "C" NOT NULL,
	id        text COLLATE "C" NOT NULL,
	n         integer NOT NULL,
	attr      text COLLATE "C" NOT NULL,
	key       bytea NOT NULL,
	qualifier bytea NOT NULL
);
CREATE INDEX {entries_value} ON {entries} (tenant, type, attr, key, id);
ALTER TABLE {entries} ADD CONSTRAINT {entries_key} PRIMARY KEY (tenant, type, id, n);

-- Relations. There are no foreign keys: a host may keep targets elsewhere.
CREATE TABLE {links} (
	tenant      text COLLATE "C" NOT NULL,
	owner_type  text COLLATE "C" NOT NULL,
	owner_id    text COLLATE "C" NOT NULL,
	relation    text COLLATE "C" NOT NULL,
	target_type text COLLATE "C" NOT NULL,
	target_id   text COLLATE "C" NOT NULL
);
CREATE INDEX {links_target} ON {links} (tenant, target_type, target_id, owner_type, relation, owner_id);
ALTER TABLE {links} ADD CONSTRAINT {links_key} PRIMARY KEY (tenant, owner_type, owner_id, relation, target_type, target_id);

-- Which attributes have entries, in which form, and whether for all records that
-- there are. A row without an attribute says that the type is known. A generation
-- is a state of the list, apart from what is complete.
CREATE TABLE {indexes} (
	type     text COLLATE "C" NOT NULL,
	attr     text COLLATE "C" NOT NULL,
	form     text COLLATE "C" NOT NULL,
	complete boolean NOT NULL,
	PRIMARY KEY (type, attr)
);
CREATE TABLE {generation} (
	one        boolean PRIMARY KEY DEFAULT true CHECK (one),
	generation bigint NOT NULL
);
INSERT INTO {generation} (generation) VALUES (1);

-- What the planner should expect: some tenants with many records of a type each.
-- Without statistics it takes a tenant for one row and every index for equally
-- good, and walks through all of a tenant for each look-up, until the tables are
-- analyzed minutes after they began to fill. So they are analyzed now, while nobody
-- else can see them, with rows in them that are like those to come. With a target
-- of 1 the planner learns how many values there are, and not which, and 300 rows are
-- looked at: here that is all of them, so that chance has no part in it.
SET LOCAL default_statistics_target = 1;
INSERT INTO {records}
SELECT 't' || i % 15, CASE WHEN i % 10 = 0 THEN 'Group' ELSE 'User' END, md5(i::text), 'c' || i % 3, 1,
	'2020-01-01'::timestamptz + i * interval '1 hour', '2020-06-01'::timestamptz + i * interval '1 hour', false, chr(97 + i % 26) || md5('n' || i), '',
	convert_to(chr(97 + i % 26) || md5('n' || i), 'UTF8'), convert_to(md5('e' || i), 'UTF8'), convert_to(chr(97 + i % 26) || md5('d' || i), 'UTF8'),
	convert_to(CASE WHEN i % 20 = 0 THEN '0' ELSE '1' END, 'UTF8')
FROM generate_series(1, 300) AS i;
INSERT INTO {uniques}
SELECT r.tenant, r.type, 'userName', r.label, r.id FROM {records} r;
INSERT INTO {entries}
SELECT r.tenant, r.type, r.id, 0, CASE WHEN r.label < 'n' THEN 'emails.value' ELSE 'phoneNumbers.value' END, convert_to(r.label, 'UTF8'),
	convert_to(CASE WHEN r.id < '8' THEN 'work' ELSE 'home' END, 'UTF8')
FROM {records} r;
INSERT INTO {links}
SELECT r.tenant, 'Group', substring(r.id FROM 1 FOR 1), 'members', r.type, r.id FROM {records} r;
ANALYZE {records};
ANALYZE {uniques};
ANALYZE {entries};
ANALYZE {links};
TRUNCATE {records}, {uniques}, {entries}, {links};
SET LOCAL default_statistics_target = DEFAULT;
