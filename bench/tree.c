/* tree.c: see tree.h. */
#include "bench/tree.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/error.h"
#include "core/memory.h"

/* A small /proc file, NUL-terminated; false when it is gone or empty. */
static bool
slurp(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, size - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = 0;
	return true;
}

static bool
slurp_of(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	return slurp(path, text, size);
}

/*
 * The number in the field-th column of /proc/PID/stat (3 is the state). The
 * name in column 2 may hold spaces and parentheses: columns count from the last ')'.
 */
static bool
stat_field(const char *stat, int field, long long *value)
{
	const char *at = strrchr(stat, ')');

	for (int i = 2; at && i < field; i++)
		at = strchr(at + 1, ' ');
	if (!at)
		return false;
	*value = strtoll(at + 1, NULL, 10);
	return true;
}

static int
add(struct pf_tree *tree, pid_t pid, struct pf_error *err)
{
	int rc = PF_GROW(tree->pids, tree->capacity, tree->count + 1, err);

	if (!rc)
		tree->pids[tree->count++] = pid;
	return rc;
}

/* The children that one thread started: /proc/PID/task/TID/children. */
static int
add_children(struct pf_tree *tree, const char *path, struct pf_error *err)
{
	char text[65536], *at = text, *end;
	int rc = 0;

	if (!slurp(path, text, sizeof text))
		return 0;
	for (;;) {
		long pid = strtol(at, &end, 10);
		/* Each number is followed by a space; one without was cut off and is somebody else's. */
		if (end == at || *end != ' ' || rc)
			return rc;
		rc = add(tree, (pid_t)pid, err);
		at = end;
	}
}

static int
list_children(struct pf_tree *tree, pid_t pid, struct pf_error *err)
{
	char path[320];
	struct dirent *entry;
	DIR *tasks;
	int rc = 0;

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	if (!tasks)
		return 0;
	while (!rc && (entry = readdir(tasks))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof path, "/proc/%d/task/%s/children", (int)pid, entry->d_name);
		rc = add_children(tree, path, err);
	}
	closedir(tasks);
	return rc;
}

struct family {
	pid_t pid, parent;
};

/* Every process and its parent: for kernels that don't list children. */
static int
read_families(struct family **all, size_t *count, struct pf_error *err)
{
	struct dirent *entry;
	size_t capacity = 0;
	DIR *proc = opendir("/proc");
	int rc = 0;

	*all = NULL;
	*count = 0;
	if (!proc)
		return pf_error_errno(err, "cannot read", "/proc");
	while (!rc && (entry = readdir(proc))) {
		char stat[1024];
		long long parent;
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid <= 0 || !slurp_of(pid, "stat", stat, sizeof stat) ||
		    !stat_field(stat, 4, &parent))
			continue;
		rc = PF_GROW(*all, capacity, *count + 1, err);
		if (!rc)
			(*all)[(*count)++] = (struct family){pid, (pid_t)parent};
	}
	closedir(proc);
	return rc;
}

static int
list_by_scan(struct pf_tree *tree, pid_t root, struct pf_error *err)
{
	struct family *all;
	size_t count;
	int rc = read_families(&all, &count, err);
	pid_t parent = root;

	for (size_t next = tree->count; !rc; parent = tree->pids[next++]) {
		for (size_t i = 0; !rc && i < count; i++) {
			if (all[i].parent == parent)
				rc = add(tree, all[i].pid, err);
		}
		if (next >= tree->count)
			break;
	}
	free(all);
	return rc;
}

int
pf_tree_list(struct pf_tree *tree, pid_t root, struct pf_error *err)
{
	static const char probe[] = "/proc/thread-self/children";
	pid_t parent = root;
	int rc = 0;

	tree->count = 0;
	if (tree->with_root)
		rc = add(tree, root, err);
	if (rc)
		return rc;
	if (access(probe, R_OK) != 0)
		return list_by_scan(tree, root, err);
	for (size_t next = tree->count; !rc; parent = tree->pids[next++]) {
		rc = list_children(tree, parent, err);
		if (next >= tree->count)
			break;
	}
	return rc;
}

void
pf_tree_release(struct pf_tree *tree)
{
	free(tree->pids);
	*tree = (struct pf_tree){.with_root = tree->with_root};
}

