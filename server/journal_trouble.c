#include "server/journal_trouble.h"

#include "base/log.h"
#include "base/mem.h"

static const struct {
	const char *began, *ended;
} names[] = {
#define X(name, began, ended) [TROUBLE_##name] = { (began), (ended) },
	JOURNAL_TROUBLES(X)
#undef X
};

void journal_trouble_begin(struct journal_troubles *troubles, enum journal_trouble trouble,
			   const struct err *err)
{
	if (!troubles->is_on[trouble])
		LOG(ERROR, names[trouble].began, F_ERR(err));
	troubles->is_on[trouble] = true;
	STR_SET(troubles->reasons[trouble], err->text);
}

bool journal_trouble_end(struct journal_troubles *troubles, enum journal_trouble trouble)
{
	bool was_on = troubles->is_on[trouble];

	if (was_on)
		LOG(INFO, names[trouble].ended, F_STR("was", troubles->reasons[trouble]));
	troubles->is_on[trouble] = false;
	return was_on;
}

bool journal_trouble_may_pass(const struct journal_troubles *troubles)
{
	for (int i = 0; i < TROUBLE_COUNT; i++)
		if (troubles->is_on[i] && names[i].ended)
			return true;
	return false;
}

void journal_trouble_tell(const struct journal_troubles *troubles, struct journal_status *status)
{
	status->is_writable = !troubles->is_on[TROUBLE_WRITE];
	status->takes_orders = true;
	status->reason[0] = '\0';
	for (int i = TROUBLE_COUNT - 1; i >= 0; i--) {
		if (!troubles->is_on[i])
			continue;
		status->takes_orders = false;
		STR_SET(status->reason, troubles->reasons[i]);
	}
}
