/* ws_frame.h - ready-made frames, and their heads; for net/ws*.c only. RFC 6455, section 5.2. */
#ifndef NET_WS_FRAME_H
#define NET_WS_FRAME_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ws_frame;

/* The opcodes. From 8 on they are control frames: at most 125 bytes, never in fragments. */
#define WS_OP_CONTINUE 0x0
#define WS_OP_TEXT     0x1
#define WS_OP_BINARY   0x2
#define WS_OP_CLOSE    0x8
#define WS_OP_PING     0x9
#define WS_OP_PONG     0xa

#define WS_CONTROL_MAX 125

/* Whole, unmasked. All start with one reference. */
struct ws_frame *ws_frame_create(unsigned opcode, const void *payload, size_t len);
struct ws_frame *ws_frame_close(int code, const char *reason);
struct ws_frame *ws_frame_raw(const void *bytes, size_t len); /* as they are, without a head */
bool ws_frame_is_raw(const struct ws_frame *frame);
const char *ws_frame_bytes(const struct ws_frame *frame); /* on the wire; ws_frame_size() of them */
#endif
