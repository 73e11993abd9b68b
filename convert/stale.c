/* stale.c: see stale.h. */
#include "convert/stale.h"

#include <stdlib.h>
#include <string.h>

#include "convert/code_facts.h"
#include "convert/stale_names.h"
#include "convert/stale_probes.h"
#include "core/error.h"
#include "core/memory.h"
#include "symbol/binary.h"

/* Where the profile has calls, and whether the newer build has them at the same line. */
struct call_site {
	uint32_t function, offset; /* function: of the profile's facts */
	bool kept;
	bool moved; /* not kept, and called from a line that the profile does not know it on */
};

struct work {
	struct pf_staleness *s;
	const struct pf_functions *profile;
	struct pf_code_facts old, newer;
	struct pf_strings stems; /* of the newer build's unique names */
	uint32_t *of_name;       /* by name of the profile: function of `old` */
	uint32_t *in_newer;      /* by function of `old`: that of `newer`, PF_NONE: gone */
	struct call_site *sites; /* by function and offset */
	size_t site_count;
	struct pf_fact_call *newer_calls; /* by function and callee */
	uint32_t *by_function; /* by function of `old`: into s->functions, PF_NONE: no counts */
};

void
pf_staleness_release(struct pf_staleness *s)
{
	free(s->functions);
	*s = (struct pf_staleness){0};
}

double
pf_stale_matched(const struct pf_staleness *s)
{
	double lost = 0;

	for (size_t i = 0; i < PF_STALE_REASONS; i++)
		lost += (double)s->lost[i];
	return s->total ? 1 - lost / (double)s->total : 0;
}

const char *
pf_stale_reason_name(enum pf_stale_reason reason)
{
	static const char *const names[PF_STALE_REASONS] = {"function-gone", "function-renamed",
	    "behind-end", "no-code", "calls-moved", "checksum", "caller"};

	return names[reason];
}

const char *
pf_stale_state_name(enum pf_stale_state state)
{
	static const char *const names[PF_STALE_STATES] = {"same", "matching", "changed", "lost"};

	return names[state];
}

/* The calls that the profile itself knows: what was inlined, and what was called where. */
static int
add_profile_calls(struct work *w, struct pf_error *err)
{
	const struct pf_functions *p = w->profile;
	int rc = 0;

	for (size_t i = 0; !rc && i < p->node_count; i++) {
		const struct pf_function_node *n = &p->nodes[i];
		if (n->parent != PF_NONE)
			rc = pf_code_facts_call(&w->old, w->of_name[p->nodes[n->parent].name],
			    n->site.offset, w->of_name[n->name], err);
	}
	for (size_t i = 0; !rc && i < p->target_count; i++) {
		const struct pf_call_target *t = &p->targets[i];
		const struct pf_body *b = &p->bodies[t->body];
		rc = pf_code_facts_call(&w->old, w->of_name[p->nodes[b->node].name],
		    b->place.offset, w->of_name[t->name], err);
	}
	return rc;
}

static int
read_facts(
    struct work *w, struct pf_binary *profiled, struct pf_binary *newer, struct pf_error *err)
{
	const struct pf_strings *names = &w->profile->names;
	int rc = pf_code_facts_init(&w->old, err);

	if (!rc)
		rc = pf_code_facts_init(&w->newer, err);
	if (!rc && profiled)
		rc = pf_code_facts_read(&w->old, profiled, names, false, err);
	if (!rc)
		rc = pf_code_facts_read(&w->newer, newer, names, true, err);
	if (!rc)
		rc = PF_CALLOC(w->of_name, names->count, err);
	for (uint32_t i = 0; !rc && i < names->count; i++)
		rc = pf_code_facts_function(&w->old, pf_strings_get(names, i), &w->of_name[i], err);
	if (!rc)
		rc = add_profile_calls(w, err);
	if (!rc)
		rc = PF_CALLOC(w->in_newer, w->old.names.count, err);
	for (uint32_t i = 0; !rc && i < w->old.names.count; i++)
		w->in_newer[i] = pf_code_facts_find(&w->newer, pf_strings_get(&w->old.names, i));
	if (!rc)
		rc = pf_strings_init(&w->stems, err);
	for (uint32_t i = 1; !rc && i < w->newer.names.count; i++)
		rc = pf_stale_names_add(&w->stems, names, pf_strings_get(&w->newer.names, i), err);
	return rc;
}

