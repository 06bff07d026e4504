/* deltasim - an exchange on loopback, after the documents and the observed traffic of DeltaDeFi.
 *
 * REST and streams at the root, the simulator's own control below /_sim/ (control.h). exchange.h
 * and streams.h say what is known of the real exchange and what is a guess; in short: the wire is
 * known; the inner timing, the limits and the fate of orders that were never submitted are not. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"
#include "net/front.h"
#include "net/httpd.h"
#include "net/loop.h"
#include "net/ws.h"
#include "sim/fault_wire.h"
#include "sim/maker.h"
#include "sim/options.h"
#include "sim/serve.h"
#include "sim/sim.h"
#include "sim/streams.h"

#define BODY_MAX        262144
#define CONNECTIONS_MAX 1024
#define HEAD_TIMEOUT_MS 60000
#define BODY_TIMEOUT_MS 30000
#define PEM_MAX         65536
#define START_ADA_USDM  "100000"
#define START_OTHERS    "1000000"

struct program {
	struct options options;
	struct loop *loop;
	struct sim *sim;
	struct httpd *httpd;
	struct ws *ws;
	struct front *front;
	struct signal_watch *on_term, *on_int;
};

static bool give(struct exchange *x, struct account *account, enum asset_id asset,
		 const char *amount, struct err *err)
{
	struct decimal value;
	int64_t units;

	if (!decimal_parse(amount, strlen(amount), &value, err))
		return false;
	return (units_of(value, AMOUNT_SCALE, AMOUNT_MAX, &units) &&
		exchange_credit(x, account, &market_assets[asset], units)) ||
	       err_set(err, ERR_CONFIG, "cannot credit %s", amount);
}

/* An account that the data file brought along keeps what it has. */
static bool add_account(struct exchange *x, const struct account_option *option, struct err *err)
{
	struct account *account = exchange_account(x, option->name);
	bool is_new = !account;

	if (is_new)
		account = exchange_add_account(x, option->name, option->key, option->password);
	else if (!exchange_identify(x, account, option->key, option->password))
		account = NULL;
	if (!account)
		return err_set(err, ERR_CONFIG, "account %s: name or key is taken or too long",
			       option->name);
	if (!is_new)
		return true;
	return give(x, account, ASSET_ADA, START_ADA_USDM, err) &&
	       give(x, account, ASSET_USDM, START_ADA_USDM, err) &&
	       give(x, account, ASSET_NIGHT, START_OTHERS, err) &&
	       give(x, account, ASSET_IAG, START_OTHERS, err);
}

static struct account *house_account(struct exchange *x, const char *name)
{
	struct account *account = exchange_account(x, name);

	if (!account)
		account = exchange_add_account(x, name, "", "");
	if (account)
		account->is_house = true;
	return account;
}

static bool add_accounts(struct program *program, struct err *err)
{
	const struct options *options = &program->options;
	struct exchange *x = program->sim->exchange;

	for (size_t i = 0; i < options->account_count; i++)
		if (!add_account(x, &options->accounts[i], err))
			return false;
	program->sim->house = house_account(x, "house");
	if (!program->sim->house)
		return err_set(err, ERR_CONFIG, "the account name \"house\" is taken");
	return true;
}

static bool create_sim(struct program *program, struct err *err)
{
	const struct options *options = &program->options;

	if (!sim_create(program->loop, &options->sim, &program->sim, err) ||
	    !add_accounts(program, err))
		return false;
	if (options->faults_path &&
	    !fault_wire_load(&program->sim->faults, options->faults_path, err))
		return false;
	if (options->has_maker && !maker_create(program->sim, options->maker_interval_ms,
						options->crowd_ms, &program->sim->maker, err))
		return false;
	return sim_settle(program->sim) || err_set(err, ERR_IO, "the data file cannot be written");
}

static char *read_pem(const char *path, struct err *err)
{
	FILE *file = fopen(path, "re");
	char *text = mem_alloc(PEM_MAX);
	size_t len = file ? fread(text, 1, PEM_MAX - 1, file) : 0;

	if (file)
		fclose(file);
	if (len > 0)
		return text;
	mem_free(text);
	(void)err_set(err, ERR_IO, "cannot read %s", path);
	return NULL;
}

static bool create_httpd(struct program *program, struct err *err)
{
	const struct options *options = &program->options;
	char *cert = NULL, *key = NULL;
	bool is_done = false;
	struct httpd_config config = { .body_max = BODY_MAX,
				       .connections_max = CONNECTIONS_MAX,
				       .head_timeout_ms = HEAD_TIMEOUT_MS,
				       .body_timeout_ms = BODY_TIMEOUT_MS,
				       .refuse = serve_refuse,
				       .handle = serve_handle,
				       .arg = program->sim };

	if (options->cert_path && (!(cert = read_pem(options->cert_path, err)) ||
				   !(key = read_pem(options->key_path, err))))
		goto out;
	config.tls_cert_pem = cert;
	config.tls_key_pem = key;
	is_done = httpd_create(program->loop, &config, &program->httpd, err);
out:
	mem_free(cert);
	mem_free(key);
	return is_done;
}

static bool create_streams(struct program *program, struct err *err)
{
	static const struct ws_config config = { .peers_max = CONNECTIONS_MAX };

	if (!ws_create(program->loop, &config, &program->ws, err))
		return false;
	program->sim->streams = streams_create(program->sim, program->ws);
	return true;
}

static bool create_front(struct program *program, struct err *err)
{
	const struct front_config config = { .head_timeout_ms = HEAD_TIMEOUT_MS,
					     .undecided_max = CONNECTIONS_MAX,
					     .upgrade = streams_upgrade,
					     .arg = program->sim->streams,
					     .ws = program->ws };

	return front_create(program->loop, program->httpd, &config, &program->front, err) &&
	       front_listen_tcp(program->front, program->options.listen, err);
}

static void on_signal(void *arg, int signum)
{
	(void)signum;
	loop_stop(arg);
}

static bool build_up(struct program *program, struct err *err)
{
	bool is_locked;

	if (!secret_init(&is_locked, err))
		return false;
	program->loop = loop_create();
	program->on_term = signal_create(program->loop, SIGTERM, on_signal, program->loop);
	program->on_int = signal_create(program->loop, SIGINT, on_signal, program->loop);
	return create_sim(program, err) && create_httpd(program, err) &&
	       create_streams(program, err) && create_front(program, err);
}

static void take_down(struct program *program)
{
	front_destroy(program->front);
	if (program->sim) {
		serve_drop_all(program->sim);
		maker_destroy(program->sim->maker);
	}
	ws_destroy(program->ws);
	if (program->sim)
		streams_destroy(program->sim->streams);
	httpd_destroy(program->httpd);
	sim_destroy(program->sim);
	signal_destroy(program->on_term);
	signal_destroy(program->on_int);
	loop_destroy(program->loop);
}

static void say_ready(const struct program *program)
{
	printf("{\"listening\":\"%s://%s\",\"pid\":%ld}\n",
	       program->options.cert_path ? "https" : "http", front_address(program->front),
	       (long)getpid());
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct program program = { .loop = NULL };
	struct err err;
	int status = options_read(argc, argv, &program.options);

	if (status >= 0)
		return status;
	signal(SIGPIPE, SIG_IGN);
	if (!build_up(&program, &err)) {
		fprintf(stderr, "deltasim: %s\n", err.text);
		take_down(&program);
		return err.code == ERR_CONFIG ? 2 : 1;
	}
	say_ready(&program);
	loop_run(program.loop);
	status = program.sim->exit_status;
	take_down(&program);
	return status;
}
