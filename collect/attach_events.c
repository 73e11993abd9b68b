/* attach_events.c: see attach_events.h. */
#include "attach_events.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/perf_event.h>

#include "core/cursor.h"
#include "core/error.h"
#include "core/memory.h"

enum {
	RING_PAGES = 256, /* of 4 KiB: about 60 samples with their stacks */
	STACK_BYTES = 16 << 10,
	STACK_BYTES_WIDE = 8 << 10, /* of a whole machine */
	BATCH_MAX = 256 << 20,
};

const char pf_attach_event_names[] =
    "cpu, cycles, instructions, branches, branch-misses, cache-misses, page-faults, "
    "context-switches";

const struct pf_attach_event *
pf_attach_event_find(const char *name)
{
	static const struct pf_attach_event events[] = {
	    {"cpu", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, "cpu", "nanoseconds", true},
	    {"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, "cycles", "count", false},
	    {"instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, "instructions",
		"count", false},
	    {"branches", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_INSTRUCTIONS, "branches", "count",
		false},
	    {"branch-misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES, "branch_misses",
		"count", false},
	    {"cache-misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES, "cache_misses",
		"count", false},
	    {"page-faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS, "page_faults", "count",
		false},
	    {"context-switches", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES,
		"context_switches", "count", false},
	};

	for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
		if (strcmp(events[i].name, name) == 0)
			return &events[i];
	}
	return NULL;
}

/* Registers in the order of the kernel's bits, as DWARF numbers: ax bx cx dx si di bp sp ip, r8-r15. */
static const uint8_t dwarf_number[PF_ATTACH_REGISTERS] = {
    0, 3, 2, 1, 4, 5, 6, 7, 16, 8, 9, 10, 11, 12, 13, 14, 15};
#define KERNEL_REGISTERS (0x1ffull | 0xffull << 16)

static struct perf_event_attr
attributes(const struct pf_attach_event *event, unsigned rate, bool kernel, bool wide)
{
	struct perf_event_attr a = {.type = event->type,
	    .size = sizeof a,
	    /* a task's own clock goes on counting from one short turn on a processor to the next */
	    .config = event->time && !wide ? PERF_COUNT_SW_TASK_CLOCK : event->config,
	    .sample_freq = rate,
	    .freq = 1,
	    .disabled = 1,
	    .inherit = !wide,
	    .mmap = 1,
	    .mmap2 = 1,
	    .comm = 1,
	    .comm_exec = 1,
	    .task = 1,
	    .sample_id_all = 1,
	    .exclude_kernel = !kernel,
	    .exclude_hv = 1,
	    .exclude_guest = 1,
	    .watermark = 1,
	    .wakeup_watermark = RING_PAGES * 4096 / 4,
	    .sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
			   PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN};

#if defined(__x86_64__)
	a.sample_type |= PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
	a.sample_regs_user = KERNEL_REGISTERS;
	a.sample_stack_user = wide ? STACK_BYTES_WIDE : STACK_BYTES;
#endif
	return a;
}

static int
perf_event_open(struct perf_event_attr *a, pid_t pid, int cpu, unsigned long flags)
{
	return (int)syscall(SYS_perf_event_open, a, pid, cpu, -1, flags | PERF_FLAG_FD_CLOEXEC);
}

static long
paranoid(void)
{
	FILE *f = fopen("/proc/sys/kernel/perf_event_paranoid", "re");
	char text[16] = "";
	long level = 2;

	if (f && fgets(text, sizeof text, f))
		level = strtol(text, NULL, 10);
	if (f)
		fclose(f);
	return level;
}

