/* endpoints.c: see endpoints.h. Texts and codes follow Go's net/http/pprof where it has them. */
#include "collect/agent/endpoints.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "collect/agent/files.h"
#include "collect/agent/hooks.h"
#include "collect/agent/sampler.h"
#include "collect/agent/symbols.h"

enum {
	DEFAULT_SECONDS = 30,
	MOST_QUERIES = 1024,
	MOST_PROFILE = 256 << 20,
};

static void
answer_index(
    const struct pf_config *config, const struct pf_request *request, struct pf_buffer *out)
{
	struct pf_buffer page;
	struct pf_event event;

	pf_buffer_init(&page, 1 << 16);
	pf_sampler_describe(config->event, &event);
	pf_buffer_printf(&page, "/debug/pprof/ of %s, process %d (profuse-agent %s)\n\n",
	    pf_host_program(), (int)getpid(), PROFUSE_VERSION);
	pf_buffer_string(
	    &page, "profile?seconds=30  CPU profile, gzipped profile.proto: go tool pprof URL\n");
	pf_profile_list(&page);
	pf_buffer_string(&page,
	    "allocator           what the allocator says of itself, in its own form\n"
	    "memory              what the kernel counts as the process's memory\n"
	    "cmdline             the command line, separated by NUL bytes\n"
	    "symbol              POST 0xADDRESS+0xADDRESS: names of functions\n\n");
	pf_buffer_printf(&page, "event: %s\n", event.word);
	if (event.steps)
		pf_buffer_printf(&page,
		    "steps: up to %d %% of CPU time while a CPU profile is taken\n", event.steps);
	pf_buffer_printf(&page, "sampling: %s\n", pf_sampler_running() ? "now" : "no, idle");
	if (page.failed)
		pf_http_error(out, request, 500, "out of memory");
	else
		pf_http_answer(
		    out, request, 200, "text/plain; charset=utf-8", page.bytes, page.size);
	pf_buffer_release(&page);
}

static void
answer_cmdline(const struct pf_request *request, struct pf_buffer *out)
{
	enum { MOST = 256 << 10 };
	char *text = malloc(MOST);
	ssize_t n = text ? pf_host_read_file("/proc/thread-self/cmdline", text, MOST) : -1;

	if (n > 0 && !text[n - 1])
		n--; /* NULs separate, as in Go, they don't end */
	if (n < 0)
		pf_http_error(out, request, 500, "Could not read the command line");
	else
		pf_http_answer(out, request, 200, "text/plain; charset=utf-8", text, (size_t)n);
	free(text);
}

/* Reads "0xa+0xb" into queries; how many. */
static size_t
read_queries(const char *text, struct pf_query *queries)
{
	size_t n = 0;
	char *end;

	while (n < MOST_QUERIES && *text) {
		queries[n].address = strtoull(text, &end, 0);
		if (end == text)
			break;
		n += queries[n].address != 0;
		text = end + strspn(end, "+ ");
	}
	return n;
}

static void
answer_symbol(const struct pf_request *request, struct pf_buffer *out)
{
	const char *text = request->post ? request->body : request->query;
	struct pf_query *queries = calloc(MOST_QUERIES, sizeof *queries);
	struct pf_buffer page;
	size_t n;

	pf_buffer_init(&page, 1 << 20);
	if (queries) {
		n = read_queries(text, queries);
		pf_symbols_find(queries, n);
		pf_buffer_string(&page, "num_symbols: 1\n");
		for (size_t i = 0; i < n; i++)
			if (*queries[i].name)
				pf_buffer_printf(&page, "0x%llx %s\n",
				    (unsigned long long)queries[i].address, queries[i].name);
	}
	if (!queries || page.failed)
		pf_http_error(out, request, 500, "out of memory");
	else
		pf_http_answer(
		    out, request, 200, "text/plain; charset=utf-8", page.bytes, page.size);
	pf_buffer_release(&page);
	free(queries);
}

static void
answer_allocator(const struct pf_request *request, struct pf_buffer *out)
{
	struct pf_buffer page;
	const char *type;

	pf_buffer_init(&page, MOST_PROFILE);
	type = pf_hooks_allocator_stats ? pf_hooks_allocator_stats(&page) : "";
	if (!type)
		pf_http_error(out, request, 500, "The allocator's statistics could not be written");
	else if (!*type)
		pf_http_error(out, request, 501,
		    "no statistics are known of this program's allocator: glibc's, jemalloc's, "
		    "gperftools' tcmalloc's and mimalloc's are, where they are shared libraries");
	else
		pf_http_answer(out, request, 200, type, page.bytes, page.size);
	pf_buffer_release(&page);
}

