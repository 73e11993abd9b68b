/* cmd_tune.c: profuse tune: the command over profuse/tune.h. */
#include "commands.h"

#include <profuse/bench.h>
#include <profuse/collect.h>
#include <profuse/tune.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file.h"
#include "interrupts.h"
#include "notes.h"
#include "tune_store.h"

#define LEAST_LIMIT (1 << 20) /* bytes: less is a unit forgotten */

struct settings {
	const char *service_name;
	const char *url; /* of a running service: the --service that is an address */
	struct cli_selection_settings selection;
	struct cli_list labels;
	const char *cacert, *cert, *key, *bearer_file, *username, *password_file, *header_file;
	double seconds, timeout;
	bool insecure;
	const char *command, *weights, *allocators, *ready, *load_file;
	struct cli_list caps, urls;
	double rate, duration, warmup, run_timeout;
	uint64_t runs, pairs, grid, seed;
	bool go, quiet, fleet;
	struct cli_list bases, stats, binaries, debug_files, outputs;
	uint64_t pid, memory_limit;
	double cpus, cores_used;
	bool json;
};

#define NOT_GIVEN UINT64_MAX

static const struct settings defaults = {.seconds = 30,
    .cpus = -1, /* not given */
    .weights = "cpu=1,rss=0.5",
    .duration = 10,
    .warmup = 2,
    .pairs = PF_TRY_PAIRS,
    .runs = NOT_GIVEN,
    .grid = NOT_GIVEN,
    .pid = NOT_GIVEN,
    .seed = UINT64_MAX};

#define AT(MEMBER) offsetof(struct settings, MEMBER)

