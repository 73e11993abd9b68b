/* cgroup.c: see cgroup.h. */
#include "runtime/cgroup.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"
#include "core/lines.h"
#include "core/memory.h"

enum { MOST_BYTES = 1 << 16, PATH_ROOM = 4096, DEEPEST = 64 };

/* Where a controller's files of the process's group are, and where its hierarchy begins. */
struct place {
	char mount[PATH_ROOM];
	char group[PATH_ROOM]; /* "/system.slice/x.service"; "" when the root itself */
};

static int
read_text(struct pf_buffer *out, const char *path)
{
	pf_buffer_clear(out);
	return pf_file_read(path, out, NULL);
}

/* A file that is one number, or "max": NaN where it can't be read. Files of v1 say "unlimited" by huge numbers. */
static double
read_number(const char *folder, const char *file)
{
	char path[2 * PATH_ROOM + 64];
	struct pf_buffer text;
	double value = NAN;

	pf_buffer_init(&text, MOST_BYTES);
	snprintf(path, sizeof path, "%s/%s", folder, file);
	if (read_text(&text, path) == 0) {
		struct pf_text t = pf_text_of((const char *)text.bytes, text.size);
		value = pf_text_starts(&t, "max") ? INFINITY : pf_text_double(&t);
		if (t.failure)
			value = NAN;
		else if (value < 0 || value >= 0x1p62)
			value = INFINITY;
	}
	pf_buffer_release(&text);
	return value;
}

/* "key number" lines; NaN where there is no such line. */
static double
read_key(const char *folder, const char *file, const char *key)
{
	char path[2 * PATH_ROOM + 64];
	struct pf_buffer text;
	struct pf_lines lines;
	double value = NAN;

	pf_buffer_init(&text, MOST_BYTES);
	snprintf(path, sizeof path, "%s/%s", folder, file);
	if (read_text(&text, path) == 0) {
		pf_lines_init(&lines, path, text.bytes, text.size);
		while (pf_lines_next(&lines)) {
			struct pf_text t = lines.line, word = pf_text_word(&t);
			if (!pf_text_equals(&word, key))
				continue;
			value = pf_text_double(&t);
			break;
		}
	}
	pf_buffer_release(&text);
	return value;
}

/* v2 says "quota period" in one file, v1 has a file each. */
static double
read_cpu_limit(const char *folder, int version)
{
	char path[2 * PATH_ROOM + 64];
	struct pf_buffer text;
	double quota = NAN, period = NAN;

	if (version == 1) {
		quota = read_number(folder, "cpu.cfs_quota_us"); /* -1: none */
		period = read_number(folder, "cpu.cfs_period_us");
		return isinf(quota) ? INFINITY : quota / period;
	}
	pf_buffer_init(&text, MOST_BYTES);
	snprintf(path, sizeof path, "%s/cpu.max", folder);
	if (read_text(&text, path) == 0) {
		struct pf_text t = pf_text_of((const char *)text.bytes, text.size);
		if (pf_text_skip(&t, "max"))
			quota = INFINITY;
		else
			quota = pf_text_double(&t);
		period = pf_text_double(&t);
		if (t.failure)
			quota = NAN;
	}
	pf_buffer_release(&text);
	return quota / period;
}

/* Whether a comma-separated list has this word. */
static bool
lists(struct pf_text list, const char *word)
{
	while (pf_text_left(&list)) {
		const char *comma = pf_text_find(&list, ",");
		struct pf_text item = {.at = list.at, .end = comma ? comma : list.end};

		if (pf_text_equals(&item, word))
			return true;
		list.at = comma ? comma + 1 : list.end;
	}
	return false;
}

/* "N:controllers:/path", the line of this controller; v2's has none. */
static bool
find_group(const struct pf_buffer *text, const char *controller, char *group)
{
	struct pf_lines lines;

	pf_lines_init(&lines, "cgroup", text->bytes, text->size);
	while (pf_lines_next(&lines)) {
		struct pf_text t = lines.line, list;
		const char *colon;

		(void)pf_text_int64(&t);
		if (!pf_text_skip(&t, ":") || !(colon = pf_text_find(&t, ":")))
			continue;
		list = (struct pf_text){.at = t.at, .end = colon};
		t.at = colon + 1;
		if (controller ? !lists(list, controller) : pf_text_left(&list) != 0)
			continue;
		if (pf_text_left(&t) >= PATH_ROOM)
			return false;
		snprintf(group, PATH_ROOM, "%.*s", (int)pf_text_left(&t), t.at);
		if (strcmp(group, "/") == 0)
			group[0] = '\0';
		/* A path that climbs is a group outside of our namespace: its files can't be seen. */
		return !strstr(group, "/..");
	}
	return false;
}

/*
 * "36 35 98:0 ROOT MOUNT options - TYPE source super": the mount of this type
 * (and, in v1, controller). Its root is taken off the group's path: a
 * container's mount begins in the middle of the hierarchy.
 */
static bool
find_mount(const struct pf_buffer *text, const char *type, const char *controller,
    struct place *place, const char *root)
{
	struct pf_lines lines;

