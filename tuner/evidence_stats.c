/* evidence_stats.c: statistics files and living processes into the evidence; see evidence.h. */
#include "tuner/evidence.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/error.h"
#include "core/lines.h"
#include "core/memory.h"
#include "symbol/elf.h"

enum { ENVIRONMENT_ROOM = 1 << 20, MAPS_ROOM = 8 << 20 };

static int
new_stats(struct pf_evidence *e, const char *name, bool base, struct pf_evidence_stats **out,
    struct pf_error *err)
{
	struct pf_evidence_stats *s;
	int rc = PF_GROW(e->stats, e->stats_capacity, e->stats_count + 1, err);

	if (rc)
		return rc;
	s = &e->stats[e->stats_count];
	*s = (struct pf_evidence_stats){
	    .at = NAN, .began = NAN, .asked = (double)e->asked, .base = base};
	rc = pf_copy_string(&s->name, name, err);
	if (rc)
		return rc;
	pf_allocator_stats_init(&s->allocator);
	pf_go_stats_init(&s->go);
	pf_proc_init(&s->proc);
	e->stats_count++;
	*out = s;
	return 0;
}

/* process_…, which any Prometheus client has, as the kernel would say it. */
static void
process_of_metrics(struct pf_evidence_stats *s, const struct pf_exposition *e)
{
	double rss = pf_exposition_sum(e, "process_resident_memory_bytes", NULL);
	double cpu = pf_exposition_sum(e, "process_cpu_seconds_total", NULL);

	s->began = pf_exposition_sum(e, "process_start_time_seconds", NULL);
	if (isnan(rss) && isnan(cpu))
		return;
	s->has_proc = true;
	s->proc.rss = rss;
	s->proc.user_seconds = cpu;
	s->proc.system_seconds = 0;
	s->proc.virtual_size = pf_exposition_sum(e, "process_virtual_memory_bytes", NULL);
	s->proc.threads = pf_exposition_sum(e, "process_threads", NULL);
}

static int
add_metrics(struct pf_evidence_stats *s, const char *name, const void *bytes, size_t size,
    struct pf_error *err)
{
	struct pf_exposition e;
	int rc = pf_exposition_parse(&e, name, bytes, size, err);

	if (!rc) {
		rc = pf_go_metrics_read(&s->go, name, &e, NULL);
		s->has_go = rc == 0;
		rc = rc == PF_ENOMEM ? pf_error_nomem(err) : 0;
		process_of_metrics(s, &e);
		if (!rc && !s->has_go && !s->has_proc)
			rc = pf_error_set(err, PF_EINPUT,
			    "%s: metrics, but none of Go's runtime (go_…) or the process "
			    "(process_…)",
			    name);
	}
	pf_exposition_release(&e);
	return rc;
}

/* A base's is only read, so that a malformed one is told. */
static int
add_base_trace(
    struct pf_evidence *e, const char *name, const void *bytes, size_t size, struct pf_error *err)
{
	struct pf_gctrace trace = {0};
	int rc = pf_gctrace_parse(&trace, name, bytes, size, err);

	pf_gctrace_release(&trace);
	if (rc)
		return rc;
	free(e->base_trace);
	e->base_trace = NULL;
	return pf_copy_string(&e->base_trace, name, err);
}

static int
add_trace(
    struct pf_evidence *e, const char *name, const void *bytes, size_t size, struct pf_error *err)
{
	if (e->has_trace)
		return pf_error_set(
		    err, PF_EINPUT, "%s: a second gctrace; give one run's trace at a time", name);
	e->has_trace = true;
	return pf_gctrace_parse(&e->trace, name, bytes, size, err);
}

static int
add_dump(
    struct pf_evidence *e, const char *name, const void *bytes, size_t size, struct pf_error *err)
{
	if (e->has_goroutines)
		pf_goroutines_release(&e->goroutines);
	e->has_goroutines = true;
	return pf_goroutines_parse(&e->goroutines, name, bytes, size, err);
}

static int
add_proc(struct pf_evidence_stats *s, const char *name, const void *bytes, size_t size,
    struct pf_error *err)
{
	s->has_proc = true;
	if (pf_proc_is_status(bytes, size))
		return pf_proc_parse_status(&s->proc, name, bytes, size, err);
	return pf_proc_parse_smaps(&s->proc, name, bytes, size, err);
}

