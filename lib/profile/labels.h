/*
 * labels.h: which samples a list of KEY=VALUE keeps.
 *
 * Several values of one key: any of them; several keys: all of them. A numeric
 * label is matched by its number, with or without its unit ("bytes=4096",
 * "bytes=4096bytes").
 */
#ifndef PF_PROFILE_LABELS_H
#define PF_PROFILE_LABELS_H

#include "profile/model.h"

/* The label of samples that were subtracted and kept apart, as google/pprof writes it. */
#define PF_BASE_LABEL "pprof::base"
#define PF_BASE_VALUE "true"

struct pf_label_filter {
	const char *text; /* borrowed: "KEY=VALUE" */
	size_t key_size;
};

struct pf_label_filters {
	struct pf_label_filter *items; /* owned */
	size_t count;
};

/* Borrows the texts. PF_EUSAGE for one without "=". */
int pf_label_filters_init(
    struct pf_label_filters *filters, const char *const *texts, size_t count, struct pf_error *err);
void pf_label_filters_release(struct pf_label_filters *filters);

/* Whether this sample is kept; true where there are no filters. */
bool pf_label_filters_match(
    const struct pf_label_filters *filters, const struct pf_profile *p, size_t sample);

/* Whether this sample was subtracted and kept apart: it has the label pprof::base=true. */
bool pf_sample_is_base(const struct pf_profile *p, size_t sample);

#endif
