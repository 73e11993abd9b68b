/* look.c: see look.h. */
#include "collect/agent/look.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "collect/agent/capture.h"
#include "collect/agent/host.h"
#include "collect/agent/idle.h"
#include "collect/agent/sampler.h"
#include "core/memory.h"

enum { MOST_FOUND = 1 << 16, MOST_POKED = 64, STEP_NS = 200000 };

static pid_t agent;

int
pf_look_init(struct pf_look *look)
{
	int rc;

	*look = (struct pf_look){0};
	rc = pf_modules_init(&look->modules);
	if (rc)
		return rc;
	pf_stacks_init(&look->stacks, &look->modules, PF_FRAMES_FOR_NOW);
	look->slot = calloc(1, sizeof *look->slot);
	return look->slot ? 0 : -ENOMEM;
}

void
pf_look_release(struct pf_look *look)
{
	pf_stacks_release(&look->stacks);
	pf_modules_release(&look->modules);
	free(look->slot);
	free(look->found);
	*look = (struct pf_look){0};
}

void
pf_look_except(pid_t thread)
{
	agent = thread;
}

/* The stack of a thread that waits, if it still does so in the same place when it has been copied. */
static uint32_t
take_waiting(struct pf_look *look, const struct pf_found *found, int64_t now)
{
	struct pf_slot *slot = look->slot;
	struct pf_thread_state after;

	slot->caller = 0;
	if (found->waits) {
		memcpy(slot->registers, found->wait.registers, sizeof slot->registers);
		slot->known = PF_KNOWN_SAVED;
		slot->caller = found->wait.caller;
	} else {
		slot->registers[PF_REG_SP] = found->state.sp;
		slot->registers[PF_REG_PC] = found->state.pc;
		slot->known = PF_KNOWN_PC_SP;
	}
	pf_slot_copy_other(slot);
	if (!pf_thread_state(found->state.thread, &after) || after.sp != found->state.sp ||
	    after.slices != found->state.slices)
		return PF_NONE;
	return pf_stacks_take(&look->stacks, slot, now).stack;
}

static void
see(struct pf_look *look, pid_t thread, int64_t now)
{
	struct pf_found *found;

	if (look->count == MOST_FOUND ||
	    PF_GROW(look->found, look->capacity, look->count + 1, NULL))
		return;
	found = &look->found[look->count];
	*found = (struct pf_found){.stack = PF_NONE};
	if (!pf_thread_state(thread, &found->state))
		return;
	look->count++;
	found->since = pf_idle_since(&found->state, now);
	if (found->state.call == PF_CALL_RUNNING)
		return;
	found->waits = pf_waits_of((uint32_t)thread, &found->wait);
	if (found->waits)
		found->since = found->wait.since;
	found->stack = take_waiting(look, found, now);
}

/* Asks a thread for a sample, as its timer would. */
static bool
poke(const struct pf_capture *c, pid_t thread)
{
	siginfo_t info = {.si_signo = c->signal, .si_code = SI_TIMER};

	if (pf_thread_blocks(thread, c->signal))
		return false;
	info.si_value.sival_ptr = pf_capture_cookie(thread);
	return !syscall(SYS_rt_tgsigqueueinfo, getpid(), thread, c->signal, &info);
}

static struct pf_found *
find(struct pf_look *look, pid_t thread)
{
	for (size_t i = 0; i < look->count; i++)
		if (look->found[i].state.thread == thread)
			return &look->found[i];
	return NULL;
}

static void
wait_for(struct pf_capture *c, uint32_t poked, int64_t until)
{
	static const struct timespec step = {.tv_nsec = STEP_NS};

	while (atomic_load(&c->slots.waiting) < poked && pf_host_now() < until)
		nanosleep(&step, NULL);
}

/* The stacks of the threads that were found running. */
static void
take_running(struct pf_look *look, int64_t now, int64_t patience)
{
	struct pf_capture capture;
	struct pf_slot *slot;
	uint32_t poked = 0;
	size_t at = 0;

	if (pf_sampler_running() || pf_capture_open(&capture, 2))
		return;
	if (!pf_capture_hook(&capture, true)) {
		for (size_t i = 0; i < look->count && poked < MOST_POKED; i++)
			if (look->found[i].state.call == PF_CALL_RUNNING)
				poked += poke(&capture, look->found[i].state.thread);
		wait_for(&capture, poked, now + patience);
		pf_slots_gather(&capture.slots);
		while ((slot = pf_slots_next(&capture.slots, &at))) {
			struct pf_found *found = find(look, slot->thread);
			if (found)
				found->stack = pf_stacks_take(&look->stacks, slot, now).stack;
		}
		pf_capture_unhook(&capture);
	}
	pf_capture_close(&capture);
}

int
pf_look_at_all(struct pf_look *look, int64_t patience)
{
	unsigned before = look->modules.look;
	int64_t now = pf_host_now();
	struct dirent *entry;
	bool running = false;
	DIR *dir = opendir("/proc/self/task");

	if (!dir)
		return -errno;
	look->count = 0;
	pf_modules_follow(&look->modules);
	while ((entry = readdir(dir))) {
		pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
		if (thread > 0 && thread != agent)
			see(look, thread, now);
	}
	closedir(dir);
	for (size_t i = 0; i < look->count; i++)
		running |= look->found[i].state.call == PF_CALL_RUNNING;
	if (running)
		take_running(look, now, patience);
	pf_modules_drained(&look->modules, before);
	return 0;
}

void
pf_found_word(const struct pf_found *found, char *word, size_t size)
{
	const char *call = pf_thread_call(found->state.call);

	if (found->waits)
		snprintf(word, size, "%s", pf_wait_word(found->wait.kind));
	else if (found->state.call == PF_CALL_RUNNING)
		snprintf(word, size, "running");
	else if (found->state.call == PF_CALL_NONE)
		snprintf(word, size, "waiting");
	else if (call)
		snprintf(word, size, "%s", call);
	else
		snprintf(word, size, "system call %ld", found->state.call);
}
