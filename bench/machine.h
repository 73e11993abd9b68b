/*
 * machine.h: where a measurement was made, who else was using it, and which
 * CPUs client and server get.
 */
#ifndef PF_BENCH_MACHINE_H
#define PF_BENCH_MACHINE_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

struct pf_machine {
	char kernel[128]; /* "Linux 6.1.0-18-amd64 x86_64" */
	char cpu[128];    /* model name, or "unknown" */
	int cpus;         /* that we may run on */
	uint64_t memory;  /* bytes */
};

void pf_machine_read(struct pf_machine *machine);

/* CPU seconds of the whole machine since it started, to the clock tick; zeros without /proc/stat. */
struct pf_usage {
	double busy;   /* all but idle, waiting and stolen */
	double steal;  /* taken by other virtual machines */
	double total;  /* all of it */
	double own;    /* this process' own */
	double waited; /* that at least one task waited for a CPU (pressure); NaN: not told */
	double at;     /* monotonic */
};

void pf_usage_read(struct pf_usage *usage);

/*
 * Which share of the machine's CPU time between two readings went to others:
 * neither this process nor the subjects' `measured` seconds. Never below 0.
 */
double pf_usage_foreign(const struct pf_usage *from, const struct pf_usage *to, double measured);
/* The share of the time in which some task waited for a CPU; NaN where the kernel doesn't tell. */
double pf_usage_pressure(const struct pf_usage *from, const struct pf_usage *to);
double pf_usage_steal(const struct pf_usage *from, const struct pf_usage *to);

/*
 * The last CPU that we may run on to the client, all others to the server.
 * False, and nothing set, where there is only one.
 */
bool pf_pin_plan(cpu_set_t *client, cpu_set_t *server);

/* Such as "0-2,5" into text; returns text. */
const char *pf_pin_format(const cpu_set_t *cpus, char *text, size_t size);

#endif
