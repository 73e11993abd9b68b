/* sites.c: see sites.h. */
#include "tuner/sites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "profile/special.h"
#include "tuner/code.h"

enum { MOST_FRAMES_SHOWN = 48 };

#define SHOWN 0.0005 /* of all sites: less reads as 0.0 % */
#define MOSTLY 0.95  /* of a group: that is the group */

/*
 * What the agent's own frame at the leaf stands for, where it has no name (the agent names them since it
 * knows that nobody else can tell a lock's wait from a condition's): the labels of its profiles say so.
 */
static uint32_t
traits_of_labels(const struct pf_evidence_profile *ep, size_t sample)
{
	uint32_t traits = pf_code_wait_traits(pf_sample_text(ep->p, sample, "object"));

	return traits ? traits : pf_code_wait_traits(pf_sample_text(ep->p, sample, "wait"));
}

/* Whom it asked has spoken since, and a request would not have waited for so long: it says what it likes. */
static bool
listens(const struct pf_profile *p, size_t sample)
{
	double asked = (double)pf_sample_number(p, sample, "asked") / 1e9,
	       heard = (double)pf_sample_number(p, sample, "heard") / 1e9;

	return asked >= PF_LONGEST_REQUEST && heard < asked &&
	       !pf_code_is_sending(pf_sample_text(p, sample, "wait"));
}

/* What the agent's labels say of a thread beside its stack: whose word it waits for, if anybody's. */
static uint32_t
traits_of_thread(const struct pf_profile *p, size_t sample)
{
	const char *wait = pf_sample_text(p, sample, "wait");
	double waited = pf_sample_waited(p, sample);

	if (strcmp(wait, "running") == 0)
		return PF_CODE_RUNS;
	/* For a signal, or for ever: as main does where others do the work. */
	if (strcmp(wait, "pause") == 0 || strncmp(wait, "sig", 3) == 0 || listens(p, sample))
		return PF_CODE_IDLE;
	return pf_code_peer_traits(pf_sample_text(p, sample, "peer"), wait, waited);
}

bool
pf_location_is_nameless(const struct pf_profile *p, uint32_t location)
{
	const struct pf_location *l = &p->locations[location];

	if (p->line_starts[location] != p->line_starts[location + 1])
		return false;
	return l->mapping == PF_NONE
		   ? !pf_address_is_kernel(l->address)
		   : pf_mapping_is_file(pf_profile_string(p, p->mappings[l->mapping].filename));
}

/* The system call that a thread is in, as the agent's label says, where the C library's own function has no name. */
static uint32_t
traits_of_call(const struct pf_evidence_profile *ep, size_t sample)
{
	const struct pf_profile *p = ep->p;
	uint64_t leaf = pf_frames_leaf(&ep->frames, sample);
	const char *call = pf_sample_text(p, sample, "wait");

	return *call && leaf < p->frame_starts[sample + 1] &&
		       pf_location_is_nameless(p, p->frames[leaf])
		   ? pf_code_traits(call, "libc.so.6")
		   : 0;
}

/* Where no code of the service's own asks for a request's body, it is the next request that is waited for. */
static bool
reads_for_nobody(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	size_t i = pf_stack_with(s, ep, PF_CODE_CALLER);

	while (i < s->count && ep->traits[s->names[i]])
		i++;
	return i == s->count;
}

int
pf_stack_read(
    struct pf_stack *s, const struct pf_evidence_profile *ep, size_t sample, struct pf_error *err)
{
	const struct pf_profile *p = ep->p;
	const struct pf_frames *f = &ep->frames;

	s->count = 0;
	s->traits = 0;
	for (uint64_t i = pf_frames_leaf(f, sample); i < p->frame_starts[sample + 1]; i++) {
		uint32_t location = p->frames[i];
		size_t more = f->starts[location + 1] - f->starts[location];
		int rc = PF_GROW(s->names, s->capacity, s->count + more, err);

		if (rc)
			return rc;
		for (uint64_t j = f->starts[location]; j < f->starts[location + 1]; j++) {
			s->traits |= ep->traits[f->runs[j]];
			s->names[s->count++] = f->runs[j];
		}
	}
	if (s->count && ep->traits[s->names[0]] & PF_CODE_WRAPPER)
		s->traits |= traits_of_labels(ep, sample);
	if (ep->kind == PF_PROFILE_THREADS)
		s->traits |= traits_of_thread(p, sample) | traits_of_call(ep, sample);
	if (s->traits & PF_CODE_CALLER && reads_for_nobody(s, ep))
		s->traits |= PF_CODE_SERVER;
	return 0;
}

