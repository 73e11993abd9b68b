/*
 * sites.h: stacks of a profile as names, and sums of their values by function.
 */
#ifndef PF_TUNER_SITES_H
#define PF_TUNER_SITES_H

#include "tuner/evidence.h"
#include "tuner/findings.h"

/* The names of one sample, leaf first; reused from sample to sample. */
struct pf_stack {
	uint32_t *names; /* owned */
	size_t count, capacity;
	uint32_t traits; /* of all of them together */
};

/* Fills the stack. PF_ENOMEM. */
int pf_stack_read(
    struct pf_stack *s, const struct pf_evidence_profile *ep, size_t sample, struct pf_error *err);
void pf_stack_release(struct pf_stack *s);

/* The position of the leaf-most frame that is the service's own code; s->count where there is none. */
size_t pf_stack_own(const struct pf_stack *s, const struct pf_evidence_profile *ep);
/* The position of the next of these above one, another than it (recursion calls nobody); s->count where there is none. */
size_t pf_stack_caller(const struct pf_stack *s, const struct pf_evidence_profile *ep, size_t at);
/* The position of the leaf-most frame with one of these traits; s->count where there is none. */
size_t pf_stack_with(
    const struct pf_stack *s, const struct pf_evidence_profile *ep, uint32_t traits);
/*
 * Whether the stack's leaf is the allocator's, called by the service: nothing of it
 * between the leaf and malloc, free or their relatives. A thread of the allocator's
 * own (jemalloc's in the background) is none.
 */
bool pf_stack_in_allocator(const struct pf_stack *s, const struct pf_evidence_profile *ep);
/* At a lock of the service's; the allocator's own are detect_arenas.c's. */
bool pf_stack_waits_at_lock(const struct pf_stack *s, const struct pf_evidence_profile *ep);
/* Whether a function of this name is in it. */
bool pf_stack_has(
    const struct pf_stack *s, const struct pf_evidence_profile *ep, const char *function);
/* Whether it waits in, or has called, a function of a library's locks with this in its name ("wrlock"). */
bool pf_stack_locks(
    const struct pf_stack *s, const struct pf_evidence_profile *ep, const char *part);
/*
 * Whether a function of the service's own has called the leaf-most one that is, and is no beginning of a thread itself, as a
 * lambda often is.
 */
bool pf_stack_is_called(const struct pf_stack *s, const struct pf_evidence_profile *ep);
/* A snapshot of what threads do, and no base. */
bool pf_is_look(const struct pf_evidence_profile *ep);
/*
 * Who answers for a sample: its own code, else a client's loop, else the last frame that is no allocator's or lock's,
 * of Go's runtime only where there is nothing else. PF_NONE: empty.
 */
uint32_t pf_stack_owner(const struct pf_stack *s, const struct pf_evidence_profile *ep);

/* Sums by name. */
struct pf_site {
	uint32_t name; /* of the profile's frames */
	double value, count;
	size_t sample; /* the heaviest */
	double sample_value;
};

struct pf_sites {
	struct pf_site *items; /* owned */
	size_t count, capacity;
	struct pf_index index;
	double total;
};

int pf_sites_add(struct pf_sites *s, uint32_t name, double value, double count, size_t sample,
    struct pf_error *err);
/* Greatest value first. The index is gone: nothing can be added any more. */
void pf_sites_sort(struct pf_sites *s);
void pf_sites_release(struct pf_sites *s);

/* Sums a column over the samples that `wanted` says, by owner. */
typedef bool pf_sample_wanted(const struct pf_stack *s, const struct pf_evidence_profile *ep);
int pf_sites_of(struct pf_sites *s, const struct pf_evidence_profile *ep, uint32_t column,
    pf_sample_wanted *wanted, struct pf_error *err);
/*
 * The same of one of the service's functions, by who called it (pf_stack_caller()); `total` has what nobody called as
 * well. NULL: all samples. PF_ENOMEM; release them after a failure too.
 */
int pf_callers_of(struct pf_sites *callers, const struct pf_evidence_profile *ep, uint32_t column,
    pf_sample_wanted *wanted, uint32_t owner, struct pf_error *err);

/* Whether it has no function though a file could give it one: the kernel and JIT compilers have no such file. */
bool pf_location_is_nameless(const struct pf_profile *p, uint32_t location);

/*
 * A sample's stack as evidence of the finding being built, which is less sure where the one that it names has no name but
 * its binary's. PF_ENOMEM.
 */
int pf_show_stack(struct pf_findings *f, const struct pf_evidence_profile *ep, size_t sample,
    double value, double share, const char *unit, struct pf_error *err);
/* The heaviest stacks of the first `most` sites. */
int pf_show_sites(struct pf_findings *f, const struct pf_evidence_profile *ep,
    const struct pf_sites *s, size_t most, const char *unit, struct pf_error *err);

/* The text of a sample's label of this key; "" where it has none. */
const char *pf_sample_text(const struct pf_profile *p, size_t sample, const char *key);
/* Its number; a text of digits counts too. 0 where it has none. */
int64_t pf_sample_number(const struct pf_profile *p, size_t sample, const char *key);

/* Seconds that a thread has waited, as the agent's label says. */
double pf_sample_waited(const struct pf_profile *p, size_t sample);

/* The sum of a column's values. */
double pf_column_total(const struct pf_evidence_profile *ep, uint32_t column);

static inline double
pf_value(const struct pf_evidence_profile *ep, size_t sample, uint32_t column)
{
	return (double)ep->p->values[sample * ep->p->type_count + column];
}

static inline const char *
pf_site_name(const struct pf_evidence_profile *ep, uint32_t name)
{
	return name == PF_NONE ? "(unknown)" : pf_frames_name(&ep->frames, name);
}

#endif
