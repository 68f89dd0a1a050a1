package storagetest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/musterhq/muster/scim/filter"
	"github.com/musterhq/muster/scim/schema"
	"github.com/musterhq/muster/storage"
	"github.com/musterhq/muster/storage/kv"
)

// Here failures are wanted, not explained.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"rapid.shrinktime": "10ms", "rapid.nofailfile": "true"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func TestStoreThatKeepsTheRulesPasses(t *testing.T) {
	t.Parallel()
	Run(t, func(*testing.T) storage.Store { return kv.New(&mapDB{}) },
		Excuse("cascade/deleted_owner_of_many", "the map copies itself for each transaction"))
}

func TestRuleNamesAreUnique(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range rules() {
		if seen[r.name] || strings.Count(r.name, "/") != 1 || strings.ContainsAny(r.name, " A") || !strings.HasSuffix(r.says, ".") {
			t.Errorf("rule %q: want a unique name group/in_words and a sentence", r.name)
		}
		seen[r.name] = true
	}
}

// Each fault is caught by the rules named, and those rules pass without it.
func TestFaultsAreCaughtByTheRuleTheyBreak(t *testing.T) {
	t.Parallel()
	for _, f := range []struct {
		name  string
		fault fault
		rules string
	}{
		// Records.
		{"document encoded anew", reads(func(r *storage.Record) {
			var v any
			if json.Unmarshal(r.Doc, &v) == nil {
				r.Doc, _ = json.Marshal(v)
			}
		}), "record/document_bytes_are_kept_exactly"},
		{"document without spaces", reads(func(r *storage.Record) {
			var b bytes.Buffer
			if json.Compact(&b, r.Doc) == nil {
				r.Doc = b.Bytes()
			}
		}), "record/document_bytes_are_kept_exactly"},
		{"label cut off", reads(func(r *storage.Record) { r.Label = r.Label[:min(len(r.Label), 250)] }), "record/odd_texts_are_kept_in_every_field"},
		{"connection lost", reads(func(r *storage.Record) { r.Connection = "" }), "record/get_returns_what_was_put"},
		{"times in the local zone", reads(func(r *storage.Record) { r.Created = r.Created.In(time.FixedZone("", 3600)) }), "record/times_are_utc_to_the_microsecond"},
		{"times to the millisecond", reads(func(r *storage.Record) { r.Created = r.Created.Truncate(time.Millisecond) }), "record/times_are_utc_to_the_microsecond"},
		{"hidden means gone", func(s storage.Store) storage.Store {
			return faulty{Store: s, get: func(ctx context.Context, s storage.Store, tenant string, ref storage.Ref) (*storage.Record, error) {
				r, err := s.Get(ctx, tenant, ref)
				if err == nil && r.Hidden {
					return nil, storage.ErrNotFound
				}
				return r, err
			}}
		}, "record/hidden_is_returned_and_marked record/get_returns_what_was_put"},
		{"hidden not marked", reads(func(r *storage.Record) { r.Hidden = false }), "record/hidden_is_returned_and_marked"},
		{"ids ignore case", func(s storage.Store) storage.Store {
			return faulty{Store: s,
				get: func(ctx context.Context, s storage.Store, tenant string, ref storage.Ref) (*storage.Record, error) {
					ref.ID = strings.ToLower(ref.ID)
					return s.Get(ctx, tenant, ref)
				},
				commit: func(ctx context.Context, s storage.Store, b storage.Batch) (*storage.CommitResult, error) {
					for i := range b.Puts {
						r := *b.Puts[i].Record
						r.ID = strings.ToLower(r.ID)
						b.Puts[i].Record = &r
					}
					return s.Commit(ctx, &b)
				}}
		}, "record/odd_ids_are_told_apart"},
		{"ids of all types are one", func(s storage.Store) storage.Store {
			return faulty{Store: s, get: func(ctx context.Context, s storage.Store, tenant string, ref storage.Ref) (*storage.Record, error) {
				r, err := s.Get(ctx, tenant, ref)
				if err != nil {
					ref.Type = map[string]string{"User": "Group", "Group": "User"}[ref.Type]
					return s.Get(ctx, tenant, ref)
				}
				return r, err
			}}
		}, "record/type_is_part_of_the_reference record/get_of_an_absent_record_is_not_found"},
		{"absent is no error", func(s storage.Store) storage.Store {
			return faulty{Store: s, get: func(ctx context.Context, s storage.Store, tenant string, ref storage.Ref) (*storage.Record, error) {
				r, err := s.Get(ctx, tenant, ref)
				if errors.Is(err, storage.ErrNotFound) {
					return nil, nil
				}
				return r, err
			}}
		}, "record/get_of_an_absent_record_is_not_found"},
		{"version written into what was put", func(s storage.Store) storage.Store {
			return faulty{Store: s, commit: func(ctx context.Context, s storage.Store, b storage.Batch) (*storage.CommitResult, error) {
				res, err := s.Commit(ctx, &b)
				for i := range b.Puts {
					b.Puts[i].Record.Version = 1
				}
				return res, err
			}}
		}, "record/what_is_passed_in_is_not_changed"},
		{"put changes created", func(s storage.Store) storage.Store {
			created := map[storage.Ref]time.Time{}
			return faulty{Store: s,
				get: func(ctx context.Context, s storage.Store, tenant string, ref storage.Ref) (*storage.Record, error) {
					r, err := s.Get(ctx, tenant, ref)
					if err != nil {
						return nil, err
					}
					c := *r
					c.Created = created[ref]
					return &c, nil
				},
				commit: func(ctx context.Context, s storage.Store, b storage.Batch) (*storage.CommitResult, error) {
					for _, p := range b.Puts {
						created[p.Record.Ref] = p.Record.Created
					}
					return s.Commit(ctx, &b)
				}}
		}, "record/created_outlives_hiding record/put_writes_everything_but_created"},

		// Preconditions and versions.
		{"put ignores IfVersion", eachPut(func(p *storage.Put, _ *storage.Record) { p.IfVersion = 0 }),
			"precondition/put_if_version precondition/put_if_version_of_an_absent_record precondition/put_if_version_of_a_hidden_record concurrency/of_one_version_one_writer_goes_on concurrency/compare_and_swap_loses_nothing"},
		{"put ignores IfAbsent", eachPut(func(p *storage.Put, _ *storage.Record) { p.IfAbsent = false }), "precondition/put_if_absent concurrency/one_of_many_creates_the_record"},
		{"delete ignores IfVersion", batches(func(b *storage.Batch) {
			for i := range b.Deletes {
				b.Deletes[i].IfVersion = 0
			}
		}), "precondition/delete_if_version"},
		{"delete of an absent record succeeds", func(s storage.Store) storage.Store {
			return faulty{Store: s, commit: func(ctx context.Context, s storage.Store, b storage.Batch) (*storage.CommitResult, error) {
				b.Deletes = slices.DeleteFunc(b.Deletes, func(d storage.Delete) bool {
					_, err := s.Get(ctx, b.Tenant, d.Ref)
					return err != nil
				})
				return s.Commit(ctx, &b)
			}}
		}, "precondition/delete_of_an_absent_record"},
		{"edit ignores IfVersion", eachEdit(func(e *storage.LinkEdit) { e.IfVersion = 0 }), "precondition/edit_if_version precondition/compares_with_the_state_before_the_batch precondition/edit_if_version_of_an_owner_made_by_the_batch"},
		{"edit without effect ignores IfVersion", func(s storage.Store) storage.Store {
			return faulty{Store: s, commit: func(ctx context.Context, s storage.Store, b storage.Batch) (*storage.CommitResult, error) {
				res, err := s.Commit(ctx, &b)
				if errors.Is(err, storage.ErrConflict) && len(b.Links) == 1 && len(b.Puts) == 0 {
					return &storage.CommitResult{Links: make([]storage.LinkResult, 1)}, nil
				}
				return res, err
			}}
		}, "precondition/edit_if_version_counts_without_effect"},
		{"edit with no effect moves the owner", func(s storage.Store) storage.Store {
			return faulty{Store: s, commit: func(ctx context.Context, s storage.Store, b storage.Batch) (*storage.CommitResult, error) {
				res, err := s.Commit(ctx, &b)
				for i, e := range b.Links {
					if err == nil && res.Links[i].Added+res.Links[i].Removed == 0 {
						owner, err := s.Get(ctx, b.Tenant, e.Owner)
						if err != nil {
							return nil, err
						}
						if _, err := s.Commit(ctx, &storage.Batch{Tenant: b.Tenant, Time: b.Time, Puts: puts(owner)}); err != nil {
							return nil, err
						}
					}
				}
				return res, err
			}}
		}, "version/edit_that_changes_nothing_moves_nothing changelog/nothing_for_what_takes_no_effect"},
		{"modified is the clock's", batches(func(b *storage.Batch) { b.Time = time.Now() }), "version/put_steps_once version/edit_that_changes_something_steps_once version/modified_may_go_back"},
		{"result tells the old version", results(func(r *storage.CommitResult) {
			for i := range r.Links {
				r.Links[i].Version--
			}
		}), "version/edit_that_changes_something_steps_once version/results_are_parallel_to_the_batch"},
		{"writes one by one", func(s storage.Store) storage.Store {
			return faulty{Store: s, commit: func(ctx context.Context, s storage.Store, b storage.Batch) (*storage.CommitResult, error) {
				all := &storage.CommitResult{}
				one := storage.Batch{Tenant: b.Tenant, Time: b.Time}
				for _, p := range b.Puts {
					one.Puts = []storage.Put{p}
					res, err := s.Commit(ctx, &one)
					if err != nil {
						return nil, err
					}
					all.Puts = append(all.Puts, res.Puts...)
				}
				one.Puts = nil
				for _, d := range b.Deletes {
					one.Deletes = []storage.Delete{d}
					if _, err := s.Commit(ctx, &one); err != nil {
						return nil, err
					}
				}
				one.Deletes = nil
				for _, e := range b.Links {
					one.Links = edits(e)
					res, err := s.Commit(ctx, &one)
					if err != nil {
						return nil, err
					}
					all.Links = append(all.Links, res.Links...)
				}
				return all, nil
			}}
		}, "atomic/failed_batch_leaves_nothing unique/two_records_may_swap unique/key_may_be_handed_over version/put_and_edit_of_one_record_step_once " +
			"version/edits_of_two_relations_step_once cascade/owner_of_many_deleted_targets_steps_once cascade/owner_of_many_hidden_targets_steps_once model/random_batches"},

		// Uniqueness.
		{"nothing is unique", eachPut(func(_ *storage.Put, r *storage.Record) { r.Unique = nil }), "unique/second_holder_is_refused unique/two_puts_of_a_batch_collide concurrency/one_of_many_gets_the_key"},
		{"unique keys ignore case", eachPut(func(_ *storage.Put, r *storage.Record) {
			r.Unique = []storage.UniqueKey{{Attr: r.Unique[0].Attr, Key: strings.ToLower(r.Unique[0].Key)}}
		}), "unique/keys_compare_bytewise"},
		{"unique keys are trimmed", eachPut(func(_ *storage.Put, r *storage.Record) {
			r.Unique = []storage.UniqueKey{{Attr: r.Unique[0].Attr, Key: "=" + strings.TrimSpace(r.Unique[0].Key[1:])}}
		}), "unique/keys_compare_bytewise"},
		{"unique keys are cut off", eachPut(func(_ *storage.Put, r *storage.Record) {
			r.Unique = []storage.UniqueKey{{Attr: r.Unique[0].Attr, Key: r.Unique[0].Key[:min(255, len(r.Unique[0].Key))]}}
		}), "unique/long_keys_count_to_the_last_byte"},
		{"unique keys of all attributes are one", eachPut(func(_ *storage.Put, r *storage.Record) {
			r.Unique = slices.Clone(r.Unique)
			for i := range r.Unique {
				r.Unique[i].Attr = "userName"
			}
		}), "unique/keys_are_per_attribute"},
		{"hidden records let go of their keys", eachPut(func(_ *storage.Put, r *storage.Record) {
			if r.Hidden {
				r.Unique = nil
			}
		}), "unique/hidden_records_hold_their_keys"},
		{"holder not told", func(s storage.Store) storage.Store {
			return faulty{Store: s, commit: func(ctx context.Context, s storage.Store, b storage.Batch) (*storage.CommitResult, error) {
				res, err := s.Commit(ctx, &b)
				var e *storage.CommitError
				if errors.As(err, &e) {
					return nil, &storage.CommitError{Err: e.Err, Ref: e.Ref, Attr: e.Attr}
				}
				return res, err
			}}
		}, "unique/second_holder_is_refused unique/holder_is_as_before_the_batch"},
		{"bare errors", func(s storage.Store) storage.Store {
			return faulty{Store: s, commit: func(ctx context.Context, s storage.Store, b storage.Batch) (*storage.CommitResult, error) {
				res, err := s.Commit(ctx, &b)
				return res, errors.Unwrap(err)
			}}
		}, "unique/second_holder_is_refused precondition/put_if_version missing/reject_fails_the_batch"},

		// Links.
		{"loses a member", eachEdit(func(e *storage.LinkEdit) { e.Add = e.Add[:min(len(e.Add), max(1, len(e.Add)-1))] }),
			"link/edit_is_old_without_remove_plus_add link/reset_is_exactly_add link/large_sets linkread/pages_join_to_the_whole model/random_batches"},
		{"ignores Reset", eachEdit(func(e *storage.LinkEdit) { e.Reset = false }), "link/reset_is_exactly_add"},
		{"Reset removes what is listed only", eachEdit(func(e *storage.LinkEdit) {
			if e.Reset && len(e.Add) == 0 {
				e.Reset = false
			}
		}), "link/reset_is_exactly_add"},
		{"ignores IfConnection", eachEdit(func(e *storage.LinkEdit) { e.IfConnection = "" }), "link/owner_must_be_of_the_connection missing/drop_leaves_out_and_reports precondition/not_found_goes_before_conflict"},
		{"relations are one", eachEdit(func(e *storage.LinkEdit) { e.Relation = "members" }), "link/relations_are_apart"},
		{"makes links to nowhere", eachEdit(func(e *storage.LinkEdit) { e.Missing = storage.MissingKeep }), "missing/drop_leaves_out_and_reports missing/reject_fails_the_batch concurrency/no_link_to_a_record_that_goes"},
		{"drops instead of rejecting", eachEdit(func(e *storage.LinkEdit) { e.Missing = min(e.Missing, storage.MissingDrop) }), "missing/reject_fails_the_batch missing/keep_does_not_look"},
		{"does not report drops", results(func(r *storage.CommitResult) {
			for i := range r.Links {
				r.Links[i].Dropped = nil
			}
		}), "missing/drop_leaves_out_and_reports"},
		{"missing owner is no error", func(s storage.Store) storage.Store {
			return faulty{Store: s, commit: func(ctx context.Context, s storage.Store, b storage.Batch) (*storage.CommitResult, error) {
				res, err := s.Commit(ctx, &b)
				if errors.Is(err, storage.ErrNotFound) && len(b.Links) == 1 {
					return &storage.CommitResult{Puts: make([]int64, len(b.Puts)), Links: make([]storage.LinkResult, 1)}, nil
				}
				return res, err
			}}
		}, "link/owner_must_be_visible"},
		{"links in no order", linksRead(func(links []storage.Link) []storage.Link { slices.Reverse(links); return links }), "linkread/in_the_order_asked_for linkread/order_is_bytewise"},
		{"links ignore After", linkQueries(func(q *storage.LinkQuery) { q.After = storage.Ref{} }), "linkread/after_continues linkread/pages_join_to_the_whole"},
		{"After looks at the id only", linkQueries(func(q *storage.LinkQuery) {
			if q.After != (storage.Ref{}) {
				q.After.Type = map[bool]string{true: "Group", false: "User"}[q.Inverse]
			}
		}), "linkread/after_continues"},
		{"links ignore Limit", linkQueries(func(q *storage.LinkQuery) { q.Limit = 0 }), "linkread/limit_is_for_each_record"},
		{"Limit is for all records together", func(s storage.Store) storage.Store {
			return faulty{Store: s, links: func(ctx context.Context, s storage.Store, q storage.LinkQuery) ([]storage.Link, error) {
				links, err := s.Links(ctx, &q)
				if q.Limit > 0 {
					links = links[:min(q.Limit, len(links))]
				}
				return links, err
			}}
		}, "linkread/limit_is_for_each_record"},
		{"links ignore Other", linkQueries(func(q *storage.LinkQuery) { q.Other = nil }), "linkread/other_restricts"},
		{"labels not read", linkQueries(func(q *storage.LinkQuery) { q.Labels = false }), "linkread/labels_are_the_other_ends linkread/labels_follow_a_rename"},
		{"labels kept from the first read", func() fault {
			labels := sync.Map{}
			return linksRead(func(links []storage.Link) []storage.Link {
				for i := range links {
					first, _ := labels.LoadOrStore(links[i].To, links[i].Label)
					links[i].Label = first.(string)
				}
				return links
			})
		}(), "linkread/labels_are_the_other_ends"},
		{"no links without a label", linksRead(func(links []storage.Link) []storage.Link {
			return slices.DeleteFunc(links, func(l storage.Link) bool { return l.To.ID == "elsewhere" })
		}), "linkread/no_label_for_targets_kept_elsewhere"},

		// Tenants and contexts.
		{"tenants are one", func(s storage.Store) storage.Store {
			return faulty{Store: s,
				get: func(ctx context.Context, s storage.Store, _ string, ref storage.Ref) (*storage.Record, error) {
					return s.Get(ctx, "t", ref)
				},
				query: func(ctx context.Context, s storage.Store, q storage.Query) (*storage.Page, error) {
					q.Tenant = "t"
					return s.Query(ctx, &q)
				},
				links: func(ctx context.Context, s storage.Store, q storage.LinkQuery) ([]storage.Link, error) {
					q.Tenant = "t"
					return s.Links(ctx, &q)
				},
				commit: func(ctx context.Context, s storage.Store, b storage.Batch) (*storage.CommitResult, error) {
					b.Tenant = "t"
					return s.Commit(ctx, &b)
				}}
		}, "tenant/records_are_apart tenant/unique_keys_are_apart tenant/links_are_apart tenant/labels_are_apart query/tenant_restricts"},
		{"tenants are patterns", func(s storage.Store) storage.Store {
			return faulty{Store: s, get: func(ctx context.Context, s storage.Store, tenant string, ref storage.Ref) (*storage.Record, error) {
				return s.Get(ctx, strings.TrimRight(tenant, " %"), ref)
			}}
		}, "tenant/records_are_apart"},
		{"context ignored", func(s storage.Store) storage.Store {
			return faulty{Store: s,
				get: func(ctx context.Context, s storage.Store, tenant string, ref storage.Ref) (*storage.Record, error) {
					return s.Get(context.WithoutCancel(ctx), tenant, ref)
				},
				query: func(ctx context.Context, s storage.Store, q storage.Query) (*storage.Page, error) {
					return s.Query(context.WithoutCancel(ctx), &q)
				}}
		}, "context/done_before_the_call query/context"},

		// Queries.
		{"filter ignored", queries(func(q *storage.Query) { q.Filter = nil }), "query/equality query/links filter/agrees_with_match"},
		{"loses the last match", pages(func(_ *storage.Query, p *storage.Page) { p.Records = p.Records[:max(0, len(p.Records)-1)] }), "query/equality filter/agrees_with_match sort/every_attribute paging/offset_pages_join"},
		{"finds hidden records", queries(func(q *storage.Query) { q.Hidden = true }), "query/hidden_only_when_asked_for query/index_follows_the_record filter/agrees_with_match"},
		{"OnlyHidden ignored", queries(func(q *storage.Query) { q.Hidden, q.OnlyHidden = q.Hidden || q.OnlyHidden, false }),
			"query/hidden_alone_when_asked_for filter/agrees_with_match"},
		{"connection ignored", queries(func(q *storage.Query) { q.Connection = "" }), "query/connection_restricts filter/agrees_with_match"},
		{"always by id", queries(func(q *storage.Query) { q.Sort.Path = schema.Path{} }), "sort/text_by_folded_key sort/values_in_their_own_order sort/multi_valued_by_primary_or_first sort/times_of_the_record sort/every_attribute"},
		{"never descending", queries(func(q *storage.Query) { q.Sort.Descending = false }), "sort/text_by_folded_key sort/every_attribute"},
		{"descending keeps ties ascending", pages(func(q *storage.Query, p *storage.Page) {
			if q.Sort.Descending && q.Limit == everything && !q.Sort.Path.IsZero() {
				slices.SortFunc(p.Records, func(a, b *storage.Record) int {
					return cmp.Or(strings.Compare(sortKey(q, b), sortKey(q, a)), strings.Compare(a.ID, b.ID))
				})
			}
		}), "sort/every_attribute filter/agrees_with_match"},
		{"absent first", pages(func(q *storage.Query, p *storage.Page) {
			if n := len(p.Records); n > 1 && !q.Sort.Path.IsZero() && !q.Sort.Descending {
				p.Records = append(p.Records[n-1:], p.Records[:n-1]...)
			}
		}), "sort/text_by_folded_key sort/every_attribute"},
		{"After ignored", queries(func(q *storage.Query) { q.After = nil }), "paging/keyset_pages_join paging/after_any_position"},
		{"After skips ties", queries(func(q *storage.Query) {
			if q.After != nil && !q.Sort.Path.IsZero() && !q.Sort.Descending {
				after := *q.After
				after.ID = "zzzz"
				q.After = &after
			}
		}), "paging/keyset_pages_join paging/keyset_pages_stand_still_while_others_write"},
		{"Offset ignored", queries(func(q *storage.Query) { q.Offset = 0 }), "paging/offset_pages_join"},
		{"total of the page", pages(func(_ *storage.Query, p *storage.Page) { p.Total = len(p.Records) }), "total/as_wished total/alone"},
		{"total never told", pages(func(_ *storage.Query, p *storage.Page) { p.Total = storage.UnknownTotal }), "total/as_wished total/alone"},
		{"Limit 0 means all", queries(func(q *storage.Query) {
			if q.Limit == 0 {
				q.Limit = everything
			}
		}), "total/alone"},
		{"part of the answer beyond MaxScan", func(s storage.Store) storage.Store {
			return faulty{Store: s, query: func(ctx context.Context, s storage.Store, q storage.Query) (*storage.Page, error) {
				most := q.MaxScan
				q.MaxScan = 0
				p, err := s.Query(ctx, &q)
				if err == nil && most > 0 {
					p.Records = p.Records[:min(most/3, len(p.Records))]
				}
				return p, err
			}}
		}, "query/max_scan_never_gives_a_part"},
		{"answers from a moment ago", func() fault {
			return func(s storage.Store) storage.Store {
				var mu sync.Mutex
				kept := map[string]*storage.Page{}
				return faulty{Store: s, query: func(ctx context.Context, s storage.Store, q storage.Query) (*storage.Page, error) {
					mu.Lock()
					defer mu.Unlock()
					o, _ := q.Filter.Equal("userName")
					k := fmt.Sprint(q.Filter, o.Key, q.Hidden)
					if p := kept[k]; p != nil {
						return p, nil
					}
					p, err := s.Query(ctx, &q)
					kept[k] = p
					return p, err
				}}
			}
		}(), "query/index_follows_the_record"},

		// Change log and other abilities.
		{"a change is skipped", logs(faultyLog{changes: func(l storage.ChangeLog, tenant string, after int64, limit int) ([]storage.Change, error) {
			changes, err := l.Changes(context.Background(), tenant, after, limit)
			return slices.DeleteFunc(changes, func(c storage.Change) bool { return c.Seq == 3 }), err
		}}), "changelog/pages_are_dense_and_in_order changelog/none_is_skipped_under_load"},
		{"link counts lost", logs(faultyLog{changes: func(l storage.ChangeLog, tenant string, after int64, limit int) ([]storage.Change, error) {
			changes, err := l.Changes(context.Background(), tenant, after, limit)
			for i := range changes {
				changes[i].LinksRemoved = 0
			}
			return changes, err
		}}), "changelog/link_edit changelog/target_that_goes_is_a_change_of_its_owners changelog/owner_that_goes_tells_its_links"},
		{"logs of all tenants are one", logs(faultyLog{changes: func() func(l storage.ChangeLog, tenant string, after int64, limit int) ([]storage.Change, error) {
			var first string
			return func(l storage.ChangeLog, tenant string, after int64, limit int) ([]storage.Change, error) {
				if first == "" {
					first = tenant
				}
				return l.Changes(context.Background(), first, after, limit)
			}
		}()}), "tenant/change_logs_are_apart"},
		{"deltas ignore their position", logs(faultyLog{deltas: func(l storage.ChangeLog, tenant string, seq int64, _ storage.LinkDelta, limit int) ([]storage.LinkDelta, error) {
			return l.ChangedLinks(context.Background(), tenant, seq, storage.LinkDelta{}, limit)
		}}), "changelog/deltas_come_in_pages"},
		{"unknown changes have no links", logs(faultyLog{deltas: func(l storage.ChangeLog, tenant string, seq int64, after storage.LinkDelta, limit int) ([]storage.LinkDelta, error) {
			deltas, err := l.ChangedLinks(context.Background(), tenant, seq, after, limit)
			if errors.Is(err, storage.ErrNotFound) {
				err = nil
			}
			return deltas, err
		}}), "changelog/links_of_an_unknown_change_are_not_found changelog/trimming_forgets_the_oldest"},
		{"locks do not lock", func(s storage.Store) storage.Store { return brokenLocker{s} }, "lock/one_at_a_time lock/read_change_write_never_conflicts"},
		{"bulk is one batch", func(s storage.Store) storage.Store { return brokenBulk{s} }, "bulk/each_batch_on_its_own"},
	} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			caught(t, f.rules, func() storage.Store { return f.fault(kv.New(&mapDB{})) })
		})
	}
}