void
pf_stack_release(struct pf_stack *s)
{
	free(s->names);
	*s = (struct pf_stack){0};
}

size_t
pf_stack_with(const struct pf_stack *s, const struct pf_evidence_profile *ep, uint32_t traits)
{
	size_t i = 0;

	while (i < s->count && !(ep->traits[s->names[i]] & traits))
		i++;
	return i;
}

size_t
pf_stack_own(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	size_t i = 0;

	while (i < s->count && ep->traits[s->names[i]])
		i++;
	return i;
}

size_t
pf_stack_caller(const struct pf_stack *s, const struct pf_evidence_profile *ep, size_t at)
{
	size_t i = at + 1;

	while (i < s->count && (ep->traits[s->names[i]] || s->names[i] == s->names[at]))
		i++;
	return i;
}

bool
pf_stack_in_allocator(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	size_t own = pf_stack_own(s, ep);

	return own < s->count && pf_stack_with(s, ep, PF_CODE_ALLOCATION) < own;
}

bool
pf_stack_waits_at_lock(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	return (s->traits & PF_CODE_LOCK_WAIT) && !pf_stack_in_allocator(s, ep);
}

bool
pf_stack_has(const struct pf_stack *s, const struct pf_evidence_profile *ep, const char *function)
{
	for (size_t i = 0; i < s->count; i++) {
		if (strcmp(pf_site_name(ep, s->names[i]), function) == 0)
			return true;
	}
	return false;
}

bool
pf_stack_locks(const struct pf_stack *s, const struct pf_evidence_profile *ep, const char *part)
{
	for (size_t i = 0; i < s->count && (ep->traits[s->names[i]] & PF_CODE_LIBRARY); i++) {
		if ((ep->traits[s->names[i]] & PF_CODE_LOCK) &&
		    strstr(pf_site_name(ep, s->names[i]), part))
			return true;
	}
	return false;
}

/* A lambda or a closure: nobody gave it a name. */
static bool
is_anonymous(const char *name)
{
	return strstr(name, "operator()") || strstr(name, "{{closure}}") ||
	       strstr(name, "$u7b$$u7b$closure$u7d$$u7d$");
}

bool
pf_stack_is_called(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	size_t i = pf_stack_own(s, ep) + 1;

	while (i < s->count &&
	       (ep->traits[s->names[i]] || is_anonymous(pf_site_name(ep, s->names[i]))))
		i++;
	return i < s->count;
}

bool
pf_is_look(const struct pf_evidence_profile *ep)
{
	return pf_evidence_is_look(ep, PF_PROFILE_THREADS);
}

/* Go's own inside: nobody can do anything about it. */
static bool
is_inside(const struct pf_evidence_profile *ep, uint32_t name)
{
	static const char *const inside[] = {
	    "runtime.", "internal/", "net.(*netFD).", "net.(*conn)."};
	const char *text = pf_frames_name(&ep->frames, name);

	for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
		if (strncmp(text, inside[i], strlen(inside[i])) == 0)
			return true;
	}
	return false;
}

/* The position of the leaf-most frame that is no inner one; s->count where there is none. */
static size_t
past_inner(const struct pf_stack *s, const struct pf_evidence_profile *ep, bool runtime_too)
{
	const uint32_t inner =
	    PF_CODE_ALLOCATION | PF_CODE_LOCK | PF_CODE_MAPPING | PF_CODE_CHANNEL | PF_CODE_SLEEP;
	size_t i = 0;

	while (i < s->count &&
	       ((ep->traits[s->names[i]] & inner) || (!runtime_too && is_inside(ep, s->names[i]))))
		i++;
	return i;
}

