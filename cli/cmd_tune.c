/* cmd_tune.c: profuse tune: the command over profuse/tune.h. */
#include "commands.h"

#include <profuse/tune.h>

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"

struct settings {
	const char *base, *service_name;
	struct cli_list stats, binaries, outputs;
	uint64_t pid, memory_limit;
	double cpus, cores_used;
	bool json;
};

static const struct settings defaults = {.base = NULL};

#define AT(MEMBER) offsetof(struct settings, MEMBER)

static const struct cli_option options[] = {
    {"base", 0, CLI_STRING, AT(base), "FILE",
	"What the profiles are compared with: an earlier profile, a folder or @LIST"},
    {"stats", 0, CLI_LIST, AT(stats), "FILE",
	"Statistics of the service: malloc_info, jemalloc's JSON, gctrace, metrics, /proc files "
	"(see below); a "
	"folder or @LIST too; may be repeated"},
    {"pid", 'p', CLI_COUNT, AT(pid), "N",
	"A process of this machine: its memory, settings and limits are read from /proc"},
    {"binary", 0, CLI_LIST, AT(binaries), "BIN",
	"An executable or library of the profiles: gives names to their addresses; may be "
	"repeated"},
    {"memory-limit", 0, CLI_SIZE, AT(memory_limit), "SIZE",
	"How much memory the service may use (default: what its container says)"},
    {"cpus", 0, CLI_NUMBER, AT(cpus), "N",
	"How many CPUs it may use (default: what its statistics say)"},
    {"cores-used", 0, CLI_NUMBER, AT(cores_used), "N",
	"How many cores all its machines use together, for what the fleet would save"},
    {"name", 0, CLI_STRING, AT(service_name), "NAME",
	"What reports call the service (default: its main binary)"},
    {"output", 'o', CLI_LIST, AT(outputs), "REPORT",
	"Write a report: .html to look at, .md for a ticket, .json for machines; may be repeated"},
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

static int
check(const struct settings *s, size_t profiles, struct pf_error *err)
{
	enum pf_tune_format format;
	int rc = 0;

	if (!profiles && !s->stats.count && !s->pid)
		return pf_error_set(err, PF_EUSAGE,
		    "tune needs something to judge: profiles, --stats FILE, --pid N or --service "
		    "URL");
	if (s->pid > INT32_MAX)
		return pf_error_set(err, PF_EUSAGE, "--pid %llu: no such process number",
		    (unsigned long long)s->pid);
	for (size_t i = 0; !rc && i < s->outputs.count; i++)
		rc = format_of(s->outputs.items[i], &format, err);
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
    struct pf_error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < s->binaries.count; i++)
		rc = pf_tune_add_binary(tune, s->binaries.items[i], err);
	if (!rc && s->base)
		rc = add_argument(tune, s->base, true, err);
	for (size_t i = 0; !rc && i < arguments->count; i++)
		rc = add_argument(tune, arguments->items[i], false, err);
	for (size_t i = 0; !rc && i < s->stats.count; i++)
		rc = add_argument(tune, s->stats.items[i], false, err);
	if (!rc && s->pid)
		rc = pf_tune_add_process(tune, (int64_t)s->pid, err);
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
		enum pf_tune_format format;
		rc = format_of(s->outputs.items[i], &format, err);
		if (!rc)
			rc = pf_tune_write(tune, format, s->outputs.items[i], err);
	}
	return rc;
}

static int
run(const void *settings, const struct cli_arguments *arguments, struct pf_error *err)
{
	const struct settings *s = settings;
	struct pf_tune_options o = PF_TUNE_OPTIONS_INIT;
	struct pf_tune *tune = NULL;
	int rc = check(s, arguments->count, err);

	o.service = s->service_name;
	o.memory_limit = (double)s->memory_limit;
	o.cpus = s->cpus;
	o.cores_used = s->cores_used;
	if (!rc)
		rc = pf_tune_new(&tune, &o, err);
	if (!rc)
		rc = add_all(tune, s, arguments, err);
	if (!rc)
		rc = pf_tune_run(tune, err);
	if (!rc)
		rc = write_reports(tune, s, err);
	pf_tune_free(tune);
	return rc;
}

const struct cli_command cli_tune = {
    .name = "tune",
    .usage =
	"[PROFILE…] [--base FILE] [--stats FILE…] [--service URL|--pid N] [--try CMD] [-o REPORT]",
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
	"A healthy service gives no finding, and exit status 0 says that the evidence was judged, "
	"whatever "
	"came of it.",
    .examples = "profuse tune heap.pb.gz cpu.pb.gz goroutine.pb.gz\n"
		"profuse tune --base heap-monday.pb.gz heap-friday.pb.gz -o leak.html\n"
		"profuse tune cpu.pb.gz --stats gctrace.log --memory-limit 512MiB\n",
    .options = options,
    .defaults = &defaults,
    .settings_size = sizeof defaults,
    .most_arguments = SIZE_MAX,
    .run = run,
};
