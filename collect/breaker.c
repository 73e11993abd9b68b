/* breaker.c: see breaker.h. */
#include "breaker.h"

enum { MOST_OPENINGS = 5 };

bool
pf_breaker_allows(struct pf_breaker *b, double now)
{
	if (b->state == PF_BREAKER_CLOSED)
		return true;
	if (b->state == PF_BREAKER_PROBING || now < b->until)
		return false;
	b->state = PF_BREAKER_PROBING;
	return true;
}

static bool
open(struct pf_breaker *b, const struct pf_breaker_rule *rule, double now)
{
	b->state = PF_BREAKER_OPEN;
	b->until = now + rule->pause * (double)(1u << b->openings);
	if (b->openings + 1 < MOST_OPENINGS)
		b->openings++;
	b->attempts = 0;
	b->failures = 0;
	return true;
}

bool
pf_breaker_note(struct pf_breaker *b, const struct pf_breaker_rule *rule, double now, bool failed)
{
	if (b->state == PF_BREAKER_OPEN)
		return false; /* begun before it opened */
	if (b->state == PF_BREAKER_PROBING) {
		if (failed)
			return open(b, rule, now);
		*b = (struct pf_breaker){.state = PF_BREAKER_CLOSED};
		return false;
	}
	b->failures = b->failures << 1 | failed;
	if (b->attempts < PF_BREAKER_MEMORY)
		b->attempts++;
	if (b->attempts < rule->least)
		return false;
	if (b->attempts < PF_BREAKER_MEMORY)
		b->failures &= (UINT64_C(1) << b->attempts) - 1;
	if ((double)__builtin_popcountll(b->failures) < rule->failure_share * (double)b->attempts)
		return false;
	return open(b, rule, now);
}
