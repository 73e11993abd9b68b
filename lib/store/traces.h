/*
 * traces.h: the samples of one request.
 *
 * OpenTelemetry's profilers label samples with the trace and span that ran:
 * trace_id and span_id in one spelling or another. The store keeps which ids
 * a profile has, as hashes; whether it really has them the profile says.
 */
#ifndef PF_STORE_TRACES_H
#define PF_STORE_TRACES_H

#include "profile/labels.h"
#include "profile/model.h"

/* Whether a label's key names a trace or span. */
bool pf_trace_key(const char *key);

/*
 * The hashes of all trace and span ids of a profile, ascending, each once; to be
 * freed. At most PF_STORE_TRACES_MAX: *complete tells whether that was all.
 */
int pf_trace_hashes(const struct pf_profile *p, uint64_t **hashes, size_t *count, bool *complete,
    struct pf_error *err);

/* The keys that name a trace or span, in the spellings met; NULL-terminated. */
extern const char *const pf_trace_keys[];

/* Leaves only samples that carry this trace or span id; that the filters match. */
void pf_samples_keep_trace(struct pf_profile *p, const char *id);
void pf_samples_keep_labelled(struct pf_profile *p, const struct pf_label_filters *filters);

#endif
