/* collect_status.c: profuse collect status: what a collector's /status says, for people. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect_fleet.h"
#include "core/error.h"
#include "core/strings.h"
#include "net/http.h"
#include "net/text.h"
#include "screen.h"

enum { BODY_MAX = 64 << 20, MOST_SERVICES = 20, TIMEOUT = 30, LIVE_TIMEOUT = 5 };

/* Where the status goes, and whether it may have colours there. */
struct view {
	FILE *out;
	bool colors;
};

enum look { PLAIN, HEAD, BAD };

/* What switches to this look. */
static const char *
paint(const struct view *v, enum look look)
{
	static const char *const codes[] = {"\033[0m", "\033[1m", "\033[1;31m"};

	return v->colors ? codes[look] : "";
}

/* Also while an answer is waited for, the user may leave. */
static bool
on_tick(void *screen, bool body_begun, size_t body_bytes)
{
	(void)body_begun;
	(void)body_bytes;
	return cli_screen_wait(screen, 0);
}

/* `screen` is NULL where it is shown once. */
static int
fetch(const struct collect_status_settings *s, struct cli_screen *screen,
    struct pf_http_result *result, struct pf_error *err)
{
	struct pf_credential_sources sources = {.bearer_token_file = s->token_file};
	struct pf_credentials credentials = {0};
	struct pf_tls_settings tls = {.ca_file = s->ca_file};
	struct pf_proxy none = {0};
	struct pf_http_request request = {.tls = &tls,
	    .credentials = &credentials,
	    .proxy = &none,
	    .limits = {.connect_timeout = 5,
		.timeout = screen ? LIVE_TIMEOUT : TIMEOUT,
		.stall_timeout = 10,
		.max_body = BODY_MAX},
	    .tick = screen ? on_tick : NULL,
	    .context = screen};
	char address[512];
	struct pf_url *url = NULL;
	int rc;

	snprintf(address, sizeof address, "%s%s/status", strstr(s->address, "://") ? "" : "http://",
	    s->address);
	rc = pf_url_parse(&url, address, err);
	if (!rc && s->token_file)
		rc = pf_credentials_load(&credentials, &sources, err);
	request.url = url;
	if (!rc)
		rc = pf_http_get(&request, result, err);
	if (!rc && result->answer.status != 200)
		rc = pf_error_set(err, PF_EIO, "%s: the collector answered %ld%s", address,
		    result->answer.status,
		    result->answer.status == 401 ? "; it wants its token: --listen-token-file"
						 : "");
	pf_url_free(url);
	pf_credentials_release(&credentials);
	return rc;
}

