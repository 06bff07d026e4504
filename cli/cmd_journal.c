/* The command that puts questions to the journal's file, beside the daemon that writes it.
 *
 * Nothing can be changed: the file is opened for reading, and statements that do more than read are
 * refused before they run, as are those that would keep the daemon from its file (PRAGMA
 * locking_mode) or write another one (VACUUM INTO, ATTACH). Such a connection never checkpoints.
 * Ctrl-C ends the statement, and the file is closed in order. */
#include "cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/json_text.h"
#include "cli/print.h"

#define BUSY_MS       5000
#define STEPS_BETWEEN 1000 /* of SQLite's machine, between looks at whether to go on */

static volatile sig_atomic_t caught;

static void on_signal(int signum)
{
	caught = signum;
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* Not sqlite3_interrupt(), which a statement that has not begun yet would miss. */
static int is_interrupted(void *arg)
{
	(void)arg;
	return caught != 0;
}

/* ---- the file ---------------------------------------------------------------------------- */

/* Pragmas that only look, and take the name of what they look at. */
static bool only_looks(const char *pragma)
{
	static const char *const looks[] = { "table_info",      "table_xinfo", "index_list",
					     "index_info",      "index_xinfo", "foreign_key_list",
					     "integrity_check", "quick_check" };

	for (size_t i = 0; i < ARRAY_LEN(looks); i++)
		if (strcmp(pragma, looks[i]) == 0)
			return true;
	return false;
}

static int judge(void *arg, int action, const char *first, const char *second, const char *database,
		 const char *trigger)
{
	(void)arg, (void)database, (void)trigger;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_FUNCTION:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_PRAGMA:
		return !second || only_looks(first) ? SQLITE_OK : SQLITE_DENY;
	default:
		return SQLITE_DENY;
	}
}

