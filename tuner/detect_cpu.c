/*
 * detect_cpu.c: what a CPU profile shows of allocation and of serialisation:
 * the share of samples whose stack goes through such code, and who calls it.
 *
 * Thresholds: mallocgc or malloc and free together above 15 % of CPU is heavy;
 * serialisation above 10 % is worth a look, above 25 % a rewrite. What Go's
 * collector does below mallocgc (assists, the start of a cycle) is the
 * collector's, which gc_model.c counts, in shares of the same CPU time; what is
 * swept there to find room is allocation.
 */
#include "tuner/detect.h"

#include <math.h>
#include <string.h>

#include "tuner/callees.h"
#include "tuner/sites.h"

#define HEAVY_ALLOCATION 0.15
#define HEAVY_SERIAL 0.10
#define ALLOCATES 0.01 /* of all objects: who allocates fewer frees what others did */

enum { LIKELY = 8 /* of those that take most of the time */ };

/* What the agent does below the call that it stands in front of: with a sampled allocation, say. */
static bool
is_agents(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	size_t agent = pf_stack_with(s, ep, PF_CODE_WRAPPER);

	return agent < s->count && agent < pf_stack_with(s, ep, PF_CODE_ALLOCATION);
}

bool
pf_allocates(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	return (s->traits & PF_CODE_ALLOCATION) && !(s->traits & PF_CODE_GC) && !is_agents(s, ep);
}

static bool
serializes(const struct pf_stack *s, const struct pf_evidence_profile *ep)
{
	(void)ep;
	return (s->traits & PF_CODE_SERIAL) != 0;
}

uint32_t
pf_say_peek(struct pf_findings *f, const struct pf_evidence_profile *ep, const char *pattern)
{
	if (ep->names_added || strstr(ep->name, "://") || strchr(ep->name, '\'') ||
	    strchr(pattern, '\''))
		return 0;
	return pf_say(f, "profuse show peek '%s' '%s'", pattern, ep->name);
}

/* Go's libraries allocate what a call returns: it is called less, or its result kept. */
static int
advise_callee(struct pf_findings *f, const struct pf_evidence_profile *ep, uint32_t column,
    uint32_t owner, struct pf_error *err)
{
	struct pf_callee callee;
	char share[PF_AMOUNT_ROOM], all[PF_AMOUNT_ROOM];
	int rc = pf_callee_of(&callee, ep, column, pf_allocates, owner, err);

	if (!rc && callee.name)
		pf_add_advice(f,
		    (struct pf_advice){
			.action = pf_say(f,
			    "Call %s less in %s, or once, and keep what it returns where that is "
			    "the same again: %s of the allocating there is below it, and it takes "
			    "%s of all CPU time.",
			    callee.name, pf_site_name(ep, owner),
			    pf_amount(share, callee.share, "share"),
			    pf_amount(all, callee.all, "share"))});
	return rc;
}

/* What allocates for three and more others is no place to allocate less in: they are. */
static int
add_callers(struct pf_findings *f, const struct pf_evidence_profile *ep, uint32_t column,
    const struct pf_site *owner, struct pf_error *err)
{
	enum { LEAST_CALLERS = 3, MOST_NAMED = 3 };
	struct pf_sites callers;
	uint32_t named = 0;
	int rc = pf_callers_of(&callers, ep, column, pf_allocates, owner->name, err);

	for (size_t i = 0; !rc && callers.count >= LEAST_CALLERS && i < MOST_NAMED; i++) {
		const struct pf_site *c = &callers.items[i];
		char text[PF_AMOUNT_ROOM];

		named = pf_say(f, "%s%s%s (%s)", pf_said(f, named), i ? ", " : "",
		    pf_site_name(ep, c->name), pf_amount(text, c->value / owner->value, "share"));
	}
	if (named)
		pf_findings_last(f)->summary = pf_say(f,
		    "%s allocates for %zu functions, most of it for %s: allocate less in these.",
		    pf_site_name(ep, owner->name), callers.count, pf_said(f, named));
	pf_sites_release(&callers);
	return rc;
}

static void
advise_allocation(const struct pf_evidence *e, const struct pf_evidence_profile *ep,
    struct pf_findings *f, const char *owner, double share, double high)
{
	bool go = pf_evidence_is_go(e);
	char text[PF_AMOUNT_ROOM];

