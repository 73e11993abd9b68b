/*
 * order_samples.c: see order_samples.h.
 *
 * The leaf decides most: samples are counted out by it. Those of one leaf are
 * sorted as strings are by multikey quicksort (Bentley and Sedgewick, "Fast
 * algorithms for sorting and searching strings", 1997): as many frames at a time
 * as fit into 64 bits lie beside the sample's number, so most comparisons look
 * at nothing else.
 */
#include "profile/order_samples.h"

#include <stdlib.h>
#include <string.h>

#include "core/compare.h"
#include "core/error.h"
#include "core/memory.h"

/* The next frames of a sample, each plus one: 0 is past the root, and sorts first. */
struct sample_key {
	uint64_t frames;
	uint32_t record;
	uint32_t at; /* of its run: where those frames end */
};

/* A part that is sorted up to some frame. */
struct range {
	struct sample_key *keys;
	size_t count;
};

/* What is copied at once, in words; how far ahead memory is asked for. */
enum { FEW = 12, MOST_COPIED = 2 << 20, AHEAD = 16 };

int
pf_compare_labels(const void *a, const void *b)
{
	const struct pf_label *x = a, *y = b;

	PF_COMPARE(x->key, y->key);
	PF_COMPARE(x->string, y->string);
	PF_COMPARE(x->number, y->number);
	PF_COMPARE(x->unit, y->unit);
	return 0;
}

static int
compare_sets(const struct pf_packed_samples *s, uint32_t a, uint32_t b)
{
	uint64_t x = s->label_starts[a], x_end = s->label_starts[a + 1];
	uint64_t y = s->label_starts[b], y_end = s->label_starts[b + 1];
	int order = 0;

	for (; !order && x < x_end && y < y_end; x++, y++)
		order = pf_compare_labels(&s->labels[x], &s->labels[y]);
	if (order)
		return order;
	PF_COMPARE(x_end - x, y_end - y);
	return 0;
}

/* Of two samples of the same frames: by their labels. */
static int
compare_same_frames(const void *a, const void *b, void *data)
{
	const struct sample_key *k = a, *l = b;
	const struct pf_sample_order *o = data;
	struct pf_packed_frames x = pf_packed_frames(o->p->packed, o->from + k->record);
	struct pf_packed_frames y = pf_packed_frames(o->p->packed, o->from + l->record);

	return compare_sets(o->p->packed, pf_packed_varint(&x.end), pf_packed_varint(&y.end));
}

/* The key of the frames that follow those of this one. */
static void
go_on(const struct pf_sample_order *o, struct sample_key *k)
{
	const struct pf_packed_samples *s = o->p->packed;
	const uint8_t *run = pf_packed_run(s, o->from + k->record);
	struct pf_packed_frames f = pf_packed_frames(s, o->from + k->record);
	uint64_t frames = 0;

	f.at = run + k->at;
	for (unsigned i = 0; i < o->frames_a_key; i++) {
		frames <<= o->bits;
		if (f.at < f.end)
			frames |= (uint64_t)s->locations[pf_packed_varint(&f.at) - 1] + 1;
	}
	k->frames = frames;
	k->at = (uint32_t)(f.at - run);
}

/* Whether no frames follow those in the key. */
static bool
is_last(const struct pf_sample_order *o, uint64_t frames)
{
	return (frames & (((uint64_t)1 << o->bits) - 1)) == 0;
}

static uint64_t
median(uint64_t a, uint64_t b, uint64_t c)
{
	if (a < b)
		return b < c ? b : a < c ? c : a;
	return a < c ? a : b < c ? c : b;
}

/* Of nine from all over the range, at places that differ from run to run: nobody can make a file that is slow to sort. */
static uint64_t
pivot(const struct range *r)
{
	uint64_t middles[3];

	for (size_t i = 0; i < 3; i++) {
		size_t step = r->count / 9, at = 3 * i * step + pf_hash_pair(r->count, i) % step;
		middles[i] = median(
		    r->keys[at].frames, r->keys[at + step].frames, r->keys[at + 2 * step].frames);
	}
	return median(middles[0], middles[1], middles[2]);
}

