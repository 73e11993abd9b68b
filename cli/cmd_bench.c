/* cmd_bench.c: profuse bench: the command over profuse/bench.h. */
#include "commands.h"

#include <profuse/bench.h>

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "interrupts.h"

enum { MOST_ENVIRONMENT = 64 };

struct settings {
	const char *before, *after, *before_url, *after_url, *primary;
	struct cli_list before_env, after_env, variants, variant_env, gates, urls, headers, outputs;
	uint64_t pairs, seed, connections, warmup_pairs, looks, repeats, calibrate_pairs;
	uint64_t before_pid, after_pid;
	double confidence, max_foreign, grace, run_timeout, tolerance;
	const char *output, *load_file, *replay, *ready, *metrics, *rate, *ca_file;
	double duration, warmup, idle, request_timeout, ready_timeout, replay_speed;
	int arrivals;
	bool pin, calibrate, json, quiet, duet, http2, insecure, go_trace;
};

static const uint64_t unset = UINT64_MAX;

static const struct settings defaults = {
    .seed = UINT64_MAX,
    .pairs = UINT64_MAX,
    .warmup_pairs = UINT64_MAX,
    .repeats = UINT64_MAX,
    .calibrate_pairs = UINT64_MAX,
    .looks = 1,
    .connections = 32,
    .confidence = 95,
    .max_foreign = 10,
    .grace = 5,
    .duration = 10,
    .warmup = 2,
    .idle = -1,
    .request_timeout = 5,
    .ready_timeout = 30,
    .replay_speed = 1,
    .pin = true,
};

#define AT(MEMBER) offsetof(struct settings, MEMBER)

