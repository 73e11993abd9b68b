/* step_ranges.c: see step_ranges.h. */
#include "collect/agent/step_ranges.h"

#include <stdatomic.h>
#include <string.h>

#include "collect/agent/modules.h"

enum { MOST_RANGES = 512 };

/* limit 0: it has been unloaded. */
struct range {
	uint64_t start;
	_Atomic uint64_t limit;
};

static struct range ranges[MOST_RANGES];
static size_t range_count;

size_t
pf_step_room(uint64_t pc)
{
	size_t low = 0, high = range_count;
	uint64_t limit;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (ranges[middle].start <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return 0;
	limit = atomic_load_explicit(&ranges[low - 1].limit, memory_order_relaxed);
	return pc < limit ? (size_t)(limit - pc) : 0;
}

static bool
may_be_entered(const struct pf_mapping *m)
{
	return !m->retired && !m->vdso && m->file[0] == '/' && strncmp(m->file, "//", 2);
}

/* In the order of addresses, as modules->present is. */
void
pf_step_ranges_list(const struct pf_modules *modules)
{
	range_count = 0;
	for (size_t i = 0; i < modules->present_count && range_count < MOST_RANGES; i++) {
		const struct pf_mapping *m = &modules->items[modules->present[i]];
		if (!may_be_entered(m))
			continue;
		ranges[range_count].start = m->start;
		atomic_store(&ranges[range_count++].limit, m->limit);
	}
}

static bool
is_present(const struct pf_modules *modules, const struct range *range)
{
	for (size_t i = 0; i < modules->present_count; i++) {
		const struct pf_mapping *m = &modules->items[modules->present[i]];
		if (m->start == range->start && may_be_entered(m))
			return true;
	}
	return false;
}

void
pf_step_ranges_follow(const struct pf_modules *modules)
{
	for (size_t i = 0; i < range_count; i++)
		if (!is_present(modules, &ranges[i]))
			atomic_store(&ranges[i].limit, 0);
}