// Faults below the rules of a store: of its indexes and transactions.
func TestFaultsOfTheDatabaseAreCaught(t *testing.T) {
	t.Parallel()
	for _, f := range []struct {
		name  string
		db    dbFaults
		rules string
	}{
		{"unique keys stay behind", dbFaults{forgetDelete: 'u'}, "unique/deletion_frees_the_keys unique/another_key_frees_the_old_one unique/two_records_may_swap"},
		{"unique keys are not written", dbFaults{forgetPut: 'u'}, "unique/second_holder_is_refused concurrency/one_of_many_gets_the_key"},
		{"links backwards stay behind", dbFaults{forgetDelete: 't'}, "cascade/deleted_owner_lets_its_members_go cascade/hidden_owner_lets_its_members_go link/edit_is_old_without_remove_plus_add"},
		{"links backwards are not written", dbFaults{forgetPut: 't'}, "cascade/deleted_target_leaves_its_groups cascade/hidden_target_leaves_its_groups link/relations_are_apart"},
		{"links stay behind", dbFaults{forgetDelete: 'o'}, "link/edit_is_old_without_remove_plus_add cascade/deleted_target_leaves_its_groups cascade/deleted_record_comes_back_without_links"},
		{"records stay behind", dbFaults{forgetDelete: 'r'}, "record/odd_ids_are_told_apart record/created_starts_anew_after_deletion"},
		{"index is not written", dbFaults{forgetPut: 'i'}, "query/equality query/index_follows_the_record filter/agrees_with_match"},
		{"changes are not counted", dbFaults{forgetPut: 'n'}, "changelog/pages_are_dense_and_in_order"},
		{"changes are not written", dbFaults{forgetPut: 'c'}, "changelog/one_change_for_each_effective_write changelog/none_is_skipped_under_load"},
		{"link deltas are not written", dbFaults{forgetPut: 'd'}, "changelog/link_edit changelog/deltas_come_in_pages changelog/owner_that_goes_tells_its_links model/random_batches"},
		{"trimming forgets nothing", dbFaults{forgetDelete: 'c'}, "changelog/trimming_forgets_the_oldest"},
		{"failed transactions are kept", dbFaults{keepFailed: true}, "atomic/failed_batch_leaves_nothing"},
		{"transactions overwrite each other", dbFaults{unordered: true}, "concurrency/parallel_member_adds_lose_none concurrency/compare_and_swap_loses_nothing"},
	} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			caught(t, f.rules, func() storage.Store {
				return kv.New(&mapDB{dbFaults: f.db})
			})
		})
	}
}

