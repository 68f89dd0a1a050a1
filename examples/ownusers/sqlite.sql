-- The application's own database, as it was before anybody spoke of SCIM: 100,000
-- users of four customers, and their teams.
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO customers VALUES (1, 'Harbour'), (2, 'Lighthouse'), (3, 'Pier'), (4, 'Quay');

CREATE TABLE users (
	id INTEGER PRIMARY KEY,
	customer_id INTEGER NOT NULL REFERENCES customers (id),
	login VARCHAR(200) NOT NULL,
	first_name TEXT NOT NULL,
	last_name TEXT NOT NULL,
	email TEXT,
	phone TEXT,
	job TEXT,
	status TEXT NOT NULL DEFAULT 'enabled',
	created_at TIMESTAMP NOT NULL,
	updated_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX users_login ON users (customer_id, lower(login));

CREATE TABLE teams (
	id INTEGER PRIMARY KEY,
	customer_id INTEGER NOT NULL REFERENCES customers (id),
	name TEXT NOT NULL COLLATE NOCASE
);
CREATE INDEX teams_name ON teams (customer_id, name);
CREATE TABLE team_members (
	team_id INTEGER NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
	user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	PRIMARY KEY (team_id, user_id)
);
CREATE INDEX team_members_user ON team_members (user_id);

WITH RECURSIVE number (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM number WHERE i < 100000)
INSERT INTO users (customer_id, login, first_name, last_name, email, phone, job, status, created_at, updated_at)
SELECT 1 + i % 4, 'person' || i || '@example.com', 'Person', 'Number ' || i, 'person' || i || '@example.com',
	CASE WHEN i % 3 = 0 THEN '+1 555 ' || i END, CASE i % 5 WHEN 0 THEN 'Captain' WHEN 1 THEN 'Pilot' ELSE 'Deckhand' END,
	CASE WHEN i % 50 = 0 THEN 'disabled' ELSE 'enabled' END, '2024-03-01 08:00:00', '2024-03-01 08:00:00'
FROM number;
INSERT INTO teams (customer_id, name) VALUES (1, 'Bridge'), (1, 'Engine'), (2, 'Bridge');
INSERT INTO team_members SELECT t.id, u.id FROM teams t JOIN users u ON u.customer_id = t.customer_id WHERE u.id % 100 = t.id;
ANALYZE users;
