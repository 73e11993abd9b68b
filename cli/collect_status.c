/* collect_status.c: profuse collect status: what a collector's /status says, for people. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "collect_fleet.h"
#include "core/error.h"
#include "core/strings.h"
#include "net/http.h"
#include "net/text.h"

enum { BODY_MAX = 64 << 20, MOST_SERVICES = 20 };

static int
fetch(const struct collect_status_settings *s, struct pf_http_result *result, struct pf_error *err)
{
	struct pf_credential_sources sources = {.bearer_token_file = s->token_file};
	struct pf_credentials credentials = {0};
	struct pf_tls_settings tls = {.ca_file = s->ca_file};
	struct pf_proxy none = {0};
	struct pf_http_request request = {.tls = &tls,
	    .credentials = &credentials,
	    .proxy = &none,
	    .limits = {
		.connect_timeout = 5, .timeout = 30, .stall_timeout = 10, .max_body = BODY_MAX}};
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
print_duration(double seconds)
{
	if (seconds < 120)
		printf("%.0f s", seconds);
	else if (seconds < 7200)
		printf("%.0f min", seconds / 60);
	else
		printf("%.1f h", seconds / 3600);
}

static void
print_head(json_t *root)
{
	json_t *store = json_object_get(root, "store"), *counts = json_object_get(root, "counts"),
	       *budget = json_object_get(root, "budget"),
	       *skipped = json_object_get(counts, "skipped");

	printf("profuse %s, up ", string(root, "version"));
	print_duration(number(root, "uptime_seconds"));
	printf(", %s%s\n",
	    json_is_true(json_object_get(root, "healthy")) ? "healthy" : "NOT HEALTHY",
	    json_is_true(json_object_get(root, "config_ok"))
		? ""
		: "; the configuration on disk is bad, the one before is in force");
	printf("targets %.0f, requests %.0f of %.0f, schedule lag p99 %.3f s\n",
	    number(root, "targets"), number(root, "in_flight"), number(root, "in_flight_limit"),
	    number(root, "schedule_lag_p99_seconds"));
	printf("overhead %.4f %% of the fleet's CPU (at most %.4f %%)\n",
	    100 * number(budget, "fleet_overhead"), 100 * number(budget, "fleet_limit"));
	printf("stored %.0f of %.0f asked for; left out: budget %.0f, back-off %.0f, breaker "
	       "%.0f, store %.0f\n",
	    number(counts, "stored"), number(counts, "attempts"), number(skipped, "budget"),
	    number(skipped, "backoff"), number(skipped, "breaker"), number(skipped, "store"));
	printf("store %s: %.0f profiles, %.1f MiB, %.0f waiting%s%s\n", string(store, "path"),
	    number(store, "profiles"), number(store, "bytes") / 1048576, number(store, "queued"),
	    json_is_true(json_object_get(store, "failing")) ? "; FAILING: " : "",
	    json_is_true(json_object_get(store, "failing")) ? string(store, "failure") : "");
}

static void
print_jobs(json_t *root)
{
	json_t *job, *error;
	size_t i, k;

	printf("\n%-24s %8s %8s %8s %10s\n", "JOB", "TARGETS", "DROPPED", "ROUND", "NEXT");
	json_array_foreach(json_object_get(root, "jobs"), i, job)
	{
		printf("%-24s %8.0f %8.0f %8.0f %8.0f s\n", string(job, "job"),
		    number(job, "targets"), number(job, "dropped"), number(job, "round"),
		    number(job, "next_round_seconds"));
		json_array_foreach(json_object_get(job, "discovery_errors"), k, error)
		{
			char shown[200];
			const char *text = json_string_value(error);
			printf("  %s\n", pf_text_excerpt(shown, sizeof shown, text, strlen(text)));
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
print_services(json_t *root)
{
	json_t *list = json_object_get(root, "services"), *s;
	size_t i;

	printf("\n%-24s %8s %8s %8s %10s  %s\n", "SERVICE", "TARGETS", "STORED", "FAILED",
	    "OVERHEAD", "BREAKER");
	json_array_foreach(list, i, s)
	{
		if (i == MOST_SERVICES) {
			printf("… and %zu more\n", json_array_size(list) - i);
			break;
		}
		printf("%-24s %8.0f %8.0f %8.0f %9.4f%%  %s\n", string(s, "service"),
		    number(s, "targets"), number(s, "stored"), failures(s),
		    100 * number(s, "overhead"), string(s, "breaker"));
	}
}

static void
print_triggers(json_t *root)
{
	json_t *list = json_object_get(root, "triggers"), *t;
	size_t i;

	if (!json_array_size(list))
		return;
	printf("\n%-24s %8s  %-10s %s\n", "TRIGGER", "FIRED", "STATE", "LAST");
	json_array_foreach(list, i, t)
	{
		printf("%-24s %8.0f  %-10s %s\n", string(t, "trigger"), number(t, "fired"),
		    string(t, "state"), string(t, "last"));
	}
}

static void
print_errors(json_t *root)
{
	json_t *list = json_object_get(root, "errors"), *e;
	size_t i;

	if (!json_array_size(list))
		return;
	printf("\n%-28s %-14s %s\n", "INSTANCE", "REASON", "ERROR");
	json_array_foreach(list, i, e)
	{
		printf("%-28s %-14s %s\n", string(e, "instance"), string(e, "reason"),
		    string(e, "error"));
	}
}

static int
show_once(const struct collect_status_settings *s, bool again, struct pf_error *err)
{
	struct pf_http_result result = {0};
	int rc = fetch(s, &result, err);
	json_t *root = NULL;

	if (!rc)
		root = json_loadb(
		    (const char *)result.answer.body.bytes, result.answer.body.size, 0, NULL);
	if (!rc && (!root || strcmp(string(root, "schema"), "profuse.collect.v1") != 0))
		rc = pf_error_set(
		    err, PF_EINPUT, "%s: no collector of profuse answers there", s->address);
	if (!rc && s->json) {
		fwrite(result.answer.body.bytes, 1, result.answer.body.size, stdout);
	} else if (!rc) {
		if (again)
			printf("\033[H\033[2J");
		print_head(root);
		print_jobs(root);
		print_services(root);
		print_triggers(root);
		print_errors(root);
		fflush(stdout);
	}
	json_decref(root);
	pf_http_result_release(&result);
	return rc;
}

int
collect_status_show(const struct collect_status_settings *settings, struct pf_error *err)
{
	struct collect_status_settings s = *settings;
	bool live = !s.json && isatty(STDOUT_FILENO);
	struct timespec second = {.tv_sec = 1};
	int rc;

	if (!s.address)
		s.address = "127.0.0.1:2122";
	do {
		rc = show_once(&s, live, err);
		if (!rc && live)
			nanosleep(&second, NULL);
	} while (!rc && live);
	return rc;
}