/* What is missing, and how to get it. */
static int
explain(const struct pf_attach_subject *s, const struct pf_attach_event *event, pid_t pid,
    int reason, struct pf_error *err)
{
	bool wide = s->machine || s->cgroup >= 0;
	char whom[64];
	struct stat st;
	char path[64];

	snprintf(whom, sizeof whom, "process %ld", (long)pid);
	if (reason == ENOENT || reason == EOPNOTSUPP || reason == ENODEV)
		return pf_error_set(err, PF_EIO,
		    "this machine can't count %s (virtual machines often can't); --event cpu "
		    "always works",
		    event->name);
	if (reason == ESRCH)
		return pf_error_set(err, PF_EIO, "there is no %s", whom);
	if (reason == EMFILE)
		return pf_error_set(err, PF_EIO,
		    "%s has more threads than there are descriptors; raise the limit (ulimit -n)",
		    whom);
	if (reason != EACCES && reason != EPERM)
		return pf_error_set(err, PF_EIO, "perf_event_open for %s: %s",
		    wide ? "the processors" : whom, strerror(reason));
	if (wide)
		return pf_error_set(err, PF_EIO,
		    "profiling %s needs CAP_PERFMON (or root), or kernel.perf_event_paranoid at 0 "
		    "or below (it is %ld); in a container, also a seccomp profile that allows "
		    "perf_event_open",
		    s->machine ? "the whole machine" : "a control group", paranoid());
	snprintf(path, sizeof path, "/proc/%ld", (long)pid);
	if (stat(path, &st) == 0 && st.st_uid != geteuid())
		return pf_error_set(err, PF_EIO,
		    "%s belongs to user %ld, not to you (%ld): run this as that user, or with "
		    "CAP_PERFMON and CAP_SYS_PTRACE",
		    whom, (long)st.st_uid, (long)geteuid());
	return pf_error_set(err, PF_EIO,
	    "%s may not be profiled: that needs CAP_PERFMON (or root), or "
	    "kernel.perf_event_paranoid at 2 or below (it is %ld); in a container, also a seccomp "
	    "profile that allows perf_event_open",
	    whom, paranoid());
}

static int
keep_fd(struct pf_attach_events *e, int fd, struct pf_error *err)
{
	int rc = PF_GROW(e->fds, e->capacity, e->count + 1, err);

	if (rc)
		close(fd);
	else
		e->fds[e->count++] = fd;
	return rc;
}

/* The first event of a processor gets the ring, the others write to it. */
static int
give_output(struct pf_attach_events *e, size_t cpu, int fd, struct pf_error *err)
{
	struct pf_attach_ring *ring = &e->rings[cpu];
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = RING_PAGES * page;

	if (ring->pages) {
		if (ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, ring->fd))
			return pf_error_errno(err, "cannot share a ring for", "samples");
		return 0;
	}
	for (; size >= 8 * page; size /= 2) {
		void *pages = mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (pages != MAP_FAILED) {
			*ring = (struct pf_attach_ring){.fd = fd, .pages = pages, .size = size};
			return 0;
		}
		if (errno != EPERM && errno != ENOMEM)
			break; /* else more than kernel.perf_event_mlock_kb: try less */
	}
	return pf_error_errno(err, "cannot map a ring for", "samples");
}

/* Opens one event on one processor; kernel frames where that is allowed. */
static int
open_one(struct pf_attach_events *e, const struct pf_attach_subject *s,
    const struct pf_attach_event *event, unsigned rate, pid_t pid, size_t cpu, struct pf_error *err)
{
	bool wide = s->machine || s->cgroup >= 0;
	unsigned long flags = s->cgroup >= 0 ? PERF_FLAG_PID_CGROUP : 0;
	struct perf_event_attr a = attributes(event, rate, e->with_kernel, wide);
	pid_t subject = s->cgroup >= 0 ? s->cgroup : pid;
	int fd = perf_event_open(&a, subject, (int)cpu, flags), rc;

	if (fd < 0 && (errno == EACCES || errno == EPERM) && e->with_kernel) {
		e->with_kernel = false;
		a.exclude_kernel = 1;
		fd = perf_event_open(&a, subject, (int)cpu, flags);
	}
	if (fd < 0 && (errno == ENODEV || (errno == ESRCH && s->count > 1)))
		return 0; /* a processor that is off; a process that has ended */
	if (fd < 0)
		return explain(s, event, pid, errno, err);
	rc = keep_fd(e, fd, err);
	return rc ? rc : give_output(e, cpu, fd, err);
}

static int
open_threads(struct pf_attach_events *e, const struct pf_attach_subject *s,
    const struct pf_attach_event *event, unsigned rate, pid_t pid, struct pf_error *err)
{
	char path[64];
	struct dirent *entry;
	size_t opened = e->count;
	int rc = 0;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%ld/task", (long)pid);
	d = opendir(path);
	if (!d)
		return s->count > 1 ? 0 : explain(s, event, pid, ESRCH, err);
	while (!rc && (entry = readdir(d))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
		for (size_t cpu = 0; !rc && tid > 0 && cpu < e->ring_count; cpu++) {
			rc = open_one(e, s, event, rate, tid, cpu, err);
			/* a thread that ended meanwhile is no loss once others were opened */
			if (rc == PF_EIO && e->count > opened && errno == ESRCH)
				rc = 0;
		}
	}
	closedir(d);
	return rc;
}

