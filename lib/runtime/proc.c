/* proc.c: see proc.h. */
#include "runtime/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/lines.h"
#include "core/number.h"

enum {
	MOST_BYTES = 1 << 20,
	MOST_MAPPINGS = 16 << 20,
	MOST_GUARD = 1 << 20,
	CHUNK = 1 << 14,
	SNIFFED = 1 << 12,
	MOST_PATH = 4096
};

#define AT(MEMBER) offsetof(struct pf_proc, MEMBER)

/* "Key:  number [kB]" */
struct row {
	const char *key;
	size_t offset;
};

static const struct row of_status[] = {
    {"VmSize", AT(virtual_size)},
    {"VmPeak", AT(peak_virtual)},
    {"VmRSS", AT(rss)},
    {"VmHWM", AT(peak_rss)},
    {"RssAnon", AT(rss_anonymous)},
    {"RssFile", AT(rss_file)},
    {"RssShmem", AT(rss_shared)},
    {"VmSwap", AT(swap)},
    {"Threads", AT(threads)},
    {"voluntary_ctxt_switches", AT(voluntary_switches)},
    {"nonvoluntary_ctxt_switches", AT(involuntary_switches)},
    {NULL, 0},
};

static const struct row of_smaps[] = {
    {"Rss", AT(rss)},
    {"Pss", AT(pss)},
    {"Private_Dirty", AT(private_dirty)},
    {"Anonymous", AT(rss_anonymous)},
    {"Swap", AT(swap)},
    {"AnonHugePages", AT(anonymous_huge)},
    {"LazyFree", AT(lazy_free)},
    {NULL, 0},
};

static double *
member(struct pf_proc *p, size_t offset)
{
	return (double *)(void *)((char *)p + offset);
}

void
pf_proc_init(struct pf_proc *p)
{
	*p = (struct pf_proc){0};
	for (size_t at = AT(virtual_size); at <= AT(start_seconds); at += sizeof(double))
		*member(p, at) = NAN;
}

/* The number behind "KEY:", in bytes where the line says kB. */
static bool
read_row(struct pf_text line, const struct row *row, double *value)
{
	if (!pf_text_skip(&line, row->key) || !pf_text_skip(&line, ":"))
		return false;
	*value = pf_text_double(&line);
	pf_text_blanks(&line);
	if (pf_text_starts(&line, "kB"))
		*value *= 1024;
	return !line.failure && *value >= 0;
}

static void
copy_name(struct pf_proc *p, struct pf_text name)
{
	snprintf(p->name, sizeof p->name, "%.*s", (int)(pf_text_left(&name) & 63), name.at);
}

int
pf_proc_parse_status(
    struct pf_proc *p, const char *name, const void *bytes, size_t size, struct pf_error *err)
{
	struct pf_lines lines;
	size_t found = 0;

	pf_lines_init(&lines, name, bytes, size);
	while (pf_lines_next(&lines)) {
		struct pf_text t = lines.line;
		if (pf_text_skip(&t, "Name:")) {
			copy_name(p, pf_text_trimmed(t));
		} else if (pf_text_skip(&t, "Pid:")) {
			p->pid = (pid_t)pf_text_int64(&t);
		} else {
			for (const struct row *row = of_status; row->key; row++)
				found += read_row(t, row, member(p, row->offset));
		}
	}
	return found
		   ? 0
		   : pf_error_set(err, PF_EINPUT, "%s: no line of a /proc status file in it", name);
}

int
pf_proc_parse_smaps(
    struct pf_proc *p, const char *name, const void *bytes, size_t size, struct pf_error *err)
{
	struct pf_proc sum;
	struct pf_lines lines;
	size_t found = 0;

	pf_proc_init(&sum);
	pf_lines_init(&lines, name, bytes, size);
	while (pf_lines_next(&lines)) {
		for (const struct row *row = of_smaps; row->key; row++) {
			double value, *total = member(&sum, row->offset);
			if (read_row(lines.line, row, &value)) {
				*total = value + pf_or_zero(*total);
				found++;
			}
		}
	}
	if (!found)
		return pf_error_set(
		    err, PF_EINPUT, "%s: no line of a /proc smaps file in it", name);
	for (const struct row *row = of_smaps; row->key; row++) {
		double total = *member(&sum, row->offset);
		if (!isnan(total))
			*member(p, row->offset) = total;
	}
	return 0;
}

