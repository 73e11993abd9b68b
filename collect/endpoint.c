/* endpoint.c: see endpoint.h. The paths are those of Go's net/http/pprof. */
#include "endpoint.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

static const struct kind {
	const char *type, *path, *other_path; /* other_path: the nearest that Go has */
} kinds[] = {
    {"cpu", "profile", NULL},
    {"heap", "heap", NULL},
    {"allocs", "allocs", NULL},
    {"goroutine", "goroutine", NULL},
    {"mutex", "mutex", NULL},
    {"block", "block", NULL},
    {"threads", "threads", "threadcreate"},
};

static const struct kind *
kind_of_type(const char *type)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(kinds[i].type, type) == 0)
			return &kinds[i];
	}
	return NULL;
}

static const struct kind *
kind_of_path(const char *last)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(kinds[i].path, last) == 0 ||
		    (kinds[i].other_path && strcmp(kinds[i].other_path, last) == 0))
			return &kinds[i];
	}
	return NULL;
}

void
pf_endpoint_release(struct pf_endpoint *e)
{
	pf_url_free(e->url);
	pf_url_free(e->fallback);
	*e = (struct pf_endpoint){0};
}

static bool
ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

static bool
is_base(const char *path)
{
	return ends_with(path, "/") || ends_with(path, "/pprof");
}

/* "/" → "/debug/pprof/heap", "/x/pprof" and "/x/pprof/" → "/x/pprof/heap", "/x/" → "/x/debug/pprof/heap". */
static int
append_path(struct pf_url *url, const char *name, struct pf_error *err)
{
	const char *path = pf_url_path(url);
	bool pprof = ends_with(path, "/pprof") || ends_with(path, "/pprof/");
	size_t room = strlen(path) + sizeof "/debug/pprof/" + strlen(name);
	char *longer = malloc(room);
	int rc;

	if (!longer)
		return pf_error_nomem(err);
	snprintf(longer, room, "%s%s%s%s", path, ends_with(path, "/") ? "" : "/",
	    pprof ? "" : "debug/pprof/", name);
	rc = pf_url_set_path(url, longer, err);
	free(longer);
	return rc;
}

/* The type of a full address; what we don't know keeps its own name, as far as that is a plain word. */
static int
name_type(struct pf_endpoint *e, const char *type, struct pf_error *err)
{
	const char *last = strrchr(pf_url_path(e->url), '/') + 1;
	const struct kind *named = kind_of_path(last);
	size_t n = 0;

	if (named && type && strcmp(named->type, type) != 0)
		return pf_error_set(err, PF_EUSAGE,
		    "%s is the address of a %s profile, but --type says %s; leave --type "
		    "out, or give the address up to /debug/pprof/",
		    pf_url_display(e->url), named->type, type);
	if (named || type) {
		snprintf(e->type, sizeof e->type, "%s", named ? named->type : type);
		return 0;
	}
	for (; last[n] && n + 1 < sizeof e->type; n++)
		e->type[n] = isalnum((unsigned char)last[n]) || last[n] == '-' ? last[n] : '_';
	return 0;
}

/* The window that the address itself names; 0: none. */
static int
window_of(const struct pf_url *url, uint32_t *seconds, struct pf_error *err)
{
	size_t size = 0;
	const char *value = pf_url_query(url, "seconds", &size);

	*seconds = 0;
	if (!value)
		return 0;
	for (size_t i = 0; i < size && *seconds <= PF_ENDPOINT_MAX_SECONDS; i++) {
		if (!isdigit((unsigned char)value[i]))
			size = 0;
		*seconds = *seconds * 10 + (uint32_t)(value[i] - '0');
	}
	if (size == 0 || *seconds == 0 || *seconds > PF_ENDPOINT_MAX_SECONDS)
		return pf_error_set(err, PF_EUSAGE,
		    "%s: seconds= in the address must be a whole number from 1 to %d",
		    pf_url_display(url), PF_ENDPOINT_MAX_SECONDS);
	return 0;
}

static int
set_window(struct pf_endpoint *e, uint32_t seconds, struct pf_error *err)
{
	uint32_t named;
	int rc = window_of(e->url, &named, err);

	if (rc)
		return rc;
	if (seconds > PF_ENDPOINT_MAX_SECONDS)
		return pf_error_set(err, PF_EUSAGE, "a window of %u s is too long; at most %d",
		    seconds, PF_ENDPOINT_MAX_SECONDS);
	if (named && seconds && named != seconds)
		return pf_error_set(err, PF_EUSAGE,
		    "%s: the address says seconds=%u, but --seconds says %u; keep one",
		    pf_url_display(e->url), named, seconds);
	e->seconds = named ? named : seconds;
	if (!e->seconds && strcmp(e->type, "cpu") == 0)
		e->seconds = PF_ENDPOINT_DEFAULT_SECONDS;
	if (!e->seconds || named)
		return 0;
	return pf_url_add_query(e->url, "seconds", e->seconds, err);
}

/* The same address with the profile's other name. */
static int
set_fallback(struct pf_endpoint *e, const char *address, const char *other, struct pf_error *err)
{
	int rc = pf_url_parse(&e->fallback, address, err);

	if (!rc)
		rc = append_path(e->fallback, other, err);
	if (!rc && e->seconds && !pf_url_query(e->fallback, "seconds", &(size_t){0}))
		rc = pf_url_add_query(e->fallback, "seconds", e->seconds, err);
	return rc;
}

static int
build(struct pf_endpoint *e, const char *address, const char *type, uint32_t seconds,
    struct pf_error *err)
{
	const struct kind *kind = kind_of_type(type ? type : "cpu");
	int rc;

	if (!kind)
		return pf_error_set(err, PF_EUSAGE,
		    "unknown profile type %s; the types are cpu, heap, allocs, goroutine, "
		    "mutex, block and threads (any other: give the profile's full address)",
		    type);
	rc = pf_url_parse(&e->url, address, err);
	if (rc)
		return rc;
	if (!is_base(pf_url_path(e->url))) {
		rc = name_type(e, type, err);
		return rc ? rc : set_window(e, seconds, err);
	}
	snprintf(e->type, sizeof e->type, "%s", kind->type);
	rc = append_path(e->url, kind->path, err);
	if (!rc)
		rc = set_window(e, seconds, err);
	if (!rc && kind->other_path)
		rc = set_fallback(e, address, kind->other_path, err);
	return rc;
}

int
pf_endpoint_init(struct pf_endpoint *e, const char *address, const char *type, uint32_t seconds,
    struct pf_error *err)
{
	int rc;

	rc = build(e, address, type, seconds, err);
	if (rc)
		pf_endpoint_release(e);
	return rc;
}
