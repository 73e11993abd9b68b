/*
 * cmd_collect.c: profuse collect URL …: one profile from a running service into a
 * file; profuse collect --config FILE: those of a fleet into a store.
 *
 * The file exists whole and valid or not at all. An interruption only sets a
 * flag: what is then being written is still finished or taken back.
 */
#include <profuse/collect.h>

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "collect_fleet.h"
#include "collect_output.h"
#include "commands.h"
#include "core/error.h"
#include "core/file.h"

struct settings {
	const char *type, *output;
	const char *cacert, *cert, *key, *bearer_file, *username, *password_file, *header_file;
	double seconds, connect_timeout, timeout, retry_for;
	uint64_t max_size, max_redirects;
	bool insecure, json;
	const char *config, *store, *shard, *listen, *listen_token_file;
	const char *event;
	uint64_t rate;
	int log_level, log_format;
	bool check_config;
};

static const struct settings defaults = {
    .seconds = -1, .retry_for = -1, .max_redirects = 5, .log_level = 1, .log_format = -1};

#define AT(MEMBER) offsetof(struct settings, MEMBER)

static const struct cli_option options[] = {
    {"type", 't', CLI_STRING, AT(type), "TYPE",
	"cpu, heap, allocs, goroutine, mutex, block or threads; default cpu, or what a full URL "
	"says",
	"cpu|heap|allocs|goroutine|mutex|block|threads"},
    {"seconds", 's', CLI_DURATION, AT(seconds), "N",
	"how long the service measures, whole seconds; default 30 for cpu; the other types are a "
	"snapshot "
	"without it and the change over N seconds with it"},
    {"output", 'o', CLI_STRING, AT(output), "FILE",
	"where the gzipped profile goes: a file, a folder, or - for standard output; default "
	"TYPE-HOST-PORT-TIME.pb.gz in the current folder"},
    {"json", 0, CLI_FLAG, AT(json), NULL, "one JSON object about the profile on standard output"},
    {"timeout", 0, CLI_DURATION, AT(timeout), "N",
	"how long one attempt may take in all; default the window and 30 s"},
    {"connect-timeout", 0, CLI_DURATION, AT(connect_timeout), "N",
	"how long connecting may take; default 10 s"},
    {"retry-for", 0, CLI_DURATION, AT(retry_for), "N",
	"keep trying so long while the service is busy with another profile; 0 tries once; default "
	"the "
	"window and 30 s"},
    {"max-size", 0, CLI_SIZE, AT(max_size), "SIZE",
	"refuse a larger body or profile; default 256MiB inflated, and 200 times the body over "
	"16MiB"},
    {"max-redirects", 0, CLI_COUNT, AT(max_redirects), "N",
	"follow at most so many redirects; default 5"},
    {"cacert", 0, CLI_STRING, AT(cacert), "FILE",
	"trust the certificate authorities in this PEM file, and no others"},
    {"cert", 0, CLI_STRING, AT(cert), "FILE", "the client certificate to show, PEM"},
    {"key", 0, CLI_STRING, AT(key), "FILE",
	"its unencrypted key, PEM; default in the certificate's file"},
    {"insecure", 0, CLI_FLAG, AT(insecure), NULL,
	"do not verify the server's certificate: anybody on the way can read and forge everything"},
    {"bearer-token-file", 0, CLI_STRING, AT(bearer_file), "FILE",
	"send the token in this file; default the environment's PROFUSE_BEARER_TOKEN"},
    {"username", 0, CLI_STRING, AT(username), "NAME", "send basic authentication with this name"},
    {"password-file", 0, CLI_STRING, AT(password_file), "FILE",
	"its password; default the environment's PROFUSE_PASSWORD"},
    {"header-file", 0, CLI_STRING, AT(header_file), "FILE",
	"send the headers in this file, one \"Name: value\" a line"},
    {"event", 0, CLI_STRING, AT(event), "EVENT",
	"with pid:, name: and cgroup:, what is sampled: cpu (default: CPU time), cycles, "
	"instructions, branches, branch-misses, cache-misses, page-faults or context-switches"},
    {"rate", 0, CLI_COUNT, AT(rate), "N",
	"with those, samples a second of each running thread; default 100"},
    {"config", 'c', CLI_STRING, AT(config), "FILE",
	"collect from a fleet as this YAML file says, until told to stop"},
    {"check-config", 0, CLI_FLAG, AT(check_config), NULL,
	"with --config: only say everything that is wrong with the file"},
    {"store", 0, CLI_STRING, AT(store), "DIR",
	"where the fleet's profiles go; default what the file says, else PROFUSE_STORE, else "
	"./profuse-store"},
    {"shard", 0, CLI_STRING, AT(shard), "I/N",
	"take the targets whose address, hashed as Prometheus' hashmod does, is I modulo N"},
    {"listen", 0, CLI_STRING, AT(listen), "HOST:PORT",
	"where /metrics, /healthz and /status are, or none; default 127.0.0.1:2122; also where "
	"collect status asks"},
    {"listen-token-file", 0, CLI_STRING, AT(listen_token_file), "FILE",
	"a token that requests there must carry; needed for other than loopback addresses"},
    {"log-level", 0, CLI_CHOICE, AT(log_level), "LEVEL",
	"what is logged to standard error: debug, info (default), warn or error",
	"debug|info|warn|error"},
    {"log-format", 0, CLI_CHOICE, AT(log_format), "FORMAT", "logfmt (default) or json",
	"logfmt|json"},
    {NULL},
};

