#include "server/venue.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "net/loop.h"
#include "server/event_switch.h"
#include "server/journal.h"
#include "server/scheduler.h"

#define UNLOCK_FIRST_MS 500
#define UNLOCK_MAX_MS   30000
#define TELL_MS         10000 /* on the channel system, each at most once in this time */
#define LOCK_CANARY_MS  5000  /* during a trading lock, one order in this time is let through */
#define UNTOLD_MS       1000  /* probes in this time until it is known whose the API key is */

/* One unlock or swap on its way. */
struct errand {
	struct venue *venue;
	struct secret *secret;
	struct dd_account account; /* of a new API key */
	venue_done_fn *done;
	void *arg;
};

struct venue {
	struct loop *loop;
	struct dd_client *exchange;
	struct scheduler *scheduler;
	struct journal *journal;
	struct timer *probe_timer, *unlock_timer;
	struct event_switch *reachable, *locked, *key_refused;
	int64_t probe_ms, unlock_wait_ms;
	struct mono noted, canary;
	struct venue_state state;
	char account_id[DD_ID_LEN];
	struct secret *password; /* until the key is open or the password proved wrong */
	struct errand *unlock, *swap;
	void (*swapped)(void *arg, const struct secret *api_key);
	void *swapped_arg;
	bool is_probing, is_key_refused;
	bool is_account_told; /* by the exchange, since we started */
};

static void probe(void *arg);
static void try_password(void *arg);

struct venue *venue_create(struct loop *loop, const struct venue_config *config,
			   struct dd_client *exchange, struct scheduler *scheduler,
			   struct journal *journal)
{
	struct venue *venue = mem_alloc(sizeof(*venue));

	venue->loop = loop;
	venue->exchange = exchange;
	venue->scheduler = scheduler;
	venue->journal = journal;
	venue->probe_ms = config->probe_ms;
	venue->unlock_wait_ms = UNLOCK_FIRST_MS;
	venue->probe_timer = loop_timer_create(loop, probe, venue);
	venue->unlock_timer = loop_timer_create(loop, try_password, venue);
	venue->reachable =
		event_switch_create(loop, journal, SYSTEM_VENUE_UP, SYSTEM_VENUE_DOWN, TELL_MS);
	venue->locked = event_switch_create(loop, journal, SYSTEM_VENUE_LOCKED,
					    SYSTEM_VENUE_UNLOCKED, TELL_MS);
	venue->key_refused =
		event_switch_create(loop, journal, SYSTEM_KEY_REFUSED, SYSTEM_KEY_REFUSED, TELL_MS);
	venue->state.account_id = venue->account_id;
	if (config->account_id)
		STR_SET(venue->account_id, config->account_id);
	return venue;
}

static void errand_end(struct errand **slot, const struct err *err)
{
	struct errand *errand = *slot;

	*slot = NULL;
	if (errand->done)
		errand->done(errand->arg, err);
	secret_destroy(errand->secret);
	mem_free(errand);
}

void venue_exchange_gone(struct venue *venue)
{
	venue->exchange = NULL;
}

void venue_destroy(struct venue *venue)
{
	struct err err;

	if (!venue)
		return;
	err_set(&err, ERR_STOPPING, "the daemon is stopping");
	if (venue->unlock)
		errand_end(&venue->unlock, &err);
	if (venue->swap)
		errand_end(&venue->swap, &err);
	event_switch_destroy(venue->reachable);
	event_switch_destroy(venue->locked);
	event_switch_destroy(venue->key_refused);
	timer_destroy(venue->probe_timer);
	timer_destroy(venue->unlock_timer);
	secret_destroy(venue->password);
	mem_free(venue);
}

/* ---- health --------------------------------------------------------------------------- */

