/*
 * summary.h: how the counts of a profile are spread, as LLVM's binary formats
 * carry it: for each cutoff, the smallest count that together with all larger
 * ones makes up that share of the whole. clang decides by it what is hot.
 */
#ifndef PF_CONVERT_SUMMARY_H
#define PF_CONVERT_SUMMARY_H

#include "convert/functions.h"

enum { PF_SUMMARY_CUTOFFS = 16 };

struct pf_summary_entry {
	uint32_t cutoff; /* millionths of the total */
	uint64_t minimum_count;
	uint64_t count_number; /* counts that are at least minimum_count */
};

struct pf_summary {
	uint64_t total, maximum_count, maximum_head;
	uint64_t count_number, function_number;
	struct pf_summary_entry entries[PF_SUMMARY_CUTOFFS];
};

/* Sums up sealed functions. PF_ENOMEM. */
int pf_summary_build(struct pf_summary *s, const struct pf_functions *f, struct pf_error *err);

#endif