static void
swap(struct sample_key *a, struct sample_key *b)
{
	struct sample_key held = *a;

	*a = *b;
	*b = held;
}

/* Splits a range into what is below, equal to and above a pivot. */
static void
partition(const struct range *r, struct range parts[3])
{
	uint64_t key = pivot(r);
	size_t below = 0, above = r->count;

	for (size_t i = 0; i < above;) {
		if (r->keys[i].frames < key)
			swap(&r->keys[i++], &r->keys[below++]);
		else if (r->keys[i].frames > key)
			swap(&r->keys[i], &r->keys[--above]);
		else
			i++;
	}
	parts[0] = (struct range){r->keys, below};
	parts[1] = (struct range){r->keys + below, above - below};
	parts[2] = (struct range){r->keys + above, r->count - above};
}

/* Goes on to the next frames of samples whose frames were equal so far; nothing is left where there are none. */
static void
descend(struct pf_sample_order *o, struct range *r)
{
	if (r->count > 1 && is_last(o, r->keys[0].frames)) {
		qsort_r(r->keys, r->count, sizeof *r->keys, compare_same_frames, o);
		r->count = 0;
	}
	for (size_t i = 0; r->count > 1 && i < r->count; i++)
		go_on(o, &r->keys[i]);
}

/* Sorts few keys, and finds those that are equal: parts that are to be sorted further. Returns how many parts. */
static size_t
sort_few(struct pf_sample_order *o, const struct range *r, struct range parts[FEW / 2])
{
	size_t n = 0;

	for (size_t i = 1; i < r->count; i++) {
		struct sample_key key = r->keys[i];
		size_t j = i;

		for (; j > 0 && key.frames < r->keys[j - 1].frames; j--)
			r->keys[j] = r->keys[j - 1];
		r->keys[j] = key;
	}
	for (size_t i = 0, end; i < r->count; i = end) {
		for (end = i + 1; end < r->count && r->keys[end].frames == r->keys[i].frames;)
			end++;
		if (end == i + 1)
			continue;
		parts[n] = (struct range){r->keys + i, end - i};
		descend(o, &parts[n++]);
	}
	return n;
}

static size_t
split(struct pf_sample_order *o, const struct range *r, struct range parts[3])
{
	partition(r, parts);
	descend(o, &parts[1]);
	return 3;
}

/* All parts but one by recursion, the largest by repetition: the recursion is no deeper than the logarithm. */
static void
sort_range(struct pf_sample_order *o, struct range r)
{
	while (r.count > 1) {
		struct range parts[FEW / 2];
		size_t n = r.count > FEW ? split(o, &r, parts) : sort_few(o, &r, parts);
		size_t largest = 0;

		for (size_t i = 1; i < n; i++) {
			if (parts[i].count > parts[largest].count)
				largest = i;
		}
		for (size_t i = 0; i < n; i++) {
			if (i != largest)
				sort_range(o, parts[i]);
		}
		if (n == 0)
			return;
		r = parts[largest];
	}
}

/* The number of a sample's leaf, plus one; 0 where it has no frames. */
static size_t
leaf_of(const struct pf_packed_samples *s, size_t record)
{
	struct pf_packed_frames f = pf_packed_frames(s, s->words + record);

	return f.at < f.end ? (size_t)s->locations[pf_packed_varint(&f.at) - 1] + 1 : 0;
}

