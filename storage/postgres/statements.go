package postgres

// statements are the fixed statements of a store, with its names in them.
type statements struct {
	locks                                                       [3]string // by strength
	get, owners, holders                                        string
	linksForward, linksInverse                                  string
	linksForwardOther, linksInverseOther                        string
	insert, update, remove                                      string
	dropUniques, dropEntries, addUniques, addEntries            string
	freeUniques, freeEntries                                    string
	dropOutgoing, dropIncoming                                  string
	lockOwner, lockTargets, addLinks, keepLinks                 string
	removeLinks, resetLinks                                     string
	bump, finish, logWrites                                     string
	pending, number, changes, changed, changedLinks, trim, tail string
	ensureLog, lockLog                                          string
}

func newStatements(n *names) statements {
	return statements{
		get:               n.sql(getSQL),
		locks:             [3]string{toLink: n.sql(lockToLinkSQL), toWrite: n.sql(lockToWriteSQL), toRemove: n.sql(lockToRemoveSQL)},
		owners:            n.sql(ownersSQL),
		holders:           n.sql(holdersSQL),
		linksForward:      n.sql(linksForwardSQL),
		linksInverse:      n.sql(linksInverseSQL),
		linksForwardOther: n.sql(linksForwardOtherSQL),
		linksInverseOther: n.sql(linksInverseOtherSQL),
		insert:            n.sql(insertSQL),
		update:            n.sql(updateSQL),
		remove:            n.sql(removeSQL),
		dropUniques:       n.sql(dropUniquesSQL),
		dropEntries:       n.sql(dropEntriesSQL),
		addUniques:        n.sql(addUniquesSQL),
		addEntries:        n.sql(addEntriesSQL),
		freeUniques:       n.sql(freeUniquesSQL),
		freeEntries:       n.sql(freeEntriesSQL),
		dropOutgoing:      n.sql(dropOutgoingSQL),
		dropIncoming:      n.sql(dropIncomingSQL),
		lockOwner:         n.sql(lockOwnerSQL),
		lockTargets:       n.sql(lockTargetsSQL),
		addLinks:          n.sql(addLinksSQL),
		keepLinks:         n.sql(keepLinksSQL),
		removeLinks:       n.sql(removeLinksSQL),
		resetLinks:        n.sql(resetLinksSQL),
		finish:            n.sql(finishSQL),
		bump:              n.sql(bumpSQL),
		logWrites:         n.sql(logWritesSQL),
		pending:           n.sql(pendingSQL),
		ensureLog:         n.sql(ensureLogSQL),
		lockLog:           n.sql(lockLogSQL),
		number:            n.sql(numberSQL),
		changes:           n.sql(changesSQL),
		changed:           n.sql(changedSQL),
		changedLinks:      n.sql(changedLinksSQL),
		tail:              n.sql(tailSQL),
		trim:              n.sql(trimSQL),
	}
}
