/*
 * thread_text.c: a look at all threads as text, for people: by stack, as Go's goroutine?debug=1, or
 * thread by thread, as its debug=2.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "collect/agent/holder.h"
#include "collect/agent/host.h"
#include "collect/agent/look.h"
#include "collect/agent/symbols.h"
#include "collect/agent/text.h"
#include "collect/agent/thread_profile.h"

enum { MOST_QUERIES = 1 << 14, WORD = 48 };

#define PATIENCE INT64_C(20000000) /* ns for running threads */
#define MINUTE INT64_C(60000000000)

struct text {
	struct pf_buffer *out;
	struct pf_look look;
	struct pf_query *names; /* of the locations, by address */
	size_t name_count;
};

static void
find_names(struct text *t)
{
	const struct pf_stacks *s = &t->look.stacks;

	t->name_count = s->location_count < MOST_QUERIES ? s->location_count : MOST_QUERIES;
	t->names = calloc(t->name_count + 1, sizeof *t->names);
	if (!t->names)
		t->name_count = 0;
	for (size_t i = 0; i < t->name_count; i++)
		t->names[i].address = s->locations[i].pc;
	pf_symbols_find(t->names, t->name_count);
}

static const char *
name_of(const struct text *t, uint64_t pc)
{
	size_t low = 0, high = t->name_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (t->names[middle].address < pc)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < t->name_count && t->names[low].address == pc && *t->names[low].name)
		return t->names[low].name;
	return "?";
}

/* One line a frame: function, file, address in it. */
static void
write_frames(struct text *t, uint32_t number, const char *before)
{
	const struct pf_stacks *s = &t->look.stacks;
	const struct pf_stack *stack = number == PF_NONE ? NULL : &s->items[number];

	if (!stack)
		pf_buffer_printf(t->out, "%s[stack not taken]\n", before);
	for (uint32_t i = 0; stack && i < stack->count; i++) {
		const struct pf_location *l = &s->locations[s->frames[stack->first + i]];
		const struct pf_mapping *m =
		    l->mapping == PF_NO_MAPPING ? NULL : &s->modules->items[l->mapping];
		pf_buffer_printf(t->out, "%s%s\t%s+0x%" PRIx64 "\n", before, name_of(t, l->pc),
		    m ? m->file : "", m ? l->pc - m->start + m->offset : l->pc);
	}
}

/* "3 minutes", "12 seconds", "40 ms". */
static void
write_time(struct pf_buffer *out, int64_t ns)
{
	if (ns >= 2 * MINUTE)
		pf_buffer_printf(out, "%" PRId64 " minutes", ns / MINUTE);
	else if (ns >= 2 * (MINUTE / 60))
		pf_buffer_printf(out, "%" PRId64 " seconds", ns / (MINUTE / 60));
	else
		pf_buffer_printf(out, "%" PRId64 " ms", ns / 1000000);
}

/* thread 4711 "worker" [mutex 0x55d0c0 held by thread 4712, 3 minutes]: */
static void
write_head(struct text *t, const struct pf_found *f, int64_t now)
{
	const char *gone = f->waits ? pf_holder_word(&f->wait) : NULL;
	char word[WORD];

	pf_found_word(f, word, sizeof word);
	pf_buffer_printf(t->out, "thread %d \"%s\" [%s", (int)f->state.thread, f->state.name, word);
	if (f->waits)
		pf_buffer_printf(t->out, " 0x%" PRIx64, f->wait.object);
	else if (pf_thread_call_has_fd(f->state.call))
		pf_buffer_printf(t->out, " fd %d", (int)f->state.arguments[0]);
	if (f->waits && f->wait.holder)
		pf_buffer_printf(t->out, " %s thread %" PRIu32,
		    f->wait.kind == PF_WAIT_JOIN ? "of" : "held by", f->wait.holder);
	if (gone)
		pf_buffer_printf(t->out, " (%s)", gone);
	if (f->state.call != PF_CALL_RUNNING) {
		pf_buffer_string(t->out, f->waits ? ", " : ", at least ");
		write_time(t->out, now - f->since);
	}
	pf_buffer_string(t->out, "]:\n");
}

static void
write_threads(struct text *t, int64_t now)
{
	pf_buffer_printf(t->out, "%zu threads of %s, process %d\n", t->look.count,
	    pf_host_program(), (int)getpid());
	for (size_t i = 0; i < t->look.count; i++) {
		pf_buffer_byte(t->out, '\n');
		write_head(t, &t->look.found[i], now);
		write_frames(t, t->look.found[i].stack, "\t");
	}
}

static size_t
threads_at(const struct pf_look *look, uint32_t stack)
{
	size_t n = 0;

	for (size_t i = 0; i < look->count; i++)
		n += look->found[i].stack == stack;
	return n;
}

static void
write_stack(struct text *t, uint32_t number, size_t threads)
{
	/* Without an address it would be malformed to Go's reader: a comment. */
	pf_buffer_printf(t->out, "\n%s%zu @", number == PF_NONE ? "# " : "", threads);
	pf_text_stack(t->out, &t->look.stacks, number);
	pf_buffer_byte(t->out, '\n');
	write_frames(t, number, "#\t");
}

static void
write_stacks(struct text *t)
{
	size_t threads;

	pf_buffer_printf(t->out, "threads profile: total %zu\n", t->look.count);
	for (uint32_t i = 0; i < t->look.stacks.count; i++)
		if ((threads = threads_at(&t->look, i)))
			write_stack(t, i, threads);
	if ((threads = threads_at(&t->look, PF_NONE)))
		write_stack(t, PF_NONE, threads);
	pf_text_mappings(t->out, &t->look.modules);
}

int
pf_threads_write_text(int level, struct pf_buffer *out)
{
	struct text t = {.out = out};
	int rc = pf_look_init(&t.look);

	if (!rc)
		rc = pf_look_at_all(&t.look, PATIENCE);
	if (!rc) {
		find_names(&t);
		if (level > 1)
			write_threads(&t, pf_host_now());
		else
			write_stacks(&t);
		rc = out->failed ? -ENOMEM : 0;
	}
	free(t.names);
	pf_look_release(&t.look);
	return rc;
}
