/* notes.c: see notes.h. */
#include "collect/agent/notes.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collect/agent/heap.h"
#include "collect/agent/host.h"
#include "collect/agent/waits.h"

enum { SLOTS = 256, FULL_ENOUGH = 64 };

static struct {
	struct pf_slots slots;
	struct pf_modules modules;
	struct pf_stacks stacks;
	struct pf_own_fd bell[2]; /* the end that is polled, the end that is written to */
	_Atomic uint64_t lost;
	bool open;
} notes = {.bell = {{.fd = -1}, {.fd = -1}}};

static void
hang_bell(void)
{
	int fds[2];

	pf_own_fd_close(&notes.bell[0]);
	pf_own_fd_close(&notes.bell[1]);
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		return;
	notes.bell[0] = pf_own_fd_take(fds[0]);
	notes.bell[1] = pf_own_fd_take(fds[1]);
}

int
pf_notes_open(void)
{
	int rc;

	if (notes.open)
		return 0;
	rc = pf_modules_init(&notes.modules);
	if (rc)
		return rc;
	rc = pf_slots_open(&notes.slots, SLOTS);
	if (rc) {
		pf_modules_release(&notes.modules);
		return rc;
	}
	pf_stacks_init(&notes.stacks, &notes.modules, PF_FRAMES_FOR_GOOD);
	hang_bell();
	notes.open = true;
	return 0;
}

struct pf_slot *
pf_note_begin(enum pf_note kind)
{
	struct pf_slot *slot = notes.slots.items ? pf_slots_claim(&notes.slots) : NULL;

	if (slot) {
		slot->kind = kind;
		slot->last_call = kind == PF_NOTE_HOLD         ? PF_CALLED_LAST
				  : kind == PF_NOTE_ALLOCATION ? PF_OWN_CALLED_LAST
							       : PF_CALLED;
	} else {
		atomic_fetch_add_explicit(&notes.lost, 1, memory_order_relaxed);
	}
	return slot;
}

/* Not by write(), in which a thread that is to be cancelled would end, in the middle of malloc. */
static void
ring(int fd)
{
	syscall(SYS_write, fd, "", 1UL); /* full: it has been rung */
}

void
pf_note_done(struct pf_slot *slot, const void *caller)
{
	pf_registers_here(slot->registers);
	slot->known = PF_KNOWN_SAVED;
	slot->caller = (uint64_t)(uintptr_t)caller;
	pf_slot_copy(slot);
	if (pf_slots_ready(&notes.slots, slot) == FULL_ENOUGH && pf_own_fd_valid(&notes.bell[1]))
		ring(notes.bell[1].fd);
}

int
pf_notes_bell(void)
{
	if (!notes.open)
		return -1;
	if (!pf_own_fd_valid(&notes.bell[0]) || !pf_own_fd_valid(&notes.bell[1]))
		hang_bell();
	return notes.bell[0].fd;
}

static void
silence_bell(void)
{
	char bytes[64];

	while (pf_own_fd_valid(&notes.bell[0]) &&
	       read(notes.bell[0].fd, bytes, sizeof bytes) == sizeof bytes)
		continue;
}

bool
pf_notes_drain(int64_t now)
{
	unsigned look = notes.modules.look;
	struct pf_slot *slot;
	size_t at = 0;
	bool any = false;

	if (!notes.open)
		return false;
	silence_bell();
	pf_slots_gather(&notes.slots);
	pf_modules_follow(&notes.modules);
	for (; (slot = pf_slots_next(&notes.slots, &at)); any = true) {
		struct pf_taken taken = pf_stacks_take(&notes.stacks, slot, now);
		if (slot->kind == PF_NOTE_ALLOCATION)
			pf_heap_noted(slot, taken.stack);
		else
			pf_waits_noted(slot, taken.stack);
		pf_slots_done(&notes.slots, slot);
	}
	pf_modules_drained(&notes.modules, look);
	return any;
}

const struct pf_stacks *
pf_notes_stacks(void)
{
	return &notes.stacks;
}

uint64_t
pf_notes_lost(void)
{
	return atomic_load(&notes.lost);
}

void
pf_notes_forked(bool tidy)
{
	if (!notes.open)
		return;
	pf_own_fd_close(&notes.bell[0]);
	pf_own_fd_close(&notes.bell[1]);
	notes.slots.waiting = 0; /* the slots are empty: the kernel has wiped them */
	if (!tidy) {
		notes.slots.items = NULL;
		notes.open = false;
	}
}