static volatile sig_atomic_t interrupted;

static void
on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static void
catch_interruptions(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static bool
on_tick(void *context, const struct pf_collect_progress *progress)
{
	collect_progress_show(context, progress);
	return interrupted;
}

static void
on_warning(void *context, const char *sentence)
{
	collect_progress_clear(context);
	fprintf(stderr, "profuse: warning: %s\n", sentence);
	collect_warning_keep(context, sentence);
}

/* A service takes whole seconds only; Go measures 30 when told anything else. */
static int
whole_seconds(double seconds, uint32_t *to, struct pf_error *err)
{
	*to = 0;
	if (seconds < 0)
		return 0; /* not given: the type's own */
	if (seconds == 0 || seconds != floor(seconds) || seconds > UINT32_MAX)
		return pf_error_set(err, PF_EUSAGE,
		    "--seconds %g: services measure whole seconds, at least one", seconds);
	*to = (uint32_t)seconds;
	return 0;
}

static const char *
from_environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static int
fill(struct pf_collect_options *o, const struct settings *s, struct collect_report *report,
    struct pf_error *err)
{
	int rc = whole_seconds(s->seconds, &o->seconds, err);

	if (rc)
		return rc;
	if (s->json && s->output && strcmp(s->output, "-") == 0)
		return pf_error_set(
		    err, PF_EUSAGE, "--json and -o - both want standard output; give -o FILE");
	if (s->output && strcmp(s->output, "-") == 0 && isatty(STDOUT_FILENO))
		return pf_error_set(err, PF_EUSAGE,
		    "a profile is no text for a terminal; give -o FILE, or pipe it on");
	o->type = s->type;
	o->connect_timeout = s->connect_timeout;
	o->timeout = s->timeout;
	o->retry_for = s->retry_for == 0 ? -1 : s->retry_for < 0 ? 0 : s->retry_for;
	o->max_size = s->max_size;
	o->max_redirects = s->max_redirects == 0   ? -1
			   : s->max_redirects > 50 ? 50
						   : (int)s->max_redirects;
	o->ca_file = s->cacert;
	o->cert_file = s->cert;
	o->key_file = s->key;
	o->insecure = s->insecure;
	o->bearer_token_file = s->bearer_file;
	if (!s->bearer_file && !s->username)
		o->bearer_token = from_environment("PROFUSE_BEARER_TOKEN");
	o->username = s->username;
	o->password_file = s->password_file;
	if (s->username)
		o->password = from_environment("PROFUSE_PASSWORD");
	o->header_file = s->header_file;
	o->event = s->event;
	o->rate = s->rate > UINT32_MAX ? UINT32_MAX : (unsigned)s->rate;
	o->tick = on_tick;
	o->warn = on_warning;
	o->context = report;
	return 0;
}

static int
deliver(const struct settings *s, const struct pf_collected *collected,
    struct collect_report *report, struct pf_error *err)
{
	size_t size;
	const void *bytes = pf_collected_bytes(collected, &size);
	int rc = collect_output_path(report, s->output, collected, err);

	if (!rc)
		rc = pf_file_write(report->path, bytes, size, err);
	if (rc)
		return rc;
	if (s->json)
		return collect_report_json(report, collected, err);
	collect_report_text(report, collected);
	return 0;
}

static int
collect_one(const struct settings *s, const char *address, struct pf_error *err)
{
	struct pf_collect_options o = PF_COLLECT_OPTIONS_INIT;
	struct collect_report report;
	struct pf_collected *collected = NULL;
	int rc = collect_report_init(&report, err);

	if (!rc)
		rc = fill(&o, s, &report, err);
	if (!rc)
		rc = collect_output_check(s->output, err);
	if (!rc && s->insecure)
		on_warning(&report, "--insecure: the server's certificate is NOT verified; whoever "
				    "sits in between can "
				    "read the credentials and forge the profile");
	if (!rc) {
		catch_interruptions();
		rc = pf_collect(&collected, address, &o, err);
		collect_progress_clear(&report);
	}
	if (!rc && interrupted)
		rc = pf_error_set(err, PF_EIO, "interrupted; nothing was written");
	if (!rc)
		rc = deliver(s, collected, &report, err);
	pf_collected_free(collected);
	collect_report_release(&report);
	return rc;
}

static int
collect_fleet(const struct settings *s, struct pf_error *err)
{
	struct pf_fleet_options o = PF_FLEET_OPTIONS_INIT;

	if (s->check_config)
		return collect_fleet_check(s->config, s->json, err);
	o.config = s->config;
	o.store = s->store ? s->store : from_environment("PROFUSE_STORE");
	o.shard = s->shard;
	o.listen = s->listen;
	o.listen_token_file = s->listen_token_file;
	o.log_level = s->log_level;
	o.log_format = s->log_format;
	return collect_fleet_run(&o, err);
}

static int
run(const void *settings, const struct cli_arguments *arguments, struct pf_error *err)
{
	const struct settings *s = settings;
	struct collect_status_settings status = {.address = s->listen,
	    .token_file = s->listen_token_file,
	    .ca_file = s->cacert,
	    .json = s->json};

	if (s->config && arguments->count)
		return pf_error_set(err, PF_EUSAGE,
		    "--config says what to collect; %s is one too many", arguments->items[0]);
	if (s->config)
		return collect_fleet(s, err);
	if (s->check_config || s->store || s->shard)
		return pf_error_set(
		    err, PF_EUSAGE, "--check-config, --store and --shard go with --config FILE");
	if (arguments->count != 1)
		return pf_error_set(err, PF_EUSAGE,
		    "what to collect? A URL, or --config FILE for a fleet (see --help)");
	if (strcmp(arguments->items[0], "status") == 0)
		return collect_status_show(&status, err);
	return collect_one(s, arguments->items[0], err);
}

const struct cli_command cli_collect = {
    .name = "collect",
    .usage = "URL|pid:N|name:NAME|cgroup:PATH [--type TYPE] [--seconds N] [-o FILE] · --config "
	     "FILE --store DIR · status",
    .summary = "profiles from a running service, or from a fleet of them",
    .description =
	"Asks a service for one pprof profile and stores it, gzipped, if and only if it "
	"is a valid one. URL is "
	"a base (http://host:port: /debug/pprof/ is appended, as Go's net/http/pprof, "
	"GoFr and libprofuse-agent "
	"serve it), any address that ends in /, or the full address of one profile.\n\n"
	"While the service is busy with another profile, it is asked again with growing "
	"pauses. A page of HTML "
	"or another text with status 200 is no profile: exit status 3, and no file. A "
	"valid profile without "
	"samples is stored, with a warning.\n\n"
	"pid:N, name:NAME and cgroup:PATH attach to running, unchanged processes, pid:-1 "
	"to all of them: the kernel samples their stacks (perf_event_open), which are "
	"unwound here. That needs the same user, or CAP_PERFMON; kernel frames and the "
	"whole machine need CAP_PERFMON or a low kernel.perf_event_paranoid.\n\n"
	"With --config a whole fleet is collected from, continuously and within a "
	"budget, into a store (see profuse store): targets, schedule, budget, "
	"triggers and retention are in the file. It reads the file again when that "
	"changes and on SIGHUP; SIGINT and SIGTERM end it, with everything that was "
	"collected stored. collect status shows how it is doing.\n\n"
	"Secrets come from files or the environment and are never shown. A redirect to "
	"another scheme, host "
	"or port is followed without them; one from https to http is not followed. "
	"Proxies are taken from "
	"http_proxy, https_proxy and no_proxy.",
    .examples =
	"profuse collect http://127.0.0.1:2121 --seconds 30 -o cpu.pb.gz\n"
	"  the CPU profile of the next 30 seconds\n"
	"profuse collect https://host:6060 --type heap --cacert ca.pem --bearer-token-file token\n"
	"  the heap now, from a server with a private certificate authority\n"
	"profuse collect pid:1234 --seconds 10 -o cpu.pb.gz\n"
	"  the CPU profile of a process that serves none, without a restart\n"
	"profuse collect --config fleet.yaml --store /var/lib/profuse\n"
	"  whatever the file says, until it is told to stop\n"
	"profuse collect http://host:6060/debug/pprof/goroutineleak -o leaks.pb.gz\n"
	"  any other profile, by its full address\n",
    .options = options,
    .defaults = &defaults,
    .settings_size = sizeof(struct settings),
    .least_arguments = 0,
    .most_arguments = 1,
    .run = run,
};