static const struct cli_option options[] = {
    {"before", 0, CLI_STRING, AT(before), "CMD", "the command to compare with"},
    {"after", 0, CLI_STRING, AT(after), "CMD",
	"the command to judge (before's, when only its environment differs)"},
    {"before-env", 0, CLI_LIST, AT(before_env), "NAME=VALUE",
	"set a variable for before only; may be repeated"},
    {"after-env", 0, CLI_LIST, AT(after_env), "NAME=VALUE",
	"set a variable for after only; may be repeated"},
    {"variant", 0, CLI_LIST, AT(variants), "NAME[=CMD]",
	"one more to compare with before, which runs CMD or before's command; may be repeated"},
    {"variant-env", 0, CLI_LIST, AT(variant_env), "NAME:VAR=VALUE",
	"set a variable for this variant only; may be repeated"},
    {"calibrate", 0, CLI_FLAG, AT(calibrate), NULL,
	"run before against itself: shows the noise, and what change could be found"},
    {"calibrate-pairs", 0, CLI_COUNT, AT(calibrate_pairs), "N",
	"first run N pairs of before against itself, and refuse a verdict when they differ (0; 10 "
	"with --tolerance)"},
    {"tolerance", 0, CLI_PERCENT, AT(tolerance), "PERCENT",
	"the smallest change that matters: no verdict where the noise would hide it"},
    {"gate", 0, CLI_LIST, AT(gates), "EXPR",
	"a demand such as cpu<=+1%, p99<=80ms or errors<=0.1%; may be repeated"},
    {"primary", 0, CLI_STRING, AT(primary), "METRIC",
	"the metric that decides (cpu, or cpu_per_request of services)"},
    {"pairs", 'n', CLI_COUNT, AT(pairs), "N", "pairs of blocks (10; 20 with a gate)"},
    {"looks", 0, CLI_COUNT, AT(looks), "N",
	"look at the data N times, and stop as soon as they decide (1: only at the end)"},
    {"repeats", 0, CLI_COUNT, AT(repeats), "N",
	"how many pairs that others disturbed may be run again (a quarter of the pairs)"},
    {"warmup-pairs", 0, CLI_COUNT, AT(warmup_pairs), "N",
	"pairs run first and thrown away (1 for commands, 0 for services)"},
    {"duet", 0, CLI_FLAG, AT(duet), NULL,
	"commands: run both at the same time on CPUs of their own, which they swap"},
    {"seed", 0, CLI_COUNT, AT(seed), "N",
	"seed of the order and of random arrivals (drawn, and printed)"},
    {"confidence", 0, CLI_PERCENT, AT(confidence), "PERCENT", "confidence of the intervals (95)"},
    {"run-timeout", 0, CLI_DURATION, AT(run_timeout), "TIME",
	"longest that a command may take (no limit)"},
    {"grace", 0, CLI_DURATION, AT(grace), "TIME",
	"from SIGTERM to SIGKILL, and for what a command leaves running (5s)"},
    {"max-foreign", 0, CLI_PERCENT, AT(max_foreign), "PERCENT",
	"a pair is disturbed when others use more of the machine's CPU time (10)"},
    {"load", 0, CLI_LIST, AT(urls), "URL",
	"the commands are services: load this URL; several are used in turn"},
    {"before-url", 0, CLI_STRING, AT(before_url), "URL",
	"where before answers, if not where --load leads; without --before it runs already"},
    {"after-url", 0, CLI_STRING, AT(after_url), "URL", "the same for after"},
    {"before-pid", 0, CLI_COUNT, AT(before_pid), "PID",
	"process of a service that runs already (whoever listens at its port)"},
    {"after-pid", 0, CLI_COUNT, AT(after_pid), "PID", "the same for after"},
    {"rate", 'r', CLI_STRING, AT(rate), "N",
	"requests a second, at fixed times whatever the answers; max: as many as get answers"},
    {"duration", 'd', CLI_DURATION, AT(duration), "TIME", "how long each block is measured (10s)"},
    {"warmup", 0, CLI_DURATION, AT(warmup), "TIME",
	"how long each block is loaded before that (2s)"},
    {"idle", 0, CLI_DURATION, AT(idle), "TIME",
	"how long a service rests after the load, before rss_idle is read (a tenth of --duration)"},
    {"arrivals", 0, CLI_CHOICE, AT(arrivals), "KIND", "constant (default) or poisson",
	"constant|poisson"},
    {"connections", 'c', CLI_COUNT, AT(connections), "N",
	"connections kept open, and most at once (32)"},
    {"load-file", 0, CLI_STRING, AT(load_file), "FILE",
	"requests to send, one a line: /path [WEIGHT] or METHOD /path [BODY|@FILE]"},
    {"replay", 0, CLI_STRING, AT(replay), "FILE",
	"requests with their times: an access log, or lines SECONDS METHOD /path [BODY|@FILE]"},
    {"replay-speed", 0, CLI_NUMBER, AT(replay_speed), "N", "how much faster than recorded (1)"},
    {"header", 'H', CLI_LIST, AT(headers), "LINE",
	"a header for every request, or @FILE with a header a line; may be repeated"},
    {"http2", 0, CLI_FLAG, AT(http2), NULL, "speak HTTP/2 (through libcurl, as https is)"},
    {"ca-file", 0, CLI_STRING, AT(ca_file), "FILE",
	"certificates (PEM) to trust instead of the system's"},
    {"insecure", 0, CLI_FLAG, AT(insecure), NULL, "don't verify the service's certificate"},
    {"request-timeout", 0, CLI_DURATION, AT(request_timeout), "TIME",
	"when a request counts as failed (5s)"},
    {"ready", 0, CLI_STRING, AT(ready), "URL",
	"answers 2xx once the service is ready (the first --load URL)"},
    {"ready-timeout", 0, CLI_DURATION, AT(ready_timeout), "TIME",
	"how long a service may take to get ready (30s)"},
    {"metrics", 0, CLI_STRING, AT(metrics), "URL",
	"a Go service's Prometheus metrics, as /metrics or a whole URL: GC pauses and CPU"},
    {"go-trace", 0, CLI_FLAG, AT(go_trace), NULL,
	"run with GODEBUG=gctrace=1 and read GC pauses and CPU from standard error"},
    {"pin", 0, CLI_FLAG, AT(pin), NULL,
	"client and service on different CPUs, where there are two (on)", NULL, true},
    {"keep-output", 0, CLI_STRING, AT(output), "DIR",
	"keep what the commands print: DIR/before-1.out, DIR/before-1.err, …"},
    {"output", 'o', CLI_LIST, AT(outputs), "FILE",
	"write a report: .md, .json, .hgrm or .hlog; may be repeated"},
    {"json", 0, CLI_FLAG, AT(json), NULL,
	"one JSON object on standard output instead of the table"},
    {"quiet", 'q', CLI_FLAG, AT(quiet), NULL, "no progress on the terminal"},
    {0},
};