uint32_t
pf_stack_owner(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	size_t at = pf_stack_own(s, ep);

	if (at == s->count)
		at = pf_stack_with(s, ep, PF_CODE_CLIENT);
	if (at == s->count)
		at = past_inner(s, ep, false);
	if (at == s->count)
		at = past_inner(s, ep, true);
	return at < s->count ? s->names[at] : s->count ? s->names[s->count - 1] : PF_NONE;
}

int
pf_sites_add(struct pf_sites *s, uint32_t name, double value, double count, size_t sample,
    struct pf_error *err)
{
	uint32_t hash = pf_hash_u64(name), i;
	size_t at;

	for (i = pf_index_first(&s->index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&s->index, hash, &at)) {
		if (s->items[i].name == name)
			break;
	}
	if (i == PF_NONE) {
		int rc = PF_GROW(s->items, s->capacity, s->count + 1, err);
		if (!rc)
			rc = pf_index_add(&s->index, hash, (uint32_t)s->count, err);
		if (rc)
			return rc;
		i = (uint32_t)s->count++;
		s->items[i] =
		    (struct pf_site){.name = name, .sample = sample, .sample_value = -INFINITY};
	}
	s->items[i].value += value;
	s->items[i].count += count;
	s->total += value;
	if (value > s->items[i].sample_value) {
		s->items[i].sample_value = value;
		s->items[i].sample = sample;
	}
	return 0;
}

static int
greatest_first(const void *a, const void *b)
{
	const struct pf_site *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? 1 : -1;
	return x->sample < y->sample ? -1 : x->sample > y->sample;
}

void
pf_sites_sort(struct pf_sites *s)
{
	pf_index_release(&s->index);
	if (s->count)
		qsort(s->items, s->count, sizeof *s->items, greatest_first);
}

void
pf_sites_release(struct pf_sites *s)
{
	pf_index_release(&s->index);
	free(s->items);
	*s = (struct pf_sites){0};
}

int
pf_sites_of(struct pf_sites *s, const struct pf_evidence_profile *ep, uint32_t column,
    pf_sample_wanted *wanted, struct pf_error *err)
{
	struct pf_stack stack = {0};
	int rc = 0;

	*s = (struct pf_sites){0};
	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		double value = pf_value(ep, i, column);

		if (value == 0)
			continue;
		rc = pf_stack_read(&stack, ep, i, err);
		if (!rc && (!wanted || wanted(&stack, ep)))
			rc = pf_sites_add(s, pf_stack_owner(&stack, ep), value, 1, i, err);
	}
	pf_stack_release(&stack);
	pf_sites_sort(s);
	return rc;
}

int
pf_callers_of(struct pf_sites *callers, const struct pf_evidence_profile *ep, uint32_t column,
    pf_sample_wanted *wanted, uint32_t owner, struct pf_error *err)
{
	struct pf_stack s = {0};
	double total = 0;
	int rc = 0;

	*callers = (struct pf_sites){0};
	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		double value = pf_value(ep, i, column);
		size_t own, caller;

		if (value == 0)
			continue;
		rc = pf_stack_read(&s, ep, i, err);
		own = rc ? 0 : pf_stack_own(&s, ep);
		if (rc || own == s.count || s.names[own] != owner || (wanted && !wanted(&s, ep)))
			continue;
		total += value;
		caller = pf_stack_caller(&s, ep, own);
		if (caller < s.count)
			rc = pf_sites_add(callers, s.names[caller], value, 1, i, err);
	}
	pf_stack_release(&s);
	pf_sites_sort(callers);
	callers->total = total;
	return rc;
}

/* The position of the next frame of the service's own after one; without any, of the frame after it. */
static size_t
caller_of(const struct pf_stack *s, const struct pf_evidence_profile *ep, size_t named)
{
	size_t i = named + 1;

	while (i < s->count && ep->traits[s->names[i]])
		i++;
	return i < s->count ? i : named + 1;
}