static void note_auth(struct venue *venue, bool is_refused)
{
	if (is_refused == venue->is_key_refused)
		return;
	venue->is_key_refused = is_refused;
	event_switch_set(venue->key_refused, is_refused,
			 "the exchange refuses the API key: trading waits until it is swapped or "
			 "accepted again");
	scheduler_hold(venue->scheduler, is_refused || venue->state.is_wrong_account);
	if (is_refused)
		LOG(ERROR, "exchange.key_refused",
		    F_STR("meaning",
			  "trading waits until the API key is swapped or accepted again"));
	else
		LOG(INFO, "exchange.key_accepted", F_BOOL("held", false));
}

static void note_lock(struct venue *venue, bool is_locked)
{
	if (is_locked == venue->state.is_locked)
		return;
	venue->state.is_locked = is_locked;
	venue->state.locked_since = is_locked ? wall_now() : (struct wall){ 0 };
	venue->canary = mono_after_ms(loop_now(venue->loop), LOCK_CANARY_MS);
	LOG(WARN, is_locked ? "exchange.trading_locked" : "exchange.trading_unlocked",
	    F_BOOL("locked", is_locked));
	event_switch_set(venue->locked, is_locked,
			 is_locked ? "the exchange has locked trading"
				   : "the exchange takes orders again");
}

static void tell_reach(struct venue *venue, const struct dd_result *result, bool is_answer)
{
	struct err err;

	if (result->err.code == ERR_STOPPING && !is_answer)
		return; /* it is us who leave */
	err_set(&err, ERR_UNREACHABLE, "the exchange does not answer: %s", result->err.text);
	event_switch_set(venue->reachable, is_answer,
			 is_answer ? "the exchange answers" : err.text);
}

void venue_note(struct venue *venue, const struct dd_result *result, bool is_keyed)
{
	/* A gateway that answers for an absent exchange is not the exchange. */
	bool is_answer = result->verdict == DD_DONE ||
			 (result->verdict == DD_REFUSED && result->http_status != 0) ||
			 result->code != 0;

	venue->noted = loop_now(venue->loop);
	if (is_answer)
		venue->state.last_answer = wall_now();
	if (is_answer != venue->state.is_reachable)
		LOG(WARN, is_answer ? "exchange.reachable" : "exchange.unreachable",
		    F_STR("reason", is_answer ? "answers" : result->err.text));
	venue->state.is_reachable = is_answer;
	tell_reach(venue, result, is_answer);
	if (!is_answer) {
		venue->state.is_authenticated = false;
		return;
	}
	if (is_keyed) {
		venue->state.is_authenticated = result->class_ != DD_CLASS_AUTH;
		note_auth(venue, result->class_ == DD_CLASS_AUTH);
	}
	if (result->class_ == DD_CLASS_LOCKED)
		note_lock(venue, true);
}

static void note_wrong_account(struct venue *venue, const struct dd_account *account)
{
	if (venue->state.is_wrong_account)
		return;
	LOG(ERROR, "exchange.wrong_account", F_STR("journal", venue->account_id),
	    F_STR("api_key", account->account_id));
	if (dd_is_unlocked(venue->exchange))
		event_system(venue->journal, SYSTEM_OPKEY_LOCKED, "", "", "",
			     "the API key is of another account than the journal: the operation "
			     "key is gone, and nothing is signed");
}

/* The journal belongs to one account: the first one it was used with. */
static void note_account(struct venue *venue, const struct dd_account *account)
{
	struct journal_write *write;

	venue->is_account_told = true;
	if (account->account_id[0] == '\0')
		return;
	if (venue->account_id[0] == '\0') {
		STR_SET(venue->account_id, account->account_id);
		write = journal_write_create();
		journal_write_setting(write, "exchange_account_id", account->account_id);
		journal_append(venue->journal, JOURNAL_FACT, write, NULL, NULL);
		LOG(INFO, "exchange.account", F_STR("account", account->account_id));
	} else if (strcmp(venue->account_id, account->account_id) != 0) {
		note_wrong_account(venue, account);
		venue->state.is_wrong_account = true;
		scheduler_hold(venue->scheduler, true);
		dd_lock(venue->exchange); /* an operation key of that account signs nothing here */
	} else if (venue->state.is_wrong_account) {
		venue->state.is_wrong_account = false;
		scheduler_hold(venue->scheduler, venue->is_key_refused);
	}
}