/* Of /proc/self/status only what is about memory and threads. */
static void
answer_memory(const struct pf_request *request, struct pf_buffer *out)
{
	static const char *const wanted[] = {"Vm", "Rss", "Threads:"};
	char text[8192], *line = text, *end;
	struct pf_buffer page;

	pf_buffer_init(&page, sizeof text);
	if (pf_host_read_file("/proc/thread-self/status", text, sizeof text) <= 0)
		*text = '\0';
	else /* of the process, not of this thread */
		pf_buffer_printf(&page, "Name:\t%s\nTgid:\t%d\nPid:\t%d\n", pf_host_program(),
		    (int)getpid(), (int)getpid());
	for (; (end = strchr(line, '\n')); line = end + 1) {
		for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
			if (strncmp(line, wanted[i], strlen(wanted[i])) == 0)
				pf_buffer_add(&page, line, (size_t)(end + 1 - line));
		}
	}
	if (page.failed || !page.size)
		pf_http_error(out, request, 500, "Could not read /proc/self/status");
	else
		pf_http_answer(
		    out, request, 200, "text/plain; charset=utf-8", page.bytes, page.size);
	pf_buffer_release(&page);
}

static int
begin_profile(
    const struct pf_config *config, const struct pf_request *request, struct pf_buffer *out)
{
	int rc, seconds;

	if (!pf_profile_seconds(request, out, DEFAULT_SECONDS, &seconds))
		return 0;
	rc = pf_sampler_open(PF_WINDOW_HTTP, config->event);
	if (!rc)
		return seconds;
	if (rc == -EALREADY)
		pf_http_error(out, request, 500,
		    "Could not enable CPU profiling: cpu profiling already in use");
	else if (rc == -EBUSY)
		pf_http_error(out, request, 500,
		    "Could not enable CPU profiling: the program uses every signal that could "
		    "serve");
	else if (rc == -EIO)
		pf_http_error(out, request, 500,
		    "Could not enable CPU profiling: /proc/self/maps is not readable");
	else
		pf_http_error(out, request, 500, "Could not enable CPU profiling: out of memory");
	return 0;
}

int
pf_endpoint_collect(int window, struct pf_buffer *out)
{
	struct pf_buffer raw;
	int rc;

	pf_buffer_init(&raw, MOST_PROFILE);
	rc = pf_sampler_close((enum pf_window)window, &raw);
	if (!rc)
		rc = pf_files_gzip(&raw, out);
	pf_buffer_release(&raw);
	return rc;
}

void
pf_endpoint_finish(
    const struct pf_request *request, struct pf_pending *pending, struct pf_buffer *out)
{
	struct pf_buffer profile;

	if (pending->kind) {
		pf_profile_finish(pending, request, out);
		return;
	}
	if (!out) {
		pf_sampler_close(PF_WINDOW_HTTP, NULL);
		return;
	}
	pf_buffer_init(&profile, MOST_PROFILE);
	if (pf_endpoint_collect(PF_WINDOW_HTTP, &profile))
		pf_http_error(out, request, 500, "Could not write the profile: out of memory");
	else
		pf_http_answer(
		    out, request, 200, "application/octet-stream", profile.bytes, profile.size);
	pf_buffer_release(&profile);
}

/*
 * A page in a browser may be made to ask us under a name that its author
 * controls (DNS rebinding): without a token only addresses and localhost pass.
 */
static bool
host_allowed(const char *host)
{
	struct in6_addr any;

	return !*host || *host == '[' || !strcasecmp(host, "localhost") ||
	       inet_pton(AF_INET, host, &any) == 1;
}

int
pf_endpoint_answer(const struct pf_config *config, const struct pf_request *request,
    struct pf_buffer *out, struct pf_pending *pending)
{
	static const char root[] = "/debug/pprof/";
	const char *name = request->path + sizeof root - 1;
	const struct pf_profile_kind *kind;

	*pending = (struct pf_pending){0};

	if (*config->token && !pf_http_same_secret(request->token, config->token))
		pf_http_error(out, request, 401, "a bearer token is needed here");
	else if (!*config->token && !host_allowed(request->host))
		pf_http_error(out, request, 403, "ask by address or as localhost");
	else if (request->other)
		pf_http_error(out, request, 405, "only GET, HEAD and POST are known here");
	else if (strncmp(request->path, root, sizeof root - 1))
		pf_http_error(out, request, 404, "404 page not found");
	else if (!*name)
		answer_index(config, request, out);
	else if (!strcmp(name, "cmdline"))
		answer_cmdline(request, out);
	else if (!strcmp(name, "symbol"))
		answer_symbol(request, out);
	else if (!strcmp(name, "allocator"))
		answer_allocator(request, out);
	else if (!strcmp(name, "memory"))
		answer_memory(request, out);
	else if (!strcmp(name, "profile") && !request->head)
		return begin_profile(config, request, out);
	else if ((kind = pf_profile_kind(name)))
		return pf_profile_answer(kind, request, out, pending);
	else
		pf_http_error(out, request, 404, "Unknown profile");
	return 0;
}
