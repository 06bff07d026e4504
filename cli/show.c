#include "cli/show.h"

#include <stdio.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/print.h"

void show_orders(const json_t *orders)
{
	static const struct column columns[] = {
		{ "ORDER_ID", "order_id", PRINT_TEXT },
		{ "APP", "app", PRINT_TEXT },
		{ "SYMBOL", "symbol", PRINT_TEXT },
		{ "SIDE", "side", PRINT_TEXT },
		{ "TYPE", "type", PRINT_TEXT },
		{ "BASE_QTY", "base_qty", PRINT_RIGHT },
		{ "QUOTE_QTY", "quote_qty", PRINT_RIGHT },
		{ "PRICE", "price", PRINT_RIGHT },
		{ "STATE", "state", PRINT_TEXT },
		{ "EXECUTED", "executed_base_qty", PRINT_RIGHT },
		{ "AVERAGE", "average_price", PRINT_RIGHT },
		{ "CREATED", "created_at", PRINT_TIME },
	};

	print_rows(stdout, orders, columns, ARRAY_LEN(columns));
}

void show_order_line(json_t *order)
{
	json_t *orders = json_array();

	json_array_append(orders, order);
	show_orders(orders);
	json_decref(orders);
}

void show_fills(const json_t *fills)
{
	static const struct column columns[] = {
		{ "EXECUTED", "executed_at", PRINT_TIME },
		{ "ORDER_ID", "order_id", PRINT_TEXT },
		{ "SYMBOL", "symbol", PRINT_TEXT },
		{ "SIDE", "side", PRINT_TEXT },
		{ "PRICE", "price", PRINT_RIGHT },
		{ "BASE_QTY", "base_qty", PRINT_RIGHT },
		{ "QUOTE_QTY", "quote_qty", PRINT_RIGHT },
		{ "COMMISSION", "commission", PRINT_RIGHT },
		{ "UNIT", "commission_unit", PRINT_TEXT },
		{ "ROLE", "role", PRINT_TEXT },
		{ "EXECUTION_ID", "execution_id", PRINT_TEXT },
	};

	print_rows(stdout, fills, columns, ARRAY_LEN(columns));
}

void show_order(const json_t *order)
{
	static const struct column columns[] = {
		{ "order", "order_id", PRINT_TEXT },
		{ "client order id", "client_order_id", PRINT_TEXT },
		{ "exchange order id", "exchange_order_id", PRINT_TEXT },
		{ "app", "app", PRINT_TEXT },
		{ "state", "state", PRINT_TEXT },
		{ "symbol", "symbol", PRINT_TEXT },
		{ "side", "side", PRINT_TEXT },
		{ "type", "type", PRINT_TEXT },
		{ "base quantity", "base_qty", PRINT_TEXT },
		{ "quote quantity", "quote_qty", PRINT_TEXT },
		{ "price", "price", PRINT_TEXT },
		{ "post only", "post_only", PRINT_TEXT },
		{ "slippage, basis points", "max_slippage_basis_point", PRINT_TEXT },
		{ "valid until", "valid_until", PRINT_TEXT },
		{ "executed base", "executed_base_qty", PRINT_TEXT },
		{ "executed quote", "executed_quote_qty", PRINT_TEXT },
		{ "average price", "average_price", PRINT_TEXT },
		{ "commission", "commission", PRINT_TEXT },
		{ "commission unit", "commission_unit", PRINT_TEXT },
		{ "cancel requested", "cancel_requested", PRINT_TEXT },
		{ "error", "error.code", PRINT_TEXT },
		{ "error text", "error.text", PRINT_TEXT },
		{ "exchange code", "error.exchange_code", PRINT_TEXT },
		{ "being settled", "settling.reason", PRINT_TEXT },
		{ "since", "settling.since", PRINT_TEXT },
		{ "asked so far", "settling.asked", PRINT_TEXT },
		{ "asks again at", "settling.next_attempt_at", PRINT_TEXT },
		{ "queued, ms", "queued_ms", PRINT_TEXT },
		{ "created", "created_at", PRINT_TEXT },
		{ "updated", "updated_at", PRINT_TEXT },
	};
	const json_t *fills = print_find(order, "fills");

	print_members(stdout, order, columns, ARRAY_LEN(columns));
	if (json_array_size(fills) == 0)
		return;
	putchar('\n');
	show_fills(fills);
}

void show_next(const json_t *page)
{
	const json_t *cursor = print_find(page, "next_cursor");

	if (json_is_string(cursor))
		cli_note("there may be more: --cursor %s", json_string_value(cursor));
}