/* By the name's end; PF_EUSAGE for one we don't write. */
static int
format_of(const char *path, enum pf_bench_format *format, struct pf_error *err)
{
	static const struct {
		const char *ending;
		enum pf_bench_format format;
	} known[] = {{".json", PF_BENCH_JSON}, {".md", PF_BENCH_MARKDOWN}, {".hgrm", PF_BENCH_HGRM},
	    {".hlog", PF_BENCH_HLOG}};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < sizeof known / sizeof *known; i++) {
		if (strcmp(dot, known[i].ending) == 0) {
			*format = known[i].format;
			return 0;
		}
	}
	return pf_error_set(err, PF_EUSAGE,
	    "-o %s: the name must end in .md, .json, .hgrm or .hlog, which chooses the "
	    "format",
	    path);
}

static int
check(const struct settings *s, struct pf_error *err)
{
	enum pf_bench_format format;
	int rc = 0;

	if (s->calibrate && (s->after || s->after_env.count || s->after_url || s->variants.count))
		return pf_error_set(err, PF_EUSAGE,
		    "--calibrate runs before against itself: leave --after, --after-env, "
		    "--after-url and --variant out");
	if (!s->calibrate && !s->after && !s->after_env.count && !s->after_url &&
	    !s->variants.count)
		return pf_error_set(err, PF_EUSAGE,
		    "bench needs something to compare with before: --after CMD, or --after-env "
		    "NAME=VALUE for the same command in another environment");
	if (s->before_url && !s->before && !s->after_url)
		return pf_error_set(err, PF_EUSAGE,
		    "--before-url without --before is a service that runs already: --after-url "
		    "names the other one");
	if (s->pairs == 0)
		return pf_error_set(err, PF_EUSAGE, "--pairs 0 would compare nothing");
	if (s->seed != unset && s->seed > INT64_MAX)
		return pf_error_set(err, PF_EUSAGE, "--seed goes up to 2^63 - 1");
	if (s->before_pid > INT_MAX || s->after_pid > INT_MAX)
		return pf_error_set(err, PF_EUSAGE, "that is no process' number");
	for (size_t i = 0; !rc && i < s->outputs.count; i++) {
		rc = format_of(s->outputs.items[i], &format, err);
		if (!rc && (format == PF_BENCH_HGRM || format == PF_BENCH_HLOG) && !s->urls.count &&
		    !s->before_url)
			rc = pf_error_set(err, PF_EUSAGE,
			    "-o %s: there are no latencies to write: --load URL measures some",
			    s->outputs.items[i]);
	}
	return rc;
}

static int
take_rate(const char *text, double *rate, struct pf_error *err)
{
	char *end;

	*rate = 0;
	if (!text)
		return 0;
	*rate = strcmp(text, "max") == 0 ? HUGE_VAL : strtod(text, &end);
	if (!isinf(*rate) && (!isdigit((unsigned char)text[0]) || *end))
		return pf_error_set(
		    err, PF_EUSAGE, "--rate %s: expected requests a second, or max", text);
	return 0;
}

static int
fill_options(const struct settings *s, struct pf_bench_options *o, struct pf_error *err)
{
	*o = (struct pf_bench_options)PF_BENCH_OPTIONS_INIT;
	o->pairs = s->pairs == unset ? 0 : s->pairs;
	o->warmup_pairs = s->warmup_pairs == unset ? SIZE_MAX : s->warmup_pairs;
	o->repeats = s->repeats == unset ? SIZE_MAX : s->repeats;
	o->looks = s->looks;
	o->tolerance = s->tolerance / 100;
	o->calibrate = s->calibrate_pairs != unset ? s->calibrate_pairs : s->tolerance > 0 ? 10 : 0;
	o->primary = s->primary;
	o->duet = s->duet;
	o->has_seed = s->seed != unset;
	o->seed = s->seed;
	o->confidence = s->confidence / 100;
	o->max_foreign = s->max_foreign / 100;
	o->grace = s->grace;
	o->run_timeout = s->run_timeout;
	o->output = s->output;
	o->gates = s->gates.items;
	o->gate_count = s->gates.count;
	o->urls = s->urls.items;
	o->url_count = s->urls.count;
	if (!s->urls.count && !s->before && s->before_url) {
		o->urls = &s->before_url;
		o->url_count = 1;
	}
	o->load_file = s->load_file;
	o->replay = s->replay;
	o->replay_speed = s->replay_speed;
	o->headers = s->headers.items;
	o->header_count = s->headers.count;
	o->ready_url = s->ready;
	o->metrics_url = s->metrics;
	o->duration = s->duration;
	o->warmup = s->warmup;
	o->idle = s->idle;
	o->request_timeout = s->request_timeout;
	o->ready_timeout = s->ready_timeout;
	o->connections = s->connections;
	o->arrivals = s->arrivals == 1 ? PF_ARRIVALS_POISSON : PF_ARRIVALS_CONSTANT;
	o->http2 = s->http2;
	o->ca_file = s->ca_file;
	o->insecure = s->insecure;
	o->go_trace = s->go_trace;
	o->pin = s->pin;
	return take_rate(s->rate, &o->rate, err);
}