/* A line of smaps that begins a mapping: "7f0c000-7f0d000 rw-p OFFSET DEVICE INODE [FILE]". */
struct mapping {
	uint64_t start, end;
	bool untouchable, writable, nameless;
};

static bool
read_mapping(struct pf_text line, struct mapping *m)
{
	struct pf_text range = pf_text_word(&line), mode = pf_text_word(&line);

	m->start = pf_text_hex(&range);
	pf_text_expect(&range, "-");
	m->end = pf_text_hex(&range);
	if (range.failure || pf_text_left(&range) || pf_text_left(&mode) != 4)
		return false;
	m->untouchable = pf_text_starts(&mode, "---p");
	m->writable = pf_text_starts(&mode, "rw-p");
	for (int i = 0; i < 3; i++) /* offset, device, inode */
		(void)pf_text_word(&line);
	pf_text_blanks(&line);
	m->nameless = !pf_text_left(&line);
	return true;
}

void
pf_proc_find_stacks(struct pf_proc *p, const void *bytes, size_t size)
{
	struct mapping before = {0}, now = {0}, next;
	struct pf_lines lines;
	bool stack = false;
	double rss;

	p->stacks = 0;
	pf_lines_init(&lines, "smaps", bytes, size);
	while (pf_lines_next(&lines)) {
		if (read_mapping(lines.line, &next)) {
			before = now;
			now = next;
			stack = before.untouchable && before.nameless &&
				before.end - before.start <= MOST_GUARD &&
				before.end == now.start && now.writable && now.nameless;
		} else if (stack && read_row(lines.line, &(struct row){"Rss", 0}, &rss)) {
			p->stacks += rss;
		}
	}
}

/* "PID (NAME) STATE PPID …": a name may hold blanks and parentheses, so the last one ends it. */
int
pf_proc_parse_stat(struct pf_proc *p, const char *name, const void *bytes, size_t size,
    long clock_ticks, struct pf_error *err)
{
	struct pf_text t = pf_text_of(bytes, size), inner = t;
	const char *close = memrchr(t.at, ')', pf_text_left(&t));
	double fields[23] = {0};

	p->pid = (pid_t)pf_text_int64(&inner);
	pf_text_expect(&inner, "(");
	if (inner.failure || !close || close < inner.at)
		return pf_error_set(err, PF_EINPUT, "%s: no /proc stat line", name);
	copy_name(p, (struct pf_text){.at = inner.at, .end = close});
	t.at = close + 1;
	(void)pf_text_word(&t); /* the state */
	for (int i = 4; i <= 22; i++)
		fields[i] = pf_text_double(&t);
	if (t.failure)
		return pf_error_set(
		    err, PF_EINPUT, "%s: a /proc stat line of fewer than 22 fields", name);
	p->minor_faults = fields[10];
	p->major_faults = fields[12];
	p->user_seconds = fields[14] / (double)clock_ticks;
	p->system_seconds = fields[15] / (double)clock_ticks;
	p->threads = fields[20];
	p->start_seconds = fields[22] / (double)clock_ticks;
	return 0;
}

static bool
has_line(const void *bytes, size_t size, const char *key)
{
	struct pf_lines lines;

	pf_lines_init(&lines, "", bytes, size < SNIFFED ? size : SNIFFED);
	while (pf_lines_next(&lines)) {
		if (pf_text_starts(&lines.line, key))
			return true;
	}
	return false;
}

bool
pf_proc_is_status(const void *bytes, size_t size)
{
	return has_line(bytes, size, "Tgid:\t") && has_line(bytes, size, "Name:\t");
}

bool
pf_proc_is_smaps(const void *bytes, size_t size)
{
	return has_line(bytes, size, "Pss: ") && has_line(bytes, size, "Rss: ");
}

