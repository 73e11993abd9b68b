/* sampler.c: see sampler.h. The state is one struct: there is one process to sample. */
#include "collect/agent/sampler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "collect/agent/capture.h"
#include "collect/agent/host.h"
#include "collect/agent/modules.h"
#include "collect/agent/stacks.h"
#include "collect/agent/steps.h"
#include "collect/agent/threads.h"
#include "collect/agent/cpu.h"
#include "core/memory.h"

/* In ns, at the usual rate, where slots last for 320 ms of a busy machine. Soon: while modules come and go. */
#define DRAIN_EVERY INT64_C(100000000)
#define DRAIN_SOON INT64_C(10000000)
#define MODULES_CALM INT64_C(1000000000)

static struct {
	bool running;
	struct pf_event event;
	struct pf_capture capture;
	struct pf_threads threads;
	struct pf_modules modules;
	struct pf_stacks stacks;
	struct pf_stepping stepping;
	struct pf_tally tallies[PF_WINDOWS];
	pid_t agent;
	int64_t modules_changed; /* when it was noticed */
} sampler;

/* The host's CPU time: the process' without the agent's own thread. */
static int64_t
host_cpu(void)
{
	return pf_host_process_cpu() - pf_host_cpu_of(sampler.agent);
}

/* Hooks a signal and arms all threads with it. */
static int
arm_all(bool first)
{
	int rc = pf_capture_hook(&sampler.capture, !sampler.event.perf);

	if (rc)
		return rc;
	pf_threads_init(&sampler.threads, &sampler.event, sampler.capture.signal, sampler.agent);
	pf_threads_look(&sampler.threads, pf_host_now(), first);
	return 0;
}

static int
start(struct pf_event_wish wish)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int rc;

	pf_event_choose(&sampler.event, wish);
	rc = pf_modules_init(&sampler.modules);
	if (rc)
		return rc;
	rc = pf_capture_open(&sampler.capture, processors > 0 ? (unsigned)processors : 1);
	if (rc)
		goto fail_modules;
	pf_stacks_init(&sampler.stacks, &sampler.modules, PF_FRAMES_FOR_NOW);
	pf_steps_open(&sampler.stepping, &sampler.capture.slots, &sampler.modules,
	    sampler.event.steps, sampler.event.rate);
	rc = arm_all(true);
	if (rc)
		goto fail_steps;
	sampler.running = true;
	return 0;

fail_steps:
	pf_steps_close();
	pf_capture_close(&sampler.capture);
fail_modules:
	pf_modules_release(&sampler.modules);
	return rc;
}

static void
stop(void)
{
	pf_threads_release(&sampler.threads);
	pf_capture_unhook(&sampler.capture);
	if (!pf_steps_close())
		sampler.capture.slots = (struct pf_slots){0};
	pf_capture_close(&sampler.capture);
	pf_stacks_release(&sampler.stacks);
	pf_modules_release(&sampler.modules);
	sampler.running = false;
}

int
pf_sampler_open(enum pf_window window, struct pf_event_wish wish)
{
	struct pf_tally *tally = &sampler.tallies[window];
	int rc = 0;

	if (tally->open)
		return -EALREADY;
	if (!sampler.running)
		rc = start(wish);
	if (rc)
		return rc;
	*tally = (struct pf_tally){
	    .open = true,
	    .began_wall = pf_host_wall(),
	    .began = pf_host_now(),
	    .cpu = host_cpu(),
	    .lost_before = atomic_load(&sampler.capture.lost),
	    .signal = sampler.capture.signal,
	};
	return 0;
}

/* What is counted of a stack, or NULL without room. */
static struct pf_count *
count_of(struct pf_tally *tally, uint32_t stack)
{
	size_t before = tally->known;

	if (stack == PF_NONE || PF_GROW(tally->counts, tally->capacity, stack + 1, NULL))
		return NULL;
	if (stack >= before) {
		tally->known = stack + 1;
		memset(tally->counts + before, 0, (tally->known - before) * sizeof *tally->counts);
	}
	return &tally->counts[stack];
}

static void
count(struct pf_tally *tally, const struct pf_taken *taken, uint32_t weight)
{
	struct pf_count *counted = count_of(tally, taken->stack);

	if (!counted) {
		tally->lost += weight;
		return;
	}
	counted->periods += weight;
	tally->taken += weight;
	tally->overrun += weight - 1;
	tally->samples++;
	tally->cut += taken->end == PF_STACK_CUT;
	tally->deep += taken->end == PF_STACK_DEEP;
	tally->by_frame_pointer += taken->by_frame_pointer;
}

static void
take_sample(struct pf_slot *slot, int64_t now)
{
	struct pf_taken taken = pf_stacks_take(&sampler.stacks, slot, now);

	slot->weight += pf_threads_owed(&sampler.threads, slot->thread);
	for (int i = 0; i < PF_WINDOWS; i++)
		if (sampler.tallies[i].open)
			count(&sampler.tallies[i], &taken, slot->weight);
}