int
pf_evidence_add_stats(struct pf_evidence *e, const char *name, const void *bytes, size_t size,
    bool base, bool *known, struct pf_error *err)
{
	struct pf_evidence_stats *s = NULL;
	int rc;

	*known = true;
	if (pf_gctrace_recognise(bytes, size))
		return base ? add_base_trace(e, name, bytes, size, err)
			    : add_trace(e, name, bytes, size, err);
	if (pf_goroutines_is_dump(bytes, size) && !base) /* as a profile it can be compared */
		return add_dump(e, name, bytes, size, err);
	rc = new_stats(e, name, base, &s, err);
	if (rc)
		return rc;
	if (pf_go_memstats_recognise(bytes, size)) {
		s->has_go = true;
		rc = pf_go_memstats_parse(&s->go, name, bytes, size, err);
	} else if (pf_allocator_recognise(bytes, size) != PF_ALLOCATOR_UNKNOWN) {
		s->has_allocator = true;
		rc = pf_allocator_parse(&s->allocator, name, bytes, size, err);
	} else if (pf_proc_is_status(bytes, size) || pf_proc_is_smaps(bytes, size)) {
		rc = add_proc(s, name, bytes, size, err);
	} else if (pf_exposition_recognise(bytes, size)) {
		rc = add_metrics(s, name, bytes, size, err);
	} else {
		free(s->name);
		e->stats_count--;
		*known = false;
	}
	return rc;
}

static void
copy_variable(char *to, size_t room, const struct pf_buffer *block, const char *name)
{
	const char *value = pf_proc_environment(block, name);

	if (value)
		snprintf(to, room, "%s", value);
}

/* As a variable of its own, or as a tunable, which has the last word. */
static void
copy_arena_max(struct pf_evidence *e, const struct pf_buffer *block)
{
	static const char tunable[] = "glibc.malloc.arena_max=";
	const char *tunables = pf_proc_environment(block, "GLIBC_TUNABLES");
	const char *at = tunables ? strstr(tunables, tunable) : NULL;

	copy_variable(e->arena_max, sizeof e->arena_max, block, "MALLOC_ARENA_MAX");
	if (at) {
		at += sizeof tunable - 1;
		snprintf(e->arena_max, sizeof e->arena_max, "%.*s", (int)strcspn(at, ":"), at);
	}
}

/* What ends glibc's own adaptation of its thresholds: any of these, as a variable or as a tunable. */
static int
copy_thresholds(struct pf_evidence *e, const struct pf_buffer *block, struct pf_error *err)
{
	static const char *const names[][2] = {{"MALLOC_MMAP_THRESHOLD_", "mmap_threshold="},
	    {"MALLOC_TRIM_THRESHOLD_", "trim_threshold="}, {"MALLOC_TOP_PAD_", "top_pad="},
	    {"MALLOC_MMAP_MAX_", "mmap_max="}};
	const char *tunables = pf_proc_environment(block, "GLIBC_TUNABLES");
	int rc;

	free(e->tunables);
	e->tunables = NULL;
	rc = tunables ? pf_copy_string(&e->tunables, tunables, err) : 0;
	for (size_t i = 0; !rc && !*e->fixed_threshold && i < sizeof names / sizeof *names; i++) {
		const char *value = pf_proc_environment(block, names[i][0]);
		char tunable[64];
		const char *at;

		snprintf(tunable, sizeof tunable, "glibc.malloc.%s", names[i][1]);
		at = tunables ? strstr(tunables, tunable) : NULL;
		if (at)
			snprintf(e->fixed_threshold, sizeof e->fixed_threshold, "%.*s",
			    (int)strcspn(at, ":"), at);
		else if (value)
			snprintf(e->fixed_threshold, sizeof e->fixed_threshold, "%s=%s",
			    names[i][0], value);
	}
	return rc;
}