int
pf_proc_file(pid_t pid, const char *file, struct pf_buffer *out, struct pf_error *err)
{
	char path[128];
	ssize_t n = 1;
	int fd;

	snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return pf_error_errno(err, "cannot open", path);
	while (n > 0) {
		uint8_t *room = pf_buffer_reserve(out, CHUNK);
		if (!room) { /* at its maximum: the rest is not wanted, as long as there was memory */
			out->failed = false;
			break;
		}
		n = read(fd, room, CHUNK);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			out->size += (size_t)n;
	}
	if (n < 0) {
		int rc = pf_error_errno(err, "cannot read", path);
		close(fd);
		return rc;
	}
	close(fd);
	return 0;
}

int
pf_proc_read(struct pf_proc *p, pid_t pid, struct pf_error *err)
{
	struct pf_buffer text;
	char name[64];
	int rc;

	pf_proc_init(p);
	pf_buffer_init(&text, MOST_BYTES);
	snprintf(name, sizeof name, "process %ld", (long)pid);
	rc = pf_proc_file(pid, "status", &text, err);
	if (!rc)
		rc = pf_proc_parse_status(p, name, text.bytes, text.size, err);
	pf_buffer_clear(&text);
	if (!rc)
		rc = pf_proc_file(pid, "stat", &text, err);
	if (!rc)
		rc = pf_proc_parse_stat(p, name, text.bytes, text.size, sysconf(_SC_CLK_TCK), err);
	pf_buffer_clear(&text);
	if (!rc && pf_proc_file(pid, "smaps_rollup", &text, NULL) == 0)
		(void)pf_proc_parse_smaps(p, name, text.bytes, text.size, NULL);
	pf_buffer_release(&text);
	return rc;
}

void
pf_proc_read_stacks(struct pf_proc *p, pid_t pid)
{
	struct pf_buffer text;

	pf_buffer_init(&text, MOST_MAPPINGS);
	if (pf_proc_file(pid, "smaps", &text, NULL) == 0)
		pf_proc_find_stacks(p, text.bytes, text.size);
	pf_buffer_release(&text);
}

/* What a process runs; "" where that may not be read. */
static void
read_exe(pid_t pid, char *path, size_t room)
{
	char link[64];
	ssize_t size;

	snprintf(link, sizeof link, "/proc/%ld/exe", (long)pid);
	size = readlink(link, path, room - 1);
	path[size > 0 ? size : 0] = '\0';
}

/* Those of a list of process numbers that run this program. */
static size_t
count_like(const struct pf_buffer *list, const char *program, pid_t *first)
{
	struct pf_text t = pf_text_of((const char *)list->bytes, list->size);
	char path[MOST_PATH];
	size_t count = 0;

	for (;;) {
		struct pf_text word = pf_text_word(&t);
		pid_t child;

		if (!pf_text_left(&word))
			return count;
		child = (pid_t)pf_text_int64(&word);
		read_exe(child, path, sizeof path);
		if (strcmp(path, program) == 0 && !count++)
			*first = child;
	}
}

size_t
pf_proc_workers(pid_t pid, pid_t *first)
{
	char path[64], program[MOST_PATH];
	struct pf_buffer list;
	struct dirent *task;
	size_t count = 0;
	DIR *tasks;

	snprintf(path, sizeof path, "/proc/%ld/task", (long)pid);
	read_exe(pid, program, sizeof program);
	tasks = *program ? opendir(path) : NULL;
	pf_buffer_init(&list, MOST_BYTES);
	while (tasks && (task = readdir(tasks))) {
		pid_t one = 0;
		size_t more;

		if (task->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "task/%.20s/children", task->d_name);
		pf_buffer_clear(&list);
		if (pf_proc_file(pid, path, &list, NULL))
			continue;
		more = count_like(&list, program, &one);
		if (more && !count)
			*first = one;
		count += more;
	}
	if (tasks)
		closedir(tasks);
	pf_buffer_release(&list);
	return count;
}

const char *
pf_proc_environment(const struct pf_buffer *block, const char *name)
{
	const char *at = (const char *)block->bytes, *end = at + block->size;
	size_t length = strlen(name);

	while (at < end) {
		const char *stop = memchr(at, '\0', (size_t)(end - at));
		if (!stop)
			break; /* cut off */
		if ((size_t)(stop - at) > length && at[length] == '=' &&
		    memcmp(at, name, length) == 0)
			return at + length + 1;
		at = stop + 1;
	}
	return NULL;
}