static void
count_steps(struct pf_tally *tally, const uint32_t *stacks, uint32_t number)
{
	tally->bursts++;
	for (uint32_t i = 0; i < number; i++) {
		struct pf_count *counted = count_of(tally, stacks[i]);
		if (counted) {
			counted->steps++;
			tally->steps++;
		}
	}
}

/* Each instruction of a burst is a sample of its own, with the call that led to it, if one did. */
static void
take_steps(const struct pf_slot *slot, int64_t now)
{
	uint32_t stacks[PF_STEPS], number = pf_steps_count(slot);

	for (uint32_t i = 0; i < number; i++) {
		uint64_t caller, pc = pf_steps_get(slot, i, &caller);
		stacks[i] = pf_stacks_pair(&sampler.stacks, pc, caller, now);
	}
	for (int i = 0; i < PF_WINDOWS; i++)
		if (sampler.tallies[i].open)
			count_steps(&sampler.tallies[i], stacks, number);
}

static void
drain(int64_t now)
{
	unsigned look = sampler.modules.look;
	struct pf_slot *slot;
	size_t at = 0;

	/* First the samples, then the look: so no sample is younger than the list it is looked up in. */
	pf_slots_gather(&sampler.capture.slots);
	if (pf_modules_follow(&sampler.modules))
		sampler.modules_changed = now;
	while ((slot = pf_slots_next(&sampler.capture.slots, &at))) {
		if (slot->kind == PF_SLOT_STEPS)
			take_steps(slot, now);
		else
			take_sample(slot, now);
		pf_slots_done(&sampler.capture.slots, slot);
	}
	pf_modules_drained(&sampler.modules, look);
}

/* The host has put its own handler in our place: go to another signal, or stop arming. */
static void
move_signal(void)
{
	pf_threads_release(&sampler.threads);
	pf_capture_unhook(&sampler.capture);
	if (arm_all(true))
		sampler.threads.arm_error = EBUSY;
	for (int i = 0; i < PF_WINDOWS; i++) {
		sampler.tallies[i].moved++;
		sampler.tallies[i].signal = sampler.capture.signal;
	}
}

/* What the windows must know of the threads that are not sampled. */
static void
note_threads(void)
{
	for (int i = 0; i < PF_WINDOWS; i++) {
		struct pf_tally *tally = &sampler.tallies[i];
		if (tally->unsampled < sampler.threads.unsampled)
			tally->unsampled = sampler.threads.unsampled;
		if (sampler.threads.arm_error)
			tally->arm_error = sampler.threads.arm_error;
	}
}

int64_t
pf_sampler_tick(int64_t now)
{
	int64_t next;

	if (!sampler.running)
		return INT64_MAX;
	next = now + DRAIN_EVERY * PF_EVENT_RATE / sampler.event.rate;
	if (sampler.capture.signal && !pf_capture_hooked(&sampler.capture))
		move_signal();
	drain(now);
	if (sampler.capture.signal) {
		pf_threads_look(&sampler.threads, now, false);
		if (sampler.threads.next_look < next)
			next = sampler.threads.next_look;
	}
	note_threads();
	pf_steps_follow(&sampler.stepping, &sampler.modules);
	if (sampler.modules_changed && now - sampler.modules_changed < MODULES_CALM &&
	    next > now + DRAIN_SOON)
		next = now + DRAIN_SOON;
	return next;
}

int
pf_sampler_close(enum pf_window window, struct pf_buffer *out)
{
	struct pf_tally *tally = &sampler.tallies[window];
	bool last = true;
	int rc = 0;

	if (!tally->open)
		return -EINVAL;
	pf_sampler_tick(pf_host_now());
	tally->open = false;
	tally->ended = pf_host_now();
	tally->cpu = host_cpu() - tally->cpu;
	if (tally->cpu < 0)
		tally->cpu = 0; /* the two clocks are not read at the same moment */
	tally->lost += atomic_load(&sampler.capture.lost) - tally->lost_before;
	if (out)
		rc = pf_cpu_write(out, tally, &sampler.stacks, &sampler.event, &sampler.stepping);
	free(tally->counts);
	tally->counts = NULL;
	for (int i = 0; i < PF_WINDOWS; i++)
		last &= !sampler.tallies[i].open;
	if (last)
		stop();
	return rc;
}

void
pf_sampler_except(pid_t agent)
{
	sampler.agent = agent;
	sampler.threads.except = agent;
}

bool
pf_sampler_running(void)
{
	return sampler.running;
}

void
pf_sampler_forked(bool tidy)
{
	pf_capture_forked(&sampler.capture);
	pf_steps_forked();
	if (tidy && sampler.running) {
		pf_threads_forked(&sampler.threads);
		pf_stacks_release(&sampler.stacks);
		pf_modules_release(&sampler.modules);
		for (int i = 0; i < PF_WINDOWS; i++)
			free(sampler.tallies[i].counts);
	}
	memset(&sampler, 0, sizeof sampler);
}

void
pf_sampler_describe(struct pf_event_wish wish, struct pf_event *event)
{
	if (sampler.running)
		*event = sampler.event;
	else
		pf_event_choose(event, wish);
}
