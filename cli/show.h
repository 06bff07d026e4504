/* show.h - how orders, fills and pages of them look to people. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H
#include <jansson.h>

void show_orders(const json_t *orders); /* an array, one line each */
void show_order_line(json_t *order);    /* as show_orders(), of one */
void show_order(const json_t *order);   /* everything, its fills below */
void show_fills(const json_t *fills);
/* Says on stderr how to see what follows, if anything does. */
void show_next(const json_t *page);
#endif
