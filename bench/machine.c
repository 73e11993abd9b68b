/* machine.c: see machine.h. */
#include "bench/machine.h"

#include "core/clock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static void
read_model(char *text, size_t size)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[512];

	snprintf(text, size, "unknown");
	while (f && fgets(line, sizeof line, f)) {
		const char *colon = strchr(line, ':');
		if (strncmp(line, "model name", 10) == 0 && colon) {
			snprintf(text, size, "%s", colon + 1 + strspn(colon + 1, " \t"));
			text[strcspn(text, "\n")] = 0;
			break;
		}
	}
	if (f)
		fclose(f);
}

void
pf_machine_read(struct pf_machine *m)
{
	struct utsname name;
	cpu_set_t cpus;

	*m = (struct pf_machine){.cpus = 1};
	if (uname(&name) == 0)
		snprintf(m->kernel, sizeof m->kernel, "%.40s %.50s %.30s", name.sysname,
		    name.release, name.machine);
	if (sched_getaffinity(0, sizeof cpus, &cpus) == 0)
		m->cpus = CPU_COUNT(&cpus);
	m->memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
	read_model(m->cpu, sizeof m->cpu);
}

/* The kernel's pressure stall information: microseconds in "total=" of the line "some". */
static double
read_waited(void)
{
	unsigned long long micros;
	FILE *f = fopen("/proc/pressure/cpu", "re");
	int n = f ? fscanf(f, "some avg10=%*s avg60=%*s avg300=%*s total=%llu", &micros) : 0;

	if (f)
		fclose(f);
	return n == 1 ? (double)micros / 1e6 : NAN;
}

static double
monotonic(void)
{
	return pf_clock_seconds(CLOCK_MONOTONIC);
}

void
pf_usage_read(struct pf_usage *u)
{
	/* user nice system idle iowait irq softirq steal; guest time is in user already. */
	unsigned long long t[8] = {0};
	double hertz = (double)sysconf(_SC_CLK_TCK);
	struct rusage own;
	FILE *f = fopen("/proc/stat", "re");
	int n = f ? fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2],
			&t[3], &t[4], &t[5], &t[6], &t[7])
		  : 0;

	if (f)
		fclose(f);
	*u = (struct pf_usage){.waited = read_waited(), .at = monotonic()};
	getrusage(RUSAGE_SELF, &own);
	u->own = (double)(own.ru_utime.tv_sec + own.ru_stime.tv_sec) +
		 (double)(own.ru_utime.tv_usec + own.ru_stime.tv_usec) / 1e6;
	if (n < 4)
		return;
	u->busy = (double)(t[0] + t[1] + t[2] + t[5] + t[6]) / hertz;
	u->steal = (double)t[7] / hertz;
	u->total = u->busy + u->steal + (double)(t[3] + t[4]) / hertz;
}

double
pf_usage_foreign(const struct pf_usage *from, const struct pf_usage *to, double measured)
{
	double total = to->total - from->total, others;

	if (total <= 0)
		return 0;
	others = (to->busy - from->busy) - (to->own - from->own) - measured;
	return others > 0 ? others / total : 0;
}

double
pf_usage_pressure(const struct pf_usage *from, const struct pf_usage *to)
{
	double time = to->at - from->at;

	return time > 0 ? fmin(1, (to->waited - from->waited) / time) : NAN;
}

double
pf_usage_steal(const struct pf_usage *from, const struct pf_usage *to)
{
	double total = to->total - from->total;

	return total > 0 ? (to->steal - from->steal) / total : 0;
}

bool
pf_pin_plan(cpu_set_t *client, cpu_set_t *server)
{
	int last = -1;

	if (sched_getaffinity(0, sizeof *server, server) || CPU_COUNT(server) < 2)
		return false;
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET(i, server))
			last = i;
	}
	CPU_ZERO(client);
	CPU_SET(last, client);
	CPU_CLR(last, server);
	return true;
}

const char *
pf_pin_format(const cpu_set_t *cpus, char *text, size_t size)
{
	size_t at = 0;

	text[0] = 0;
	for (int i = 0, end; i < CPU_SETSIZE; i = end) {
		end = i + 1;
		if (!CPU_ISSET(i, cpus))
			continue;
		while (end < CPU_SETSIZE && CPU_ISSET(end, cpus))
			end++;
		at += (size_t)snprintf(text + at, size - at, end - i > 1 ? "%s%d-%d" : "%s%d",
		    at ? "," : "", i, end - 1);
		if (at >= size)
			break;
	}
	return text;
}