static int
by_place(const void *left, const void *right)
{
	const struct call_site *a = left, *b = right;

	if (a->function != b->function)
		return a->function < b->function ? -1 : 1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

static int
by_callee(const void *left, const void *right)
{
	const struct pf_fact_call *a = left, *b = right;

	if (a->function != b->function)
		return a->function < b->function ? -1 : 1;
	return (a->callee > b->callee) - (a->callee < b->callee);
}

/*
 * Whether the newer build calls a callee from a line of a function that the
 * profile does not know the call on. A call that is nowhere any more says
 * nothing about lines: the compiler may have done without it.
 */
static bool
called_elsewhere(const struct work *w, const struct pf_fact_call *old)
{
	struct pf_fact_call key = {.function = w->in_newer[old->function],
	    .callee = old->callee == PF_NONE ? PF_NONE : w->in_newer[old->callee]};
	size_t low = 0, high = w->newer.call_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (by_callee(&w->newer_calls[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < w->newer.call_count && by_callee(&w->newer_calls[low], &key) == 0; low++) {
		if (!pf_code_facts_has_call(
			&w->old, old->function, w->newer_calls[low].offset, old->callee))
			return true;
	}
	return false;
}

static struct call_site
compare_call(const struct work *w, const struct pf_fact_call *old)
{
	uint32_t function = w->in_newer[old->function];
	uint32_t callee = old->callee == PF_NONE ? PF_NONE : w->in_newer[old->callee];
	bool known = function != PF_NONE && (old->callee == PF_NONE || callee != PF_NONE);
	struct call_site site = {.function = old->function, .offset = old->offset};

	site.kept = known && pf_code_facts_has_call(&w->newer, function, old->offset, callee);
	site.moved = known && !site.kept && called_elsewhere(w, old);
	return site;
}

/* The profile's calls by line; a line with several is kept if any of them still is. */
static int
compare_calls(struct work *w, struct pf_error *err)
{
	size_t n = 0;
	int rc = PF_CALLOC(w->sites, w->old.call_count, err);

	if (!rc)
		rc = PF_CALLOC(w->newer_calls, w->newer.call_count, err);
	if (rc || w->old.call_count == 0)
		return rc;
	if (w->newer.call_count) {
		memcpy(
		    w->newer_calls, w->newer.calls, w->newer.call_count * sizeof *w->newer_calls);
		qsort(w->newer_calls, w->newer.call_count, sizeof *w->newer_calls, by_callee);
	}
	for (size_t i = 0; i < w->old.call_count; i++)
		w->sites[i] = compare_call(w, &w->old.calls[i]);
	qsort(w->sites, w->old.call_count, sizeof *w->sites, by_place);
	for (size_t i = 0; i < w->old.call_count; i++) {
		if (n == 0 || by_place(&w->sites[n - 1], &w->sites[i]) != 0)
			w->sites[n++] = w->sites[i];
		w->sites[n - 1].kept |= w->sites[i].kept;
		w->sites[n - 1].moved |= w->sites[i].moved;
	}
	for (size_t i = w->site_count = 0; i < n; i++) {
		w->sites[i].moved &= !w->sites[i].kept;
		if (w->sites[i].kept || w->sites[i].moved)
			w->sites[w->site_count++] = w->sites[i];
	}
	return 0;
}

/* Whether the calls next to a place have moved: the one on its line, else those before and after it. */
static bool
calls_moved(const struct work *w, uint32_t function, uint32_t offset)
{
	size_t low = 0, high = w->site_count;
	const struct call_site *before, *after;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct call_site *site = &w->sites[middle];
		if (site->function < function ||
		    (site->function == function && site->offset <= offset))
			low = middle + 1;
		else
			high = middle;
	}
	before = low ? &w->sites[low - 1] : NULL;
	after = low < w->site_count ? &w->sites[low] : NULL;
	before = before && before->function == function ? before : NULL;
	after = after && after->function == function ? after : NULL;
	if (before && before->offset == offset)
		return before->moved;
	return (before || after) && !(before && before->kept) && !(after && after->kept);
}

/* Whether this count has a place in the newer build; if not, *reason says why. */
static bool
place_matches(
    const struct work *w, uint32_t function, struct pf_place place, enum pf_stale_reason *reason)
{
	uint32_t newer = w->in_newer[function];

	if (newer == PF_NONE || !w->newer.functions[newer].start_line) {
		*reason = pf_stale_names_reason(&w->stems, pf_strings_get(&w->old.names, function));
		return false;
	}
	*reason = PF_STALE_BEHIND;
	if (place.offset > w->newer.functions[newer].last_offset)
		return false;
	*reason = PF_STALE_NO_CODE;
	if (!pf_code_facts_has_place(&w->newer, newer, place))
		return false;
	*reason = PF_STALE_CALLS;
	return !calls_moved(w, function, place.offset);
}

/* Whether a function's own code is the same in both builds. */
static bool
same_code(const struct work *w, uint32_t function)
{
	const struct pf_fact_function *old = &w->old.functions[function];
	uint32_t newer = w->in_newer[function];

	return newer != PF_NONE && old->bodies == 1 && w->newer.functions[newer].bodies == 1 &&
	       old->fingerprint == w->newer.functions[newer].fingerprint;
}

static int
list_functions(struct work *w, struct pf_error *err)
{
	const struct pf_functions *p = w->profile;
	struct pf_staleness *s = w->s;
	int rc = PF_CALLOC(s->functions, p->names.count, err);

	if (!rc)
		rc = PF_CALLOC(w->by_function, w->old.names.count, err);
	if (rc)
		return rc;
	memset(w->by_function, 0xff, w->old.names.count * sizeof *w->by_function);
	for (size_t i = 0; i < p->node_count; i++) {
		uint32_t function = w->of_name[p->nodes[i].name];
		uint32_t newer = w->in_newer[function];
		uint32_t old_start = w->old.functions[function].start_line;
		uint32_t start = newer == PF_NONE ? 0 : w->newer.functions[newer].start_line;

		if (w->by_function[function] != PF_NONE)
			continue;
		w->by_function[function] = (uint32_t)s->count;
		s->functions[s->count++] =
		    (struct pf_stale_function){.name = pf_strings_get(&p->names, p->nodes[i].name),
			.moved = old_start && start ? (int64_t)start - old_start : 0};
	}
	return 0;
}

static void
count_places(struct work *w)
{
	const struct pf_functions *p = w->profile;

	for (size_t i = 0; i < p->body_count; i++) {
		const struct pf_body *b = &p->bodies[i];
		const struct pf_function_node *n = &p->nodes[b->node];
		uint32_t function = w->of_name[n->name];
		struct pf_stale_function *f = &w->s->functions[w->by_function[function]];
		enum pf_stale_reason reason;

		f->count = pf_add_saturating(f->count, b->count);
		if ((n->parent == PF_NONE && same_code(w, function)) ||
		    place_matches(w, function, b->place, &reason))
			continue;
		f->lost[reason] = pf_add_saturating(f->lost[reason], b->count);
	}
	for (size_t i = 0; i < w->site_count; i++) {
		bool counted = w->by_function[w->sites[i].function] != PF_NONE;
		w->s->calls += counted;
		w->s->calls_moved += counted && w->sites[i].moved;
	}
}

static uint64_t
lost_of(const struct pf_stale_function *f)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < PF_STALE_REASONS; i++)
		sum = pf_add_saturating(sum, f->lost[i]);
	return sum;
}

