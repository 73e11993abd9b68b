/* attach.c: see attach.h: who is meant, the window, and the samples on their way into a profile. */
#include "attach.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "attach_events.h"
#include "attach_profile.h"
#include "collected.h"
#include "core/error.h"
#include "core/gzip.h"
#include "core/memory.h"
#include "net/transfer.h"
#include "profile/encode.h"

enum {
	DEFAULT_SECONDS = 30,
	DEFAULT_RATE = 100,
	MOST_RATE = 10000,
	DRAIN_MS = 100,
	GZIP_LEVEL = 6
};

struct subject {
	struct pf_attach_subject events;
	pid_t *pids; /* owned */
	size_t count, capacity;
	char shown[200];
};

bool
pf_attach_is(const char *address)
{
	return strncmp(address, "pid:", 4) == 0 || strncmp(address, "name:", 5) == 0 ||
	       strncmp(address, "cgroup:", 7) == 0;
}

static int
add_pid(struct subject *s, pid_t pid, struct pf_error *err)
{
	int rc = PF_GROW(s->pids, s->capacity, s->count + 1, err);

	for (size_t i = 0; i < s->count; i++) {
		if (s->pids[i] == pid)
			return 0;
	}
	if (!rc)
		s->pids[s->count++] = pid;
	return rc;
}

static int
parse_pids(struct subject *s, const char *list, const char *address, struct pf_error *err)
{
	int rc = 0;

	if (strcmp(list, "-1") == 0) {
		s->events.machine = true;
		snprintf(s->shown, sizeof s->shown, "pid:-1 (the whole machine)");
		return 0;
	}
	do {
		char *end;
		long pid = strtol(list, &end, 10);
		if (!isdigit((unsigned char)*list) || (*end && *end != ',') || pid <= 0 ||
		    pid > INT32_MAX)
			return pf_error_set(err, PF_EUSAGE,
			    "%s: expected a process's number, several with commas, or -1 for the "
			    "whole machine",
			    address);
		rc = add_pid(s, (pid_t)pid, err);
		list = *end ? end + 1 : end;
	} while (!rc && *list);
	snprintf(s->shown, sizeof s->shown, "%s", address);
	return rc;
}

/* The name of a process: the kernel's, which is cut at 15 bytes, or its executable's. */
static bool
is_named(const char *pid, const char *name)
{
	char path[300], text[4096] = "";
	const char *base;
	ssize_t n;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%s/comm", pid);
	f = fopen(path, "re");
	if (f && fgets(text, sizeof text, f))
		text[strcspn(text, "\n")] = '\0';
	if (f)
		fclose(f);
	if (strcmp(text, name) == 0)
		return true;
	snprintf(path, sizeof path, "/proc/%s/exe", pid);
	n = readlink(path, text, sizeof text - 1);
	text[n > 0 ? n : 0] = '\0';
	base = strrchr(text, '/');
	return strcmp(base ? base + 1 : text, name) == 0;
}

static int
find_named(struct subject *s, const char *name, struct pf_error *err)
{
	DIR *d = opendir("/proc");
	struct dirent *entry;
	int rc = 0;

	if (!d)
		return pf_error_errno(err, "cannot read", "/proc");
	while (!rc && (entry = readdir(d))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (pid > 0 && pid != getpid() && is_named(entry->d_name, name))
			rc = add_pid(s, pid, err);
	}
	closedir(d);
	if (!rc && !s->count)
		rc = pf_error_set(err, PF_EIO, "there is no process called %s", name);
	snprintf(s->shown, sizeof s->shown, "name:%.100s (%zu process%s)", name, s->count,
	    s->count == 1 ? "" : "es");
	return rc;
}

/* A path, or a name below the usual places. */
static int
open_cgroup(struct subject *s, const char *name, struct pf_error *err)
{
	static const char *const places[] = {
	    "", "/sys/fs/cgroup/", "/sys/fs/cgroup/unified/", "/sys/fs/cgroup/perf_event/"};
	char path[4096];

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		if (i == 0 && name[0] != '/')
			continue;
		snprintf(path, sizeof path, "%s%s", places[i], name);
		s->events.cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (s->events.cgroup >= 0)
			break;
	}
	if (s->events.cgroup < 0)
		return pf_error_set(err, PF_EIO,
		    "there is no control group %s (looked for below /sys/fs/cgroup)", name);
	snprintf(s->shown, sizeof s->shown, "cgroup:%.150s", name);
	return 0;
}

static int
find_subject(struct subject *s, const char *address, struct pf_error *err)
{
	int rc;

	*s = (struct subject){.events.cgroup = -1};
	if (strncmp(address, "pid:", 4) == 0)
		rc = parse_pids(s, address + 4, address, err);
	else if (strncmp(address, "name:", 5) == 0)
		rc = find_named(s, address + 5, err);
	else
		rc = open_cgroup(s, address + 7, err);
	s->events.pids = s->pids;
	s->events.count = s->count;
	return rc;
}