/* A Go program says so of itself, and may have libc mapped besides (cgo, the resolver). */
static bool
runs_go(pid_t pid)
{
	struct pf_elf file;
	struct pf_error why;
	Elf64_Shdr section;
	char path[64];
	bool found = false;

	snprintf(path, sizeof path, "/proc/%ld/exe", (long)pid);
	if (pf_elf_open(&file, path, PF_ELF_LINKED, &why) == 0) {
		found = pf_elf_named(&file, ".go.buildinfo", &section);
		pf_elf_release(&file);
	}
	return found;
}

/* The allocator by the libraries that the process has mapped. */
static enum pf_allocator
allocator_of_maps(const struct pf_buffer *maps)
{
	static const struct {
		const char *library;
		enum pf_allocator allocator;
	} libraries[] = {
	    {"/libjemalloc", PF_ALLOCATOR_JEMALLOC},
	    {"/libtcmalloc", PF_ALLOCATOR_TCMALLOC},
	    {"/libmimalloc", PF_ALLOCATOR_MIMALLOC},
	    {"/libc.so", PF_ALLOCATOR_GLIBC},
	    {"/libc-2", PF_ALLOCATOR_GLIBC},
	};
	struct pf_text t = pf_text_of((const char *)maps->bytes, maps->size);

	for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
		if (pf_text_find(&t, libraries[i].library))
			return libraries[i].allocator;
	}
	return PF_ALLOCATOR_UNKNOWN;
}

void
pf_evidence_look_first(struct pf_evidence *e, pid_t pid)
{
	struct pf_proc p;

	pf_proc_init(&p);
	if (pf_proc_read(&p, pid, NULL))
		return;
	e->first_resident = p.rss_anonymous + p.rss_shared;
	e->first_at = (double)time(NULL);
}

int
pf_evidence_add_process(struct pf_evidence *e, pid_t pid, struct pf_error *err)
{
	struct pf_evidence_stats *s;
	struct pf_buffer text;
	struct timespec up;
	char name[64];
	int rc;

	snprintf(name, sizeof name, "process %ld", (long)pid);
	rc = new_stats(e, name, false, &s, err);
	if (rc)
		return rc;
	s->at = (double)time(NULL);
	e->process = pid;
	e->workers = pf_proc_workers(pid, &e->worker);
	rc = pf_proc_read(&s->proc, pid, err);
	if (!rc && isnan(s->proc.rss))
		rc = pf_error_set(err, PF_EIO,
		    "process %ld has no memory: it has ended meanwhile, and its parent has not "
		    "taken note yet (or it is the kernel's)",
		    (long)pid);
	s->has_proc = rc == 0;
	if (rc)
		return rc;
	pf_proc_read_stacks(&s->proc, pid);
	if (clock_gettime(CLOCK_BOOTTIME, &up) == 0)
		s->began = s->at - ((double)up.tv_sec - s->proc.start_seconds);
	pf_buffer_init(&text, ENVIRONMENT_ROOM);
	if (pf_proc_file(pid, "environ", &text, NULL) == 0) {
		copy_variable(e->gogc, sizeof e->gogc, &text, "GOGC");
		copy_variable(e->gomemlimit, sizeof e->gomemlimit, &text, "GOMEMLIMIT");
		copy_arena_max(e, &text);
		rc = copy_thresholds(e, &text, err);
		e->has_environment = rc == 0;
	}
	pf_buffer_release(&text);
	if (rc)
		return rc;
	pf_buffer_init(&text, MAPS_ROOM);
	if (e->allocator == PF_ALLOCATOR_UNKNOWN && pf_proc_file(pid, "maps", &text, NULL) == 0)
		e->allocator = allocator_of_maps(&text);
	pf_buffer_release(&text);
	if (e->allocator <= PF_ALLOCATOR_GLIBC && runs_go(pid))
		e->allocator = PF_ALLOCATOR_GO;
	rc = pf_cgroup_read(&e->cgroup, "", pid, err);
	e->has_cgroup = rc == 0 && e->cgroup.version;
	if (e->has_cgroup && isnan(e->memory_limit))
		e->memory_limit = e->cgroup.memory_limit;
	if (isnan(e->cpus)) {
		double online = (double)sysconf(_SC_NPROCESSORS_ONLN);
		e->cpus =
		    e->has_cgroup && e->cgroup.cpu_limit < online ? e->cgroup.cpu_limit : online;
	}
	return rc;
}
