-- What a host might have: nothing here knows of SCIM.
CREATE TABLE orgs (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE users (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	org_id int NOT NULL REFERENCES orgs (id),
	login varchar(200) NOT NULL,
	first_name text NOT NULL DEFAULT '',
	last_name text,
	email text,
	job varchar(100),
	staff_no varchar(20),
	status text NOT NULL DEFAULT 'enabled',
	source text NOT NULL,
	lock_version int NOT NULL DEFAULT 0,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_login ON users (org_id, lower(login));
CREATE TABLE phones (
	user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	kind text,
	number text NOT NULL,
	main boolean
);
CREATE INDEX phones_user ON phones (user_id);
CREATE TABLE teams (
	id uuid PRIMARY KEY,
	org_id int NOT NULL REFERENCES orgs (id),
	name text NOT NULL
);
CREATE INDEX teams_name ON teams (org_id, lower(name));
CREATE TABLE team_members (
	team_id uuid NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
	user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
	since timestamptz NOT NULL,
	PRIMARY KEY (team_id, user_id)
);
CREATE INDEX team_members_user ON team_members (user_id);
INSERT INTO orgs VALUES (1, 'Harbour'), (2, 'Lighthouse');