	pf_add_advice(f,
	    (struct pf_advice){.action = go ? pf_say(f,
						  "Allocate less in %s: reuse buffers (sync.Pool, "
						  "a slice that is cleared), "
						  "give slices and maps their capacity, avoid fmt "
						  "and string conversions on "
						  "the hot path.",
						  owner)
					    : pf_say(f,
						  "Allocate less in %s: reuse buffers, allocate in "
						  "an arena that lives as "
						  "long as a request, reserve capacity.",
						  owner),
		.how = go ? pf_say_peek(f, ep, "mallocgc") : 0});
	pf_add_prediction(f, "cpu", "share", 1, 1 - share / 2, 1 - high, 1,
	    pf_say(f, "half of the allocation's CPU time avoided; all of it at best (%s)",
		pf_amount(text, share, "share")));
	if (!go)
		pf_add_advice(f,
		    (struct pf_advice){.action = pf_say(f, "Try another allocator: what it brings "
							   "can't be predicted from a profile."),
			.how = pf_say(f, "profuse tune --try CMD")});
}

int
pf_allocation_share(const struct pf_evidence *e, double *share, struct pf_error *err)
{
	uint32_t column;
	const struct pf_evidence_profile *ep = pf_cpu_profile(e, &column);
	struct pf_sites sites;
	double used;
	int rc;

	*share = NAN;
	if (!ep)
		return 0;
	rc = pf_sites_of(&sites, ep, column, pf_allocates, err);
	if (!rc)
		rc = pf_cpu_used(ep, column, &used, err);
	if (!rc)
		*share = sites.total / used;
	pf_sites_release(&sites);
	return rc;
}

static bool
has_share(const struct pf_sites *made, const struct pf_evidence_profile *heap, const char *name)
{
	for (size_t i = 0; i < made->count && made->items[i].value >= ALLOCATES * made->total;
	    i++) {
		if (strcmp(pf_site_name(heap, made->items[i].name), name) == 0)
			return true;
	}
	return false;
}

/*
 * Who is to allocate less: the first of these that a heap profile shows to allocate at all, for a destructor that takes
 * most of the time only frees; without such a profile the first.
 */
static int
find_allocator(const struct pf_evidence *e, const struct pf_evidence_profile *ep,
    const struct pf_sites *sites, const char **name, struct pf_error *err)
{
	static const char *const allocated[] = {"alloc_objects", NULL};
	const struct pf_evidence_profile *heap = pf_evidence_last(e, PF_PROFILE_HEAP);
	struct pf_sites made;
	uint32_t column;
	int rc;

	*name = pf_site_name(ep, sites->items[0].name);
	if (!heap)
		heap = pf_evidence_last(e, PF_PROFILE_ALLOCS);
	column = heap ? pf_evidence_column(heap, allocated) : PF_NONE;
	if (column == PF_NONE)
		return 0;
	rc = pf_sites_of(&made, heap, column, NULL, err);
	for (size_t i = 0; !rc && i < sites->count && i < LIKELY; i++) {
		const char *candidate = pf_site_name(ep, sites->items[i].name);

		if (!has_share(&made, heap, candidate))
			continue;
		*name = candidate;
		break;
	}
	pf_sites_release(&made);
	return rc;
}

/* What to do: about the first owner, about who allocates what that one frees, or about who has it allocate. */
static int
advise_owners(const struct pf_evidence *e, struct pf_findings *f,
    const struct pf_evidence_profile *ep, uint32_t column, const struct pf_sites *sites,
    double share, double high, struct pf_error *err)
{
	const struct pf_site *first = &sites->items[0];
	const char *owner = NULL;
	int rc = pf_evidence_is_go(e) ? advise_callee(f, ep, column, first->name, err) : 0;

	if (!rc)
		rc = find_allocator(e, ep, sites, &owner, err);
	if (rc)
		return rc;
	advise_allocation(e, ep, f, owner, share, high);
	return strcmp(owner, pf_site_name(ep, first->name)) == 0
		   ? add_callers(f, ep, column, first, err)
		   : 0;
}

int
pf_detect_allocation(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	uint32_t column;
	const struct pf_evidence_profile *ep = pf_cpu_profile(e, &column);
	double used, share, samples, low, high;
	struct pf_sites sites;
	char text[PF_AMOUNT_ROOM];
	int rc;

	if (!ep || pf_cpu_is_idle(ep, column))
		return 0;
	rc = pf_cpu_used(ep, column, &used, err);
	if (rc)
		return rc;
	samples = pf_cpu_samples(ep);
	rc = pf_sites_of(&sites, ep, column, pf_allocates, err);
	share = sites.total / used;
	pf_share_interval(share, samples, &low, &high);
	if (!rc && sites.count && low > HEAVY_ALLOCATION * 0.8 && share >= HEAVY_ALLOCATION) {
		struct pf_finding *finding = pf_findings_add(f, "allocation-heavy",
		    pf_cpu_severity(
			ep, column, share >= 0.3 ? PF_SEVERITY_HIGH : PF_SEVERITY_MEDIUM),
		    PF_CONFIDENCE_HIGH,
		    pf_say(f, "%s of the CPU time goes into allocating memory, most of it for %s",
			pf_amount(text, share, "share"), pf_site_name(ep, sites.items[0].name)));
		finding->cpu_saved = share / 2;
		pf_add_cpu_share(f, "cpu_share", share, samples);
		pf_add_number(f, "first_owner_share", sites.items[0].value / used, "share");
		rc = advise_owners(e, f, ep, column, &sites, share, high, err);
		if (!rc)
			rc = pf_show_sites(f, ep, &sites, 3, "share_of_allocation", err);
	}
	pf_sites_release(&sites);
	return rc;
}

