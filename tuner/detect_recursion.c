/*
 * detect_recursion.c: hot recursion: one of the service's own functions that
 * stands many times in the same stacks, and with what it calls takes much of
 * the CPU time.
 *
 * Whether the same is computed again and again no profile tells, and walks of a tree are as frequent: it is a suspicion
 * (unsure), and saves nothing.
 * Depth in a sampled stack is a lower bound (profilers cut stacks off). Walking
 * a tree of data is recursive by nature and shallow: what is reported is deep
 * (five frames and more on average) and hot (a fifth of CPU and more). Names that several
 * functions share (overloads, instances of a template) may be a chain of calls and no recursion.
 */
#include "tuner/detect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "profile/special.h"
#include "tuner/sites.h"

#define HOT 0.20
#define DEEP 5.0
#define ELSEWHERE 0.5 /* of a recursion's time in one thing that it calls */

struct recursive {
	double cum, self, depth; /* sums over samples; depth weighs by value */
	size_t most, sample;
	uint32_t seen; /* the sample (from 1) that counted it last */
	uint32_t times;
};

/* Counts the frames of each own function in one stack. */
static void
count_sample(struct recursive *all, const struct pf_stack *s, const struct pf_evidence_profile *ep,
    size_t sample, double value)
{
	for (size_t i = 0; i < s->count; i++) {
		struct recursive *r = &all[s->names[i]];

		if (ep->traits[s->names[i]] & ~(uint32_t)PF_CODE_LOCK ||
		    ep->frames.about[s->names[i]].shared)
			continue;
		if (r->seen != sample + 1) {
			r->seen = (uint32_t)sample + 1;
			r->times = 0;
		}
		r->times++;
	}
	for (size_t i = 0; i < s->count; i++) {
		struct recursive *r = &all[s->names[i]];

		if (r->seen != sample + 1 || !r->times)
			continue;
		r->cum += value;
		r->depth += value * r->times;
		if (s->names[0] == s->names[i])
			r->self += value;
		if (r->times > r->most) {
			r->most = r->times;
			r->sample = sample;
		}
		r->times = 0;
	}
}

/* What the innermost calls of a function have called. */
static int
sum_below(struct pf_sites *below, const struct pf_evidence_profile *ep, uint32_t column,
    uint32_t name, struct pf_error *err)
{
	struct pf_stack s = {0};
	int rc = 0;

	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		double value = pf_value(ep, i, column);
		size_t at = 0;

		rc = pf_stack_read(&s, ep, i, err);
		while (!rc && at < s.count && s.names[at] != name)
			at++;
		if (!rc && value > 0 && at > 0 && at < s.count)
			rc = pf_sites_add(below, s.names[at - 1], value, 1, i, err);
	}
	pf_stack_release(&s);
	if (!rc)
		pf_sites_sort(below);
	return rc;
}

/* Whether what it calls takes the time: another function, or what several of libraries' do together. */
static bool
is_elsewhere(const struct pf_sites *below, const struct pf_evidence_profile *ep, double cum)
{
	double libraries = 0;

	for (size_t i = 0; i < below->count; i++) {
		if (ep->traits[below->items[i].name] ||
		    pf_site_name(ep, below->items[i].name)[0] == '[')
			libraries += below->items[i].value;
	}
	return below->count && fmax(libraries, below->items[0].value) > ELSEWHERE * cum;
}

/* Where others take the time, that they are called from a recursion may be beside the point. */
static void
advise(struct pf_findings *f, const struct pf_evidence_profile *ep, const char *function,
    const char *pattern, const struct pf_sites *below, double cum)
{
	char text[PF_AMOUNT_ROOM];
	const char *called;

	if (!is_elsewhere(below, ep, cum)) {
		pf_add_advice(f,
		    (struct pf_advice){
			.action = pf_say(f,
			    "Count calls of %s with equal arguments. Where they are many, keep the "
			    "results (memoisation), or build them up from the smallest.",
			    function),
			.how = pf_say_peek(f, ep, pattern)});
		return;
	}
	called = pf_site_name(ep, below->items[0].name);
	pf_add_caveat(f, PF_UNSURE,
	    pf_say(f,
		"%s of its time is spent in %s, which it calls, more than in anything else: what "
		"it "
		"calls may be what costs, once for each part of a tree.",
		pf_amount(text, below->items[0].value / cum, "share"), called));
	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f,
		    "Look at what %s calls for each part of what it walks, most of all %s: fewer "
		    "or "
		    "cheaper calls save more than fewer steps. Only where it is called often with "
		    "equal arguments keep its results.",
		    function, called),
		.how = pf_say_peek(f, ep, pattern)});
}