/* Counts records out by leaf. Returns how many the most frequent one has. */
static size_t
by_leaf(struct pf_sample_order *o)
{
	const struct pf_packed_samples *s = o->p->packed;
	size_t leaves = o->p->location_count + 1, most = 0, next;
	uint32_t begun = 0;

	for (size_t i = 0; i < s->size; i = pf_packed_samples_next(s, i))
		o->ends[leaf_of(s, i)]++;
	for (size_t i = 0; i < leaves; i++) {
		uint32_t count = o->ends[i];
		o->ends[i] = begun;
		begun += count;
		most = count > most ? count : most;
	}
	for (size_t i = 0; i < s->size; i = next) {
		next = pf_packed_samples_next(s, i);
		o->records[o->ends[leaf_of(s, i)]++] = (uint32_t)i;
	}
	return most;
}

int
pf_sample_order_begin(struct pf_sample_order *o, const struct pf_profile *p, struct pf_error *err)
{
	size_t words = p->packed->size;
	int rc;

	*o = (struct pf_sample_order){.p = p, .bits = 1};
	while ((uint64_t)p->location_count >> o->bits)
		o->bits++;
	o->frames_a_key = 64 / o->bits;
	o->copy_room = words < MOST_COPIED ? words : MOST_COPIED;
	rc = PF_CALLOC(o->records, p->sample_count, err);
	if (!rc)
		rc = PF_CALLOC(o->ends, p->location_count + 1, err);
	if (!rc)
		rc = PF_CALLOC(o->copies, o->copy_room, err);
	return rc ? rc : PF_CALLOC(o->keys, by_leaf(o), err);
}

void
pf_sample_order_release(struct pf_sample_order *o)
{
	free(o->records);
	free(o->ends);
	free(o->copies);
	free(o->keys);
	*o = (struct pf_sample_order){0};
}

/*
 * Records of one leaf lie all over memory: they are brought together, each asked
 * for a while before. Those too many to be copied stay where they are.
 */
static void
gather(struct pf_sample_order *o, const uint32_t *records, size_t count)
{
	const struct pf_packed_samples *s = o->p->packed;
	size_t left = o->p->sample_count - (size_t)(records - o->records), size = 0;

	for (size_t i = 0; i < count; i++) {
		size_t words;
		if (i + AHEAD < left)
			pf_packed_samples_fetch(s, records[i + AHEAD]);
		words = pf_packed_samples_next(s, records[i]) - records[i];
		if (words > o->copy_room - size)
			break;
		memcpy(o->copies + size, s->words + records[i], words * sizeof *s->words);
		o->keys[i].record = (uint32_t)size;
		size += words;
		o->from = o->copies;
		o->limit = o->copies + size;
		if (i + 1 == count)
			return;
	}
	for (size_t i = 0; i < count; i++)
		o->keys[i].record = records[i];
	o->from = s->words;
	o->limit = s->words + s->size;
}

/* Sorts the samples of a leaf, which all share it. */
static void
order_leaf(struct pf_sample_order *o, size_t first, size_t count)
{
	const struct pf_packed_samples *s = o->p->packed;

	gather(o, o->records + first, count);
	for (size_t i = 0; i < count; i++) {
		struct sample_key *key = &o->keys[i];
		struct pf_packed_frames f = pf_packed_frames(s, o->from + key->record);
		if (o->leaf)
			(void)pf_packed_varint(&f.at);
		key->at = (uint32_t)(f.at - pf_packed_run(s, o->from + key->record));
		if (count > 1)
			go_on(o, key);
	}
	sort_range(o, (struct range){o->keys, count});
}

size_t
pf_sample_order_next(struct pf_sample_order *o)
{
	for (; o->leaf <= o->p->location_count; o->leaf++) {
		size_t first = o->leaf ? o->ends[o->leaf - 1] : 0;
		size_t count = o->ends[o->leaf] - first;
		if (count) {
			order_leaf(o, first, count);
			o->leaf++;
			return count;
		}
	}
	return 0;
}

const int64_t *
pf_sample_order_get(const struct pf_sample_order *o, size_t i)
{
	return o->from + o->keys[i].record;
}
