/* idle.c: see idle.h. */
#include "collect/agent/idle.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

/* In a young process sooner: after 1, 3, 7, 15 … seconds. */
#define FIRST_PAUSE INT64_C(1000000000)
#define LONGEST_PAUSE INT64_C(60000000000)
#define RUNS UINT64_MAX

enum { MOST_THREADS = 1 << 14 };

struct seen {
	pid_t thread;
	uint64_t slices; /* RUNS: it did not wait */
	int64_t since;
	int64_t looked;
};

static struct {
	struct seen *items; /* owned, by thread */
	size_t count, capacity;
	int64_t next, pause;
} idle;

static struct seen *
find(pid_t thread)
{
	size_t low = 0, high = idle.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (idle.items[middle].thread < thread)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < idle.count && idle.items[low].thread == thread)
		return &idle.items[low];
	if (idle.count == MOST_THREADS || PF_GROW(idle.items, idle.capacity, idle.count + 1, NULL))
		return NULL;
	memmove(&idle.items[low + 1], &idle.items[low], (idle.count - low) * sizeof *idle.items);
	idle.items[low] = (struct seen){.thread = thread, .slices = RUNS};
	idle.count++;
	return &idle.items[low];
}

int64_t
pf_idle_since(const struct pf_thread_state *state, int64_t now)
{
	struct seen *seen = find(state->thread);
	uint64_t slices = state->call == PF_CALL_RUNNING ? RUNS : state->slices;

	if (!seen)
		return now;
	seen->looked = now;
	if (slices == RUNS || slices != seen->slices) {
		seen->slices = slices;
		seen->since = now;
	}
	return seen->since;
}

int64_t
pf_idle_look(int64_t now)
{
	struct pf_thread_state state;
	struct dirent *entry;
	size_t kept = 0;
	DIR *dir;

	if (now < idle.next)
		return idle.next;
	idle.pause = idle.pause ? idle.pause * 2 : FIRST_PAUSE;
	if (idle.pause > LONGEST_PAUSE)
		idle.pause = LONGEST_PAUSE;
	idle.next = now + idle.pause;
	dir = opendir("/proc/self/task");
	if (!dir)
		return idle.next;
	while ((entry = readdir(dir))) {
		pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
		if (thread > 0 && pf_thread_state(thread, &state))
			pf_idle_since(&state, now);
	}
	closedir(dir);
	for (size_t i = 0; i < idle.count; i++)
		if (idle.items[i].looked == now)
			idle.items[kept++] = idle.items[i];
	idle.count = kept;
	return idle.next;
}

void
pf_idle_release(void)
{
	free(idle.items);
	memset(&idle, 0, sizeof idle);
}

void
pf_idle_forked(bool tidy)
{
	if (!tidy)
		idle.items = NULL;
	pf_idle_release();
}
