#include "server/migrate.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/crash_point.h"
#include "base/log.h"
#include "server/sql.h"

#define CHECKSUM_LEN (2 * crypto_hash_sha256_BYTES + 1)

static void checksum_of(const struct migration *migration, char text[CHECKSUM_LEN])
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, (const unsigned char *)migration->sql, strlen(migration->sql));
	hex_encode(hash, sizeof(hash), text);
}

/* A file of zero tables is a new journal; one with tables must say that it is ours. */
static bool check_owner(sqlite3 *db, bool *is_new, struct err *err)
{
	int64_t id, tables;

	if (!sql_query_int(db, "PRAGMA application_id", &id, err) ||
	    !sql_query_int(db, "SELECT count(*) FROM sqlite_schema", &tables, err))
		return false;
	*is_new = tables == 0;
	if (tables > 0 && id != MIGRATE_APPLICATION_ID)
		return err_set(err, ERR_JOURNAL,
			       "the file is a database of another program, not a journal");
	return true;
}

static bool check_one(struct sql_cursor *row, const struct migration *list, size_t count,
		      size_t place, struct err *err)
{
	char name[64], found[CHECKSUM_LEN], expected[CHECKSUM_LEN];
	int64_t version = sql_get_int(row);

	sql_get_text(row, name, sizeof(name));
	sql_get_text(row, found, sizeof(found));
	if (place >= count)
		return err_set(err, ERR_JOURNAL,
			       "the journal is newer than this program: it has migration %s, the "
			       "last one known here is %s",
			       name, list[count - 1].name);
	checksum_of(&list[place], expected);
	if (version != list[place].version || strcmp(found, expected) != 0)
		return err_set(err, ERR_JOURNAL,
			       "the journal's migration %s is not this program's %s: their texts "
			       "differ",
			       name, list[place].name);
	return true;
}

/* *applied: how many of list the journal has. */
static bool check_applied(sqlite3 *db, const struct migration *list, size_t count, size_t *applied,
			  struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	bool has_row = true, is_sound = false;

	*applied = 0;
	if (!sql_prepare(db,
			 "SELECT version, name, checksum FROM schema_migrations ORDER BY version",
			 false, &stmt, err))
		goto out;
	while (sql_next(stmt, &has_row, err) && has_row) {
		struct sql_cursor row = sql_cursor(stmt);

		if (!check_one(&row, list, count, *applied, err))
			goto out;
		(*applied)++;
	}
	is_sound = !has_row;
out:
	sqlite3_finalize(stmt);
	return is_sound;
}

static bool record(sqlite3 *db, const struct migration *migration, struct err *err)
{
	char checksum[CHECKSUM_LEN], pragmas[96];
	sqlite3_stmt *stmt = NULL;
	struct sql_cursor row;
	bool is_done = false;

	if (!sql_prepare(db,
			 "INSERT INTO schema_migrations (version, name, checksum, applied_at) "
			 "VALUES (?, ?, ?, ?)",
			 false, &stmt, err))
		goto out;
	checksum_of(migration, checksum);
	row = sql_cursor(stmt);
	sql_put_int(&row, migration->version);
	sql_put_text(&row, migration->name);
	sql_put_text(&row, checksum);
	sql_put_wall(&row, wall_now());
	if (!sql_run(stmt, err))
		goto out;
	snprintf(pragmas, sizeof(pragmas), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		 MIGRATE_APPLICATION_ID, migration->version);
	is_done = sql_exec(db, pragmas, err);
out:
	sqlite3_finalize(stmt);
	return is_done;
}

static bool check_references(sqlite3 *db, struct err *err)
{
	char table[64];

	if (!sql_query_text(db, "PRAGMA foreign_key_check", table, sizeof(table), err))
		return false;
	if (table[0])
		return err_set(err, ERR_JOURNAL, "it leaves broken references in %s", table);
	return true;
}

static bool commit(sqlite3 *db, struct err *err)
{
	CRASH_POINT("migrate.before");
	if (!sql_exec(db, "COMMIT", err))
		return false;
	CRASH_POINT("migrate.committed");
	return true;
}

static bool apply_one(sqlite3 *db, const struct migration *migration, struct err *err)
{
	struct err ignored;

	CRASH_POINT("migrate.begin");
	if (sql_exec(db, "BEGIN IMMEDIATE", err) && sql_exec(db, migration->sql, err) &&
	    check_references(db, err) && record(db, migration, err) && commit(db, err))
		return true;
	if (!sqlite3_get_autocommit(db) && !sql_exec(db, "ROLLBACK", &ignored))
		return err_prefix(err, "%s; migration %s", ignored.text, migration->name);
	return err_prefix(err, "migration %s", migration->name);
}

bool migrate_apply(sqlite3 *db, const struct migration *list, size_t count, struct err *err)
{
	size_t applied = 0;
	bool is_new;

	assert(count > 0);
	if (!check_owner(db, &is_new, err))
		return false;
	if (!is_new && !check_applied(db, list, count, &applied, err))
		return false;
	for (size_t i = applied; i < count; i++) {
		assert(list[i].version == (int)i + 1);
		if (!apply_one(db, &list[i], err))
			return false;
		LOG(INFO, "journal.migrated", F_STR("migration", list[i].name));
	}
	return true;
}
