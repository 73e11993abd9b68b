/*
 * cpu.h: one window of CPU sampling, counted by sampler.c, and its profile.
 */
#ifndef PF_AGENT_CPU_H
#define PF_AGENT_CPU_H

#include "collect/agent/event.h"
#include "collect/agent/stacks.h"
#include "collect/agent/steps.h"

/* What one window has seen. */
struct pf_tally {
	bool open;
	struct pf_count {
		uint64_t periods, steps;
	} *counts; /* owned; by stack number, `known` of them */
	size_t known, capacity;
	int64_t began_wall, began; /* CLOCK_REALTIME, CLOCK_MONOTONIC */
	int64_t ended;
	int64_t cpu;      /* of the process without the agent: at the start, then the difference */
	uint64_t taken;   /* periods counted */
	uint64_t overrun; /* of them: by a timer's overrun */
	uint64_t samples; /* stacks taken */
	uint64_t steps;   /* instructions that were stepped through */
	uint64_t bursts;
	uint64_t lost, lost_before;           /* periods without a slot or without room */
	uint64_t cut, deep, by_frame_pointer; /* stacks */
	uint64_t unsampled;                   /* most threads at once that could not be sampled */
	int arm_error;
	uint64_t moved; /* how often the signal had to be changed */
	int signal;
};

struct pf_buffer;

/* Writes the window's profile, with comments that tell how it came about; 0 or -ENOMEM. */
int pf_cpu_write(struct pf_buffer *out, const struct pf_tally *tally,
    const struct pf_stacks *stacks, const struct pf_event *event,
    const struct pf_stepping *stepping);

#endif
