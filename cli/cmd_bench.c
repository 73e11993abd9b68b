/* cmd_bench.c: profuse bench: the option table, and the comparison of variants. */
#include "commands.h"

#include <profuse/bench.h>
#include <profuse/bench_history.h>

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench_settings.h"
#include "core/error.h"
#include "interrupts.h"

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
    .precision = 5,
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
    {"confidence", 0, CLI_PERCENT, AT(confidence), "PERCENT", "confidence of the intervals (95%)"},
    {"run-timeout", 0, CLI_DURATION, AT(run_timeout), "TIME",
	"longest that a command may take (no limit)"},
    {"grace", 0, CLI_DURATION, AT(grace), "TIME",
	"from SIGTERM to SIGKILL, and for what a command leaves running (5s)"},
    {"max-foreign", 0, CLI_PERCENT, AT(max_foreign), "PERCENT",
	"a pair is disturbed when others use more of the machine's CPU time (10%)"},
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
    {"http2", 0, CLI_FLAG, AT(http2), NULL, "speak HTTP/2, over https:// only"},
    {"ca-file", 0, CLI_STRING, AT(ca_file), "FILE",
	"certificates (PEM) to trust instead of the system's"},
    {"insecure", 0, CLI_FLAG, AT(insecure), NULL, "don't verify the service's certificate"},
    {"request-timeout", 0, CLI_DURATION, AT(request_timeout), "TIME",
	"when a request counts as failed (5s)"},
    {"ready", 0, CLI_STRING, AT(ready), "URL",
	"answers 2xx once the service is ready (the first --load URL)"},
    {"ready-timeout", 0, CLI_DURATION, AT(ready_timeout), "TIME",
	"how long a service may take to get ready (30s)"},
    {"slo", 0, CLI_LIST, AT(slos), "EXPR",
	"with load: search the highest rate that keeps this, as p99<=20ms; may be repeated"},
    {"precision", 0, CLI_PERCENT, AT(precision), "PERCENT", "how close that search comes (5%)"},
    {"variant-name", 0, CLI_STRING, AT(compare_variant), "NAME",
	"with compare: which variant of the reports (the last)"},
    {"history", 0, CLI_STRING, AT(history), "FILE",
	"append the result to this file, which bench trend reads"},
    {"label", 0, CLI_STRING, AT(label), "TEXT",
	"what this result is of (a commit), for the history"},
    {"metrics", 0, CLI_STRING, AT(metrics), "URL",
	"a Go service's Prometheus metrics, as /metrics or a whole URL: GC pauses and CPU"},
    {"go-trace", 0, CLI_FLAG, AT(go_trace), NULL,
	"run with GODEBUG=gctrace=1 and read GC pauses and CPU from standard error"},
    {"pin", 0, CLI_FLAG, AT(pin), NULL,
	"client and service on different CPUs, where there are two (on)", NULL, true},
    {"keep-output", 0, CLI_STRING, AT(output), "DIR",
	"keep what the commands print: DIR/before-1.out, DIR/before-1.err, …"},
    {"output", 'o', CLI_LIST, AT(outputs), "FILE",
	"write a report: .html, .md, .json, .hgrm or .hlog; may be repeated"},
    {"json", 0, CLI_FLAG, AT(json), NULL,
	"one JSON object on standard output instead of the table"},
    {"quiet", 'q', CLI_FLAG, AT(quiet), NULL, "no progress on the terminal"},
    {0},
};

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
	if (s->seed != BENCH_UNSET && s->seed > INT64_MAX)
		return pf_error_set(err, PF_EUSAGE, "--seed goes up to 2^63 - 1");
	if (s->before_pid > INT_MAX || s->after_pid > INT_MAX)
		return pf_error_set(err, PF_EUSAGE, "that is no process' number");
	for (size_t i = 0; !rc && i < s->outputs.count; i++) {
		rc = bench_format_of(s->outputs.items[i], &format, err);
		if (!rc && (format == PF_BENCH_HGRM || format == PF_BENCH_HLOG) && !s->urls.count &&
		    !s->before_url)
			rc = pf_error_set(err, PF_EUSAGE,
			    "-o %s: there are no latencies to write: --load URL measures some",
			    s->outputs.items[i]);
	}
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

int
bench_write_reports(const struct pf_bench *bench, const struct settings *s, struct pf_error *err)
{
	int rc = pf_bench_write(bench, s->json ? PF_BENCH_JSON : PF_BENCH_TEXT, "-", err);

	for (size_t i = 0; !rc && i < s->outputs.count; i++) {
		enum pf_bench_format format;
		rc = bench_format_of(s->outputs.items[i], &format, err);
		if (!rc)
			rc = pf_bench_write(bench, format, s->outputs.items[i], err);
	}
	return rc;
}

