/* backoff.c: see backoff.h. */
#include "backoff.h"

#include "core/index.h"

double
pf_backoff_delay(unsigned attempt, double retry_after, uint64_t seed)
{
	double delay = attempt < 6 ? 0.25 * (double)(1u << attempt) : 10;
	double spread = (double)pf_hash_pair(seed, attempt) / (double)UINT32_MAX;

	delay = (delay < 10 ? delay : 10) * (0.8 + 0.4 * spread);
	return delay < retry_after ? retry_after : delay;
}
