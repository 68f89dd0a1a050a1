package sqltable_test

import (
	"testing"

	"github.com/musterhq/muster/mapping/sqltable"
	"github.com/musterhq/muster/scim/scimtest"
)

func TestAServerWithUsersInATableConforms(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		table := users()
		table.Unowned = sqltable.Private
		target := scimtest.Target{
			Handler: newServer(t, newHandler(t, db.seed(), table), nil), Token: "secret", OtherToken: "other",
		}
		t.Run("checks", func(t *testing.T) { scimtest.Run(t, target) })
		t.Run("transcripts", func(t *testing.T) { scimtest.Replay(t, target, scimtest.Transcripts()) })
	})
}

func TestAServerWithUsersAndGroupsInTablesConforms(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, db *database) {
		people := newHandler(t, db.seed(), users())
		target := scimtest.Target{Handler: newServer(t, people, newGroups(t, db, people)), Token: "secret", OtherToken: "other"}
		t.Run("checks", func(t *testing.T) { scimtest.Run(t, target) })
		t.Run("transcripts", func(t *testing.T) { scimtest.Replay(t, target, scimtest.Transcripts()) })
	})
}