static void probed(void *arg, const struct dd_result *result, const struct dd_account *account)
{
	struct venue *venue = arg;

	venue->is_probing = false;
	venue_note(venue, result, true);
	if (result->verdict == DD_DONE)
		note_account(venue, account);
	timer_start(venue->probe_timer, venue->is_account_told || venue->probe_ms < UNTOLD_MS
						? venue->probe_ms
						: UNTOLD_MS);
}

static void probe(void *arg)
{
	struct venue *venue = arg;
	int64_t since_ms = mono_diff_ms(loop_now(venue->loop), venue->noted);
	bool is_known = venue->noted.us != 0 && since_ms < venue->probe_ms &&
			venue->is_account_told && venue->state.is_authenticated;

	if (venue->is_probing)
		return;
	if (is_known) {
		timer_start(venue->probe_timer, venue->probe_ms - since_ms);
		return;
	}
	venue->is_probing = true;
	dd_account_get(venue->exchange, NULL, probed, venue);
}

void venue_start(struct venue *venue, const struct secret *password)
{
	probe(venue);
	if (!password)
		return;
	venue->password = secret_copy(password);
	try_password(venue);
}

void venue_state(const struct venue *venue, struct venue_state *state)
{
	*state = venue->state;
	state->has_operation_key = dd_is_unlocked(venue->exchange);
}

bool venue_is_own_account(const struct venue *venue)
{
	return venue->is_account_told && !venue->state.is_wrong_account;
}

bool venue_may_trade(struct venue *venue, struct err *err)
{
	struct mono now = loop_now(venue->loop);

	/* It locks the key as well, sooner or later: this is the reason. */
	if (venue->state.is_wrong_account)
		return err_set(err, ERR_ACCOUNT, "the API key is not of the journal's account %s",
			       venue->account_id);
	if (!dd_is_unlocked(venue->exchange))
		return err_set(err, ERR_OPKEY_LOCKED,
			       "no operation key is loaded; `deltagate unlock` loads it");
	if (!venue->state.is_locked)
		return true;
	if (now.us >= venue->canary.us) {
		venue->canary = mono_after_ms(now, LOCK_CANARY_MS);
		return true;
	}
	return err_set(err, ERR_VENUE_LOCKED, "the exchange has locked trading");
}

void venue_trade_went_through(struct venue *venue)
{
	note_lock(venue, false);
}

/* ---- the operation key ---------------------------------------------------------------- */

static void unlocked(void *arg, const struct dd_result *result, bool hash_matches)
{
	struct venue *venue = arg;

	if (result->verdict != DD_DONE) {
		LOG(ERROR, "operation_key.locked", F_ERR(&result->err));
		errand_end(&venue->unlock, &result->err);
		return;
	}
	venue->state.key_hash_differs = !hash_matches;
	if (!hash_matches)
		LOG(WARN, "operation_key.hash_differs",
		    F_STR("meaning", "the key opened, but the exchange names another key's hash"));
	LOG(INFO, "operation_key.loaded", F_STR("key_hash", dd_key_hash(venue->exchange)));
	event_system(venue->journal, SYSTEM_OPKEY_LOADED, "", "", "",
		     "the operation key is loaded: orders can be signed");
	errand_end(&venue->unlock, NULL);
}

void venue_unlock(struct venue *venue, const struct secret *password, venue_done_fn *done,
		  void *arg)
{
	struct err err;

	if (venue->unlock) {
		err_set(&err, ERR_BUSY, "another unlock is under way");
		done(arg, &err);
		return;
	}
	venue->unlock = mem_alloc(sizeof(*venue->unlock));
	*venue->unlock = (struct errand){ .venue = venue, .done = done, .arg = arg };
	dd_unlock(venue->exchange, password, unlocked, venue);
}