static const struct cli_option options[] = {
    {"base", 0, CLI_LIST, AT(bases), "FILE",
	"What the profiles are compared with: an earlier profile, a folder or @LIST"},
    {"stats", 0, CLI_LIST, AT(stats), "FILE",
	"Statistics of the service: malloc_info, jemalloc's JSON, gctrace, metrics, /proc files "
	"(see below); a "
	"folder or @LIST too; may be repeated"},
    {"service", 0, CLI_LIST, AT(selection.services), "URL|NAME",
	"A running service (http://HOST:PORT): its profiles and metrics are fetched from this "
	"address; or, of a store, the service of this name"},
    {"seconds", 's', CLI_DURATION, AT(seconds), "N",
	"How long --service profiles CPU, whole seconds (default 30)"},
    {"timeout", 0, CLI_DURATION, AT(timeout), "N",
	"How long one answer of --service may take in all (default its window and 30 s)"},
    {"cacert", 0, CLI_STRING, AT(cacert), "FILE",
	"Trust the certificate authorities in this PEM file, and no others"},
    {"cert", 0, CLI_STRING, AT(cert), "FILE", "The client certificate to show, PEM"},
    {"key", 0, CLI_STRING, AT(key), "FILE", "Its unencrypted key, PEM"},
    {"insecure", 0, CLI_FLAG, AT(insecure), NULL,
	"Do not verify the service's certificate: anybody on the way can read and forge "
	"everything"},
    {"bearer-token-file", 0, CLI_STRING, AT(bearer_file), "FILE",
	"Send the token in this file (default: the environment's PROFUSE_BEARER_TOKEN)"},
    {"username", 0, CLI_STRING, AT(username), "NAME", "Send basic authentication with this name"},
    {"password-file", 0, CLI_STRING, AT(password_file), "FILE",
	"Its password (default: the environment's PROFUSE_PASSWORD)"},
    {"header-file", 0, CLI_STRING, AT(header_file), "FILE",
	"Send the headers in this file, one \"Name: value\" a line"},
    {"try", 0, CLI_STRING, AT(command), "CMD",
	"Search settings for this command: a benchmark that ends, or with --load a service; "
	"allocators and their "
	"settings, or of a Go program its collector's"},
    {"weight", 0, CLI_STRING, AT(weights), "NAME=N,…",
	"What counts in the search: cpu, rss (peak), idle (resident at rest, services), p99 "
	"(default cpu=1,rss=0.5)"},
    {"cap", 0, CLI_LIST, AT(caps), "METRIC<=N",
	"What must hold, such as rss_peak<=512MiB or p99<=80ms; may be repeated"},
    {"allocators", 0, CLI_STRING, AT(allocators), "LIST",
	"Only these of glibc, jemalloc, tcmalloc, mimalloc, go (default: all that are installed)"},
    {"go", 0, CLI_FLAG, AT(go), NULL,
	"The command is a Go program, though its first word is a script"},
    {"load", 0, CLI_LIST, AT(urls), "URL",
	"The command is a service: load this URL while it is tried; several are used in turn"},
    {"rate", 'r', CLI_NUMBER, AT(rate), "N", "Requests a second of --load"},
    {"duration", 'd', CLI_DURATION, AT(duration), "TIME",
	"How long each run under --load is measured (10s)"},
    {"warmup", 0, CLI_DURATION, AT(warmup), "TIME", "How long it is loaded before that (2s)"},
    {"load-file", 0, CLI_STRING, AT(load_file), "FILE",
	"Requests of --load, as profuse bench takes them"},
    {"ready", 0, CLI_STRING, AT(ready), "URL",
	"Answers 2xx once the service is ready (the first --load URL)"},
    {"run-timeout", 0, CLI_DURATION, AT(run_timeout), "TIME",
	"Longest that a run of --try may take (no limit)"},
    {"runs", 0, CLI_COUNT, AT(runs), "N",
	"Most runs of the search, before it validates what it chose (two for each setting: 40 % of "
	"a grid of five each)"},
    {"pairs", 'n', CLI_COUNT, AT(pairs), "N",
	"Most pairs of runs with today's settings in which a chosen one is validated, 6 or more "
	"(48)"},
    {"seed", 0, CLI_COUNT, AT(seed), "N", "Seed of the search's order (drawn, and printed)"},
    {"grid", 0, CLI_COUNT, AT(grid), "N",
	"Run every setting N times instead of searching, and validate nothing; the table marks "
	"what breaks a --cap"},
    {"quiet", 'q', CLI_FLAG, AT(quiet), NULL, "No progress on the terminal"},
    {"pid", 'p', CLI_COUNT, AT(pid), "N",
	"A process of this machine: its memory, settings and limits are read from /proc, names of "
	"functions from its program (one: of several the last counts)"},
    {"binary", 0, CLI_LIST, AT(binaries), "BIN",
	"An executable or library of the profiles: gives names to their addresses; may be "
	"repeated"},
    {"debug-file", 0, CLI_LIST, AT(debug_files), "FILE", CLI_DEBUG_FILE_HELP},
    {"memory-limit", 0, CLI_SIZE, AT(memory_limit), "SIZE",
	"How much memory the service may use (default: what its container says)"},
    {"cpus", 0, CLI_NUMBER, AT(cpus), "N",
	"How many CPUs it may use (default: what its statistics say)"},
    {"cores-used", 0, CLI_NUMBER, AT(cores_used), "N",
	"How many cores all its machines use together, for what the fleet would save"},
    {"name", 0, CLI_STRING, AT(service_name), "NAME",
	"What reports call the service (default: its main binary)"},
    {"fleet", 0, CLI_FLAG, AT(fleet), NULL,
	"The arguments are JSON reports of services, written before: one table, a row for each"},
    {"output", 'o', CLI_LIST, AT(outputs), "REPORT",
	"Write a report: .html to look at, .md for a ticket, .json for machines, in place of the "
	"summary; may be repeated"},
    CLI_STORE_OPTION(struct settings, selection),
    CLI_OTHER_SELECTION_OPTIONS(struct settings, selection),
    {"label", 0, CLI_LIST, AT(labels), "KEY=VALUE",
	"Of a store: whose target has this label, or only samples that have it; several values of "
	"one key: any of them, several keys: all of them"},
    {"json", 0, CLI_FLAG, AT(json), NULL,
	"One JSON object on standard output instead of the summary (schema profuse.tune.v1)"},
    {0},
};

