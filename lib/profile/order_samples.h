/*
 * order_samples.h: the order in which packed samples are written, leaf by leaf.
 *
 * By their frames as numbered in the profile, leaf first, then by their labels.
 * Samples of one leaf are ordered when it is their turn: whoever takes them at
 * once finds them in the cache.
 */
#ifndef PF_PROFILE_ORDER_SAMPLES_H
#define PF_PROFILE_ORDER_SAMPLES_H

#include "profile/packed_samples.h"

struct sample_key;

struct pf_sample_order {
	const struct pf_profile *p;
	uint32_t *records; /* owned; by leaf */
	uint32_t *ends;    /* owned; of the records of each leaf; of those without frames first */
	size_t leaf;       /* the next */
	const int64_t
	    *from; /* where the words of the records at hand are: copied, or the profile's */
	const int64_t *limit;    /* their end */
	int64_t *copies;         /* owned */
	size_t copy_room;        /* in words */
	struct sample_key *keys; /* owned; of the records at hand */
	unsigned bits, frames_a_key;
};

/* Of a profile that has been canonicalized. PF_ENOMEM; to be released in any case. */
int pf_sample_order_begin(
    struct pf_sample_order *o, const struct pf_profile *p, struct pf_error *err);
void pf_sample_order_release(struct pf_sample_order *o);

/* Takes the samples of the next leaf to hand; returns how many. 0: all are done. */
size_t pf_sample_order_next(struct pf_sample_order *o);
/* The record of the i-th sample at hand; memory up to o->limit can be looked at. */
const int64_t *pf_sample_order_get(const struct pf_sample_order *o, size_t i);

/* In what order labels stand within a sample, as qsort() asks. */
int pf_compare_labels(const void *a, const void *b);

#endif
