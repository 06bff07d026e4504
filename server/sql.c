#include "server/sql.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

/* SQLite forgets the system's reason for a failed COMMIT, but the file of its log does not. */
static int system_reason(sqlite3 *db)
{
	int system = sqlite3_system_errno(db);
	sqlite3_file *log = NULL;

	if (!system)
		sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
	if (log && log->pMethods)
		log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &system);
	return system;
}

bool sql_fail(sqlite3 *db, struct err *err)
{
	int code = sqlite3_extended_errcode(db) & 0xff;
	const char *text = sqlite3_errmsg(db);
	int system = 0;

	if (code == SQLITE_IOERR || code == SQLITE_CANTOPEN)
		system = system_reason(db);
	if (system)
		return err_set(err, ERR_JOURNAL, "%s: %s", text, strerror(system));
	return err_set(err, ERR_JOURNAL, "%s", text);
}

bool sql_is_damaged(sqlite3 *db)
{
	int code = sqlite3_extended_errcode(db) & 0xff;

	return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

bool sql_exec(sqlite3 *db, const char *text, struct err *err)
{
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		return sql_fail(db, err);
	return true;
}

bool sql_prepare(sqlite3 *db, const char *text, bool is_lasting, sqlite3_stmt **result,
		 struct err *err)
{
	unsigned flags = is_lasting ? SQLITE_PREPARE_PERSISTENT : 0;

	if (sqlite3_prepare_v3(db, text, -1, flags, result, NULL) != SQLITE_OK)
		return sql_fail(db, err);
	return true;
}

bool sql_next(sqlite3_stmt *stmt, bool *has_row, struct err *err)
{
	int status = sqlite3_step(stmt);

	if (status != SQLITE_ROW && status != SQLITE_DONE)
		return sql_fail(sqlite3_db_handle(stmt), err);
	*has_row = status == SQLITE_ROW;
	return true;
}

bool sql_run(sqlite3_stmt *stmt, struct err *err)
{
	bool has_row;
	bool is_done = sql_next(stmt, &has_row, err);

	sqlite3_reset(stmt);
	return is_done;
}

bool sql_query_text(sqlite3 *db, const char *text, char *value, size_t value_size, struct err *err)
{
	struct sql_cursor row;
	sqlite3_stmt *stmt = NULL;
	bool has_row = false, is_done = false;

	if (!sql_prepare(db, text, false, &stmt, err) || !sql_next(stmt, &has_row, err))
		goto out;
	row = sql_cursor(stmt);
	if (has_row)
		sql_get_text(&row, value, value_size);
	else
		mem_str_set(value, value_size, "");
	is_done = true;
out:
	sqlite3_finalize(stmt);
	return is_done;
}

bool sql_query_int(sqlite3 *db, const char *text, int64_t *value, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	bool has_row = false, is_done = false;

	if (!sql_prepare(db, text, false, &stmt, err) || !sql_next(stmt, &has_row, err))
		goto out;
	*value = has_row ? sqlite3_column_int64(stmt, 0) : 0;
	is_done = true;
out:
	sqlite3_finalize(stmt);
	return is_done;
}

struct sql_cursor sql_cursor(sqlite3_stmt *stmt)
{
	return (struct sql_cursor){ .stmt = stmt };
}

/* A bind fails for want of memory, which ends the process, or because the number is wrong. */
static void must_bind(int status)
{
	if (status == SQLITE_NOMEM)
		mem_give_up(0);
	assert(status == SQLITE_OK);
}

void sql_put_text(struct sql_cursor *cursor, const char *text)
{
	must_bind(sqlite3_bind_text(cursor->stmt, ++cursor->at, text, -1, SQLITE_TRANSIENT));
}

void sql_put_text_or_null(struct sql_cursor *cursor, const char *text)
{
	sql_put_text(cursor, text && text[0] ? text : NULL);
}

void sql_put_int(struct sql_cursor *cursor, int64_t value)
{
	must_bind(sqlite3_bind_int64(cursor->stmt, ++cursor->at, value));
}

void sql_put_int_or_null(struct sql_cursor *cursor, int64_t value, bool has_value)
{
	if (has_value)
		sql_put_int(cursor, value);
	else
		sql_put_text(cursor, NULL);
}

void sql_put_decimal(struct sql_cursor *cursor, struct decimal value)
{
	char text[DECIMAL_TEXT_LEN];

	sql_put_text(cursor, decimal_print(value, text));
}

void sql_put_decimal_or_null(struct sql_cursor *cursor, struct decimal value, bool has_value)
{
	if (has_value)
		sql_put_decimal(cursor, value);
	else
		sql_put_text(cursor, NULL);
}

void sql_put_wall(struct sql_cursor *cursor, struct wall time)
{
	char text[WALL_TEXT_LEN];

	sql_put_text(cursor, wall_print(time, text));
}

void sql_put_wall_or_null(struct sql_cursor *cursor, struct wall time)
{
	if (time.us)
		sql_put_wall(cursor, time);
	else
		sql_put_text(cursor, NULL);
}

void sql_bind_text(sqlite3_stmt *stmt, const char *name, const char *text)
{
	int at = sqlite3_bind_parameter_index(stmt, name);

	if (at)
		must_bind(sqlite3_bind_text(stmt, at, text, -1, SQLITE_TRANSIENT));
}

void sql_bind_int(sqlite3_stmt *stmt, const char *name, int64_t value)
{
	int at = sqlite3_bind_parameter_index(stmt, name);

	if (at)
		must_bind(sqlite3_bind_int64(stmt, at, value));
}

static const char *next_text(struct sql_cursor *cursor) /* NULL for NULL */
{
	int type = sqlite3_column_type(cursor->stmt, cursor->at);
	const unsigned char *text = sqlite3_column_text(cursor->stmt, cursor->at++);

	if (!text && type != SQLITE_NULL)
		mem_give_up(0);
	return (const char *)text;
}

static void spoil(struct sql_cursor *cursor)
{
	if (!cursor->bad)
		cursor->bad = cursor->at;
}

void sql_get_text(struct sql_cursor *cursor, char *text, size_t text_size)
{
	const char *found = next_text(cursor);

	mem_str_set(text, text_size, found ? found : "");
}

char *sql_take_text(struct sql_cursor *cursor)
{
	return mem_strdup(next_text(cursor));
}

int64_t sql_get_int(struct sql_cursor *cursor)
{
	return sqlite3_column_int64(cursor->stmt, cursor->at++);
}

bool sql_get_int_or_null(struct sql_cursor *cursor, int64_t *value)
{
	bool has_value = sqlite3_column_type(cursor->stmt, cursor->at) != SQLITE_NULL;

	*value = sql_get_int(cursor);
	return has_value;
}

bool sql_get_decimal(struct sql_cursor *cursor, struct decimal *value)
{
	const char *text = next_text(cursor);
	struct err err;

	*value = DECIMAL_ZERO;
	if (!text)
		return false;
	if (!decimal_parse(text, strlen(text), value, &err))
		spoil(cursor);
	return true;
}

struct wall sql_get_wall(struct sql_cursor *cursor)
{
	const char *text = next_text(cursor);
	struct wall time = { 0 };

	if (text && !wall_parse(text, &time))
		spoil(cursor);
	return time;
}

int sql_get_word(struct sql_cursor *cursor, const char *const *words, int count)
{
	const char *text = next_text(cursor);

	for (int i = 0; text && i < count; i++)
		if (strcmp(text, words[i]) == 0)
			return i;
	spoil(cursor);
	return 0;
}

bool sql_is_sound(const struct sql_cursor *cursor, struct err *err)
{
	if (cursor->bad)
		return err_set(err, ERR_JOURNAL, "unusable value in column %s",
			       sqlite3_column_name(cursor->stmt, cursor->bad - 1));
	return true;
}