/* By the name's end; PF_EUSAGE for one we don't write. */
static int
format_of(const char *path, enum pf_tune_format *format, struct pf_error *err)
{
	static const struct {
		const char *end;
		enum pf_tune_format format;
	} ends[] = {{".html", PF_TUNE_HTML}, {".md", PF_TUNE_MARKDOWN}, {".json", PF_TUNE_JSON}};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < sizeof ends / sizeof *ends; i++) {
		if (strcmp(dot, ends[i].end) == 0) {
			*format = ends[i].format;
			return 0;
		}
	}
	return pf_error_set(err, PF_EUSAGE,
	    "-o %s: the name must end in .html, .md or .json, which chooses the format", path);
}

/* Options of a search that nobody makes would be passed over in silence. */
static int
check_search(const struct settings *s, struct pf_error *err)
{
	bool runs = s->runs != NOT_GIVEN, grid = s->grid != NOT_GIVEN;

	if (!s->command && (s->urls.count || s->caps.count || grid || runs || s->allocators ||
			       s->weights != defaults.weights))
		return pf_error_set(err, PF_EUSAGE,
		    "--load, --weight, --cap, --allocators, --runs and --grid are of a search: "
		    "--try CMD is missing");
	if (!s->runs || !s->grid)
		return pf_error_set(err, PF_EUSAGE, "%s 0: at least one run is needed",
		    s->runs ? "--grid" : "--runs");
	if (runs && grid)
		return pf_error_set(
		    err, PF_EUSAGE, "--runs bounds a search, and --grid is none: leave one out");
	return 0;
}

static int
check(const struct settings *s, size_t profiles, struct pf_error *err)
{
	bool stored = cli_selection_asked(&s->selection);
	enum pf_tune_format format;
	int rc = 0;

	if (!profiles && !stored && !s->stats.count && !s->pid && !s->url && !s->command)
		return pf_error_set(err, PF_EUSAGE,
		    "tune needs something to judge: profiles, a selection from a store, --stats "
		    "FILE, --pid N or --service URL");
	if (profiles && stored)
		return pf_error_set(err, PF_EUSAGE,
		    "profiles are named, and selected from a store as well; leave one out");
	if (!stored && s->labels.count)
		return pf_error_set(err, PF_EUSAGE, "--label is of a selection: --store DIR");
	if (s->bases.count > 1)
		return pf_error_set(err, PF_EUSAGE,
		    "--base %s and --base %s: one earlier state at a time (a folder or @LIST holds "
		    "several of its profiles)",
		    s->bases.items[0], s->bases.items[1]);
	if (s->pid > INT32_MAX)
		return pf_error_set(err, PF_EUSAGE, "--pid %llu: no such process number",
		    (unsigned long long)s->pid);
	if (s->pid && kill((pid_t)s->pid, 0) && errno == ESRCH)
		return pf_error_set(err, PF_EIO, "--pid %llu: there is no such process",
		    (unsigned long long)s->pid);
	if (s->memory_limit && s->memory_limit < LEAST_LIMIT)
		return pf_error_set(err, PF_EUSAGE,
		    "--memory-limit %llu: bytes, of which no service has so few; write %lluMiB or "
		    "GiB",
		    (unsigned long long)s->memory_limit, (unsigned long long)s->memory_limit);
	if (s->cpus == 0)
		return pf_error_set(err, PF_EUSAGE, "--cpus 0: a service runs on more than none");
	rc = check_search(s, err);
	if (rc)
		return rc;
	if (s->pairs < PF_TRY_LEAST_PAIRS)
		return pf_error_set(err, PF_EUSAGE,
		    "--pairs %llu: at least %d are needed to decide anything",
		    (unsigned long long)s->pairs, PF_TRY_LEAST_PAIRS);
	if (s->seed != UINT64_MAX && s->seed > INT64_MAX)
		return pf_error_set(err, PF_EUSAGE, "--seed goes up to 2^63 - 1");
	if (s->seconds < 1 || s->seconds > 3600 || s->seconds != (double)(uint32_t)s->seconds)
		return pf_error_set(
		    err, PF_EUSAGE, "--seconds %g: whole seconds from 1 to 3600", s->seconds);
	if (s->timeout && s->timeout <= s->seconds)
		return pf_error_set(err, PF_EUSAGE,
		    "--timeout %g s must be longer than --seconds %g", s->timeout, s->seconds);
	for (size_t i = 0; !rc && i < s->outputs.count; i++)
		rc = format_of(s->outputs.items[i], &format, err);
	/* Now, not after a search of an hour. */
	for (size_t i = 0; !rc && i < s->outputs.count; i++)
		rc = pf_file_check_output(s->outputs.items[i], err);
	return rc;
}

