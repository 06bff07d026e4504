#include "server/event_switch.h"

#include "base/mem.h"
#include "net/loop.h"

enum position { POSITION_NONE, POSITION_OFF, POSITION_ON };

struct event_switch {
	struct journal *journal;
	struct timer *timer; /* runs while it is too early to tell */
	enum system_event on, off;
	int64_t quiet_ms;
	enum position now, told;
	bool is_quiet;
	char text[192]; /* of now */
};

static void tell(struct event_switch *switch_)
{
	bool is_on = switch_->now == POSITION_ON;

	if (switch_->now == switch_->told)
		return;
	switch_->told = switch_->now;
	if (!is_on && switch_->on == switch_->off)
		return;
	event_system(switch_->journal, is_on ? switch_->on : switch_->off, "", "", "",
		     switch_->text);
	switch_->is_quiet = true;
	timer_start(switch_->timer, switch_->quiet_ms);
}

static void quiet_is_over(void *arg)
{
	struct event_switch *switch_ = arg;

	switch_->is_quiet = false;
	tell(switch_);
}

struct event_switch *event_switch_create(struct loop *loop, struct journal *journal,
					 enum system_event on, enum system_event off,
					 int64_t quiet_ms)
{
	struct event_switch *switch_ = mem_alloc(sizeof(*switch_));

	switch_->journal = journal;
	switch_->on = on;
	switch_->off = off;
	switch_->quiet_ms = quiet_ms;
	switch_->timer = loop_timer_create(loop, quiet_is_over, switch_);
	return switch_;
}

void event_switch_destroy(struct event_switch *switch_)
{
	if (!switch_)
		return;
	timer_destroy(switch_->timer);
	mem_free(switch_);
}

void event_switch_set(struct event_switch *switch_, bool is_on, const char *text)
{
	enum position position = is_on ? POSITION_ON : POSITION_OFF;

	if (position != switch_->now)
		STR_SET(switch_->text, text);
	switch_->now = position;
	if (!switch_->is_quiet)
		tell(switch_);
}