/* The package or library that a name belongs to: "encoding/json" of "encoding/json.Marshal", "libxml2" of "[libxml2.so.2]". */
static void
library_of(char *to, size_t room, const char *name)
{
	const char *slash = NULL, *at;
	size_t size;

	name += *name == '[';
	for (at = name; *at && *at != '(' && *at != '['; at++) {
		if (*at == '/')
			slash = at;
	}
	at = slash ? slash : name;
	size = (size_t)(at - name) + strcspn(at, ".:(_");
	if (size >= room)
		size = room - 1;
	for (size_t i = 0; i < size; i++)
		to[i] = name[i];
	to[size] = '\0';
}

static int
report_serial(struct pf_findings *f, const struct pf_evidence_profile *ep, uint32_t column,
    const struct pf_sites *sites, double share, double samples, struct pf_error *err)
{
	const char *owner = pf_site_name(ep, sites->items[0].name);
	struct pf_stack stack = {0};
	char library[128] = "", text[PF_AMOUNT_ROOM];
	int rc = pf_stack_read(&stack, ep, sites->items[0].sample, err);
	struct pf_finding *finding;
	size_t at;

	if (rc)
		return rc;
	/* The outermost is what was called, as documentation names it; the leaf is somewhere inside. */
	at = stack.count;
	while (at && !(ep->traits[stack.names[at - 1]] & PF_CODE_SERIAL))
		at--;
	if (at)
		library_of(library, sizeof library, pf_site_name(ep, stack.names[at - 1]));
	pf_stack_release(&stack);
	finding = pf_findings_add(f, "serialization",
	    pf_cpu_severity(ep, column, share >= 0.25 ? PF_SEVERITY_HIGH : PF_SEVERITY_MEDIUM),
	    PF_CONFIDENCE_HIGH,
	    pf_say(f, "%s of the CPU time goes into serialisation (%s), most of it for %s",
		pf_amount(text, share, "share"), library, owner));
	finding->cpu_saved = share / 2;
	pf_add_cpu_share(f, "cpu_share", share, samples);
	pf_add_number(f, "first_owner_share", sites->items[0].value / sites->total, "share");
	pf_add_advice(f,
	    (struct pf_advice){
		.action = pf_say(f,
		    "Serialise less in %s: encode what does not change once and keep the bytes; "
		    "decode only what is used; take a codec that is generated for the types "
		    "instead of "
		    "one that looks at them at run time; or a binary format between own services.",
		    owner),
		.risk = pf_say(f, "Generated codecs may differ in details (order of keys, unknown "
				  "fields): compare "
				  "their output with today's.")});
	pf_add_prediction(f, "cpu", "share", 1, 1 - share / 2, 1 - share, 1,
	    pf_say(f,
		"a codec twice as fast saves half of it; measure the change with profuse bench"));
	return pf_show_sites(f, ep, sites, 3, "share_of_serialization", err);
}

int
pf_detect_serialization(const struct pf_evidence *e, struct pf_findings *f, struct pf_error *err)
{
	uint32_t column;
	const struct pf_evidence_profile *ep = pf_cpu_profile(e, &column);
	double used, share, samples, low, high;
	struct pf_sites sites;
	int rc;

	if (!ep || pf_cpu_is_idle(ep, column))
		return 0;
	rc = pf_cpu_used(ep, column, &used, err);
	if (rc)
		return rc;
	samples = pf_cpu_samples(ep);
	rc = pf_sites_of(&sites, ep, column, serializes, err);
	share = sites.total / used;
	pf_share_interval(share, samples, &low, &high);
	if (!rc && sites.count && share >= HEAVY_SERIAL && low > HEAVY_SERIAL * 0.7)
		rc = report_serial(f, ep, column, &sites, share, samples, err);
	pf_sites_release(&sites);
	return rc;
}