static bool open_journal(const char *path, sqlite3 **db, struct err *err)
{
	/* SQLite's own words do not tell a missing file from a forbidden one. */
	if (access(path, R_OK) != 0)
		return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
	if (sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
	    sqlite3_busy_timeout(*db, BUSY_MS) != SQLITE_OK ||
	    sqlite3_exec(*db, "PRAGMA query_only = 1", NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_set_authorizer(*db, judge, NULL) != SQLITE_OK)
		return err_set(err, ERR_IO, "%s: %s", path, sqlite3_errmsg(*db));
	sqlite3_progress_handler(*db, STEPS_BETWEEN, is_interrupted, NULL);
	return true;
}

static bool fail(sqlite3 *db, struct err *err)
{
	if (sqlite3_errcode(db) == SQLITE_AUTH)
		return err_set(err, ERR_REFUSED, "only what reads: %s", sqlite3_errmsg(db));
	return err_set(err, ERR_REFUSED, "%s", sqlite3_errmsg(db));
}

static bool prepare(sqlite3 *db, const char *sql, sqlite3_stmt **statement, struct err *err)
{
	const char *rest = "";

	if (sqlite3_prepare_v2(db, sql, -1, statement, &rest) != SQLITE_OK)
		return fail(db, err);
	if (!*statement)
		return err_set(err, ERR_USAGE, "an SQL statement is needed");
	if (rest[strspn(rest, " \t\r\n;")] != '\0')
		return err_set(err, ERR_USAGE, "one SQL statement at a time");
	if (!sqlite3_stmt_readonly(*statement) || sqlite3_column_count(*statement) == 0)
		return err_set(err, ERR_REFUSED, "only what reads");
	return true;
}

/* ---- rows -------------------------------------------------------------------------------- */

/* A cell as text; a blob in hex. Ends with buf_fini(). */
static void cell_text(sqlite3_stmt *statement, int column, struct buf *text)
{
	bool is_blob = sqlite3_column_type(statement, column) == SQLITE_BLOB;
	const void *bytes = is_blob ? sqlite3_column_blob(statement, column)
				    : sqlite3_column_text(statement, column);
	size_t len = (size_t)sqlite3_column_bytes(statement, column);

	buf_init(text, 2 * len);
	if (is_blob)
		buf_add_hex(text, bytes, len);
	else
		buf_add(text, bytes, len);
}

static void add_cell(struct table *table, sqlite3_stmt *statement, int column)
{
	struct buf text;

	if (sqlite3_column_type(statement, column) == SQLITE_NULL) {
		table_add(table, "-", 1);
		return;
	}
	cell_text(statement, column, &text);
	table_add(table, buf_str(&text), text.len);
	buf_fini(&text);
}

/* result: of the first step, so that a statement that fails at once prints nothing. */
static int print_table(sqlite3_stmt *statement, int result)
{
	int columns = sqlite3_column_count(statement);
	struct table *table = table_create(stdout, (size_t)columns);

	for (int i = 0; i < columns; i++)
		table_head(table, (size_t)i, sqlite3_column_name(statement, i), false);
	for (; result == SQLITE_ROW; result = sqlite3_step(statement))
		for (int i = 0; i < columns; i++)
			add_cell(table, statement, i);
	table_finish(table);
	return result;
}

static void print_string(const char *text, size_t len)
{
	char *escaped = mem_array(len + 1, JSON_TEXT_GROWTH);

	putchar('"');
	fwrite(escaped, 1, json_text_escape(escaped, text, len), stdout);
	putchar('"');
	mem_free(escaped);
}

/* Numbers as SQLite writes them; "Inf", for which JSON has no word, is a string. */
static void print_json_cell(sqlite3_stmt *statement, int column)
{
	int type = sqlite3_column_type(statement, column);
	bool is_number = type == SQLITE_INTEGER || type == SQLITE_FLOAT;
	struct buf text;

	if (type == SQLITE_NULL) {
		fputs("null", stdout);
		return;
	}
	cell_text(statement, column, &text);
	if (is_number && strspn(buf_str(&text), "0123456789.eE+-") == text.len)
		fputs(buf_str(&text), stdout);
	else
		print_string(buf_str(&text), text.len);
	buf_fini(&text);
}

static void print_json_row(sqlite3_stmt *statement)
{
	for (int i = 0; i < sqlite3_column_count(statement); i++) {
		const char *name = sqlite3_column_name(statement, i);

		putchar(i == 0 ? '{' : ',');
		print_string(name, strlen(name));
		putchar(':');
		print_json_cell(statement, i);
	}
	putchar('}');
}

/* An answer that breaks off is no JSON: it must not pass for a whole one. */
static int print_json(sqlite3_stmt *statement, int result)
{
	const char *before = "[";

	for (; result == SQLITE_ROW; result = sqlite3_step(statement)) {
		fputs(before, stdout);
		print_json_row(statement);
		before = ",\n";
	}
	if (result == SQLITE_DONE)
		fputs(before[0] == '[' ? "[]\n" : "]\n", stdout);
	return result;
}

/* ---- the command ------------------------------------------------------------------------- */

static bool ask(sqlite3 *db, const char *sql, bool is_json, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	bool is_fine = prepare(db, sql, &statement, err);
	int result = is_fine ? sqlite3_step(statement) : SQLITE_ERROR;

	if (result == SQLITE_ROW || result == SQLITE_DONE)
		result = is_json ? print_json(statement, result) : print_table(statement, result);
	if (is_fine && result != SQLITE_DONE)
		is_fine = fail(db, err);
	sqlite3_finalize(statement);
	return is_fine;
}

int cmd_journal_sql(struct cli *cli)
{
	sqlite3 *db = NULL;
	struct err err;
	bool is_fine;

	if (args_has(&cli->args, "--url") || args_has(&cli->args, "--socket"))
		return cli_usage("journal sql reads the file itself: only --data-dir says where");
	catch_signals();
	is_fine = open_journal(cli->paths.journal, &db, &err) &&
		  ask(db, cli->args.operands[0], cli->is_json, &err);
	sqlite3_close(db);
	if (caught)
		return CLI_SIGNAL + caught;
	return is_fine ? CLI_DONE : cli_fail(&err);
}
