/* cmd_tune.c: profuse tune: the command over profuse/tune.h. */
#include "commands.h"

#include <profuse/collect.h>
#include <profuse/tune.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file.h"

struct settings {
	const char *base, *service, *service_name;
	const char *cacert, *cert, *key, *bearer_file, *username, *password_file, *header_file;
	double seconds;
	bool insecure;
	struct cli_list stats, binaries, outputs;
	uint64_t pid, memory_limit;
	double cpus, cores_used;
	bool json;
};

static const struct settings defaults = {.seconds = 30};

#define AT(MEMBER) offsetof(struct settings, MEMBER)

static const struct cli_option options[] = {
    {"base", 0, CLI_STRING, AT(base), "FILE",
	"What the profiles are compared with: an earlier profile, a folder or @LIST"},
    {"stats", 0, CLI_LIST, AT(stats), "FILE",
	"Statistics of the service: malloc_info, jemalloc's JSON, gctrace, metrics, /proc files "
	"(see below); a "
	"folder or @LIST too; may be repeated"},
    {"service", 0, CLI_STRING, AT(service), "URL",
	"A running service: its profiles and metrics are fetched from this address"},
    {"seconds", 's', CLI_DURATION, AT(seconds), "N",
	"How long --service profiles CPU, whole seconds (default 30)"},
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

	if (!profiles && !s->stats.count && !s->pid && !s->service)
		return pf_error_set(err, PF_EUSAGE,
		    "tune needs something to judge: profiles, --stats FILE, --pid N or --service "
		    "URL");
	if (s->pid > INT32_MAX)
		return pf_error_set(err, PF_EUSAGE, "--pid %llu: no such process number",
		    (unsigned long long)s->pid);
	if (s->seconds < 1 || s->seconds > 3600 || s->seconds != (double)(uint32_t)s->seconds)
		return pf_error_set(
		    err, PF_EUSAGE, "--seconds %g: whole seconds from 1 to 3600", s->seconds);
	for (size_t i = 0; !rc && i < s->outputs.count; i++)
		rc = format_of(s->outputs.items[i], &format, err);
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
	rc = pf_tune_add_service(tune, s->service, &o, err);
	if (terminal)
		fputs("\r\033[K", stderr);
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
	if (!rc && s->service)
		rc = add_service(tune, s, err);
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
    .usage = "[PROFILE…] [--base FILE] [--stats FILE]… [--service URL] [--pid N] [-o REPORT]…",
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
		"profuse tune cpu.pb.gz --stats gctrace.log --memory-limit 512MiB\n"
		"profuse tune --service http://127.0.0.1:2121 --seconds 10 -o report.html\n",
    .options = options,
    .defaults = &defaults,
    .settings_size = sizeof defaults,
    .most_arguments = SIZE_MAX,
    .run = run,
};
