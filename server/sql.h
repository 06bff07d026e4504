/* sql.h - the few things that are done with SQLite over and over.
 *
 * Values go into a statement and come out of a row one after the other, so that the list of
 * columns and the list of calls can be read side by side. "" and 0 that mean "none" are NULL in
 * the database where a function's name says so. A value of the database that is not what its
 * column promises spoils the cursor, which remembers the first such column.
 * The thread that has the connection. */
#ifndef SERVER_SQL_H
#define SERVER_SQL_H
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "base/err.h"

/* Fills err with SQLite's last error on db, and the system's reason where there is one:
 * ERR_JOURNAL. Always false. */
bool sql_fail(sqlite3 *db, struct err *err);

/* Is SQLite's last error on db that a page is not what it was when it was written? */
bool sql_is_damaged(sqlite3 *db);

/* One or more statements without results. */
MUST_CHECK bool sql_exec(sqlite3 *db, const char *text, struct err *err);
/* The first column of the first row; "" when there is no row or it is NULL. */
MUST_CHECK bool sql_query_text(sqlite3 *db, const char *text, char *value, size_t value_size,
			       struct err *err);
MUST_CHECK bool sql_query_int(sqlite3 *db, const char *text, int64_t *value, struct err *err);

/* is_lasting: it is run many times. Finalize with sqlite3_finalize(). */
MUST_CHECK bool sql_prepare(sqlite3 *db, const char *text, bool is_lasting, sqlite3_stmt **result,
			    struct err *err);
/* Runs a statement that gives no rows, and resets it. */
MUST_CHECK bool sql_run(sqlite3_stmt *stmt, struct err *err);
/* *has_row false at the end. */
MUST_CHECK bool sql_next(sqlite3_stmt *stmt, bool *has_row, struct err *err);

struct sql_cursor {
	sqlite3_stmt *stmt;
	int at;  /* how many were put or got */
	int bad; /* first spoiled column, counted from 1; 0: none */
};
struct sql_cursor sql_cursor(sqlite3_stmt *stmt);

void sql_put_text(struct sql_cursor *cursor, const char *text);         /* NULL is NULL */
void sql_put_text_or_null(struct sql_cursor *cursor, const char *text); /* "" is NULL */
void sql_put_int(struct sql_cursor *cursor, int64_t value);
void sql_put_int_or_null(struct sql_cursor *cursor, int64_t value, bool has_value);
void sql_put_decimal(struct sql_cursor *cursor, struct decimal value);
void sql_put_decimal_or_null(struct sql_cursor *cursor, struct decimal value, bool has_value);
void sql_put_wall(struct sql_cursor *cursor, struct wall time);
void sql_put_wall_or_null(struct sql_cursor *cursor, struct wall time);

/* For statements whose parameters depend on the question: one that is not there is skipped. */
void sql_bind_text(sqlite3_stmt *stmt, const char *name, const char *text);
void sql_bind_int(sqlite3_stmt *stmt, const char *name, int64_t value);

/* NULL is "", 0 or "not there". */
void sql_get_text(struct sql_cursor *cursor, char *text, size_t text_size);
char *sql_take_text(struct sql_cursor *cursor); /* of any length; the caller frees. NULL for NULL */
int64_t sql_get_int(struct sql_cursor *cursor);
bool sql_get_int_or_null(struct sql_cursor *cursor, int64_t *value);    /* false for NULL */
bool sql_get_decimal(struct sql_cursor *cursor, struct decimal *value); /* false for NULL */
struct wall sql_get_wall(struct sql_cursor *cursor);
/* The place of a word in words, or spoils the cursor. */
int sql_get_word(struct sql_cursor *cursor, const char *const *words, int count);
/* False, with the column's name, when a value was not what it should be. */
MUST_CHECK bool sql_is_sound(const struct sql_cursor *cursor, struct err *err);
#endif
