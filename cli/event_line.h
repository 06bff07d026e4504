/* event_line.h - messages of the local stream as lines for people.
 *
 *   2026-11-22T12:39:54.651Z  orders  ord_01KAN2... buy ADAUSDM 50 @ 0.45 open, executed 0
 *
 * One line for an event or a status; for a snapshot one for each thing in it, with "now" behind the
 * channel. Text from elsewhere is shown as print.h shows it. */
#ifndef CLI_EVENT_LINE_H
#define CLI_EVENT_LINE_H
#include <jansson.h>

struct buf;

/* Lines with a newline behind each but the last. message: with op snapshot, event or status. */
void event_lines(struct buf *to, const json_t *message);
#endif
