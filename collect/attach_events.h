/*
 * attach_events.h: perf_event_open(2): samples and what mappings change, from the kernel.
 *
 * One event for every thread and processor (or every processor alone), all those
 * of a processor sharing one ring. Records are drained in batches and given out
 * in the order of their times. Formats: perf_event_open(2), linux/perf_event.h.
 */
#ifndef PF_COLLECT_ATTACH_EVENTS_H
#define PF_COLLECT_ATTACH_EVENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/buffer.h"

struct pf_error;

/* What can be counted. */
struct pf_attach_event {
	const char *name;
	uint32_t type;
	uint64_t config;
	const char *sample_type, *unit; /* in the profile */
	bool time;                      /* it is CPU time, at so many samples a second */
};

/* The event of this name, or NULL; "cpu" is CPU time. */
const struct pf_attach_event *pf_attach_event_find(const char *name);
/* All their names, for a message. */
extern const char pf_attach_event_names[];

struct pf_attach_subject {
	const pid_t *pids; /* every thread of these processes, and what they start */
	size_t count;
	int cgroup;   /* a descriptor of its folder; -1: none */
	bool machine; /* everything */
};

enum { PF_ATTACH_REGISTERS = 17, PF_ATTACH_FRAMES = 512 };

struct pf_attach_sample {
	pid_t pid, tid;
	uint64_t time, period;
	const uint64_t *chain; /* as the kernel has it, with its context marks */
	uint64_t chain_size;
	bool
	    has_registers; /* of user space, in DWARF's order: 7 the stack pointer, 16 the next instruction */
	uint64_t registers[PF_ATTACH_REGISTERS];
	const uint8_t *stack; /* from the stack pointer up */
	uint64_t stack_size;
};

struct pf_attach_mapping {
	pid_t pid;
	uint64_t start, size, offset;
	const char *file;
	bool executable;
};

/* Called in the order of times. */
struct pf_attach_handlers {
	void (*sample)(void *data, const struct pf_attach_sample *sample);
	void (*mapping)(void *data, const struct pf_attach_mapping *mapping);
	void (*fork)(void *data, pid_t child, pid_t parent);
	void (*name)(void *data, pid_t pid, pid_t tid, const char *name, bool exec);
	void (*lost)(void *data, uint64_t records);
	void *data;
};

struct pf_attach_ring {
	int fd; /* whose output it is */
	void *pages;
	size_t size; /* of the data, a power of two */
};

struct pf_attach_events {
	int *fds; /* owned */
	size_t count, capacity;
	struct pf_attach_ring *rings; /* owned, one a processor */
	size_t ring_count;
	bool with_kernel;
	struct pf_buffer batch; /* records copied out of the rings */
	struct pf_attach_record {
		uint64_t time;
		size_t at;
	} *order; /* owned */
	size_t order_count, order_capacity;
};

/*
 * Opens everything, stopped. rate: samples a second (of events that are not
 * time: the kernel adjusts their period to it). PF_EIO says which privilege or
 * event is missing; PF_ENOMEM. Close it after a failure too.
 */
int pf_attach_open(struct pf_attach_events *events, const struct pf_attach_subject *subject,
    const struct pf_attach_event *event, unsigned rate, struct pf_error *err);
void pf_attach_close(struct pf_attach_events *events);

/* Begins or ends counting. */
void pf_attach_enable(struct pf_attach_events *events, bool on);
/* Waits for at most so many milliseconds, then gives out what has come. PF_ENOMEM. */
int pf_attach_drain(struct pf_attach_events *events, int milliseconds,
    const struct pf_attach_handlers *handlers, struct pf_error *err);

#endif
