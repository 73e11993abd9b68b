/* profile_sum.h: what the samples of a profile come to, whichever parts they come in. */
#ifndef TESTS_PROFILE_SUM_H
#define TESTS_PROFILE_SUM_H

#include "profile/model.h"

struct profile_sum {
	uint64_t samples, frames, labels;
	uint64_t mixed; /* of all that they hold, in order */
};

static inline void
profile_sum_mix(struct profile_sum *s, uint64_t number)
{
	s->mixed = (s->mixed ^ number) * 0x9e3779b97f4a7c15ULL;
}

/* A pf_profile_part_function; data is the sum. Strings are told apart by their first byte only. */
static inline int
profile_sum_add(void *data, const struct pf_profile *p, struct pf_error *err)
{
	struct profile_sum *s = data;
	(void)err;

	s->samples += p->sample_count;
	s->frames += p->frame_count;
	s->labels += p->label_count;
	for (size_t i = 0; i < p->sample_count; i++) {
		profile_sum_mix(s, p->frame_starts[i + 1] - p->frame_starts[i]);
		for (uint64_t k = p->frame_starts[i]; k < p->frame_starts[i + 1]; k++)
			profile_sum_mix(s, p->locations[p->frames[k]].address);
		for (size_t t = 0; t < p->type_count; t++)
			profile_sum_mix(s, (uint64_t)p->values[i * p->type_count + t]);
		for (uint64_t k = p->label_starts[i]; k < p->label_starts[i + 1]; k++) {
			profile_sum_mix(s, (uint8_t)*pf_profile_string(p, p->labels[k].key));
			profile_sum_mix(s, (uint64_t)p->labels[k].number);
		}
	}
	return 0;
}

#endif
