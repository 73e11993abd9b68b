/* cmd_bench.c: profuse bench: the command over profuse/bench.h. */
#include "commands.h"

#include <profuse/bench.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "core/error.h"

struct settings {
	const char *before, *after;
	struct cli_list before_env, after_env, gates, urls, headers, outputs;
	uint64_t pairs, seed, connections, warmup_pairs;
	double confidence, max_foreign, grace, run_timeout;
	const char *output, *load_file, *ready;
	double rate, duration, warmup, request_timeout, ready_timeout;
	int arrivals;
	bool pin, calibrate, json, quiet;
};

static const uint64_t unset = UINT64_MAX;

static const struct settings defaults = {
    .seed = UINT64_MAX,
    .pairs = UINT64_MAX,
    .warmup_pairs = UINT64_MAX,
    .connections = 32,
    .confidence = 95,
    .max_foreign = 10,
    .grace = 5,
    .duration = 10,
    .warmup = 2,
    .request_timeout = 5,
    .ready_timeout = 30,
    .pin = true,
};

#define AT(MEMBER) offsetof(struct settings, MEMBER)

static const struct cli_option options[] = {
    {"before", 0, CLI_STRING, AT(before), "CMD", "the command to compare with"},
    {"after", 0, CLI_STRING, AT(after), "CMD", "the command to judge"},
    {"before-env", 0, CLI_LIST, AT(before_env), "NAME=VALUE",
	"set a variable for before only; may be repeated"},
    {"after-env", 0, CLI_LIST, AT(after_env), "NAME=VALUE",
	"set a variable for after only; may be repeated"},
    {"calibrate", 0, CLI_FLAG, AT(calibrate), NULL,
	"run before against itself: shows the noise, and what change could be found"},
    {"gate", 0, CLI_LIST, AT(gates), "EXPR",
	"a demand such as cpu<=+1%, p99<=80ms or errors<=0.1%; may be repeated"},
    {"pairs", 'n', CLI_COUNT, AT(pairs), "N", "pairs of blocks (10; 20 with a gate)"},
    {"warmup-pairs", 0, CLI_COUNT, AT(warmup_pairs), "N",
	"pairs run first and thrown away (1 for commands, 0 for services)"},
    {"seed", 0, CLI_COUNT, AT(seed), "N",
	"seed of the order and of random arrivals (drawn, and printed)"},
    {"confidence", 0, CLI_PERCENT, AT(confidence), "PERCENT", "confidence of the intervals (95)"},
    {"run-timeout", 0, CLI_DURATION, AT(run_timeout), "TIME",
	"longest that a command may take (no limit)"},
    {"grace", 0, CLI_DURATION, AT(grace), "TIME",
	"from SIGTERM to SIGKILL, and for what a command leaves running (5s)"},
    {"max-foreign", 0, CLI_PERCENT, AT(max_foreign), "PERCENT",
	"warn when others use more of the machine's CPU time (10)"},
    {"load", 0, CLI_LIST, AT(urls), "URL",
	"the commands are services: load this URL; several are used in turn"},
    {"rate", 'r', CLI_NUMBER, AT(rate), "N",
	"requests a second, at fixed times whatever the answers"},
    {"duration", 'd', CLI_DURATION, AT(duration), "TIME", "how long each block is measured (10s)"},
    {"warmup", 0, CLI_DURATION, AT(warmup), "TIME",
	"how long each block is loaded before that (2s)"},
    {"arrivals", 0, CLI_CHOICE, AT(arrivals), "KIND", "constant (default) or poisson",
	"constant|poisson"},
    {"connections", 'c', CLI_COUNT, AT(connections), "N",
	"connections kept open, and most at once (32)"},
    {"load-file", 0, CLI_STRING, AT(load_file), "FILE",
	"requests to send, one a line: /path [WEIGHT] or METHOD /path [BODY|@FILE]"},
    {"header", 'H', CLI_LIST, AT(headers), "LINE", "a header for every request; may be repeated"},
    {"request-timeout", 0, CLI_DURATION, AT(request_timeout), "TIME",
	"when a request counts as failed (5s)"},
    {"ready", 0, CLI_STRING, AT(ready), "URL",
	"answers 2xx once the service is ready (the first --load URL)"},
    {"ready-timeout", 0, CLI_DURATION, AT(ready_timeout), "TIME",
	"how long a service may take to get ready (30s)"},
    {"pin", 0, CLI_FLAG, AT(pin), NULL,
	"client and service on different CPUs, where there are two (on)", NULL, true},
    {"keep-output", 0, CLI_STRING, AT(output), "DIR",
	"keep what the commands print: DIR/before-1.out, DIR/before-1.err, …"},
    {"output", 'o', CLI_LIST, AT(outputs), "FILE",
	"write a report: .md for a pull request, .json for machines; may be repeated"},
    {"json", 0, CLI_FLAG, AT(json), NULL,
	"one JSON object on standard output instead of the table"},
    {"quiet", 'q', CLI_FLAG, AT(quiet), NULL, "no progress on the terminal"},
    {0},
};

