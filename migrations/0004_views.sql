-- Views for people and their tools. Their columns are documented and only a migration changes them.

CREATE VIEW v_orders AS
SELECT o.order_id, o.client_order_id, o.exchange_order_id, o.app, o.symbol, o.side, o.type,
       s.name AS state, o.base_qty, o.quote_qty, o.price, o.executed_base_qty,
       o.executed_quote_qty, o.average_price, o.commission, o.commission_unit, o.error_code,
       o.error, o.created_at, o.updated_at
FROM orders AS o JOIN order_states AS s USING (state);

-- Those that are on the book, or may be: submitting, unknown, open, partially_filled.
CREATE VIEW v_open_orders AS
SELECT o.order_id, o.client_order_id, o.exchange_order_id, o.app, o.symbol, o.side, o.type,
       s.name AS state, o.base_qty, o.quote_qty, o.price, o.executed_base_qty,
       o.executed_quote_qty, o.average_price, o.commission, o.commission_unit, o.error_code,
       o.error, o.created_at, o.updated_at
FROM orders AS o JOIN order_states AS s USING (state)
WHERE o.state IN (SELECT state FROM order_states WHERE may_be_live);

CREATE VIEW v_fills AS
SELECT execution_id, order_id, exchange_order_id, symbol, side, price, base_qty, quote_qty,
       commission, commission_unit, role, executed_at
FROM fills;

-- Every step of every order with the order it belongs to, in the order in which it was taken.
CREATE VIEW v_audit AS
SELECT e.at, e.order_id, o.client_order_id, o.app, e.event, s.name AS state, e.cause,
       e.request_id, e.token_id, e.exchange_order_id, e.http_status, e.exchange_code, e.detail
FROM order_events AS e
JOIN orders AS o USING (order_id)
JOIN order_states AS s ON s.state = e.state
ORDER BY e.event_id;