static volatile sig_atomic_t interrupted;

static void
on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static bool
on_tick(void *context, const struct pf_collect_progress *p)
{
	bool terminal = *(bool *)context;

	if (terminal)
		fprintf(stderr, "\r\033[K%s: %.0f s", p->type, p->elapsed);
	return interrupted;
}

static void
on_warning(void *context, const char *sentence)
{
	fprintf(stderr, "%sprofuse: %s\n", *(bool *)context ? "\r\033[K" : "", sentence);
}

static const char *
from_environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static int
add_service(struct pf_tune *tune, const struct settings *s, struct pf_error *err)
{
	struct pf_collect_options o = PF_COLLECT_OPTIONS_INIT;
	struct sigaction action = {.sa_handler = on_signal};
	bool terminal = isatty(STDERR_FILENO);
	int rc;

	o.seconds = (uint32_t)s->seconds;
	o.timeout = s->timeout;
	o.ca_file = s->cacert;
	o.cert_file = s->cert;
	o.key_file = s->key;
	o.insecure = s->insecure;
	o.bearer_token_file = s->bearer_file;
	if (!s->bearer_file && !s->username)
		o.bearer_token = from_environment("PROFUSE_BEARER_TOKEN");
	o.username = s->username;
	o.password_file = s->password_file;
	if (s->username)
		o.password = from_environment("PROFUSE_PASSWORD");
	o.header_file = s->header_file;
	o.tick = on_tick;
	o.warn = on_warning;
	o.context = &terminal;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	rc = pf_tune_add_service(tune, s->url, &o, err);
	if (terminal)
		fputs("\r\033[K", stderr);
	return rc;
}

static void
on_run(void *context, const char *setting, size_t block, size_t blocks)
{
	(void)context;
	fprintf(stderr, "\r\033[Krun %zu of about %zu: %s", block, blocks, setting);
	fflush(stderr);
}

/* What --try asks for; `options` points to `how`, its bench. */
struct search {
	struct pf_bench_options how;
	struct pf_try_options options;
};

static void
prepare_search(struct search *search, const struct settings *s)
{
	struct pf_bench_options *how = &search->how;
	struct pf_try_options *o = &search->options;

	*search = (struct search){.how = PF_BENCH_OPTIONS_INIT, .options = PF_TRY_OPTIONS_INIT};
	how->urls = s->urls.items;
	how->url_count = s->urls.count;
	how->rate = s->rate;
	how->duration = s->duration;
	how->warmup = s->warmup;
	how->load_file = s->load_file;
	how->ready_url = s->ready;
	how->run_timeout = s->run_timeout;
	how->has_seed = s->seed != UINT64_MAX;
	how->seed = s->seed;
	o->command = s->command;
	o->bench = how;
	o->weights = s->weights;
	o->caps = s->caps.items;
	o->cap_count = s->caps.count;
	o->allocators = s->allocators;
	o->go = s->go;
	o->runs = s->runs == NOT_GIVEN ? 0 : s->runs;
	o->pairs = s->pairs;
	o->grid = s->grid == NOT_GIVEN ? 0 : s->grid;
}

static int
run_search(struct pf_tune *tune, struct search *search, bool quiet, struct pf_error *err)
{
	bool terminal = isatty(STDERR_FILENO) && !quiet;
	int rc;

	search->how.stop_fd = cli_catch_interrupts();
	search->options.progress = terminal ? on_run : NULL;
	rc = pf_tune_try(tune, &search->options, err);
	if (terminal)
		fputs("\r\033[K", stderr);
	if (search->how.stop_fd >= 0)
		close(search->how.stop_fd);
	return rc;
}

/* All that an argument stands for. */
static int
add_argument(struct pf_tune *tune, const char *argument, bool base, struct pf_error *err)
{
	struct pf_paths paths = {0};
	int rc = pf_paths_add(&paths, argument, err);

	for (size_t i = 0; !rc && i < paths.count; i++)
		rc = pf_tune_add_file(tune, paths.items[i], base, err);
	pf_paths_release(&paths);
	return rc;
}

