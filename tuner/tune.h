/* tune.h: what a handle of profuse/tune.h holds, shared by the files of this room. */
#ifndef PF_TUNER_TUNE_H
#define PF_TUNER_TUNE_H

#include <profuse/tune.h>

#include "core/buffer.h"
#include "core/file.h"
#include "tuner/evidence.h"
#include "tuner/findings.h"
#include "tuner/search.h"

enum { PF_STORED_TYPES = 32 };

/* A trigger that fired: what it asked for is among what was read. Strings of the stored's. */
struct pf_firing {
	uint32_t trigger, reason, instance;
	uint32_t types;      /* bits: which of the stored's */
	int64_t start_nanos; /* of the first of its profiles */
};

/* What was chosen from a store's selection. */
struct pf_stored {
	struct pf_strings strings;
	uint32_t types[PF_STORED_TYPES]; /* strings */
	size_t type_count;
	size_t selected, read, of_other_builds, instances;
	uint32_t build_id;            /* a string */
	int64_t from_nanos, to_nanos; /* when the first and the last that was read began */
	struct pf_firing *firings;    /* owned; the latest first */
	size_t firing_count, firing_capacity;
};

struct pf_tune {
	struct pf_evidence evidence;
	struct pf_findings findings;
	struct pf_paths binaries, debug_files;
	pid_t process;    /* whose program that is; 0: none */
	char program[32]; /* /proc/PID/exe, or "": names come from there if build ids agree */
	void (*symbol_note)(void *, const char *); /* or NULL */
	struct pf_strings noted;    /* what it was told already: each profile may give a reason */
	struct pf_strings inputs;   /* names of all that was added, for reports; [0] is "" */
	struct pf_strings unjudged; /* sentences about what the evidence leaves open; [0] is "" */
	double cores_used;          /* NaN: unknown */
	struct pf_search *search;   /* owned; NULL: none was made */
	struct pf_stored stored;    /* .selected is 0 where no store was asked */
	char *trace;                /* owned; the file of the gctrace; NULL: none, or no file */
	bool named;                 /* the service has a name of its own */
	bool live;                  /* what is added comes from a service as it runs */
	bool ran;
	char started[32]; /* UTC, ISO 8601 */
};

/* What a search proved, as a finding; nothing where today's settings stay. */
void pf_search_finding(const struct pf_search *s, struct pf_findings *f);

/* After the detectors: says in `unjudged` what they could not judge. PF_ENOMEM. */
int pf_tune_find_unjudged(struct pf_tune *t, struct pf_error *err);

void pf_stored_release(struct pf_stored *s);
/* Gives addresses names from the binaries that were added. */
int pf_tune_symbolize(struct pf_tune *t, struct pf_profile *p, struct pf_error *err);
/* What a service has written to its gctrace while it was looked at. PF_ENOMEM. */
int pf_tune_read_trace_again(struct pf_tune *t, struct pf_error *err);
/* Remembers the name of something that was added. */
int pf_tune_note(struct pf_tune *t, const char *name, struct pf_error *err);

/* Each appends a whole report. PF_ENOMEM. */
int pf_tune_text(const struct pf_tune *t, struct pf_buffer *out, struct pf_error *err);
int pf_tune_markdown(const struct pf_tune *t, struct pf_buffer *out, struct pf_error *err);
int pf_tune_json(const struct pf_tune *t, struct pf_buffer *out, struct pf_error *err);
int pf_tune_html(const struct pf_tune *t, struct pf_buffer *out, struct pf_error *err);

/* "2026-01-31T12:00:00Z" of nanoseconds since the epoch. */
enum { PF_TUNE_TIME_ROOM = 32 };
const char *pf_tune_time_text(char *text, int64_t nanos);
/* What was chosen from a store, as a sentence; and which types a firing took: "cpu, heap". */
void pf_stored_text(const struct pf_stored *s, char *text, size_t size);
void pf_firing_types_text(
    const struct pf_stored *s, const struct pf_firing *f, char *text, size_t size);
/* "env line" or the like: the words that lead to a prediction: "CPU time: 100 % → 78 % (74 % to 82 %)". */
void pf_prediction_text(
    const struct pf_findings *f, const struct pf_prediction *p, char *text, size_t size);
/* A number as people read it, with its interval. */
void pf_number_text(
    const struct pf_findings *f, const struct pf_number *n, char *text, size_t size);
/* "3 inputs and a search for settings": what it is made of. */
void pf_tune_inputs_text(const struct pf_tune *t, struct pf_buffer *out);
/* What a report without findings says: it is no all-clear where something was not judged. */
const char *pf_nothing_text(const struct pf_tune *t);
/* "grown", "cpu_share" with blanks for underscores. */
void pf_label_text(const char *name, char *text, size_t size);

#endif