	pf_lines_init(&lines, "mountinfo", text->bytes, text->size);
	while (pf_lines_next(&lines)) {
		struct pf_text t = lines.line, from, mount, found;
		const char *dash = pf_text_find(&t, " - ");
		size_t size;

		for (int i = 0; i < 3; i++)
			(void)pf_text_word(&t);
		from = pf_text_word(&t);
		mount = pf_text_word(&t);
		if (!dash)
			continue;
		t.at = dash + 3;
		found = pf_text_word(&t);
		(void)pf_text_word(&t); /* the source */
		if (!pf_text_equals(&found, type) ||
		    (controller && !lists(pf_text_trimmed(t), controller)))
			continue;
		size = pf_text_left(&from);
		if (!pf_text_equals(&from, "/") && size < PATH_ROOM &&
		    strncmp(place->group, from.at, size) == 0)
			memmove(place->group, place->group + size, strlen(place->group + size) + 1);
		snprintf(place->mount, sizeof place->mount, "%s%.*s", root,
		    (int)(pf_text_left(&mount) < PATH_ROOM / 2 ? pf_text_left(&mount) : 0),
		    mount.at);
		return true;
	}
	return false;
}

static double
lower(double a, double b)
{
	return isnan(a) ? b : isnan(b) || a < b ? a : b;
}

/* Calls for the group's folder and then each above, up to the mount. */
static void
lowest_limits(struct pf_cgroup *g, const struct place *place, bool memory)
{
	char folder[2 * PATH_ROOM];
	size_t mount = strlen(place->mount);

	snprintf(folder, sizeof folder, "%s%s", place->mount, place->group);
	for (int depth = 0; depth < DEEPEST; depth++) {
		char *slash;
		if (memory) {
			g->memory_limit = lower(g->memory_limit,
			    read_number(
				folder, g->version == 2 ? "memory.max" : "memory.limit_in_bytes"));
			g->memory_high = lower(g->memory_high, read_number(folder, "memory.high"));
		} else {
			g->cpu_limit = lower(g->cpu_limit, read_cpu_limit(folder, g->version));
		}
		slash = strrchr(folder, '/');
		if (strlen(folder) <= mount || !slash)
			break;
		*slash = '\0';
	}
}

static void
read_memory(struct pf_cgroup *g, const struct place *place)
{
	char folder[2 * PATH_ROOM];
	bool v2 = g->version == 2;

	snprintf(folder, sizeof folder, "%s%s", place->mount, place->group);
	lowest_limits(g, place, true);
	g->memory_current = read_number(folder, v2 ? "memory.current" : "memory.usage_in_bytes");
	g->memory_peak = read_number(folder, v2 ? "memory.peak" : "memory.max_usage_in_bytes");
	g->oom_kills = v2 ? read_key(folder, "memory.events", "oom_kill")
			  : read_key(folder, "memory.oom_control", "oom_kill");
}

static void
read_cpu(struct pf_cgroup *g, const struct place *place)
{
	char folder[2 * PATH_ROOM];
	bool v2 = g->version == 2;

	snprintf(folder, sizeof folder, "%s%s", place->mount, place->group);
	lowest_limits(g, place, false);
	g->periods = read_key(folder, "cpu.stat", "nr_periods");
	g->throttled_periods = read_key(folder, "cpu.stat", "nr_throttled");
	g->throttled_seconds = v2 ? read_key(folder, "cpu.stat", "throttled_usec") / 1e6
				  : read_key(folder, "cpu.stat", "throttled_time") / 1e9;
	g->usage_seconds = v2 ? read_key(folder, "cpu.stat", "usage_usec") / 1e6
			      : read_number(folder, "cpuacct.usage") / 1e9;
}

int
pf_cgroup_read(struct pf_cgroup *g, const char *root, pid_t pid, struct pf_error *err)
{
	struct pf_buffer groups, mounts;
	struct place *place;
	char path[PATH_ROOM];
	int rc;

	*g = (struct pf_cgroup){0, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
	pf_buffer_init(&groups, MOST_BYTES);
	pf_buffer_init(&mounts, (size_t)16 * MOST_BYTES);
	rc = PF_CALLOC(place, 1, err);
	snprintf(path, sizeof path, "%s/proc/%ld/cgroup", root, (long)pid);
	if (!rc)
		rc = pf_file_read(path, &groups, err);
	if (rc)
		goto done;
	snprintf(path, sizeof path, "%s/proc/%ld/mountinfo", root, (long)pid);
	if (read_text(&mounts, path)) /* another user's process hides it; ours shows the same */
		snprintf(path, sizeof path, "%s/proc/self/mountinfo", root);
	if (!mounts.size && read_text(&mounts, path))
		goto done;
	if (find_group(&groups, NULL, place->group) &&
	    find_mount(&mounts, "cgroup2", NULL, place, root)) {
		g->version = 2;
		read_memory(g, place);
		read_cpu(g, place);
	}
	if (isnan(g->memory_limit) && find_group(&groups, "memory", place->group) &&
	    find_mount(&mounts, "cgroup", "memory", place, root)) {
		g->version = 1;
		read_memory(g, place);
	}
	if (isnan(g->cpu_limit) && find_group(&groups, "cpu", place->group) &&
	    find_mount(&mounts, "cgroup", "cpu", place, root)) {
		g->version = g->version ? g->version : 1;
		if (g->version == 1)
			read_cpu(g, place);
	}
done:
	free(place);
	pf_buffer_release(&groups);
	pf_buffer_release(&mounts);
	return rc;
}
