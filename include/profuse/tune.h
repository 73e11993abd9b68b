/*
 * profuse/tune.h: evidence of a running service in, settings worth changing out.
 *
 *	pf_tune_new → pf_tune_add_…, for everything there is → pf_tune_run
 *	→ pf_tune_write, pf_tune_finding_… → pf_tune_free
 *
 * What is found is data: kind, severity, confidence, evidence (stacks, numbers
 * with their error), advice, predicted effects. Reports are made from it:
 * docs/tune.md has the schema. Thresholds judge shares and tests, never names
 * that a service gives its functions. A handle is used by one thread at a time.
 */
#ifndef PROFUSE_TUNE_H
#define PROFUSE_TUNE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <profuse/error.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct pf_tune;
struct pf_bench_options;
struct pf_collect_options;
struct pf_profile;
struct pf_selection;

/* Fill with PF_TUNE_OPTIONS_INIT, then change. Strings are copied. */
struct pf_tune_options {
	size_t struct_size;
	const char *service; /* what reports call it; NULL: the main binary's name */
	double memory_limit; /* bytes that the service may use; 0: what its container says */
	double cpus;         /* that it may use; 0: what statistics say */
	double
	    cores_used; /* CPUs' worth of time that it uses over all its machines, for fleet figures; 0: unknown */
	/* Gets sentences about where symbols come from (a download by debuginfod), with NULL; NULL: nobody. */
	void (*symbol_note)(void *, const char *text);
};
#define PF_TUNE_OPTIONS_INIT {.struct_size = sizeof(struct pf_tune_options)}

/* On success *tune is to be freed. PF_EUSAGE, PF_ENOMEM. */
int pf_tune_new(struct pf_tune **tune, const struct pf_tune_options *options, struct pf_error *err);
void pf_tune_free(struct pf_tune *tune);

/*
 * Adds a file's bytes: a profile in any format of docs/formats.md, or statistics
 * of any kind of docs/tune.md, recognised from the bytes. base: what the others
 * are compared with. PF_EINPUT for what is neither, is malformed, or counts in
 * other units than what is there; then the handle can only be freed.
 */
int pf_tune_add(struct pf_tune *tune, const char *name, const void *bytes, size_t size, bool base,
    struct pf_error *err);
/* The same of a file. PF_EIO where it can't be read. */
int pf_tune_add_file(struct pf_tune *tune, const char *path, bool base, struct pf_error *err);
/* What /proc and the control group say about a process of this machine. PF_EIO where there is none. */
int pf_tune_add_process(struct pf_tune *tune, int64_t pid, struct pf_error *err);
/*
 * Names come from that process's program too (/proc/PID/exe), for profiles that are added from here on and have its
 * build id; one that can't be read gives none.
 */
void pf_tune_name_from_process(struct pf_tune *tune, int64_t pid);
/*
 * Fetches all that a live service offers from its address ("http://host:port"):
 * profiles, metrics, statistics; CPU over options->seconds (30 by default). What
 * it lacks is told by options->warn and passed over. Type and time-outs are as
 * profuse/collect.h says; options may be NULL. PF_EIO, PF_EINPUT where nothing
 * could be had; PF_EUSAGE for no such address.
 */
int pf_tune_add_service(struct pf_tune *tune, const char *url,
    const struct pf_collect_options *options, struct pf_error *err);
/* Fill with PF_TUNE_SELECTION_OPTIONS_INIT, then change. */
struct pf_tune_selection_options {
	size_t struct_size;
	/*
	 * Reads entry i of the selection as a profile that it hands over; NULL: whole, as it was
	 * stored. For callers that leave out samples.
	 */
	int (*read)(void *context, size_t i, struct pf_profile **profile, struct pf_error *err);
	/* What was left out, and why: a full sentence; or NULL. */
	void (*note)(void *context, const char *sentence);
	void (*progress)(void *context, size_t read, size_t of); /* or NULL */
	void *context;
};
#define PF_TUNE_SELECTION_OPTIONS_INIT {.struct_size = sizeof(struct pf_tune_selection_options)}

/*
 * Adds what was selected from stores (profuse/store.h) of one service: of its
 * youngest build, CPU profiles as one sum, heap, goroutine and thread profiles as
 * one series for each process (at most 32 of them, and 1,000 snapshots of a type),
 * of other types the youngest. One profile is in memory at a time, and the youngest
 * of each series. PF_EUSAGE for several services; PF_EINPUT where nothing was
 * selected, or something can't be read; PF_EIO, PF_ENOMEM.
 */
