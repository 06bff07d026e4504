/* The commands that look at balances, markets and prices. */
#include "cli/cli.h"

#include "base/buf.h"
#include "base/mem.h"
#include "cli/print.h"
#include "cli/target.h"

static void print_balances(const json_t *json)
{
	static const struct column columns[] = {
		{ "ASSET", "asset", PRINT_TEXT },
		{ "FREE", "free", PRINT_RIGHT },
		{ "LOCKED", "locked", PRINT_RIGHT },
		{ "UNIT", "unit", PRINT_TEXT },
	};

	print_rows(stdout, print_find(json, "data"), columns, ARRAY_LEN(columns));
}

int cmd_balances(struct cli *cli)
{
	return cli_show(cli, "/v1/balances", print_balances);
}

static void print_markets(const json_t *json)
{
	static const struct column columns[] = {
		{ "SYMBOL", "symbol", PRINT_TEXT },
		{ "BASE", "base.symbol", PRINT_TEXT },
		{ "QUOTE", "quote.symbol", PRINT_TEXT },
		{ "PRICE_PLACES", "max_price_places", PRINT_RIGHT },
		{ "BASE_PLACES", "base.max_quantity_places", PRINT_RIGHT },
		{ "QUOTE_PLACES", "quote.max_quantity_places", PRINT_RIGHT },
	};

	print_rows(stdout, print_find(json, "data"), columns, ARRAY_LEN(columns));
}

int cmd_markets(struct cli *cli)
{
	return cli_show(cli, "/v1/markets", print_markets);
}

static void print_price(const json_t *json)
{
	static const struct column columns[] = {
		{ "symbol", "symbol", PRINT_TEXT }, { "price", "price", PRINT_TEXT },
		{ "as of", "as_of", PRINT_TEXT },   { "age, ms", "age_ms", PRINT_TEXT },
		{ "source", "source", PRINT_TEXT },
	};

	print_members(stdout, json, columns, ARRAY_LEN(columns));
}

int cmd_price(struct cli *cli)
{
	struct buf target;
	int status;

	target_init(&target, "/v1/markets");
	target_segment(&target, cli->args.operands[0]);
	buf_add_str(&target, "/price");
	status = cli_show(cli, buf_str(&target), print_price);
	buf_fini(&target);
	return status;
}