static int
check_options(const struct pf_collect_options *o, struct pf_error *err)
{
	if (o->type && strcmp(o->type, "cpu") != 0)
		return pf_error_set(err, PF_EUSAGE,
		    "processes are attached to for CPU profiles only, not for %s; preload "
		    "libprofuse-agent, or serve pprof, for others",
		    o->type);
	if (o->event && !pf_attach_event_find(o->event))
		return pf_error_set(
		    err, PF_EUSAGE, "--event %s: there are %s", o->event, pf_attach_event_names);
	if (o->rate > MOST_RATE)
		return pf_error_set(
		    err, PF_EUSAGE, "--rate %u: at most %d a second", o->rate, MOST_RATE);
	return 0;
}

/* Gathers samples until the window is over; true through *interrupted: the user wants it to end. */
static int
gather(struct pf_attach_events *events, struct pf_attach_builder *builder, double seconds,
    const struct pf_collect_options *o, const char *shown, struct pf_error *err)
{
	struct pf_attach_handlers handlers = pf_attach_builder_handlers(builder);
	struct pf_collect_progress progress = {.phase = PF_COLLECT_WAITING,
	    .attempt = 1,
	    .source = shown,
	    .type = "cpu",
	    .seconds = (uint32_t)seconds};
	double began = pf_net_now();
	int rc = 0;

	pf_attach_enable(events, true);
	while (!rc && progress.elapsed < seconds) {
		double left = seconds - progress.elapsed;
		rc = pf_attach_drain(
		    events, left < 0.1 ? (int)(left * 1e3) + 1 : DRAIN_MS, &handlers, err);
		progress.elapsed = pf_net_now() - began;
		if (!rc && o->tick && o->tick(o->context, &progress))
			rc = pf_error_set(
			    err, PF_EIO, "%s: interrupted; nothing was written", shown);
	}
	pf_attach_enable(events, false);
	if (!rc)
		rc = pf_attach_drain(events, 0, &handlers, err);
	return rc ? rc : pf_attach_builder_check(builder, err);
}

static int
pack(struct pf_collected *c, struct pf_error *err)
{
	struct pf_buffer plain;
	int rc;

	pf_buffer_init(&plain, PF_BUFFER_NO_MAXIMUM);
	pf_buffer_init(&c->bytes, PF_BUFFER_NO_MAXIMUM);
	rc = pf_profile_encode(c->profile, &plain, err);
	if (!rc)
		rc = pf_gzip_deflate(&c->bytes, plain.bytes, plain.size, GZIP_LEVEL, err);
	pf_buffer_release(&plain);
	return rc;
}

static void
tell(const struct pf_collect_options *o, const char *sentence)
{
	if (sentence[0] && o->warn)
		o->warn(o->context, sentence);
}

static int
take_profile(struct pf_collected *c, const struct subject *s, const struct pf_collect_options *o,
    struct pf_error *err)
{
	const struct pf_attach_event *event = pf_attach_event_find(o->event ? o->event : "cpu");
	unsigned rate = o->rate ? o->rate : DEFAULT_RATE;
	double seconds = o->seconds ? o->seconds : DEFAULT_SECONDS;
	struct pf_attach_builder *builder = NULL;
	struct pf_attach_events events = {0};
	char warning[300] = "";
	int rc = pf_attach_builder_new(&builder, event, rate, &s->events, err);

	if (!rc)
		rc = pf_attach_open(&events, &s->events, event, rate, err);
	if (!rc && !events.with_kernel)
		tell(o, "the kernel's part of stacks is left out: that needs CAP_PERFMON, or "
			"kernel.perf_event_paranoid at 1 or below");
	if (!rc)
		rc = gather(&events, builder, seconds, o, s->shown, err);
	if (!rc)
		rc = pf_attach_builder_finish(
		    builder, seconds, &c->profile, warning, sizeof warning, err);
	tell(o, warning);
	pf_attach_close(&events);
	pf_attach_builder_free(builder);
	return rc;
}

int
pf_attach(struct pf_collected *c, const char *address, const struct pf_collect_options *o,
    struct pf_error *err)
{
	struct subject s;
	int rc = check_options(o, err);

	if (!rc)
		rc = find_subject(&s, address, err);
	else
		return rc;
	if (!rc)
		rc = take_profile(c, &s, o, err);
	if (!rc)
		rc = pack(c, err);
	if (!rc)
		rc = pf_copy_string(&c->source, s.shown, err);
	snprintf(c->type, sizeof c->type, "%s",
	    o->event && strcmp(o->event, "cpu") != 0 ? o->event : "cpu");
	c->seconds = o->seconds ? o->seconds : DEFAULT_SECONDS;
	c->attempts = 1;
	if (s.events.cgroup >= 0)
		close(s.events.cgroup);
	free(s.pids);
	return rc;
}
