#include "cli/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "cli/json_text.h"

#define NEWLINE_LEN 2 /* CR and LF */

/* ---- the terminal ------------------------------------------------------------------------ */

/* Those that would leave the terminal without echo. Ctrl-Z comes back, and then asks again. */
static const int signals[] = { SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGTSTP };

static volatile sig_atomic_t caught;

static void on_signal(int signum)
{
	caught = signum;
}

struct terminal {
	int fd;
	struct termios before;
	struct sigaction actions[ARRAY_LEN(signals)];
	sigset_t mask;
};

/* The signals come through only while we wait: none can slip in between. */
static void catch_signals(struct terminal *terminal)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t blocked;

	caught = 0;
	sigemptyset(&action.sa_mask);
	sigemptyset(&blocked);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaddset(&blocked, signals[i]);
	sigprocmask(SIG_BLOCK, &blocked, &terminal->mask);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaction(signals[i], &action, &terminal->actions[i]);
}

static void release_signals(const struct terminal *terminal)
{
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		sigaction(signals[i], &terminal->actions[i], NULL);
	if (caught)
		raise(caught); /* delivered by the next line */
	sigprocmask(SIG_SETMASK, &terminal->mask, NULL);
}

static bool hide(struct terminal *terminal, struct err *err)
{
	struct termios quiet;

	if (tcgetattr(terminal->fd, &terminal->before) < 0)
		return err_set(err, ERR_IO, "the terminal: %s", strerror(errno));
	quiet = terminal->before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag |= ICANON | ISIG;
	/* What was typed before the prompt was meant for something else. */
	if (tcsetattr(terminal->fd, TCSAFLUSH, &quiet) < 0)
		return err_set(err, ERR_IO, "the terminal: %s", strerror(errno));
	return true;
}

static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		return; /* a terminal that is gone; reading will tell */
}

/* Waits for a line; false when a signal came first. */
static bool wait_for_line(const struct terminal *terminal)
{
	struct pollfd terminal_fd = { .fd = terminal->fd, .events = POLLIN };

	while (!caught)
		if (ppoll(&terminal_fd, 1, NULL, &terminal->mask) > 0)
			return true;
	return false;
}

/* One line, or what fits of it. */
static bool read_line(const struct terminal *terminal, uint8_t *bytes, size_t room, size_t *len,
		      struct err *err)
{
	*len = 0;
	while (*len < room && (*len == 0 || bytes[*len - 1] != '\n')) {
		ssize_t got;

		if (!wait_for_line(terminal))
			return true;
		got = read(terminal->fd, bytes + *len, room - *len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(err, ERR_IO, "the terminal: %s", strerror(errno));
		if (got == 0)
			return true;
		*len += (size_t)got;
	}
	return true;
}

/* Asks until a line is there. After a signal that lets us go on, like Ctrl-Z, from the start. */
static bool ask(int fd, const char *prompt, uint8_t *bytes, size_t room, size_t *len,
		struct err *err)
{
	struct terminal terminal = { .fd = fd };
	bool is_fine;

	do {
		catch_signals(&terminal);
		is_fine = hide(&terminal, err);
		if (is_fine) {
			say(fd, prompt);
			is_fine = read_line(&terminal, bytes, room, len, err);
			tcsetattr(fd, TCSAFLUSH, &terminal.before);
			say(fd, "\n");
		}
		release_signals(&terminal);
	} while (caught);
	return is_fine;
}

static bool ask_terminal(const char *prompt, uint8_t *bytes, size_t room, size_t *len,
			 struct err *err)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	bool is_fine;

	if (fd < 0)
		return err_set(err, ERR_IO, "/dev/tty: %s", strerror(errno));
	is_fine = ask(fd, prompt, bytes, room, len, err);
	close(fd);
	return is_fine;
}

/* ---- a pipe ------------------------------------------------------------------------------ */

/* Not by opening /dev/stdin: through sudo -u, the pipe belongs to someone else. */
static bool read_stdin(uint8_t *bytes, size_t room, size_t *len, struct err *err)
{
	*len = 0;
	while (*len < room) {
		ssize_t got = read(STDIN_FILENO, bytes + *len, room - *len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(err, ERR_IO, "stdin: %s", strerror(errno));
		if (got == 0)
			break;
		*len += (size_t)got;
	}
	return true;
}

/* ---- either ------------------------------------------------------------------------------ */

static size_t without_newline(const uint8_t *bytes, size_t len)
{
	if (len == 0 || bytes[len - 1] != '\n')
		return len;
	return len > 1 && bytes[len - 2] == '\r' ? len - 2 : len - 1;
}

bool input_secret(const char *file, const char *prompt, size_t max, struct secret **result,
		  struct err *err)
{
	size_t room = max + NEWLINE_LEN + 1, len = 0;
	bool is_person = isatty(STDIN_FILENO), is_fine = false;
	struct secret *whole;
	uint8_t *bytes;

	if (file)
		return secret_read_file(file, max, result, err);
	whole = secret_create(room);
	bytes = secret_open(whole);
	if (is_person && !ask_terminal(prompt, bytes, room, &len, err))
		goto out;
	if (!is_person && !read_stdin(bytes, room, &len, err))
		goto out;
	len = without_newline(bytes, len);
	if (len == 0 || len > max) {
		err_set(err, ERR_CONFIG, len ? "a secret of more than %zu bytes" : "no secret came",
			max);
		goto out;
	}
	*result = secret_from(bytes, len);
	is_fine = true;
out:
	secret_close(whole);
	secret_destroy(whole);
	return is_fine;
}

bool input_secret_body(const char *name, const struct secret *value, struct secret **result,
		       struct err *err)
{
	const char *text = (const char *)secret_open(value);
	size_t len = secret_len(value);
	struct secret *room;
	char *start, *to;
	bool is_fine = utf8_is_valid(text, len);

	if (!is_fine) {
		secret_close(value);
		return err_set(err, ERR_CONFIG, "the secret is not UTF-8");
	}
	room = secret_create(strlen(name) + 8 + JSON_TEXT_GROWTH * len);
	start = (char *)secret_open(room);
	to = stpcpy(stpcpy(stpcpy(start, "{\""), name), "\":\"");
	to += json_text_escape(to, text, len);
	to = stpcpy(to, "\"}");
	*result = secret_from(start, (size_t)(to - start));
	secret_close(room);
	secret_destroy(room);
	secret_close(value);
	return true;
}