/* A name as an expression that matches it: "operator()", "main::{lambda#1}". */
static void
write_pattern(char *pattern, size_t room, const char *name)
{
	size_t n = 0;

	for (; *name && n + 3 < room; name++) {
		if (strchr(".[]{}()*+?^$|\\", *name))
			pattern[n++] = '\\';
		pattern[n++] = *name;
	}
	pattern[n] = '\0';
}

static int
report(struct pf_findings *f, const struct pf_evidence_profile *ep, uint32_t column, uint32_t name,
    const struct recursive *r, double total, struct pf_error *err)
{
	double share = r->cum / total, samples = pf_cpu_samples(ep);
	const char *function = pf_site_name(ep, name);
	struct pf_sites below = {0};
	char text[PF_AMOUNT_ROOM], pattern[512];
	int rc = sum_below(&below, ep, column, name, err);

	write_pattern(pattern, sizeof pattern, function);
	pf_findings_add(f, "hot-recursion", pf_cpu_severity(ep, column, PF_SEVERITY_MEDIUM),
	    PF_UNSURE,
	    pf_say(f, "%s calls itself %zu deep and takes %s of the CPU time", function, r->most,
		pf_amount(text, share, "share")));
	pf_add_cpu_share(f, "cpu_share", share, samples);
	pf_add_number(f, "mean_depth", r->depth / r->cum, "frames");
	pf_add_number(f, "most_depth", (double)r->most, "frames");
	pf_add_number(f, "self_share", r->self / total, "share");
	pf_add_caveat(f, PF_UNSURE,
	    pf_say(f, "A profile does not tell whether the same is computed again and again, which "
		      "grows exponentially and can nearly all be saved, or a tree or a document "
		      "is walked once, of which nothing can."));
	advise(f, ep, function, pattern, &below, r->cum);
	pf_add_measurement(f, "cpu", "share",
	    pf_say(f, "profuse bench, with the results kept: by the calls that are repeated"));
	pf_sites_release(&below);
	return rc ? rc : pf_show_stack(f, ep, r->sample, r->cum, share, "share_of_cpu", err);
}

int
pf_detect_recursion(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	uint32_t column, best = PF_NONE;
	const struct pf_evidence_profile *ep = pf_cpu_profile(e, &column);
	struct pf_stack stack = {0};
	struct recursive *all = NULL;
	double total;
	int rc;

	if (!ep || pf_cpu_is_idle(ep, column))
		return 0;
	rc = pf_cpu_used(ep, column, &total, err);
	if (rc || !(total > 0))
		return rc;
	rc = PF_CALLOC(all, ep->frames.names.count, err);
	for (size_t i = 0; !rc && i < ep->p->sample_count; i++) {
		double value = pf_value(ep, i, column);

		rc = pf_stack_read(&stack, ep, i, err);
		if (!rc && value > 0)
			count_sample(all, &stack, ep, i, value);
	}
	/* Of functions that recurse through each other the deepest stands for all. */
	for (uint32_t i = 0; !rc && i < ep->frames.names.count; i++) {
		if (all[i].cum < HOT * total || all[i].depth < DEEP * all[i].cum ||
		    pf_site_name(ep, i)[0] == '[' ||
		    strcmp(pf_site_name(ep, i), PF_UNKNOWN_NAME) == 0)
			continue;
		if (best == PF_NONE || all[i].depth > all[best].depth)
			best = i;
	}
	if (!rc && best != PF_NONE)
		rc = report(f, ep, column, best, &all[best], total, err);
	free(all);
	pf_stack_release(&stack);
	return rc;
}