/* The variants and what they borrow from the settings. */
struct variants {
	struct pf_bench_variant items[PF_BENCH_VARIANTS];
	size_t count;
	char names[PF_BENCH_VARIANTS][64];
	const char *environment[PF_BENCH_VARIANTS][MOST_ENVIRONMENT];
};

static int
add_variant(struct variants *v, const char *text, struct pf_error *err)
{
	const char *equals = strchr(text, '=');
	size_t size = equals ? (size_t)(equals - text) : strlen(text);

	if (size == 0 || size >= sizeof v->names[0] || memchr(text, '/', size) ||
	    memchr(text, ':', size))
		return pf_error_set(err, PF_EUSAGE,
		    "--variant %.60s: expected NAME or NAME=CMD, the name without : and /", text);
	if (v->count == PF_BENCH_VARIANTS)
		return pf_error_set(
		    err, PF_EUSAGE, "bench compares at most %d variants", PF_BENCH_VARIANTS);
	snprintf(v->names[v->count], sizeof v->names[0], "%.*s", (int)size, text);
	for (size_t i = 0; i < v->count; i++) {
		if (strcmp(v->items[i].name, v->names[v->count]) == 0)
			return pf_error_set(
			    err, PF_EUSAGE, "--variant %s: there are two of this name", text);
	}
	v->items[v->count] = (struct pf_bench_variant){
	    .name = v->names[v->count], .command = equals ? equals + 1 : NULL};
	v->count++;
	return 0;
}

static int
add_variant_environment(struct variants *v, const char *text, struct pf_error *err)
{
	const char *colon = strchr(text, ':');
	size_t size = colon ? (size_t)(colon - text) : 0;

	for (size_t i = 0; colon && i < v->count; i++) {
		struct pf_bench_variant *x = &v->items[i];
		if (strlen(x->name) != size || strncmp(x->name, text, size) != 0)
			continue;
		if (x->environment_count == MOST_ENVIRONMENT)
			break;
		if (x->environment != v->environment[i] && x->environment_count)
			return pf_error_set(err, PF_EUSAGE,
			    "--variant-env %.60s: %s has its own option for that", text, x->name);
		v->environment[i][x->environment_count++] = colon + 1;
		x->environment = v->environment[i];
		return 0;
	}
	return pf_error_set(err, PF_EUSAGE,
	    "--variant-env %.60s: expected NAME:VAR=VALUE with the name of a --variant", text);
}

static int
fill_variants(const struct settings *s, struct variants *v, struct pf_error *err)
{
	int rc = 0;

	v->items[0] = (struct pf_bench_variant){.name = "before",
	    .command = s->before,
	    .environment = s->before_env.items,
	    .environment_count = s->before_env.count,
	    .origin = s->before_url,
	    .pid = (int)s->before_pid};
	v->count = 1;
	if (s->calibrate) {
		v->items[v->count++] = v->items[0];
		v->items[1].name = "after";
	} else if (s->after || s->after_env.count || s->after_url) {
		v->items[v->count++] = (struct pf_bench_variant){.name = "after",
		    .command = s->after,
		    .environment = s->after_env.items,
		    .environment_count = s->after_env.count,
		    .origin = s->after_url,
		    .pid = (int)s->after_pid};
	}
	for (size_t i = 0; !rc && i < s->variants.count; i++)
		rc = add_variant(v, s->variants.items[i], err);
	for (size_t i = 0; !rc && i < s->variant_env.count; i++)
		rc = add_variant_environment(v, s->variant_env.items[i], err);
	return rc;
}

