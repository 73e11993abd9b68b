/* tune.h: what a handle of profuse/tune.h holds, shared by the files of this room. */
#ifndef PF_TUNER_TUNE_H
#define PF_TUNER_TUNE_H

#include <profuse/tune.h>

#include "core/buffer.h"
#include "core/file.h"
#include "tuner/evidence.h"
#include "tuner/findings.h"
#include "tuner/search.h"

struct pf_tune {
	struct pf_evidence evidence;
	struct pf_findings findings;
	struct pf_paths binaries, debug_files;
	void (*symbol_note)(void *, const char *); /* or NULL */
	struct pf_strings inputs; /* names of all that was added, for reports; [0] is "" */
	double cores_used;        /* NaN: unknown */
	struct pf_search *search; /* owned; NULL: none was made */
	bool named;               /* the service has a name of its own */
	bool live;                /* what is added comes from a service as it runs */
	bool ran;
	char started[32]; /* UTC, ISO 8601 */
};

/* What a search proved, as a finding; nothing where today's settings stay. */
void pf_search_finding(const struct pf_search *s, struct pf_findings *f);

/* Remembers the name of something that was added. */
int pf_tune_note(struct pf_tune *t, const char *name, struct pf_error *err);

/* Each appends a whole report. PF_ENOMEM. */
int pf_tune_text(const struct pf_tune *t, struct pf_buffer *out, struct pf_error *err);
int pf_tune_markdown(const struct pf_tune *t, struct pf_buffer *out, struct pf_error *err);
int pf_tune_json(const struct pf_tune *t, struct pf_buffer *out, struct pf_error *err);
int pf_tune_html(const struct pf_tune *t, struct pf_buffer *out, struct pf_error *err);

/* "env line" or the like: the words that lead to a prediction: "CPU time: 100 % → 78 % (74 % to 82 %)". */
void pf_prediction_text(
    const struct pf_findings *f, const struct pf_prediction *p, char *text, size_t size);
/* A number as people read it, with its interval. */
void pf_number_text(
    const struct pf_findings *f, const struct pf_number *n, char *text, size_t size);
/* "grown", "cpu_share" with blanks for underscores. */
void pf_label_text(const char *name, char *text, size_t size);

#endif