/* From the leaf up, of a very deep stack as far as its own function and that one's caller, with a gap before them. */
static void
add_frames(struct pf_findings *f, const struct pf_evidence_profile *ep, const struct pf_stack *s)
{
	uint32_t owner = pf_stack_owner(s, ep);
	size_t named = 0, caller, skipped = 0, gap = MOST_FRAMES_SHOWN / 2;

	while (named < s->count && s->names[named] != owner)
		named++;
	caller = caller_of(s, ep, named);
	if (caller >= MOST_FRAMES_SHOWN && named > gap) {
		skipped = named - gap - 1; /* the gap itself is a frame */
		caller = caller - skipped < MOST_FRAMES_SHOWN ? caller : named + 1;
	}
	for (size_t i = 0; i + skipped < s->count && i < MOST_FRAMES_SHOWN; i++) {
		if (skipped && i == gap)
			pf_add_frame(f, "…");
		else
			pf_add_frame(f, pf_frames_name(&ep->frames,
					    s->names[i < gap || !skipped ? i : i + skipped]));
	}
	pf_set_named_frame(f, named - skipped, caller - skipped);
}

/* That the place is known, and not what it is called; once in a finding. */
static void
doubt_nameless(struct pf_findings *f, const struct pf_evidence_profile *ep, size_t sample,
    const struct pf_stack *s)
{
	const struct pf_profile *p = ep->p;
	uint32_t owner = pf_stack_owner(s, ep);

	if (pf_findings_last(f)->stack_count != 1)
		return;
	for (uint64_t i = p->frame_starts[sample]; i < p->frame_starts[sample + 1]; i++) {
		uint32_t location = p->frames[i];

		if (!pf_location_is_nameless(p, location) ||
		    ep->frames.runs[ep->frames.starts[location]] != owner)
			continue;
		pf_add_caveat(f, PF_CONFIDENCE_MEDIUM,
		    pf_say(f, "Which function it is isn't known: code of %s has no names here%s.",
			pf_site_name(ep, owner),
			p->locations[location].mapping == PF_NONE
			    ? ""
			    : " (--binary FILE gives names, where it was not stripped, "
			      "--debug-file FILE where it was)"));
		return;
	}
}

int
pf_show_stack(struct pf_findings *f, const struct pf_evidence_profile *ep, size_t sample,
    double value, double share, const char *unit, struct pf_error *err)
{
	struct pf_stack s = {0};
	int rc = pf_stack_read(&s, ep, sample, err);

	if (!rc) {
		pf_add_stack(f, value, share, unit);
		add_frames(f, ep, &s);
		doubt_nameless(f, ep, sample, &s);
	}
	pf_stack_release(&s);
	return rc;
}

int
pf_show_sites(struct pf_findings *f, const struct pf_evidence_profile *ep, const struct pf_sites *s,
    size_t most, const char *unit, struct pf_error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < most && i < s->count; i++) {
		const struct pf_site *site = &s->items[i];

		if (i && site->value < SHOWN * s->total)
			break;
		rc = pf_show_stack(f, ep, site->sample, site->value,
		    s->total > 0 ? site->value / s->total : NAN, unit, err);
		if (!rc && s->total > 0 && site->sample_value < MOSTLY * site->value)
			pf_set_own_share(f, site->sample_value / s->total);
	}
	return rc;
}

static const struct pf_label *
label_of(const struct pf_profile *p, size_t sample, const char *key)
{
	for (uint64_t i = p->label_starts[sample]; i < p->label_starts[sample + 1]; i++) {
		if (strcmp(pf_profile_string(p, p->labels[i].key), key) == 0)
			return &p->labels[i];
	}
	return NULL;
}

const char *
pf_sample_text(const struct pf_profile *p, size_t sample, const char *key)
{
	const struct pf_label *l = label_of(p, sample, key);

	return l ? pf_profile_string(p, l->string) : "";
}

int64_t
pf_sample_number(const struct pf_profile *p, size_t sample, const char *key)
{
	const struct pf_label *l = label_of(p, sample, key);

	if (!l)
		return 0;
	return l->string ? strtoll(pf_profile_string(p, l->string), NULL, 10) : l->number;
}

double
pf_sample_waited(const struct pf_profile *p, size_t sample)
{
	return (double)pf_sample_number(p, sample, "waited") / 1e9;
}

double
pf_column_total(const struct pf_evidence_profile *ep, uint32_t column)
{
	double sum = 0;

	for (size_t i = 0; i < ep->p->sample_count; i++)
		sum += pf_value(ep, i, column);
	return sum;
}