static void forget_password(struct venue *venue)
{
	secret_destroy(venue->password);
	venue->password = NULL;
	timer_stop(venue->unlock_timer);
}

static void tried_password(void *arg, const struct err *err)
{
	struct venue *venue = arg;

	/* A wrong password stays wrong; everything else may pass. */
	if (!err || err->code == ERR_OPKEY || err->code == ERR_STOPPING ||
	    err->code == ERR_REFUSED) {
		forget_password(venue);
		return;
	}
	timer_start(venue->unlock_timer, venue->unlock_wait_ms);
	venue->unlock_wait_ms *= 2;
	if (venue->unlock_wait_ms > UNLOCK_MAX_MS)
		venue->unlock_wait_ms = UNLOCK_MAX_MS;
}

static void try_password(void *arg)
{
	struct venue *venue = arg;

	if (!venue->password)
		return;
	if (dd_is_unlocked(venue->exchange))
		forget_password(venue);
	else
		venue_unlock(venue, venue->password, tried_password, venue);
}

void venue_lock(struct venue *venue)
{
	forget_password(venue);
	dd_lock(venue->exchange);
	LOG(INFO, "operation_key.locked", F_STR("by", "operator"));
	event_system(venue->journal, SYSTEM_OPKEY_LOCKED, "", "", "",
		     "the operator locked the operation key: no order can be signed");
}

/* ---- the API key ---------------------------------------------------------------------- */

static void swap_recorded(void *arg, const struct err *err)
{
	struct venue *venue = arg;

	if (!venue->exchange) /* the daemon is stopping */
		return;
	if (err) {
		errand_end(&venue->swap, err);
		return;
	}
	dd_client_set_api_key(venue->exchange, venue->swap->secret);
	if (venue->swapped)
		venue->swapped(venue->swapped_arg, venue->swap->secret);
	note_account(venue, &venue->swap->account);
	venue->state.is_authenticated = true;
	note_auth(venue, false);
	LOG(INFO, "exchange.key_swapped", F_STR("account", venue->account_id));
	errand_end(&venue->swap, NULL);
}

static void swap_tried(void *arg, const struct dd_result *result, const struct dd_account *account)
{
	struct venue *venue = arg;
	struct journal_write *write;
	char now[WALL_TEXT_LEN];
	struct err err;

	if (result->verdict != DD_DONE) {
		err = result->err;
		err_prefix(&err, "the new API key was not taken");
		errand_end(&venue->swap, &err);
		return;
	}
	if (venue->account_id[0] != '\0' && strcmp(venue->account_id, account->account_id) != 0) {
		err_set(&err, ERR_ACCOUNT, "the new API key is of account %s, the journal of %s",
			account->account_id, venue->account_id);
		errand_end(&venue->swap, &err);
		return;
	}
	/* Until the new key is in use, the old one's account counts: it may be the wrong one. */
	venue->swap->account = *account;
	write = journal_write_create();
	journal_write_setting(write, "api_key_swapped_at", wall_print(wall_now(), now));
	journal_append(venue->journal, JOURNAL_INTENT, write, swap_recorded, venue);
}

void venue_swap_api_key(struct venue *venue, const struct secret *api_key, venue_done_fn *done,
			void *arg)
{
	struct err err;

	if (venue->swap) {
		err_set(&err, ERR_BUSY, "another API key swap is under way");
		done(arg, &err);
		return;
	}
	venue->swap = mem_alloc(sizeof(*venue->swap));
	*venue->swap = (struct errand){
		.venue = venue, .secret = secret_copy(api_key), .done = done, .arg = arg
	};
	dd_account_get(venue->exchange, venue->swap->secret, swap_tried, venue);
}

void venue_on_swap(struct venue *venue, void (*fn)(void *arg, const struct secret *api_key),
		   void *arg)
{
	venue->swapped = fn;
	venue->swapped_arg = arg;
}