int pf_tune_add_selection(struct pf_tune *tune, struct pf_selection *selection,
    const struct pf_tune_selection_options *options, struct pf_error *err);
/* Gives names to addresses of profiles that are added from here on: an executable or a library. */
int pf_tune_add_binary(struct pf_tune *tune, const char *path, struct pf_error *err);
/* Debug information of such a binary: a file, or a folder like /usr/lib/debug (docs/symbols.md). PF_ENOMEM. */
int pf_tune_add_debug_file(struct pf_tune *tune, const char *path, struct pf_error *err);

/* With fewer pairs no interval of 95 % exists, and nothing can be decided. */
enum { PF_TRY_LEAST_PAIRS = 6, PF_TRY_PAIRS = 48 };

/* Fill with PF_TRY_OPTIONS_INIT, then change. Pointers are borrowed for the call. */
struct pf_try_options {
	size_t struct_size;
	const char *command; /* a benchmark that ends, or a service where `bench` has a load */
	/* How to run and load it; its variants, rounds, gates and progress are the search's own. */
	const struct pf_bench_options *bench;
	const char
	    *weights; /* what counts: cpu, rss (peak), idle (resident), p99; "cpu=1,rss=0.5" */
	const char *const *caps; /* what must hold: "rss_peak<=512MiB" */
	size_t cap_count;
	const char *allocators; /* "glibc,jemalloc": only these; NULL: all that are installed */
	bool go;      /* the command is a Go program that its own file does not show (a script) */
	size_t pairs; /* of each validation, at most; 0: PF_TRY_PAIRS; 1 to 5: PF_EUSAGE */
	size_t grid;  /* run every setting so often instead of searching, for comparison; 0 */
	void (*progress)(
	    void *context, const char *setting, size_t block, size_t blocks); /* or NULL */
	void *progress_context;
	/* Of the search before it validates, but everything once; 0: two a setting, 40 % of a grid of five. */
	size_t runs;
};
#define PF_TRY_OPTIONS_INIT \
	{.struct_size = sizeof(struct pf_try_options), .weights = "cpu=1,rss=0.5"}

/*
 * Tries allocators and their settings on a command (of a Go program: its
 * collector's), and keeps for the reports what came of it. Nothing is
 * recommended that a paired comparison with today's settings does not bear
 * out. Forks as profuse/bench.h says. PF_EIO where the command does not run
 * as it is; PF_EINPUT where there is nothing to try; PF_EINCONCLUSIVE when options->bench->stop_fd
 * became readable: reports have what was measured until then, if anything, and recommend none of it; PF_EUSAGE; PF_ENOMEM.
 */
int pf_tune_try(struct pf_tune *tune, const struct pf_try_options *options, struct pf_error *err);
/* Whether options are such that pf_tune_try() would run anything: PF_EUSAGE, PF_ENOMEM. For callers who gather first. */
int pf_tune_check_try(const struct pf_try_options *options, struct pf_error *err);
/* Whether the reports will have a search, whole or interrupted. */
bool pf_tune_has_search(const struct pf_tune *tune);

/*
 * Runs the detectors over what was added, once. PF_EINPUT where nothing was added, nothing of a base's kind, or
 * nothing but profiles without a sample.
 */
int pf_tune_run(struct pf_tune *tune, struct pf_error *err);

/* After a run: the findings, the most severe first. Strings stay owned by the handle. */
size_t pf_tune_finding_count(const struct pf_tune *tune);
const char *pf_tune_finding_kind(const struct pf_tune *tune, size_t i);
const char *pf_tune_finding_title(const struct pf_tune *tune, size_t i);

enum pf_tune_format {
	PF_TUNE_TEXT, /* for a terminal */
	PF_TUNE_MARKDOWN,
	PF_TUNE_JSON, /* everything, one object: docs/tune.md has the schema */
	PF_TUNE_HTML, /* one page that needs nothing else */
};

/* Writes a report of the run, whole or not at all ("-": standard output). PF_EIO, PF_ENOMEM. */
int pf_tune_write(
    const struct pf_tune *tune, enum pf_tune_format format, const char *path, struct pf_error *err);

/*
 * A fleet's table of JSON reports that were written before: a row a service, the
 * greatest saving first; as a page each row leads to the service's findings.
 * PF_EINPUT for a file that is no such report; PF_EIO, PF_ENOMEM.
 */
int pf_tune_fleet(const char *const *reports, size_t count, enum pf_tune_format format,
    const char *path, struct pf_error *err);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