static int
add_all(struct pf_tune *tune, const struct settings *s, const struct cli_arguments *arguments,
    struct search *search, struct pf_error *err)
{
	int rc = 0;

	if (s->pid)
		pf_tune_name_from_process(tune, (int64_t)s->pid);
	for (size_t i = 0; !rc && i < s->binaries.count; i++)
		rc = pf_tune_add_binary(tune, s->binaries.items[i], err);
	for (size_t i = 0; !rc && i < s->debug_files.count; i++)
		rc = pf_tune_add_debug_file(tune, s->debug_files.items[i], err);
	for (size_t i = 0; !rc && i < s->bases.count; i++)
		rc = add_argument(tune, s->bases.items[i], true, err);
	for (size_t i = 0; !rc && i < arguments->count; i++)
		rc = add_argument(tune, arguments->items[i], false, err);
	for (size_t i = 0; !rc && i < s->stats.count; i++)
		rc = add_argument(tune, s->stats.items[i], false, err);
	if (!rc && cli_selection_asked(&s->selection))
		rc = cli_tune_add_store(tune, &s->selection, &s->labels, s->quiet, err);
	if (!rc && s->url)
		rc = add_service(tune, s, err);
	if (!rc && s->pid)
		rc = pf_tune_add_process(tune, (int64_t)s->pid, err);
	if (!rc && s->command)
		rc = run_search(tune, search, s->quiet, err);
	return rc;
}

static int
write_reports(const struct pf_tune *tune, const struct settings *s, struct pf_error *err)
{
	int rc = 0;

	if (s->json)
		rc = pf_tune_write(tune, PF_TUNE_JSON, "-", err);
	else if (!s->outputs.count)
		rc = pf_tune_write(tune, PF_TUNE_TEXT, "-", err);
	for (size_t i = 0; !rc && i < s->outputs.count; i++) {
		enum pf_tune_format format = PF_TUNE_TEXT;
		rc = format_of(s->outputs.items[i], &format, err);
		if (!rc)
			rc = pf_tune_write(tune, format, s->outputs.items[i], err);
	}
	return rc;
}

static int
show_fleet(const struct settings *s, const struct cli_arguments *arguments, struct pf_error *err)
{
	const char *const *reports = (const char *const *)arguments->items;
	enum pf_tune_format format = s->json ? PF_TUNE_JSON : PF_TUNE_TEXT;
	int rc = 0;

	if (!arguments->count)
		return pf_error_set(err, PF_EUSAGE, "--fleet needs JSON reports of profuse tune");
	if (s->json || !s->outputs.count)
		rc = pf_tune_fleet(reports, arguments->count, format, "-", err);
	for (size_t i = 0; !rc && i < s->outputs.count; i++) {
		rc = format_of(s->outputs.items[i], &format, err);
		if (!rc)
			rc = pf_tune_fleet(
			    reports, arguments->count, format, s->outputs.items[i], err);
	}
	return rc;
}

static int
judge(const struct settings *s, const struct cli_arguments *arguments, struct pf_error *err)
{
	struct pf_tune_options o = PF_TUNE_OPTIONS_INIT;
	struct pf_tune *tune = NULL;
	struct pf_error interruption = {0};
	struct search search;
	int rc = check(s, arguments->count, err);

	prepare_search(&search, s);
	o.service = s->service_name;
	o.memory_limit = (double)s->memory_limit;
	o.cpus = s->cpus > 0 ? s->cpus : 0;
	o.cores_used = s->cores_used;
	o.symbol_note = cli_note;
	if (!rc && s->command) /* now, not after the minute that --service takes */
		rc = pf_tune_check_try(&search.options, err);
	if (!rc)
		rc = pf_tune_new(&tune, &o, err);
	if (!rc)
		rc = add_all(tune, s, arguments, &search, err);
	if (rc == PF_EINCONCLUSIVE &&
	    pf_tune_has_search(tune)) { /* what it measured is not thrown away */
		interruption = *err;
		rc = 0;
	}
	if (!rc)
		rc = pf_tune_run(tune, err);
	if (!rc)
		rc = write_reports(tune, s, err);
	pf_tune_free(tune);
	if (!rc && interruption.code) {
		*err = interruption;
		rc = interruption.code;
	}
	return rc;
}