static void
raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int
pf_attach_open(struct pf_attach_events *e, const struct pf_attach_subject *s,
    const struct pf_attach_event *event, unsigned rate, struct pf_error *err)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	int rc;

	*e = (struct pf_attach_events){.with_kernel = true};
	pf_buffer_init(&e->batch, BATCH_MAX);
	raise_descriptors();
	rc = PF_CALLOC(e->rings, (size_t)(cpus > 0 ? cpus : 1), err);
	if (rc)
		return rc;
	e->ring_count = (size_t)(cpus > 0 ? cpus : 1);
	if (s->machine || s->cgroup >= 0) {
		for (size_t cpu = 0; !rc && cpu < e->ring_count; cpu++)
			rc = open_one(e, s, event, rate, -1, cpu, err);
		return rc;
	}
	for (size_t i = 0; !rc && i < s->count; i++)
		rc = open_threads(e, s, event, rate, s->pids[i], err);
	if (!rc && !e->count)
		rc = pf_error_set(err, PF_EIO, "the processes have ended");
	return rc;
}

void
pf_attach_close(struct pf_attach_events *e)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < e->ring_count; i++) {
		if (e->rings[i].pages)
			munmap(e->rings[i].pages, e->rings[i].size + page);
	}
	for (size_t i = 0; i < e->count; i++)
		close(e->fds[i]);
	free(e->fds);
	free(e->rings);
	free(e->order);
	pf_buffer_release(&e->batch);
	*e = (struct pf_attach_events){0};
}

void
pf_attach_enable(struct pf_attach_events *e, bool on)
{
	for (size_t i = 0; i < e->count; i++)
		ioctl(e->fds[i], on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0);
}

/* When a record was made: samples say it themselves, others at their end. */
static uint64_t
record_time(const struct perf_event_header *h)
{
	const uint8_t *bytes = (const uint8_t *)h;
	uint64_t time;

	if (h->type == PERF_RECORD_SAMPLE)
		memcpy(&time, bytes + sizeof *h + 16, sizeof time);
	else
		memcpy(&time, bytes + h->size - 8, sizeof time);
	return time;
}

static int
copy_record(struct pf_attach_events *e, const struct pf_attach_ring *ring, const uint8_t *data,
    uint64_t tail, size_t size, struct pf_error *err)
{
	size_t at = (size_t)(tail & (ring->size - 1)), first = ring->size - at;
	uint8_t *room = pf_buffer_reserve(&e->batch, size);
	int rc = PF_GROW(e->order, e->order_capacity, e->order_count + 1, err);

	if (rc || !room)
		return rc ? rc : pf_error_nomem(err);
	first = first < size ? first : size;
	memcpy(room, data + at, first);
	memcpy(room + first, data, size - first);
	e->order[e->order_count++] = (struct pf_attach_record){.at = e->batch.size};
	e->batch.size += size;
	return 0;
}

static int
copy_ring(struct pf_attach_events *e, const struct pf_attach_ring *ring, struct pf_error *err)
{
	struct perf_event_mmap_page *head_page = ring->pages;
	const uint8_t *data = (const uint8_t *)ring->pages + sysconf(_SC_PAGESIZE);
	uint64_t head = __atomic_load_n(&head_page->data_head, __ATOMIC_ACQUIRE),
		 tail = head_page->data_tail;
	int rc = 0;

	while (!rc && tail < head) {
		struct perf_event_header h;
		memcpy(&h, data + (tail & (ring->size - 1)), sizeof h); /* records are 8-aligned */
		if (h.size < sizeof h || h.size > head - tail)
			break;
		rc = copy_record(e, ring, data, tail, h.size, err);
		tail += h.size;
	}
	__atomic_store_n(&head_page->data_tail, tail, __ATOMIC_RELEASE);
	return rc;
}

