-- What the planner should expect: some tenants with many records of a type each.
-- Without statistics it takes a tenant for a few rows and walks through all of
-- them. Each line is the rows of a table and how many of them agree in the first
-- column of an index, the first two, and so on. ANALYZE replaces the figures, and
-- what it found before is left alone.

ANALYZE muster_version;
DELETE FROM sqlite_stat1 WHERE tbl = 'muster_version';
WITH expected (tbl, idx, stat) AS (VALUES
	('muster_records', 'sqlite_autoindex_muster_records_1', '1000000 100000 50000 1'),
	('muster_records', 'muster_records_user_name', '1000000 100000 50000 1 1'),
	('muster_records', 'muster_records_external_id', '1000000 100000 50000 1 1'),
	('muster_records', 'muster_records_display_name', '1000000 100000 50000 2 1'),
	('muster_records', 'muster_records_active', '1000000 100000 50000 5000 1'),
	('muster_records', 'muster_records_created', '1000000 100000 50000 2 1'),
	('muster_records', 'muster_records_modified', '1000000 100000 50000 2 1'),
	('muster_entries', 'muster_entries', '2000000 200000 100000 50000 2 2 1'),
	('muster_links', 'muster_links', '5000000 500000 500000 100 100 100 1'),
	('muster_links', 'muster_links_target', '5000000 500000 500000 10 10 10 1'))
INSERT INTO sqlite_stat1 (tbl, idx, stat)
SELECT tbl, idx, stat FROM expected WHERE tbl NOT IN (SELECT tbl FROM sqlite_stat1);

ANALYZE sqlite_schema; -- reads them
