/* load.c: see load.h. */
#include "bench/load.h"

#include <http_parser.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench/load_replay.h"
#include "bench/load_request.h"
#include "core/error.h"
#include "core/memory.h"

enum { OWN_FILES = 32 };

/* Where a URL leads; the path points into the URL or is "/". */
struct place {
	char host[256], port[8];
	bool tls;
	const char *path;
};

static int
parse_url(const char *url, struct place *p, struct pf_error *err)
{
	struct http_parser_url parts;
	size_t size = strlen(url);

	http_parser_url_init(&parts);
	p->tls = strncmp(url, "https://", 8) == 0;
	if (size > 60000 || (!p->tls && strncmp(url, "http://", 7) != 0) ||
	    http_parser_parse_url(url, size, 0, &parts) || parts.field_data[UF_HOST].len >= 256)
		return pf_error_set(err, PF_EUSAGE,
		    "\"%.200s\" is no URL; expected http://HOST:PORT/PATH or https://", url);
	if (parts.field_set & 1 << UF_USERINFO)
		return pf_error_set(err, PF_EUSAGE,
		    "a URL with a password in it is seen by everybody on the machine; use "
		    "--header");
	snprintf(p->host, sizeof p->host, "%.*s", (int)parts.field_data[UF_HOST].len,
	    url + parts.field_data[UF_HOST].off);
	snprintf(p->port, sizeof p->port, "%u",
	    parts.field_set & 1 << UF_PORT ? parts.port
	    : p->tls                       ? 443u
					   : 80u);
	p->path = parts.field_set & 1 << UF_PATH ? url + parts.field_data[UF_PATH].off : "/";
	return 0;
}

/* The path of a URL that must lead where the first one does. */
static int
same_origin(const struct place *first, const char *url, const char **path, struct pf_error *err)
{
	struct place p;
	int rc = parse_url(url, &p, err);

	if (!rc && (strcmp(p.host, first->host) != 0 || strcmp(p.port, first->port) != 0 ||
		       p.tls != first->tls))
		rc = pf_error_set(err, PF_EUSAGE,
		    "%s: all URLs must lead to one service, and the first leads to %s:%s", url,
		    first->host, first->port);
	*path = rc ? NULL : p.path;
	return rc;
}

static int
check_numbers(const struct pf_bench_options *o, struct pf_error *err)
{
	struct rlimit files;

	if (o->replay && (o->rate > 0 || o->load_file || !(o->replay_speed > 0)))
		return pf_error_set(err, PF_EUSAGE,
		    "--replay brings its own requests and times: leave --rate and --load-file out, "
		    "and let --replay-speed be above 0");
	if (!o->replay && !(o->rate > 0 && (o->rate <= 1e6 || isinf(o->rate))))
		return pf_error_set(err, PF_EUSAGE,
		    "--load needs --rate N, requests a second, up to 1000000, or --rate max");
	if (!(o->duration > 0 && o->duration <= 86400 && o->warmup >= 0 && o->warmup <= 86400))
		return pf_error_set(err, PF_EUSAGE,
		    "--duration must be more than 0 and --warmup at least 0, both at most a day");
	if (!o->replay && o->duration * o->rate < 1)
		return pf_error_set(err, PF_EUSAGE, "%g requests/s for %g s are no request at all",
		    o->rate, o->duration);
	if (!(o->request_timeout > 0 && o->request_timeout <= 3600 && o->ready_timeout > 0))
		return pf_error_set(err, PF_EUSAGE,
		    "--request-timeout and --ready-timeout must be more than 0 (and at most an "
		    "hour)");
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && o->connections + OWN_FILES > files.rlim_cur)
		return pf_error_set(err, PF_EUSAGE,
		    "--connections %zu: this process may open %llu files only; ulimit -n raises "
		    "that",
		    o->connections, (unsigned long long)files.rlim_cur);
	if (o->connections < 1 || o->connections > 10000)
		return pf_error_set(err, PF_EUSAGE, "--connections must be 1 to 10000");
	return 0;
}