/* What a process' stat says: its faults, and CPU time and faults of children that it waited for. */
static void
add_stat(struct pf_tree_usage *u, pid_t pid, bool own)
{
	/* Columns of own minor and major faults, children's minor and major, children's user and system time. */
	static const int columns[] = {10, 12, 11, 13, 16, 17};
	long long v[6];
	char stat[1024];

	if (!slurp_of(pid, "stat", stat, sizeof stat))
		return;
	for (int i = 0; i < 6; i++) {
		if (!stat_field(stat, columns[i], &v[i]))
			return;
	}
	u->faults += (double)(v[2] + (own ? v[0] : 0));
	u->major_faults += (double)(v[3] + (own ? v[1] : 0));
	u->cpu += (double)(v[4] + v[5]) / (double)sysconf(_SC_CLK_TCK);
}

static double
living_cpu(pid_t pid)
{
	struct timespec t;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t))
		return 0;
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A number of a status file, by its label with newline and colon; 0 where it is missing. */
static double
labelled(const char *text, const char *label)
{
	const char *at = strstr(text, label);

	return at ? strtod(at + strlen(label), NULL) : 0;
}

static void
add_switches(struct pf_tree_usage *u, pid_t pid)
{
	char path[320], text[4096];
	struct dirent *entry;
	DIR *tasks;

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof path, "/proc/%d/task/%s/status", (int)pid, entry->d_name);
		if (!slurp(path, text, sizeof text))
			continue;
		u->switches += labelled(text, "\nvoluntary_ctxt_switches:");
		u->preemptions += labelled(text, "\nnonvoluntary_ctxt_switches:");
	}
	if (tasks)
		closedir(tasks);
}

int
pf_tree_usage(struct pf_tree *tree, pid_t root, struct pf_tree_usage *u, struct pf_error *err)
{
	int rc = pf_tree_list(tree, root, err);

	*u = (struct pf_tree_usage){0};
	if (!tree->with_root)
		add_stat(u, root, false);
	for (size_t i = 0; i < tree->count; i++) {
		u->cpu += living_cpu(tree->pids[i]);
		add_stat(u, tree->pids[i], true);
		add_switches(u, tree->pids[i]);
	}
	return rc;
}

uint64_t
pf_tree_resident(const struct pf_tree *tree)
{
	uint64_t pages = 0, page = (uint64_t)sysconf(_SC_PAGESIZE);
	char text[256];

	for (size_t i = 0; i < tree->count; i++) {
		if (slurp_of(tree->pids[i], "statm", text, sizeof text))
			pages += strtoull(text + strcspn(text, " "), NULL, 10);
	}
	return pages * page;
}

uint64_t
pf_tree_proportional(const struct pf_tree *tree)
{
	double sum = 0;
	char text[4096];

	for (size_t i = 0; i < tree->count; i++) {
		if (slurp_of(tree->pids[i], "smaps_rollup", text, sizeof text))
			sum += labelled(text, "\nPss:") * 1024;
	}
	return (uint64_t)sum;
}

void
pf_tree_reset_peak(const struct pf_tree *tree)
{
	for (size_t i = 0; i < tree->count; i++) {
		char path[64];
		int fd;

		snprintf(path, sizeof path, "/proc/%d/clear_refs", (int)tree->pids[i]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0) {
			/* Without it the peak since the process' start is read, which is still a peak. */
			if (write(fd, "5", 1) != 1)
				errno = 0;
			close(fd);
		}
	}
}

uint64_t
pf_tree_peak(const struct pf_tree *tree)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < tree->count; i++) {
		char status[4096];

		if (slurp_of(tree->pids[i], "status", status, sizeof status))
			sum += (uint64_t)labelled(status, "\nVmHWM:") * 1024;
	}
	return sum;
}

static size_t
sockets_of(pid_t pid)
{
	char path[320], target[16];
	struct dirent *entry;
	size_t count = 0;
	DIR *files;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	files = opendir(path);
	while (files && (entry = readdir(files))) {
		snprintf(path, sizeof path, "/proc/%d/fd/%s", (int)pid, entry->d_name);
		if (readlink(path, target, sizeof target) >= 7)
			count += memcmp(target, "socket:", 7) == 0;
	}
	if (files)
		closedir(files);
	return count;
}

size_t
pf_tree_sockets(const struct pf_tree *tree)
{
	size_t count = 0;

	for (size_t i = 0; i < tree->count; i++)
		count += sockets_of(tree->pids[i]);
	return count;
}

void
pf_tree_signal(const struct pf_tree *tree, int number)
{
	for (size_t i = 0; i < tree->count; i++)
		kill(tree->pids[i], number);
}
