/*
 * sample_type.h: which of a profile's sample types is converted.
 */
#ifndef PF_CONVERT_SAMPLE_TYPE_H
#define PF_CONVERT_SAMPLE_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pf_profile;
struct pf_stacks;
struct pf_error;

#define PF_NO_TYPE SIZE_MAX

struct pf_sample_type {
	size_t type;  /* of the stacks */
	size_t steps; /* the one that holds the agent's single steps, or PF_NO_TYPE */
	double unit;  /* how much value one sample stands for */
	bool memory;  /* it weighs memory, which no code spends by running */
	bool time;    /* samples are time, not executed instructions */
};

/* The sampling periods of the profiles added so far. */
struct pf_period {
	char type[64], unit[64];
	int64_t least;
};

/* Notes a profile's period: where several differ, the smallest counts. */
void pf_period_note(struct pf_period *period, const struct pf_profile *p);

/*
 * Chooses `wanted`, or without it "instructions" (executions rather than time),
 * "samples", "cpu", or what perf_to_profile calls samples of such events
 * ("cycles:u_sample"). PF_EUSAGE if `wanted` is not there, PF_EINPUT if none of
 * them is: a heap profile says nothing about what runs. Where time is chosen
 * without being wished for, "steps" goes with it.
 */
int pf_sample_type_choose(struct pf_sample_type *choice, const struct pf_stacks *s,
    const char *wanted, const struct pf_period *period, struct pf_error *err);

#endif
