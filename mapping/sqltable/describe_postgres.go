package sqltable

import (
	"context"
	"strings"
)

func describePostgres(ctx context.Context, tx Tx, table string) (*tableInfo, error) {
	info := &tableInfo{name: table, constraints: map[string][]string{}}
	var oid any
	err := tx.Query(ctx, "SELECT c.oid::int8, c.relkind::text FROM pg_class c WHERE c.oid = to_regclass($1)", []any{quoted(table)}, func(v []any) error {
		oid, info.view = v[0], textOf(v[1]) != "r" && textOf(v[1]) != "p"
		info.rows = textOf(v[1]) == "r"
		return nil
	})
	if err != nil || oid == nil {
		return nil, err
	}
	var collations []string // of the columns
	err = tx.Query(ctx, `SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), b.typname::text, b.typcategory::text,
			CASE WHEN b.typname IN ('varchar', 'bpchar') THEN greatest(CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END - 4, 0) ELSE 0 END::int8,
			a.attnotnull OR t.typnotnull, a.atthasdef OR a.attidentity <> '', a.attgenerated <> '' OR a.attidentity = 'a',
			coalesce(l.collisdeterministic, true),
			CASE WHEN l.oid IS NULL THEN '' WHEN l.collname = 'default' THEN 'default' ELSE quote_ident(n.nspname) || '.' || quote_ident(l.collname) END,
			coalesce((SELECT string_agg(e.enumlabel, chr(31) ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = b.oid), '')
		FROM pg_attribute a
		JOIN pg_type t ON t.oid = a.atttypid
		JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
		LEFT JOIN pg_collation l ON l.oid = a.attcollation
		LEFT JOIN pg_namespace n ON n.oid = l.collnamespace
		WHERE a.attrelid = $1::int8::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, []any{oid}, func(v []any) error {
		c := columnInfo{
			name: textOf(v[0]), declared: textOf(v[1]), max: int(intOf(v[4])),
			required: boolOf(v[5]), made: boolOf(v[6]), generated: boolOf(v[7]),
		}
		postgresKind(&c, textOf(v[2]), textOf(v[3]))
		c.loose = c.folds || !boolOf(v[8])
		if labels := textOf(v[10]); labels != "" {
			c.labels = strings.Split(labels, "\x1f")
		}
		info.columns, collations = append(info.columns, c), append(collations, textOf(v[9]))
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := askLowers(ctx, tx, info, collations); err != nil {
		return nil, err
	}
	var indexes []any
	err = tx.Query(ctx, `SELECT i.indexrelid::int8, c.relname::text, i.indisunique AND i.indisvalid,
			coalesce(pg_get_expr(i.indpred, i.indrelid), '')
		FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = $1::int8::oid AND i.indisvalid ORDER BY c.relname`, []any{oid},
		func(v []any) error {
			indexes = append(indexes, v[0])
			info.indexes = append(info.indexes, indexInfo{name: textOf(v[1]), unique: boolOf(v[2]), partial: textOf(v[3])})
			return nil
		})
	if err != nil {
		return nil, err
	}
	for i, id := range indexes {
		index := &info.indexes[i]
		err := tx.Query(ctx, `SELECT coalesce(a.attname::text, ''), pg_get_indexdef(i.indexrelid, k.n, true)
			FROM pg_index i CROSS JOIN LATERAL generate_series(1, i.indnkeyatts) AS k(n)
			LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.n - 1] AND a.attnum > 0
			WHERE i.indexrelid = $1::int8::oid ORDER BY k.n`, []any{id}, func(v []any) error {
			key := indexKey{column: textOf(v[0])}
			if key.column == "" {
				key.expr = textOf(v[1])
			} else if c := info.column(key.column); c != nil {
				key.folds = c.folds
			}
			index.keys = append(index.keys, key)
			info.constraints[index.name] = append(info.constraints[index.name], keyColumns(key, info)...)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	err = tx.Query(ctx, `SELECT DISTINCT r.relname::text FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
		WHERE c.confrelid = $1::int8::oid AND c.contype = 'f' AND c.confdeltype IN ('a', 'r') ORDER BY 1`, []any{oid}, func(v []any) error {
		info.holders = append(info.holders, textOf(v[0]))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return info, tx.Query(ctx, `SELECT c.conname::text, a.attname::text FROM pg_constraint c
		JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
		WHERE c.conrelid = $1::int8::oid AND c.contype IN ('c', 'f')`, []any{oid}, func(v []any) error {
		name := textOf(v[0])
		info.constraints[name] = append(info.constraints[name], textOf(v[1]))
		return nil
	})
}

// postgresKind sets what a column holds by the name and the category of its type,
// of the one that a domain is made of.
func postgresKind(c *columnInfo, typname, category string) {
	switch typname {
	case "bool":
		c.kind = kindBoolean
	case "int2", "int4", "int8":
		c.kind, c.bits = kindInteger, int(typname[3]-'0')*8
	case "float4", "float8", "numeric":
		c.kind = kindNumber
	case "timestamptz", "timestamp", "date":
		c.kind = kindTime
	case "uuid":
		c.kind = kindUUID
	case "text", "varchar":
		c.kind = kindText
	case "citext":
		c.kind, c.folds = kindText, true
	default:
		c.kind = kindOther
		if category == "E" {
			c.kind = kindText
		}
	}
}

// askLowers asks what lower() and upper() do with ASCII under the collations of the
// table's texts: a Turkish one has ideas of its own about the letter I.
func askLowers(ctx context.Context, tx Tx, info *tableInfo, collations []string) error {
	known := map[string]bool{}
	for i, collation := range collations {
		c := &info.columns[i]
		if c.kind != kindText || len(c.labels) > 0 {
			continue
		}
		lowers, ok := known[collation]
		if !ok {
			in := ""
			if collation != "default" && collation != "" {
				in = " COLLATE " + collation
			}
			err := tx.Query(ctx, "SELECT lower('ABCDEFGHIJKLMNOPQRSTUVWXYZ'"+in+") = 'abcdefghijklmnopqrstuvwxyz'"+
				" AND upper('abcdefghijklmnopqrstuvwxyz'"+in+") = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'", nil,
				func(v []any) error {
					lowers = boolOf(v[0])
					return nil
				})
			if err != nil {
				return err
			}
			known[collation] = lowers
		}
		c.lowers = lowers
	}
	return nil
}
