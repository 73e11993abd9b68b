/* profiles.c: see profiles.h. Texts of errors follow Go's net/http/pprof where it has them. */
#include "collect/agent/profiles.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/agent/files.h"
#include "collect/agent/heap_profile.h"
#include "collect/agent/thread_profile.h"
#include "collect/agent/wait_profile.h"

enum { MOST_SECONDS = 3600, MOST_PROFILE = 256 << 20 };

struct pf_profile_kind {
	const char *name, *summary;
	const char *(*why_not)(void); /* NULL if it is counted, else a sentence */
	/* What a difference begins with: -EALREADY if there can be one at a time. */
	int (*take)(struct pf_moment *base);
	int (*write)(const struct pf_moment *base, struct pf_buffer *out); /* base may be NULL */
	int (*write_text)(int level, struct pf_buffer *out);               /* or NULL */
	void (*forget)(void); /* instead of writing the difference, or NULL */
};

static const char *
always(void)
{
	return NULL;
}

static int
begin_wall(struct pf_moment *base)
{
	(void)base;
	return pf_wall_open();
}

static int
write_threads(const struct pf_moment *base, struct pf_buffer *out)
{
	return base ? pf_wall_close(out) : pf_threads_write(out);
}

static void
forget_wall(void)
{
	pf_wall_close(NULL);
}

static const struct pf_profile_kind kinds[] = {
    {"heap", "what is allocated and in use, by stack", pf_heap_why_not, pf_heap_moment_take,
	pf_heap_write, pf_heap_write_text, NULL},
    {"allocs", "the same, all that was ever allocated first", pf_heap_why_not, pf_heap_moment_take,
	pf_heap_write_allocs, pf_heap_write_text, NULL},
    {"frees", "how long what was freed had lived, and whether another thread freed it",
	pf_heap_why_not, pf_heap_moment_take, pf_heap_write_frees, NULL, NULL},
    {"mutex", "who held locks that others waited for", pf_waits_why_not, pf_waits_moment_take,
	pf_mutex_write, NULL, NULL},
    {"block", "who waited for locks, conditions, semaphores, the end of threads", pf_waits_why_not,
	pf_waits_moment_take, pf_block_write, NULL, NULL},
    {"threadcreate", "who created threads", pf_waits_why_not, pf_waits_moment_take,
	pf_threadcreate_write, NULL, NULL},
    {"threads", "what each thread does now, and what it waits for; seconds=N: wall-clock time",
	always, begin_wall, write_threads, pf_threads_write_text, forget_wall},
};

const struct pf_profile_kind *
pf_profile_kind(const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

void
pf_profile_list(struct pf_buffer *page)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		const char *why_not = kinds[i].why_not();
		pf_buffer_printf(page, "%-19s %s%s%s\n", kinds[i].name, kinds[i].summary,
		    why_not ? "; not here: " : "", why_not ? why_not : "");
	}
}

bool
pf_profile_seconds(
    const struct pf_request *request, struct pf_buffer *out, int otherwise, int *seconds)
{
	char text[16], *end;
	long value;

	*seconds = otherwise;
	if (!strstr(request->query, "seconds="))
		return true;
	if (!pf_http_parameter(request->query, "seconds", text, sizeof text) || !*text)
		snprintf(text, sizeof text, "?");
	value = strtol(text, &end, 10);
	if (*end || value < 1 || value > MOST_SECONDS) {
		pf_http_error(out, request, 400,
		    "invalid value for \"seconds\": a whole number from 1 to 3600 is wanted");
		return false;
	}
	*seconds = (int)value;
	return true;
}

/* The level of text that is asked for, 0: none. */
static int
text_level(const struct pf_profile_kind *kind, const struct pf_request *request)
{
	char text[16];

	if (!kind->write_text || !pf_http_parameter(request->query, "debug", text, sizeof text))
		return 0;
	return (int)strtol(text, NULL, 10);
}

static void
answer_text(const struct pf_profile_kind *kind, int level, const struct pf_request *request,
    struct pf_buffer *out)
{
	struct pf_buffer page;

	pf_buffer_init(&page, MOST_PROFILE);
	if (kind->write_text(level, &page))
		pf_http_error(out, request, 500, "Could not write the profile: out of memory");
	else
		pf_http_answer(
		    out, request, 200, "text/plain; charset=utf-8", page.bytes, page.size);
	pf_buffer_release(&page);
}

static void
answer_profile(const struct pf_profile_kind *kind, const struct pf_moment *base,
    const struct pf_request *request, struct pf_buffer *out)
{
	struct pf_buffer raw, profile;

	pf_buffer_init(&raw, MOST_PROFILE);
	pf_buffer_init(&profile, MOST_PROFILE);
	if (kind->write(base, &raw) || pf_files_gzip(&raw, &profile))
		pf_http_error(out, request, 500, "Could not write the profile: out of memory");
	else
		pf_http_answer(
		    out, request, 200, "application/octet-stream", profile.bytes, profile.size);
	pf_buffer_release(&raw);
	pf_buffer_release(&profile);
}

int
pf_profile_answer(const struct pf_profile_kind *kind, const struct pf_request *request,
    struct pf_buffer *out, struct pf_pending *pending)
{
	const char *why_not = kind->why_not();
	int level = text_level(kind, request), seconds, rc;

	if (why_not) {
		pf_http_error(out, request, 501, why_not);
		return 0;
	}
	if (!pf_profile_seconds(request, out, 0, &seconds))
		return 0;
	if (seconds && level > 0) {
		pf_http_error(out, request, 400, "seconds and debug params are incompatible");
		return 0;
	}
	if (seconds && !request->head) {
		rc = kind->take(&pending->base);
		if (!rc) {
			pending->kind = kind;
			return seconds;
		}
		pf_http_error(out, request, 500,
		    rc == -EALREADY ? "Could not begin the profile: already in use"
				    : "Could not begin the profile: out of memory");
	} else if (level > 0) {
		answer_text(kind, level, request, out);
	} else {
		answer_profile(kind, NULL, request, out);
	}
	return 0;
}

void
pf_profile_finish(
    struct pf_pending *pending, const struct pf_request *request, struct pf_buffer *out)
{
	if (out)
		answer_profile(pending->kind, &pending->base, request, out);
	else if (pending->kind->forget)
		pending->kind->forget();
	pf_moment_release(&pending->base);
}