static double
number(json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

/* Text of the collector's, safe on a terminal; four at a time. */
static const char *
string(json_t *o, const char *key)
{
	static char rooms[4][200];
	static int next;
	const char *value = json_string_value(json_object_get(o, key));
	char *room = rooms[next++ % 4];

	return pf_text_excerpt(
	    room, sizeof rooms[0], value ? value : "", value ? strlen(value) : 0);
}

static void
print_duration(const struct view *v, double seconds)
{
	if (seconds < 120)
		fprintf(v->out, "%.0f s", seconds);
	else if (seconds < 7200)
		fprintf(v->out, "%.0f min", seconds / 60);
	else
		fprintf(v->out, "%.1f h", seconds / 3600);
}

static void
print_head(const struct view *v, json_t *root)
{
	json_t *store = json_object_get(root, "store"), *counts = json_object_get(root, "counts"),
	       *budget = json_object_get(root, "budget"),
	       *skipped = json_object_get(counts, "skipped");
	bool healthy = json_is_true(json_object_get(root, "healthy")),
	     failing = json_is_true(json_object_get(store, "failing"));

	fprintf(v->out, "profuse %s, up ", string(root, "version"));
	print_duration(v, number(root, "uptime_seconds"));
	fprintf(v->out, ", %s%s%s%s\n", healthy ? "" : paint(v, BAD),
	    healthy ? "healthy" : "NOT HEALTHY", paint(v, PLAIN),
	    json_is_true(json_object_get(root, "config_ok"))
		? ""
		: "; the configuration on disk is bad, the one before is in force");
	fprintf(v->out, "targets %.0f, requests %.0f of %.0f, schedule lag p99 %.3f s\n",
	    number(root, "targets"), number(root, "in_flight"), number(root, "in_flight_limit"),
	    number(root, "schedule_lag_p99_seconds"));
	fprintf(v->out, "overhead %.4f %% of the fleet's CPU (at most %.4f %%)\n",
	    100 * number(budget, "fleet_overhead"), 100 * number(budget, "fleet_limit"));
	fprintf(v->out,
	    "stored %.0f of %.0f asked for; left out: budget %.0f, back-off %.0f, breaker "
	    "%.0f, store %.0f\n",
	    number(counts, "stored"), number(counts, "attempts"), number(skipped, "budget"),
	    number(skipped, "backoff"), number(skipped, "breaker"), number(skipped, "store"));
	fprintf(v->out, "store %s: %.0f profiles, %.1f MiB, %.0f waiting%s%s%s\n",
	    string(store, "path"), number(store, "profiles"), number(store, "bytes") / 1048576,
	    number(store, "queued"), failing ? paint(v, BAD) : "", failing ? "; FAILING: " : "",
	    failing ? string(store, "failure") : "");
}

static void
print_jobs(const struct view *v, json_t *root)
{
	json_t *job, *error;
	size_t i, k;

	fprintf(v->out, "\n%s%-24s %8s %8s %8s %10s%s\n", paint(v, HEAD), "JOB", "TARGETS",
	    "DROPPED", "ROUND", "NEXT", paint(v, PLAIN));
	json_array_foreach(json_object_get(root, "jobs"), i, job)
	{
		fprintf(v->out, "%-24s %8.0f %8.0f %8.0f %8.0f s\n", string(job, "job"),
		    number(job, "targets"), number(job, "dropped"), number(job, "round"),
		    number(job, "next_round_seconds"));
		json_array_foreach(json_object_get(job, "discovery_errors"), k, error)
		{
			char shown[200];
			const char *text = json_string_value(error);
			fprintf(v->out, "  %s\n",
			    pf_text_excerpt(shown, sizeof shown, text, strlen(text)));
		}
	}
}

static double
failures(json_t *counts)
{
	const char *key;
	json_t *value;
	double sum = 0;

	json_object_foreach(json_object_get(counts, "failed"), key, value)
	{
		sum += json_number_value(value);
	}
	return sum;
}

static void
print_services(const struct view *v, json_t *root)
{
	json_t *list = json_object_get(root, "services"), *s;
	size_t i;

	fprintf(v->out, "\n%s%-24s %8s %8s %8s %10s  %s%s\n", paint(v, HEAD), "SERVICE", "TARGETS",
	    "STORED", "FAILED", "OVERHEAD", "BREAKER", paint(v, PLAIN));
	json_array_foreach(list, i, s)
	{
		if (i == MOST_SERVICES) {
			fprintf(v->out, "… and %zu more\n", json_array_size(list) - i);
			break;
		}
		fprintf(v->out, "%-24s %8.0f %8.0f %8.0f %9.4f%%  %s%s%s\n", string(s, "service"),
		    number(s, "targets"), number(s, "stored"), failures(s),
		    100 * number(s, "overhead"),
		    strcmp(string(s, "breaker"), "closed") == 0 ? "" : paint(v, BAD),
		    string(s, "breaker"), paint(v, PLAIN));
	}
}

static void
print_triggers(const struct view *v, json_t *root)
{
	json_t *list = json_object_get(root, "triggers"), *t;
	size_t i;

	if (!json_array_size(list))
		return;
	fprintf(v->out, "\n%s%-24s %8s  %-10s %s%s\n", paint(v, HEAD), "TRIGGER", "FIRED", "STATE",
	    "LAST", paint(v, PLAIN));
	json_array_foreach(list, i, t)
	{
		fprintf(v->out, "%-24s %8.0f  %-10s %s\n", string(t, "trigger"), number(t, "fired"),
		    string(t, "state"), string(t, "last"));
	}
}

static void
print_errors(const struct view *v, json_t *root)
{
	json_t *list = json_object_get(root, "errors"), *e;
	size_t i;

	if (!json_array_size(list))
		return;
	fprintf(v->out, "\n%s%-28s %-14s %s%s\n", paint(v, HEAD), "INSTANCE", "REASON", "ERROR",
	    paint(v, PLAIN));
	json_array_foreach(list, i, e)
	{
		fprintf(v->out, "%-28s %-14s %s\n", string(e, "instance"), string(e, "reason"),
		    string(e, "error"));
	}
}

static void
print_all(const struct view *v, json_t *root)
{
	print_head(v, root);
	print_jobs(v, root);
	print_services(v, root);
	print_triggers(v, root);
	print_errors(v, root);
}

/* What the collector says of itself now; `result` holds its words. */
static int
ask(const struct collect_status_settings *s, struct cli_screen *screen,
    struct pf_http_result *result, json_t **root, struct pf_error *err)
{
	int rc = fetch(s, screen, result, err);

	*root = NULL;
	if (!rc)
		*root = json_loadb(
		    (const char *)result->answer.body.bytes, result->answer.body.size, 0, NULL);
	if (!rc && (!*root || strcmp(string(*root, "schema"), "profuse.collect.v1") != 0))
		rc = pf_error_set(
		    err, PF_EINPUT, "%s: no collector of profuse answers there", s->address);
	return rc;
}

static int
show_once(const struct collect_status_settings *s, struct pf_error *err)
{
	const struct view v = {.out = stdout};
	struct pf_http_result result = {0};
	json_t *root;
	int rc = ask(s, NULL, &result, &root, err);

	if (!rc && s->json)
		fwrite(result.answer.body.bytes, 1, result.answer.body.size, stdout);
	else if (!rc)
		print_all(&v, root);
	json_decref(root);
	pf_http_result_release(&result);
	return rc;
}

/* One look, as text into *text: what hinders it stands above what was seen last. */
static int
look(const struct collect_status_settings *s, struct cli_screen *screen, const char *last,
    char **text, struct pf_error *err)
{
	struct view v = {.colors = screen->colors};
	struct pf_http_result result = {0};
	size_t size;
	json_t *root;
	int rc;

	*text = NULL;
	v.out = open_memstream(text, &size);
	if (!v.out)
		return pf_error_nomem(err);
	rc = ask(s, screen, &result, &root, err);
	if (!rc)
		print_all(&v, root);
	else
		fprintf(v.out, "%s%s%s\n\n%s", paint(&v, BAD), err->message, paint(&v, PLAIN),
		    last ? last : "");
	if (fclose(v.out))
		rc = pf_error_nomem(err);
	json_decref(root);
	pf_http_result_release(&result);
	return rc;
}

/* Until the user leaves; a collector that doesn't answer ends it only at the beginning. */
static int
watch(const struct collect_status_settings *s, struct pf_error *err)
{
	struct cli_screen screen;
	char *last = NULL, *text;
	int rc;

	cli_screen_open(&screen);
	do {
		rc = look(s, &screen, last, &text, err);
		if (text && !screen.leaving)
			cli_screen_draw(&screen, text, strlen(text));
		if (!rc) {
			free(last);
			last = text;
		} else {
			free(text);
		}
	} while ((!rc || (last && rc != PF_ENOMEM)) && !cli_screen_wait(&screen, 1));
	cli_screen_close(&screen);
	if (screen.leaving)
		rc = 0;
	free(last);
	return rc;
}

int
collect_status_show(const struct collect_status_settings *settings, struct pf_error *err)
{
	struct collect_status_settings s = *settings;

	if (!s.address)
		s.address = "127.0.0.1:2122";
	return !s.json && cli_screen_possible() ? watch(&s, err) : show_once(&s, err);
}