static int
by_time(const void *a, const void *b)
{
	const struct pf_attach_record *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

/* Registers and stack of user space, where the sample has them. */
static void
read_user_part(struct pf_cursor *c, struct pf_attach_sample *s)
{
#if defined(__x86_64__)
	uint64_t size, used;

	s->has_registers = pf_cursor_u64(c) == PERF_SAMPLE_REGS_ABI_64;
	for (size_t i = 0; s->has_registers && i < PF_ATTACH_REGISTERS; i++)
		s->registers[dwarf_number[i]] = pf_cursor_u64(c);
	size = pf_cursor_u64(c);
	s->stack = c->at;
	pf_cursor_skip(c, size);
	used = size ? pf_cursor_u64(c) : 0;
	s->stack_size = used < size ? used : size;
	if (c->failure)
		s->has_registers = false;
#else
	(void)c;
	(void)s;
#endif
}

static void
give_sample(const uint8_t *bytes, size_t size, const struct pf_attach_handlers *h)
{
	struct pf_attach_sample s = {0};
	struct pf_cursor c;

	pf_cursor_init(&c, "sample", bytes, size);
	pf_cursor_skip(&c, sizeof(struct perf_event_header) + 8);
	s.pid = (pid_t)pf_cursor_u32(&c);
	s.tid = (pid_t)pf_cursor_u32(&c);
	s.time = pf_cursor_u64(&c);
	s.period = pf_cursor_u64(&c);
	s.chain_size = pf_cursor_u64(&c);
	if (c.failure || s.chain_size > pf_cursor_left(&c) / 8)
		return;
	s.chain = (const uint64_t *)(const void *)c.at;
	pf_cursor_skip(&c, 8 * s.chain_size);
	read_user_part(&c, &s);
	h->sample(h->data, &s);
}

static void
give_mapping(const uint8_t *bytes, size_t size, const struct pf_attach_handlers *h)
{
	struct pf_attach_mapping m = {0};
	struct pf_cursor c;
	const char *file;
	size_t left;

	pf_cursor_init(&c, "mapping", bytes, size);
	pf_cursor_skip(&c, sizeof(struct perf_event_header));
	m.pid = (pid_t)pf_cursor_u32(&c);
	pf_cursor_skip(&c, 4);
	m.start = pf_cursor_u64(&c);
	m.size = pf_cursor_u64(&c);
	m.offset = pf_cursor_u64(&c);
	pf_cursor_skip(&c, 24);               /* device, inode, generation */
	m.executable = pf_cursor_u32(&c) & 4; /* PROT_EXEC */
	pf_cursor_skip(&c, 4);
	file = (const char *)c.at;
	left = pf_cursor_left(&c);
	if (c.failure || !memchr(file, '\0', left))
		return;
	m.file = file;
	h->mapping(h->data, &m);
}

static void
give_other(const struct perf_event_header *header, const uint8_t *bytes,
    const struct pf_attach_handlers *h)
{
	struct pf_cursor c;
	uint32_t one, two;

	pf_cursor_init(&c, "record", bytes, header->size);
	pf_cursor_skip(&c, sizeof *header);
	one = pf_cursor_u32(&c);
	two = pf_cursor_u32(&c);
	if (header->type == PERF_RECORD_FORK) {
		h->fork(h->data, (pid_t)one, (pid_t)two);
	} else if (header->type == PERF_RECORD_COMM) {
		if (memchr(c.at, '\0', pf_cursor_left(&c)))
			h->name(h->data, (pid_t)one, (pid_t)two, (const char *)c.at,
			    header->misc & PERF_RECORD_MISC_COMM_EXEC);
	} else if (header->type == PERF_RECORD_LOST) {
		h->lost(h->data, pf_cursor_u64(&c));
	}
}

static void
give(const uint8_t *bytes, const struct pf_attach_handlers *h)
{
	struct perf_event_header header;

	memcpy(&header, bytes, sizeof header);
	if (header.type == PERF_RECORD_SAMPLE)
		give_sample(bytes, header.size, h);
	else if (header.type == PERF_RECORD_MMAP2)
		give_mapping(bytes, header.size, h);
	else
		give_other(&header, bytes, h);
}

static void
wait_for_rings(const struct pf_attach_events *e, int milliseconds)
{
	struct pollfd polled[64];
	nfds_t n = 0;

	for (size_t i = 0; i < e->ring_count && n < sizeof polled / sizeof *polled; i++) {
		if (e->rings[i].pages)
			polled[n++] = (struct pollfd){.fd = e->rings[i].fd, .events = POLLIN};
	}
	poll(polled, n, milliseconds);
}

int
pf_attach_drain(struct pf_attach_events *e, int milliseconds,
    const struct pf_attach_handlers *handlers, struct pf_error *err)
{
	int rc = 0;

	if (milliseconds > 0)
		wait_for_rings(e, milliseconds);
	pf_buffer_clear(&e->batch);
	e->order_count = 0;
	for (size_t i = 0; !rc && i < e->ring_count; i++) {
		if (e->rings[i].pages)
			rc = copy_ring(e, &e->rings[i], err);
	}
	for (size_t i = 0; i < e->order_count; i++) {
		struct perf_event_header header;
		memcpy(&header, e->batch.bytes + e->order[i].at, sizeof header);
		e->order[i].time =
		    header.size >= sizeof header + 24
			? record_time((const void *)(e->batch.bytes + e->order[i].at))
			: 0;
	}
	if (!rc && e->order_count)
		qsort(e->order, e->order_count, sizeof *e->order, by_time);
	for (size_t i = 0; !rc && i < e->order_count; i++)
		give(e->batch.bytes + e->order[i].at, handlers);
	return rc;
}
