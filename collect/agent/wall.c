/*
 * wall.c: looks at all threads for a while: where the time goes, on the processor and off it.
 *
 * What a look costs decides how soon the next one comes: at most 20 times a
 * second, and so that looking takes no more than a hundredth of a processor. A
 * sample counts for the time since the look before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collect/agent/document.h"
#include "collect/agent/host.h"
#include "collect/agent/look.h"
#include "collect/agent/thread_profile.h"
#include "core/memory.h"

#define EVERY INT64_C(50000000)
#define PATIENCE INT64_C(2000000)

enum { DEAR = 100, MOST_SUMS = 1 << 16, WORD = 24 };

/* Time of threads of one name at one stack, for one reason. */
struct sum {
	uint32_t stack;
	char word[WORD];
	char name[16];
	int64_t count, time;
};

static struct {
	bool open;
	struct pf_look look;
	struct sum *sums; /* owned */
	size_t count, capacity;
	struct pf_index index;
	int64_t began, began_wall, last, next;
	int64_t looks, lost;
} wall;

int
pf_wall_open(void)
{
	int rc;

	if (wall.open)
		return -EALREADY;
	rc = pf_look_init(&wall.look);
	if (rc) {
		pf_look_release(&wall.look);
		return rc;
	}
	wall.open = true;
	wall.began = wall.last = pf_host_now();
	wall.began_wall = pf_host_wall();
	wall.next = wall.began + EVERY;
	return 0;
}

static void
release(void)
{
	pf_look_release(&wall.look);
	free(wall.sums);
	pf_index_release(&wall.index);
	memset(&wall, 0, sizeof wall);
}

static struct sum *
find(const struct sum *key)
{
	uint32_t hash = pf_hash_pair(key->stack, (uint64_t)pf_hash_bytes(key->word, WORD) << 32 |
						     pf_hash_bytes(key->name, sizeof key->name)),
		 i;
	size_t at;

	for (i = pf_index_first(&wall.index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&wall.index, hash, &at))
		if (wall.sums[i].stack == key->stack && !strcmp(wall.sums[i].word, key->word) &&
		    !strcmp(wall.sums[i].name, key->name))
			return &wall.sums[i];
	if (wall.count == MOST_SUMS || PF_GROW(wall.sums, wall.capacity, wall.count + 1, NULL) ||
	    pf_index_add(&wall.index, hash, (uint32_t)wall.count, NULL))
		return NULL;
	wall.sums[wall.count] = *key;
	return &wall.sums[wall.count++];
}

static void
count(const struct pf_found *found, int64_t time)
{
	struct sum key = {.stack = found->stack}, *sum;

	pf_found_word(found, key.word, sizeof key.word);
	memcpy(key.name, found->state.name, sizeof key.name);
	sum = find(&key);
	if (!sum) {
		wall.lost++;
		return;
	}
	sum->count++;
	sum->time += time;
}

int64_t
pf_wall_tick(int64_t now)
{
	int64_t cost = pf_host_thread_cpu(), time;

	if (!wall.open)
		return INT64_MAX;
	if (now < wall.next)
		return wall.next;
	if (!pf_look_at_all(&wall.look, PATIENCE)) {
		time = now - wall.last;
		wall.last = now;
		wall.looks++;
		for (size_t i = 0; i < wall.look.count; i++)
			count(&wall.look.found[i], time);
	}
	cost = (pf_host_thread_cpu() - cost) * DEAR;
	wall.next = now + (cost > EVERY ? cost : EVERY);
	return wall.next;
}

static bool
sample(const void *source, size_t i, struct pf_sample *sample)
{
	const struct sum *sum = (const struct sum *)source + i;

	sample->stack = sum->stack;
	sample->values[0] = sum->count;
	sample->values[1] = sum->time;
	sample->labels[0] = (struct pf_sample_label){.key = "thread", .text = sum->name};
	sample->labels[1] = (struct pf_sample_label){.key = "wait", .text = sum->word};
	sample->label_count = 2;
	return true;
}

static int
write_window(struct pf_buffer *out, int64_t now)
{
	struct pf_document d;
	int rc;

	pf_document_init(&d, &wall.look.stacks);
	d.kinds[0] = (struct pf_value_kind){"samples", "count"};
	d.kinds[1] = (struct pf_value_kind){"wall", "nanoseconds"};
	d.kind_count = 2;
	d.chosen = "wall";
	d.period_kind = d.kinds[1];
	d.period = wall.looks ? (wall.last - wall.began) / wall.looks : EVERY;
	d.time = wall.began_wall;
	d.duration = now - wall.began;
	d.source = wall.sums;
	d.samples = wall.count;
	d.sample = sample;
	pf_document_say(&d, "wall: looked at all threads %lld times", (long long)wall.looks);
	if (wall.lost)
		pf_document_say(
		    &d, "wall: %lld samples lost for want of memory", (long long)wall.lost);
	rc = pf_document_write(&d, out);
	pf_document_release(&d);
	return rc;
}

int
pf_wall_close(struct pf_buffer *out)
{
	int rc = 0;

	if (!wall.open)
		return -EINVAL;
	if (out) {
		wall.next = 0;
		pf_wall_tick(pf_host_now());
		rc = write_window(out, pf_host_now());
	}
	release();
	return rc;
}

void
pf_wall_forked(bool tidy)
{
	if (tidy && wall.open)
		release();
	else
		memset(&wall, 0, sizeof wall);
}