int
bench_run(struct pf_bench **bench, struct pf_bench_options *o, const struct settings *s,
    struct pf_error *err)
{
	bool terminal = isatty(STDERR_FILENO) && !s->quiet;
	int rc;

	if (terminal)
		o->progress = show_progress;
	o->stop_fd = cli_catch_interrupts();
	rc = pf_bench_run(bench, o, err);
	if (terminal)
		fputs("\r\033[K", stderr);
	if (o->stop_fd >= 0)
		close(o->stop_fd);
	return rc;
}

static int
run_comparison(const struct settings *s, struct pf_error *err)
{
	struct pf_bench_options o;
	struct variants v = {0};
	struct pf_bench *bench = NULL;
	int rc = check(s, err);

	if (!rc)
		rc = bench_fill_options(s, &o, err);
	if (!rc)
		rc = bench_fill_variants(s, &v, err);
	if (rc)
		return rc;
	o.variants = v.items;
	o.variant_count = v.count;
	rc = bench_run(&bench, &o, s, err);
	if (!rc)
		rc = bench_write_reports(bench, s, err);
	if (!rc && s->history)
		rc = pf_bench_append_history(bench, s->history, s->label, err);
	if (!rc)
		rc = pf_bench_verdict(bench, err);
	pf_bench_free(bench);
	return rc;
}

static int
run(const void *settings, const struct cli_arguments *arguments, struct pf_error *err)
{
	static const struct {
		const char *name;
		int (*run)(const struct settings *s, const struct cli_arguments *arguments,
		    struct pf_error *err);
	} ways[] = {{"load", bench_load}, {"compare", bench_compare}, {"trend", bench_trend}};
	const struct settings *s = settings;
	struct cli_arguments rest = {arguments->items + 1, arguments->count - 1};

	if (arguments->count == 0)
		return run_comparison(s, err);
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		if (strcmp(arguments->items[0], ways[i].name) == 0)
			return ways[i].run(s, &rest, err);
	}
	return pf_error_set(err, PF_EUSAGE,
	    "\"%s\": expected load, compare or trend, or no word at all; commands belong to "
	    "--before "
	    "and --after",
	    arguments->items[0]);
}

const struct cli_command cli_bench = {
    .name = "bench",
    .usage = "--before CMD --after CMD [--load URL --rate N] [--gate EXPR]… | load URL… | compare "
	     "OLD NEW | trend FILE",
    .summary = "compare before and after, and say how sure that is",
    .description =
	"Runs both commands in pairs of fresh processes, in random balanced order, and compares "
	"them "
	"pair by pair: the Hodges–Lehmann estimate with an exact signed-rank interval. A command "
	"is "
	"judged by the CPU time of everything it starts. With --load the commands are services: "
	"each "
	"is started, loaded at a fixed rate over HTTP, and judged by its CPU time per request; "
	"latency "
	"counts from the time a request was due. Without --before, --before-url and --after-url "
	"are "
	"services that run already.\n\n"
	"A command of plain words is started directly, anything with shell syntax by /bin/sh -c. "
	"Standard input is empty, standard output is thrown away unless --keep-output keeps it. "
	"What a "
	"command leaves running is waited for and, after the grace time, stopped.\n\n"
	"Metrics of gates: cpu, wall of commands; cpu_per_request, p50, p90, p99, p999, "
	"throughput, "
	"errors, rss, pss, rss_idle of services; rss_peak, faults, switches, gc_pause_p99, gc_cpu "
	"and "
	"others of both. A limit with a sign, as in +1%, is relative to before; without one it is "
	"absolute. A gate fails when the whole interval lies beyond its limit (status 1) and is "
	"inconclusive when the limit lies within it (status 5); several gates share the 5 % chance "
	"of a "
	"false alarm.\n\n"
	"load URL… measures one service alone, or with --slo searches the highest rate that keeps "
	"the "
	"objectives. compare OLD NEW compares two JSON reports, unpaired. trend FILE shows a "
	"history "
	"(--history) and where its levels changed.",
    .examples =
	"profuse bench --before './old big.txt' --after './new big.txt'\n"
	"profuse bench --before './svc-base --port 8080' --after './svc-pgo --port 8080' \\\n"
	"    --load http://127.0.0.1:8080/search?q=x --rate 2000 --gate 'cpu_per_request<=-5%' -o "
	"bench.html\n"
	"profuse bench --before ./svc --after-env GOGC=200 --load http://127.0.0.1:8080/ --rate "
	"500 "
	"--metrics /metrics\n"
	"profuse bench load http://127.0.0.1:8080/ --slo 'p99<=20ms'\n",
    .options = options,
    .defaults = &defaults,
    .settings_size = sizeof defaults,
    .most_arguments = SIZE_MAX,
    .run = run,
};
