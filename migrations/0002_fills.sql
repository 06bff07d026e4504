-- Fills: one row for each execution, whoever told of it and however often. Append-only.

CREATE TABLE fills (
	fill_number        INTEGER PRIMARY KEY, -- in the order of booking
	execution_id       TEXT NOT NULL UNIQUE,
	order_id           TEXT REFERENCES orders, -- NULL: of an order that is none of ours
	exchange_order_id  TEXT,
	token_id           TEXT,
	symbol             TEXT NOT NULL,
	side               TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
	price              TEXT NOT NULL CHECK (price GLOB '*[0-9]' AND price NOT GLOB '*[^-0-9.]*'),
	base_qty           TEXT NOT NULL CHECK (base_qty GLOB '*[0-9]' AND base_qty NOT GLOB '*[^-0-9.]*'),
	quote_qty          TEXT NOT NULL CHECK (quote_qty NOT GLOB '*[^-0-9.]*'), -- base x price, exact
	exchange_quote_qty TEXT CHECK (exchange_quote_qty NOT GLOB '*[^-0-9.]*'), -- as stated, right or wrong
	commission         TEXT NOT NULL CHECK (commission NOT GLOB '*[^-0-9.]*'),
	commission_unit    TEXT,
	role               TEXT NOT NULL CHECK (role IN ('maker', 'taker')),
	executed_at        TEXT NOT NULL CHECK (executed_at GLOB '????-??-??T??:??:??.??????Z'),
	booked_at          TEXT NOT NULL CHECK (booked_at GLOB '????-??-??T??:??:??.??????Z'),
	-- The latest executed_at of this row and all before it. Fills come late after a gap, so their
	-- own times do not rise with their numbers; this does, and leads from a time to the number
	-- where fills since then begin.
	latest_at          TEXT NOT NULL
) STRICT;

CREATE INDEX fills_by_order ON fills (order_id);
CREATE INDEX fills_by_token ON fills (token_id);
CREATE INDEX fills_by_symbol ON fills (symbol);
CREATE INDEX fills_by_token_and_symbol ON fills (token_id, symbol);
CREATE INDEX fills_by_time ON fills (latest_at);

CREATE TRIGGER fills_are_not_changed BEFORE UPDATE ON fills
BEGIN SELECT RAISE(ABORT, 'fills is append-only'); END;
CREATE TRIGGER fills_are_not_deleted BEFORE DELETE ON fills
BEGIN SELECT RAISE(ABORT, 'fills is append-only'); END;
