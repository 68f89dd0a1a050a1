-- What the planner should expect: some tenants with many records of a type each.
-- Without statistics it takes a tenant for one row and every index for equally
-- good, and walks through all of a tenant for each look-up, until the tables are
-- analyzed minutes after they began to fill. So tables that are empty are analyzed
-- with rows in them that are like those to come. With a target of 1 the planner
-- learns how many values there are, and not which, and 300 rows are looked at: here
-- that is all of them, so that chance has no part in it.
LOCK TABLE {records}, {uniques}, {entries}, {links} IN ACCESS EXCLUSIVE MODE;
SET LOCAL default_statistics_target = 1;

DO $$
BEGIN
	IF EXISTS (SELECT 1 FROM {records}) OR EXISTS (SELECT 1 FROM {uniques}) OR EXISTS (SELECT 1 FROM {entries}) OR EXISTS (SELECT 1 FROM {links}) THEN
		RETURN;
	END IF;
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
END
$$;