static int
look_up(struct pf_load *load, struct pf_error *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	int rc = getaddrinfo(load->host, load->port, &hints, &load->addresses);

	if (rc)
		return pf_error_set(
		    err, PF_EIO, "cannot look up %s: %s", load->host, gai_strerror(rc));
	load->address = load->addresses;
	return 0;
}

/* From the URLs in turn, or from a file when there is one. */
static int
build_requests(struct pf_load *load, const struct pf_bench_options *o, const struct place *first,
    struct pf_error *err)
{
	struct pf_request_maker maker = {.host = load->host, .port = load->port, .load = load};
	const char *path;
	int rc = pf_request_take_headers(load, o->headers, o->header_count, err);

	for (size_t i = 0; !rc && i < o->url_count; i++) {
		rc = same_origin(first, o->urls[i], &path, err);
		if (!rc && !o->load_file && !o->replay)
			rc = pf_request_add(
			    load, &maker, &(struct pf_request_text){.path = path}, err);
	}
	if (!rc && o->load_file)
		rc = pf_request_read_file(load, &maker, o->load_file, err);
	if (!rc && o->replay)
		rc = pf_replay_read(load, &maker, o->replay, o->replay_speed, err);
	if (!rc)
		rc = same_origin(first, o->ready_url ? o->ready_url : o->urls[0], &path, err);
	if (!rc)
		rc = pf_request_make(
		    &load->ready, &maker, &(struct pf_request_text){.path = path}, err);
	load->even = true;
	for (size_t i = 1; i < load->count; i++)
		load->even = load->even && !(load->requests[i].weight < load->requests[0].weight) &&
			     !(load->requests[i].weight > load->requests[0].weight);
	return rc;
}

static void
take_numbers(struct pf_load *load, const struct pf_bench_options *o, uint64_t seed)
{
	load->http2 = o->http2;
	load->insecure = o->insecure;
	load->ca_file = o->ca_file;
	load->saturate = isinf(o->rate);
	load->rate = o->rate;
	load->duration = o->duration;
	load->warmup = o->warmup;
	load->timeout = o->request_timeout;
	load->connections = o->connections;
	load->poisson = o->arrivals == PF_ARRIVALS_POISSON;
	load->seed = seed;
}

int
pf_load_new(struct pf_load **out, const struct pf_bench_options *o, const char *origin,
    uint64_t seed, struct pf_error *err)
{
	struct pf_load *load;
	struct place first, own;
	int rc = check_numbers(o, err);

	*out = NULL;
	if (!rc)
		rc = PF_CALLOC(load, 1, err);
	if (rc)
		return rc;
	take_numbers(load, o, seed);
	rc = parse_url(o->urls[0], &first, err);
	if (!rc)
		rc = parse_url(origin ? origin : o->urls[0], &own, err);
	/* libcurl 7.88's reuse of a plain HTTP/2 connection ends in framing errors (curl --parallel shows it too). */
	if (!rc && o->http2 && !own.tls)
		rc = pf_error_set(err, PF_EUSAGE,
		    "--http2 needs an https:// URL: libcurl does not keep HTTP/2 connections "
		    "without TLS in working order");
	if (!rc) {
		memcpy(load->host, own.host, sizeof load->host);
		memcpy(load->port, own.port, sizeof load->port);
		load->tls = own.tls;
		rc = build_requests(load, o, &first, err);
	}
	if (!rc)
		rc = look_up(load, err);
	if (rc)
		pf_load_free(load);
	else
		*out = load;
	return rc;
}

void
pf_load_free(struct pf_load *load)
{
	if (!load)
		return;
	if (load->addresses)
		freeaddrinfo(load->addresses);
	for (size_t i = 0; i < load->count; i++)
		pf_request_release(&load->requests[i]);
	pf_request_release(&load->ready);
	for (size_t i = 0; i < load->header_count; i++)
		free(load->headers[i]);
	free(load->headers);
	free(load->requests);
	free(load->records);
	free(load);
}