static void
show_progress(void *context, const struct pf_bench_progress *p)
{
	(void)context;

	fprintf(stderr, "\r\033[Kblock %zu of %zu: %s", p->block, p->blocks, p->variant);
	if (strcmp(p->phase, "measuring") != 0)
		fprintf(stderr, " (%s)", p->phase);
	if (p->left >= 90)
		fprintf(stderr, ", about %.0f min left", p->left / 60);
	else if (p->left > 0)
		fprintf(stderr, ", about %.0f s left", p->left);
	fflush(stderr);
}

static int
write_reports(const struct pf_bench *bench, const struct settings *s, struct pf_error *err)
{
	int rc = pf_bench_write(bench, s->json ? PF_BENCH_JSON : PF_BENCH_TEXT, "-", err);

	for (size_t i = 0; !rc && i < s->outputs.count; i++) {
		enum pf_bench_format format;
		rc = format_of(s->outputs.items[i], &format, err);
		if (!rc)
			rc = pf_bench_write(bench, format, s->outputs.items[i], err);
	}
	return rc;
}

static int
run(const void *settings, const struct cli_arguments *arguments, struct pf_error *err)
{
	const struct settings *s = settings;
	struct pf_bench_options o;
	struct variants v = {0};
	struct pf_bench *bench = NULL;
	bool terminal = isatty(STDERR_FILENO) && !s->quiet;
	int rc = check(s, err);
	(void)arguments;

	if (!rc)
		rc = fill_options(s, &o, err);
	if (!rc)
		rc = fill_variants(s, &v, err);
	if (rc)
		return rc;
	o.variants = v.items;
	o.variant_count = v.count;
	if (terminal)
		o.progress = show_progress;
	o.stop_fd = cli_catch_interrupts();
	rc = pf_bench_run(&bench, &o, err);
	if (terminal)
		fputs("\r\033[K", stderr);
	if (o.stop_fd >= 0)
		close(o.stop_fd);
	if (!rc)
		rc = write_reports(bench, s, err);
	if (!rc)
		rc = pf_bench_verdict(bench, err);
	pf_bench_free(bench);
	return rc;
}

const struct cli_command cli_bench = {
    .name = "bench",
    .usage = "--before CMD --after CMD [--load URL --rate N] [--gate EXPR]…",
    .summary = "compare before and after, and say how sure that is",
    .description = "Runs both commands in pairs of fresh processes, in random balanced order, and "
		   "compares them pair by "
		   "pair: the Hodges–Lehmann estimate with an exact signed-rank interval. A "
		   "command is judged by the CPU time "
		   "of everything it starts. With --load the commands are services: each is "
		   "started, loaded at a fixed rate "
		   "over HTTP, and judged by its CPU time per request; latency counts from the "
		   "time a request was due.\n\n"
		   "A command of plain words is started directly, anything with shell syntax by "
		   "/bin/sh -c. Standard input "
		   "is empty, standard output is thrown away unless --keep-output keeps it. What a "
		   "command leaves running is "
		   "waited for and, after the grace time, stopped.\n\n"
		   "Metrics of gates: cpu, wall, rss_peak for commands; cpu_per_request, p50, p90, "
		   "p99, p999, throughput, errors, "
		   "rss_peak for services. A limit with a sign, as in +1%, is relative to before; "
		   "without one it is absolute. "
		   "A gate fails when the whole interval lies beyond its limit (status 1) and is "
		   "inconclusive when the limit "
		   "lies within it (status 5).",
    .examples =
	"profuse bench --before './old big.txt' --after './new big.txt'\n"
	"profuse bench --before './svc-base --port 8080' --after './svc-pgo --port 8080' \\\n"
	"    --load http://127.0.0.1:8080/search?q=x --rate 2000 --gate 'cpu_per_request<=-5%' -o "
	"bench.md\n",
    .options = options,
    .defaults = &defaults,
    .settings_size = sizeof defaults,
    .run = run,
};
