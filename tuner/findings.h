/*
 * findings.h: what the tuner found: data, from which every report is made.
 *
 * All text is interned in the list's own strings and named by position, so a
 * finding is a plain struct and nothing in it is freed one by one. Adding is
 * straight-line code: an allocation that fails is remembered, and told by
 * pf_findings_check().
 */
#ifndef PF_TUNER_FINDINGS_H
#define PF_TUNER_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/strings.h"

enum pf_severity { PF_SEVERITY_LOW, PF_SEVERITY_MEDIUM, PF_SEVERITY_HIGH };

/* How much the evidence carries; what makes it less is a caveat of the finding. */
enum pf_confidence { PF_UNSURE, PF_CONFIDENCE_LOW, PF_CONFIDENCE_MEDIUM, PF_CONFIDENCE_HIGH };

/* A figure, with the bounds of its sampling error where it is an estimate (NaN: exact). */
struct pf_number {
	uint32_t name, unit; /* strings; units: bytes, seconds, share, count, bytes_per_second, … */
	double value, low, high;
};

/* A stack with its weight. */
struct pf_evidence_stack {
	size_t first_frame, frame_count; /* leaf first, into frames */
	/* The function that the finding blames, and who called it, among them: a short form leaves out neither. */
	size_t named, caller;
	uint32_t unit;
	double value, share; /* share of all that the profile counted; NaN: none */
	double
	    own; /* the share of this very stack, where the others are of all stacks of its owner; NaN: they are its own */
};

/* One thing to do: a setting, or a change of the code. */
struct pf_advice {
	uint32_t action;  /* a sentence */
	uint32_t setting; /* "GOGC=200", "MALLOC_ARENA_MAX=2"; "" where there is none to set */
	uint32_t how;     /* the line to put somewhere, and where */
	uint32_t versions, risk, undo; /* "" where nothing is to be said */
};

/* What following the advice is expected to change. */
struct pf_prediction {
	uint32_t metric, unit; /* cpu, rss_idle, rss_peak, heap_in_use, stack_memory, p99 */
	uint32_t model;        /* how it was computed, or how to measure it */
	bool measure; /* it cannot be predicted: low to high are NaN, model says how to measure */
	double before, after, low, high;
};

struct pf_finding {
	const char *kind; /* static: "leak" */
	enum pf_severity severity;
	enum pf_confidence confidence;
	uint32_t title, summary;
	size_t first_number, number_count, first_stack, stack_count, first_advice, advice_count,
	    first_prediction, prediction_count, first_caveat, caveat_count;
	double cpu_saved;   /* as a share of the service's CPU time; 0: none promised */
	double bytes_saved; /* of resident memory */
};

/* What a goroutine waits for that a deadlock names: it waits for ever. */
struct pf_dead_wait {
	uint64_t lock;     /* its address; 0: not known */
	uint32_t function; /* in which it waits */
};

#define PF_FINDING_LIST(TYPE, NAME) \
	TYPE *NAME##s;              \
	size_t NAME##_count, NAME##_capacity

struct pf_findings {
	struct pf_strings strings;
	PF_FINDING_LIST(struct pf_finding, finding);
	PF_FINDING_LIST(struct pf_number, number);
	PF_FINDING_LIST(struct pf_evidence_stack, stack);
	PF_FINDING_LIST(struct pf_advice, advice); /* advices: the plural that the macro makes */
	PF_FINDING_LIST(struct pf_prediction, prediction);
	PF_FINDING_LIST(uint32_t, caveat);
	PF_FINDING_LIST(uint32_t, frame);
	PF_FINDING_LIST(struct pf_dead_wait, dead_wait); /* of all findings */
	bool failed;
};

int pf_findings_init(struct pf_findings *f, struct pf_error *err);
void pf_findings_release(struct pf_findings *f);
/* 0, or PF_ENOMEM if anything could not be kept. */
int pf_findings_check(const struct pf_findings *f, struct pf_error *err);

/* Interns a text; 0 (the empty string) after a failure. */
uint32_t pf_say(struct pf_findings *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static inline const char *
pf_said(const struct pf_findings *f, uint32_t text)
{
	return pf_strings_get(&f->strings, text);
}

/*
 * Begins a finding; everything added until the next one belongs to it. Returns
 * it, good until the next call, or a scratch one after a failure; never NULL.
 */
struct pf_finding *pf_findings_add(struct pf_findings *f, const char *kind,
    enum pf_severity severity, enum pf_confidence confidence, uint32_t title);
/* The finding being built. */
struct pf_finding *pf_findings_last(struct pf_findings *f);

void pf_add_number(struct pf_findings *f, const char *name, double value, const char *unit);
void pf_add_estimate(struct pf_findings *f, const char *name, double value, double low, double high,
    const char *unit);
/* Begins a stack; frames follow, leaf first. */
void pf_add_stack(struct pf_findings *f, double value, double share, const char *unit);
void pf_add_frame(struct pf_findings *f, const char *function);
/* Which of its frames are the one that the finding names, and its caller; SIZE_MAX: none. */
void pf_set_named_frame(struct pf_findings *f, size_t named, size_t caller);
/* What of the last stack's share is its own, where it stands for several. */
void pf_set_own_share(struct pf_findings *f, double share);
void pf_add_advice(struct pf_findings *f, struct pf_advice advice);
void pf_add_prediction(struct pf_findings *f, const char *metric, const char *unit, double before,
    double after, double low, double high, uint32_t model);
/* An effect that only a measurement can tell; `how` says which. */
void pf_add_measurement(struct pf_findings *f, const char *metric, const char *unit, uint32_t how);
/* Who waits so needs no other finding. */
void pf_add_dead_wait(struct pf_findings *f, uint64_t lock, const char *function);
/* Lowers the confidence of the finding being built to at most this, and says why. */
void pf_add_caveat(struct pf_findings *f, enum pf_confidence most, uint32_t why);

/*
 * Says beside each setting which other finding sets the same variable to something else, and of a finding which earlier
 * one counts some of the same CPU time. Once, after sorting: it names findings by their place.
 */
void pf_findings_contrast(struct pf_findings *f);

/* Most severe first; of the same severity the surer, then the greater gain. Below medium confidence none is severe. */
void pf_findings_sort(struct pf_findings *f);

const char *pf_severity_name(enum pf_severity severity);       /* "low", "medium", "high" */
const char *pf_confidence_name(enum pf_confidence confidence); /* "unsure", "low", … */

/* "58.1 %", "58.1 % of CPU time, of which this stack 12.0 %"; "" without a share. */
enum { PF_SHARE_ROOM = 192 };
const char *pf_stack_share_text(char *text, const struct pf_findings *f,
    const struct pf_finding *finding, const struct pf_evidence_stack *s);

/*
 * Of a stack, as many frames as fit: from the leaf up, less what must give way to the function that the finding names and
 * its caller. Writes their positions, ascending; the count.
 */
enum { PF_MOST_SHORT = 16 };
size_t pf_stack_short(const struct pf_evidence_stack *s, size_t most, size_t shown[PF_MOST_SHORT]);

/* "1.3 GiB", "312 MiB", "12 B"; "45.1 %"; "3.2 ms"; written to text, which is returned. */
enum { PF_AMOUNT_ROOM = 48 };
const char *pf_amount(char *text, double value, const char *unit);

#endif