/* By the name's end; PF_EUSAGE for one we don't write. */
static int
format_of(const char *path, enum pf_bench_format *format, struct pf_error *err)
{
	const char *dot = strrchr(path, '.');

	if (dot && strcmp(dot, ".json") == 0)
		*format = PF_BENCH_JSON;
	else if (dot && strcmp(dot, ".md") == 0)
		*format = PF_BENCH_MARKDOWN;
	else if (dot && strcmp(dot, ".html") == 0)
		return pf_error_set(
		    err, PF_EUSAGE, "-o %s: bench writes no HTML yet; use .md or .json", path);
	else
		return pf_error_set(err, PF_EUSAGE,
		    "-o %s: the name must end in .md or .json, which chooses the format", path);
	return 0;
}

static int
check(const struct settings *s, struct pf_error *err)
{
	enum pf_bench_format format;
	int rc = 0;

	if (s->calibrate && (s->after || s->after_env.count))
		return pf_error_set(err, PF_EUSAGE,
		    "--calibrate runs before against itself: leave --after and --after-env out");
	if (s->pairs == 0)
		return pf_error_set(err, PF_EUSAGE, "--pairs 0 would compare nothing");
	if (s->seed != unset && s->seed > INT64_MAX)
		return pf_error_set(err, PF_EUSAGE, "--seed goes up to 2^63 - 1");
	for (size_t i = 0; !rc && i < s->outputs.count; i++)
		rc = format_of(s->outputs.items[i], &format, err);
	return rc;
}

static void
fill_options(const struct settings *s, struct pf_bench_options *o)
{
	*o = (struct pf_bench_options)PF_BENCH_OPTIONS_INIT;
	o->before = (struct pf_bench_side){s->before, s->before_env.items, s->before_env.count};
	o->after = (struct pf_bench_side){s->after, s->after_env.items, s->after_env.count};
	if (s->calibrate)
		o->after = o->before;
	o->pairs = s->pairs == unset ? 0 : s->pairs;
	o->warmup_pairs = s->warmup_pairs == unset ? SIZE_MAX : s->warmup_pairs;
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
	o->load_file = s->load_file;
	o->headers = s->headers.items;
	o->header_count = s->headers.count;
	o->ready_url = s->ready;
	o->rate = s->rate;
	o->duration = s->duration;
	o->warmup = s->warmup;
	o->request_timeout = s->request_timeout;
	o->ready_timeout = s->ready_timeout;
	o->connections = s->connections;
	o->poisson = s->arrivals == 1;
	o->pin = s->pin;
}

static void
show_progress(void *context, const struct pf_bench_progress *p)
{
	/* Each block takes about as long as those before it did on average. */
	double left = p->block > 1
			  ? p->elapsed / (double)(p->block - 1) * (double)(p->blocks - p->block + 1)
			  : 0;
	(void)context;

	fprintf(stderr, "\r\033[Kblock %zu of %zu: %s%s", p->block, p->blocks, p->side,
	    p->warmup ? " (warm-up)" : "");
	if (left > 0)
		fprintf(stderr, ", about %.0f s left", left);
	fflush(stderr);
}

/*
 * Interrupts become readable on the returned descriptor. They stay blocked when
 * the run is over, so that a second Ctrl-C doesn't cost the report. What was
 * ignored from the start (nohup) stays ignored.
 */
static int
catch_interrupts(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		struct sigaction action;
		if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			sigaddset(&set, numbers[i]);
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
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
	struct pf_bench *bench = NULL;
	bool terminal = isatty(STDERR_FILENO) && !s->quiet;
	int rc = check(s, err);
	(void)arguments;

	if (rc)
		return rc;
	fill_options(s, &o);
	if (terminal)
		o.progress = show_progress;
	o.stop_fd = catch_interrupts();
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