func TestExcuses(t *testing.T) {
	t.Parallel()
	r := rule{name: "sort/text"}
	for name, want := range map[string]bool{"sort": true, "sort/text": true, "sort/": false, "so": false, "sort/te": false, "": false} {
		if r.named(name) != want {
			t.Errorf("Excuse(%q) covers rule %s: %v; want %v", name, r.name, !want, want)
		}
	}
}

// sortKey is a key that puts absent values last.
func sortKey(q *storage.Query, r *storage.Record) string {
	res, err := r.Resource(q.Type)
	if err != nil {
		panic(err)
	}
	key, absent := filter.SortKey(res, q.Sort.Path)
	if absent {
		return "\U0010ffff"
	}
	return key
}

// caught demands that each of the rules fails for the store, with its name in
// the message.
func caught(t *testing.T, names string, open func() storage.Store) {
	t.Helper()
	for name := range strings.FieldsSeq(names) {
		i := slices.IndexFunc(rules(), func(r rule) bool { return r.name == name })
		if i < 0 {
			t.Errorf("there is no rule %q", name)
			continue
		}
		rec := &recorder{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			newCheck(rec, rules()[i], open()).run()
		}()
		<-done
		switch {
		case rec.message == "":
			t.Errorf("rule %s does not notice it", name)
		case !strings.Contains(rec.message, "rule:  "+name+"\n"):
			t.Errorf("rule %s notices it in other words: %s", name, rec.message)
		}
	}
}

// recorder keeps what would fail a test.
type recorder struct {
	testing.TB
	message string
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	r.FailNow()
}

func (r *recorder) Errorf(format string, args ...any) { r.message = fmt.Sprintf(format, args...) }

func (r *recorder) Failed() bool { return r.message != "" }

func (r *recorder) FailNow() { runtime.Goexit() }

func (r *recorder) Log(...any) {}

func (r *recorder) Logf(string, ...any) {}
