-- What a host might have: nothing here knows of SCIM.
CREATE TABLE orgs (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE users (
	id INTEGER PRIMARY KEY,
	org_id INTEGER NOT NULL REFERENCES orgs (id),
	login VARCHAR(200) NOT NULL,
	first_name TEXT NOT NULL DEFAULT '',
	last_name TEXT,
	email TEXT,
	job VARCHAR(100),
	staff_no VARCHAR(20),
	status TEXT NOT NULL DEFAULT 'enabled',
	source TEXT NOT NULL,
	lock_version INTEGER NOT NULL DEFAULT 0,
	created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
	updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX users_login ON users (org_id, lower(login));
CREATE TABLE phones (
	user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	kind TEXT,
	number TEXT NOT NULL,
	main BOOLEAN
);
CREATE INDEX phones_user ON phones (user_id);
CREATE TABLE teams (
	id TEXT PRIMARY KEY,
	org_id INTEGER NOT NULL REFERENCES orgs (id),
	name TEXT NOT NULL COLLATE NOCASE
);
CREATE INDEX teams_name ON teams (org_id, name);
CREATE TABLE team_members (
	team_id TEXT NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
	user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	since TIMESTAMP NOT NULL,
	PRIMARY KEY (team_id, user_id)
);
CREATE INDEX team_members_user ON team_members (user_id);
INSERT INTO orgs VALUES (1, 'Harbour'), (2, 'Lighthouse');
