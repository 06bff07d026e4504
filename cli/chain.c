#include "cli/chain.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

#define SEQ_DIGITS_MAX 16 /* of 2^53 */
#define NOT_A_POSITION                                                                 \
	"--after takes a position as it was printed: an epoch, and a number for each " \
	"channel"

static struct chain *find(struct chains *chains, const char *channel, size_t len)
{
	for (size_t i = 0; i < chains->count; i++)
		if (strlen(chains->items[i].name) == len &&
		    memcmp(chains->items[i].name, channel, len) == 0)
			return &chains->items[i];
	return NULL;
}

bool chains_add(struct chains *chains, const char *channel, struct err *err)
{
	if (find(chains, channel, strlen(channel)))
		return true;
	if (chains->count == CHAIN_CHANNELS_MAX)
		return err_set(err, ERR_USAGE, "more than %d channels", CHAIN_CHANNELS_MAX);
	if (*channel == '\0' || strchr(channel, ',') ||
	    !STR_SET(chains->items[chains->count].name, channel))
		return err_set(err, ERR_USAGE,
			       "there is no such channel; see deltagate tail "
			       "--help");
	chains->count++;
	return true;
}

/* ---- positions --------------------------------------------------------------------------- */

static bool has_place(const struct chain *chain)
{
	return strncmp(chain->name, "depth:", 6) != 0 && strncmp(chain->name, "price:", 6) != 0;
}

/* "orders=831" */
static bool take_place(struct chains *chains, const char *text, size_t len)
{
	const char *equals = memchr(text, '=', len);
	size_t name_len = equals ? (size_t)(equals - text) : 0;
	size_t digits = equals ? len - name_len - 1 : 0;
	struct chain *chain = find(chains, text, name_len);

	if (name_len == 0 || digits == 0 || digits > SEQ_DIGITS_MAX ||
	    strspn(equals + 1, "0123456789") < digits)
		return false;
	if (chain && has_place(chain)) {
		chain->has_seq = true;
		chain->seq = strtoll(equals + 1, NULL, 10);
	}
	return true;
}

bool chains_set_position(struct chains *chains, const char *text, struct err *err)
{
	size_t len = strcspn(text, ";");

	if (len == 0 || len >= sizeof(chains->epoch) || memchr(text, '=', len))
		return err_set(err, ERR_USAGE, NOT_A_POSITION);
	memcpy(chains->epoch, text, len);
	chains->epoch[len] = '\0';
	while (text[len] == ';') {
		text += len + 1;
		len = strcspn(text, ";");
		if (!take_place(chains, text, len))
			return err_set(err, ERR_USAGE, NOT_A_POSITION);
	}
	return true;
}

void chains_print_position(const struct chains *chains, struct buf *to)
{
	size_t places = 0;

	for (size_t i = 0; i < chains->count; i++) {
		const struct chain *chain = &chains->items[i];

		if (!chain->has_seq || !has_place(chain))
			continue;
		if (places++ == 0)
			buf_add_str(to, chains->epoch);
		buf_printf(to, ";%s=%lld", chain->name, (long long)chain->seq);
	}
}

void chains_forget(struct chains *chains)
{
	for (size_t i = 0; i < chains->count; i++)
		chains->items[i].has_seq = false;
}

/* ---- messages ---------------------------------------------------------------------------- */

/* Numbers of another epoch mean nothing. */
enum chain_verdict chains_hello(struct chains *chains, const char *epoch)
{
	enum chain_verdict verdict = CHAIN_FINE;

	if (strcmp(chains->epoch, epoch) == 0)
		return CHAIN_FINE;
	for (size_t i = 0; i < chains->count; i++)
		if (chains->items[i].has_seq && has_place(&chains->items[i]))
			verdict = CHAIN_HOLE;
	chains_forget(chains);
	if (!STR_SET(chains->epoch, epoch))
		return CHAIN_STRANGE;
	return verdict;
}

enum chain_verdict chains_subscribed(struct chains *chains, const char *channel, bool is_recovered)
{
	struct chain *chain = find(chains, channel, strlen(channel));
	bool had;

	if (!chain)
		return CHAIN_STRANGE;
	had = chain->has_seq && has_place(chain);
	if (!is_recovered)
		chain->has_seq = false; /* a snapshot is to come */
	return had && !is_recovered ? CHAIN_HOLE : CHAIN_FINE;
}

enum chain_verdict chains_snapshot(struct chains *chains, const char *channel, int64_t seq)
{
	struct chain *chain = find(chains, channel, strlen(channel));

	if (!chain)
		return CHAIN_STRANGE;
	chain->has_seq = true;
	chain->seq = seq;
	return CHAIN_FINE;
}

enum chain_verdict chains_event(struct chains *chains, const char *channel, int64_t seq,
				int64_t prev)
{
	struct chain *chain = find(chains, channel, strlen(channel));
	enum chain_verdict verdict;

	if (!chain || seq <= prev)
		return CHAIN_STRANGE;
	if (chain->has_seq && seq <= chain->seq)
		return CHAIN_AGAIN;
	verdict = chain->has_seq && prev == chain->seq ? CHAIN_FINE : CHAIN_HOLE;
	chain->has_seq = true;
	chain->seq = seq;
	return verdict;
}

enum chain_verdict chains_last(struct chains *chains, const char *channel, int64_t seq)
{
	struct chain *chain = find(chains, channel, strlen(channel));

	if (!chain || !chain->has_seq || seq <= chain->seq)
		return CHAIN_FINE;
	chain->seq = seq;
	return CHAIN_HOLE;
}

void chains_undo(struct chains *chains, const char *channel, int64_t prev)
{
	(void)chains_snapshot(chains, channel, prev);
}