static int
most_lost_first(const void *left, const void *right)
{
	const struct pf_stale_function *a = left, *b = right;
	uint64_t x = lost_of(a), y = lost_of(b);

	if (x != y)
		return x < y ? 1 : -1;
	return strcmp(a->name, b->name);
}

/* What a function is that lost nothing. */
static void
note_states(struct work *w)
{
	for (size_t i = 0; i < w->s->count; i++) {
		struct pf_stale_function *f = &w->s->functions[i];
		uint32_t function = pf_code_facts_find(&w->old, f->name);

		f->state = PF_STALE_MATCHING;
		if (!f->count && w->in_newer[function] == PF_NONE)
			f->state = PF_STALE_LOST;
		else if (same_code(w, function))
			f->state = PF_STALE_SAME;
	}
}

static void
sum_up(struct pf_staleness *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct pf_stale_function *f = &s->functions[i];
		uint64_t lost = lost_of(f);

		if (lost)
			f->state = lost == f->count ? PF_STALE_LOST : PF_STALE_CHANGED;
		s->states[f->state]++;
		s->total = pf_add_saturating(s->total, f->count);
		for (size_t r = 0; r < PF_STALE_REASONS; r++)
			s->lost[r] = pf_add_saturating(s->lost[r], f->lost[r]);
	}
	if (s->count)
		qsort(s->functions, s->count, sizeof *s->functions, most_lost_first);
}

static int
compare_lines(struct pf_staleness *s, const struct pf_functions *profile,
    struct pf_binary *profiled, struct pf_binary *newer, struct pf_error *err)
{
	struct work w = {.s = s, .profile = profile};
	char why[600];
	int rc;

	if (!pf_binary_has_lines(newer, why, sizeof why))
		return pf_error_set(err, PF_EINPUT, "%s: %s", pf_binary_path(newer), why);
	rc = read_facts(&w, profiled, newer, err);
	if (!rc)
		rc = compare_calls(&w, err);
	if (!rc)
		rc = list_functions(&w, err);
	if (!rc) {
		count_places(&w);
		note_states(&w);
	}
	pf_code_facts_release(&w.old);
	pf_code_facts_release(&w.newer);
	pf_strings_release(&w.stems);
	free(w.of_name);
	free(w.in_newer);
	free(w.sites);
	free(w.newer_calls);
	free(w.by_function);
	return rc;
}

int
pf_stale_compare(struct pf_staleness *s, const struct pf_functions *profile,
    struct pf_binary *profiled, struct pf_binary *newer, struct pf_error *err)
{
	int rc;

	*s = (struct pf_staleness){0};
	rc = profile->probes ? pf_stale_by_probes(s, profile, newer, err)
			     : compare_lines(s, profile, profiled, newer, err);
	if (!rc)
		sum_up(s);
	return rc;
}