/* Takes an address out of the names of services; one at most. */
static int
take_url(struct settings *s, struct pf_error *err)
{
	struct cli_list *services = &s->selection.services;
	size_t kept = 0;

	for (size_t i = 0; i < services->count; i++) {
		const char *service = services->items[i];

		if (!strstr(service, "://") && strchr(service, ':') && !s->selection.stores.count &&
		    !from_environment("PROFUSE_STORE"))
			return pf_error_set(err, PF_EUSAGE,
			    "--service %s: the address of a running service is written in full, "
			    "such as http://127.0.0.1:2121; a service of that name in a store "
			    "wants --store DIR too",
			    service);
		if (!strstr(service, "://"))
			services->items[kept++] = service;
		else if (s->url)
			return pf_error_set(err, PF_EUSAGE,
			    "--service %s and --service %s: one running service at a time", s->url,
			    service);
		else
			s->url = service;
	}
	services->count = kept;
	return 0;
}

static int
run(const void *settings, const struct cli_arguments *arguments, struct pf_error *err)
{
	struct settings s = *(const struct settings *)settings;
	int rc;

	if (s.fleet)
		return show_fleet(&s, arguments, err);
	if (s.pid == 0)
		return pf_error_set(err, PF_EUSAGE, "--pid 0: no such process number");
	if (s.pid == NOT_GIVEN)
		s.pid = 0;
	rc = take_url(&s, err);
	return rc ? rc : judge(&s, arguments, err);
}

const struct cli_command cli_tune = {
    .name = "tune",
    .usage =
	"[PROFILE…|--store DIR] [--base FILE] [--stats FILE]… [--service URL|--pid N] [--try CMD] "
	"[-o REPORT]",
    .summary =
	"what to change: leaks, locks, garbage collection, allocators, with settings and evidence",
    .description =
	"Reads what a service shows of itself and says what is worth changing: which function "
	"leaks, which "
	"lock is contended, which allocator or garbage collector setting would save what, how sure "
	"that is, "
	"and how to undo it. What can be predicted is predicted with an interval; what can't is "
	"said, with "
	"the command that measures it.\n\n"
	"PROFILE is any profile: heap (several over time show growth; --base compares with one), "
	"allocs, cpu, "
	"goroutine, mutex, block, threads. --stats takes malloc_info XML, mallinfo2, jemalloc's "
	"malloc_stats_print as JSON or text, gperftools' and mimalloc's statistics, Go's "
	"heap?debug=1, "
	"gctrace output, Prometheus metrics, /proc/PID/status and smaps_rollup. Either may be "
	"given for the "
	"other: what a file is shows from its bytes.\n\n"
	"With --store, or any option that selects from one (--service NAME, --since …), profiles "
	"come from a store of profuse collect: of the youngest build, CPU profiles are summed, "
	"heaps, goroutines and threads watched over time in each process, of others the youngest "
	"counts. --base stays a file.\n\n"
	"With --try CMD it searches: every setting once, the better ones again, the best compared "
	"with today's in pairs (profuse bench), in more of them for as long as they may decide; it "
	"recommends nothing that this comparison does not bear out.\n\n"
	"A healthy service gives no finding, and exit status 0 says that the evidence was judged, "
	"whatever "
	"came of it.",
    .examples = "profuse tune heap.pb.gz cpu.pb.gz goroutine.pb.gz\n"
		"profuse tune --base heap-monday.pb.gz heap-friday.pb.gz -o leak.html\n"
		"profuse tune cpu.pb.gz --stats gctrace.log --memory-limit 512MiB\n"
		"profuse tune --service http://127.0.0.1:2121 --seconds 10 -o report.html\n"
		"profuse tune --store /var/lib/profuse --service api --since 24h -o api.html\n"
		"profuse tune --try './benchmark --big' --weight cpu=1,rss=1 -o settings.html\n"
		"profuse tune --fleet reports/*.json -o reports/fleet.html\n",
    .options = options,
    .defaults = &defaults,
    .settings_size = sizeof defaults,
    .most_arguments = SIZE_MAX,
    .run = run,
};
