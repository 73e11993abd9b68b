/*
 * read_jemalloc.c: the heap profiles of jemalloc 4 and 5.
 *
 *	heap_v2/524288
 *	  t*: 28106: 56637512 [0: 0]
 *	  t3: 352: 16777344 [0: 0] worker
 *	@ 0x5f86da8 0x5f5a1dc
 *	  t*: 13: 6688 [0: 0]
 *	  t3: 12: 6496 [0: 0]
 *	MAPPED_LIBRARIES:
 *
 * A stack's t* line is its figure, and jemalloc distorts it so that unsampling
 * the line gives an unbiased estimate; thread lines do not add up to it. So
 * the estimate from t* is shared out over the threads by their own estimates,
 * exactly, in one sample a thread with labels thread and, where there is one,
 * thread_name. The header's figures are the sum of stacks in older versions only; else they
 * just tell whether allocations ever made were counted. All addresses are return addresses.
 *
 * The memory map comes last, where the system has one to show: a text that ends without
 * it and whose stacks don't add up to its header may be cut off, or not.
 *
 * Each thread's sample repeats the stack's frames. A file could make that cost
 * far more than its own size: where that exceeds FRAMES_A_BYTE times what was read so far,
 * such stacks are one sample each, with the same figures and no thread.
 */
#include "profile/formats.h"

#include <stdlib.h>

#include "core/error.h"
#include "core/memory.h"
#include "profile/builder.h"
#include "profile/maps.h"
#include "profile/noise.h"
#include "profile/unsample.h"

__extension__ typedef unsigned __int128 wide;

enum { FRAMES_A_BYTE = 4 };
enum { ALLOC_OBJECTS, ALLOC_SPACE, IN_USE_OBJECTS, IN_USE_SPACE, FIGURES };

/* The figures of a line, estimates of all once read. */
struct thread_line {
	int64_t values[FIGURES];
	int64_t objects, bytes; /* in use, as counted */
	int64_t thread;         /* ALL for t* */
};

/* What the header calls a thread: a range of the names' bytes. */
struct thread_name {
	int64_t thread;
	size_t at, size;
};

static const int64_t ALL = -1;

struct reader {
	struct pf_builder *b;
	struct pf_lines lines;
	bool has_alloc, has_total; /* by the t* line of the header; whether there was one */
	struct thread_name *names; /* of the header's threads */
	size_t name_count, name_capacity;
	struct pf_index name_index; /* by thread */
	struct pf_buffer name_bytes;
	struct thread_line *threads; /* of the stack being read */
	size_t thread_count, thread_capacity;
	uint64_t repeated;   /* frames, for threads */
	wide objects, bytes; /* in use, as counted: by the header, less what stacks had so far */
};

static bool
is_header(struct pf_text t)
{
	t = pf_text_trimmed(t);
	return pf_text_skip(&t, "heap_v2/") && (pf_text_int64(&t), !t.failure) && t.at == t.end;
}

bool
pf_jemalloc_recognise(const uint8_t *bytes, size_t size)
{
	struct pf_lines lines;

	pf_lines_init(&lines, "", bytes, size);
	return pf_lines_next_content(&lines) && is_header(lines.line);
}

/* Estimates a pair of figures; what is wrong with it, or NULL. */
static const char *
estimate(int64_t *objects, int64_t *bytes, int64_t rate)
{
	if (*objects < 0 || *bytes < 0)
		return "a negative figure";
	if (*objects == 0 && *bytes)
		return "bytes in no objects";
	return pf_unsample(objects, bytes, rate) ? NULL : "the unsampled figures exceed 64 bits";
}

/* "  t*: objects: bytes [objects: bytes] name"; the mean size is of the objects that were counted. */
static int
read_thread_line(const struct reader *r, struct thread_line *l, struct pf_text *name,
    int64_t *mean_size, struct pf_error *err)
{
	struct pf_text t = r->lines.line;
	int64_t rate = r->b->p->period;
	const char *wrong;

	pf_text_expect(&t, "t");
	l->thread = ALL;
	if (!pf_text_skip(&t, "*"))
		l->thread = pf_text_int64(&t);
	pf_text_expect(&t, ":");
	l->values[IN_USE_OBJECTS] = pf_text_int64(&t);
	pf_text_expect(&t, ":");
	l->values[IN_USE_SPACE] = pf_text_int64(&t);
	pf_text_expect(&t, "[");
	l->values[ALLOC_OBJECTS] = pf_text_int64(&t);
	pf_text_expect(&t, ":");
	l->values[ALLOC_SPACE] = pf_text_int64(&t);
	pf_text_expect(&t, "]");
	if (t.failure)
		return pf_lines_error(&r->lines, t.failure, err);
	l->objects = l->values[IN_USE_OBJECTS];
	l->bytes = l->values[IN_USE_SPACE];
	*name = pf_text_trimmed(t);
	*mean_size = 0;
	if (l->values[IN_USE_OBJECTS])
		*mean_size = l->values[IN_USE_SPACE] / l->values[IN_USE_OBJECTS];
	else if (l->values[ALLOC_OBJECTS])
		*mean_size = l->values[ALLOC_SPACE] / l->values[ALLOC_OBJECTS];
	wrong = estimate(&l->values[IN_USE_OBJECTS], &l->values[IN_USE_SPACE], rate);
	if (!wrong)
		wrong = estimate(&l->values[ALLOC_OBJECTS], &l->values[ALLOC_SPACE], rate);
	return wrong ? pf_lines_error(&r->lines, wrong, err) : 0;
}

/* The name that the header gives a thread; empty: none. */
static struct pf_text
name_of(const struct reader *r, int64_t thread)
{
	uint32_t hash = pf_hash_u64((uint64_t)thread), i;
	size_t at = 0;

	for (i = pf_index_first(&r->name_index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&r->name_index, hash, &at)) {
		if (r->names[i].thread == thread)
			return pf_text_of(
			    (const char *)r->name_bytes.bytes + r->names[i].at, r->names[i].size);
	}
	return pf_text_of("", 0);
}

/* Keeps a thread's first name for the labels. */
static int
add_name(struct reader *r, int64_t thread, struct pf_text name, struct pf_error *err)
{
	struct pf_text known = name_of(r, thread);
	size_t at = r->name_bytes.size;
	int rc;

	if (name.at == name.end || known.at < known.end)
		return 0;
	pf_buffer_add(&r->name_bytes, name.at, pf_text_left(&name));
	rc = pf_buffer_check(&r->name_bytes, err);
	if (!rc)
		rc = PF_GROW(r->names, r->name_capacity, r->name_count + 1, err);
	if (!rc)
		rc = pf_index_add(
		    &r->name_index, pf_hash_u64((uint64_t)thread), (uint32_t)r->name_count, err);
	if (!rc)
		r->names[r->name_count++] = (struct thread_name){thread, at, pf_text_left(&name)};
	return rc;
}

static bool
more(struct reader *r)
{
	return pf_lines_next_content(&r->lines) && !pf_maps_begin(&r->lines.line);
}

static bool
is_stack(const struct reader *r)
{
	struct pf_text t = r->lines.line;

	pf_text_blanks(&t);
	return pf_text_skip(&t, "@");
}

/* The header's thread lines, up to the first stack; *stack tells whether there is one. */
static int
read_header(struct reader *r, bool *stack, struct pf_error *err)
{
	struct thread_line l;
	struct pf_text name;
	int64_t mean_size;
	int rc = 0;

	*stack = false;
	while (!rc && more(r)) {
		if (is_stack(r)) {
			*stack = true;
			break;
		}
		rc = read_thread_line(r, &l, &name, &mean_size, err);
		if (!rc && l.thread == ALL) {
			r->has_alloc = l.values[ALLOC_OBJECTS] || l.values[ALLOC_SPACE];
			r->has_total = true;
			r->objects = (wide)l.objects;
			r->bytes = (wide)l.bytes;
		} else if (!rc) {
			rc = add_name(r, l.thread, name, err);
		}
	}
	return rc;
}

static int
add_types(struct reader *r, struct pf_error *err)
{
	static const char *const types[] = {
	    "alloc_objects", "alloc_space", "inuse_objects", "inuse_space"};
	int rc = 0;

	for (int i = r->has_alloc ? 0 : 2; !rc && i < FIGURES; i++)
		rc = pf_builder_type(r->b, types[i], i % 2 ? "bytes" : "count", err);
	return rc;
}

static int
end_sample(struct reader *r, const int64_t *values, int64_t mean_size, struct pf_error *err)
{
	int rc = pf_builder_number(r->b, "bytes", mean_size, "", err);

	return rc ? rc : pf_builder_sample(r->b, values + (r->has_alloc ? 0 : 2), err);
}

/* total * part / whole, where part <= whole, a sum of up to 2^32 int64. */
static int64_t
share(int64_t total, wide part, wide whole)
{
	return whole >> 64 ? (int64_t)((wide)total * (part >> 33) / (whole >> 33))
			   : (int64_t)((wide)total * part / whole);
}

/* One sample a thread: each gets what is due up to it less what was given before. */
static int
share_out(struct reader *r, const struct thread_line *all, int64_t mean_size, const wide *whole,
    struct pf_error *err)
{
	wide part[FIGURES] = {0};
	int64_t given[FIGURES] = {0};
	int rc = 0;

	for (size_t i = 0; !rc && i < r->thread_count; i++) {
		const struct thread_line *l = &r->threads[i];
		struct pf_text name = name_of(r, l->thread);
		int64_t values[FIGURES] = {0};
		for (int f = 0; f < FIGURES; f++) {
			part[f] += (wide)l->values[f];
			if (whole[f])
				values[f] = share(all->values[f], part[f], whole[f]) - given[f];
			given[f] += values[f];
		}
		rc = i ? pf_builder_same_frames(r->b, err) : 0;
		if (!rc)
			rc = pf_builder_number(r->b, "thread", l->thread, "", err);
		if (!rc && name.at < name.end)
			rc = pf_builder_text(r->b, "thread_name", name, err);
		if (!rc)
			rc = end_sample(r, values, mean_size, err);
	}
	return rc;
}

/* Whether the frames of the stack may be repeated for all its threads. */
static bool
may_repeat(struct reader *r)
{
	uint64_t frames = (uint64_t)r->b->pending * (r->thread_count - 1);

	if (r->repeated + frames > r->lines.offset * FRAMES_A_BYTE)
		return false;
	r->repeated += frames;
	return true;
}

static int
add_samples(
    struct reader *r, const struct thread_line *all, int64_t mean_size, struct pf_error *err)
{
	wide whole[FIGURES] = {0};
	bool threads = r->thread_count > 0;

	for (size_t i = 0; i < r->thread_count; i++) {
		for (int f = 0; f < FIGURES; f++)
			whole[f] += (wide)r->threads[i].values[f];
	}
	for (int f = 0; f < FIGURES; f++)
		threads = threads && (whole[f] || !all->values[f]);
	return threads && may_repeat(r) ? share_out(r, all, mean_size, whole, err)
					: end_sample(r, all->values, mean_size, err);
}

/* A stack from its "@" to the next one or the end; *stack as in read_header(). */
static int
read_stack(struct reader *r, bool *stack, struct pf_error *err)
{
	struct pf_text t = r->lines.line;
	size_t at_line = r->lines.number;
	struct thread_line all = {.thread = 0}, l;
	int64_t mean_size = 0, mean;
	struct pf_text name;
	int rc;

	pf_text_expect(&t, "@");
	rc = pf_builder_callers(r->b, &r->lines, &t, err);
	r->thread_count = 0;
	*stack = false;
	while (!rc && more(r)) {
		*stack = is_stack(r);
		if (*stack)
			break;
		rc = read_thread_line(r, &l, &name, &mean, err);
		if (rc)
			return rc;
		if (l.thread == ALL) {
			all = l;
			mean_size = mean;
			r->objects -= (wide)l.objects;
			r->bytes -= (wide)l.bytes;
			continue;
		}
		rc = PF_GROW(r->threads, r->thread_capacity, r->thread_count + 1, err);
		if (!rc)
			r->threads[r->thread_count++] = l;
	}
	if (!rc && all.thread != ALL)
		rc = pf_error_set(err, PF_EINPUT, "%s: the stack at line %zu has no t* line",
		    r->lines.section, at_line);
	return rc ? rc : add_samples(r, &all, mean_size, err);
}

static int
read_all(struct reader *r, struct pf_error *err)
{
	bool stack;
	int rc = read_header(r, &stack, err);

	if (!rc)
		rc = add_types(r, err);
	if (!rc)
		rc = pf_noise_set(r->b, PF_NOISE_HEAP, err);
	while (!rc && stack)
		rc = read_stack(r, &stack, err);
	if (!rc && !pf_maps_begin(&r->lines.line) && (!r->has_total || r->objects || r->bytes))
		r->b->p->doubt =
		    "it ends without the memory map that jemalloc writes last, and its stacks "
		    "don't add up to its header: it may be cut off";
	return rc ? rc : pf_maps_read(r->b, &r->lines, err);
}

int
pf_jemalloc_read(struct pf_builder *b, struct pf_source *source, struct pf_error *err)
{
	struct reader r = {.b = b};
	struct pf_text t;
	int rc;

	pf_lines_from(&r.lines, source);
	pf_buffer_init(&r.name_bytes, PF_BUFFER_NO_MAXIMUM);
	(void)pf_lines_next_content(&r.lines);
	t = pf_text_trimmed(r.lines.line);
	pf_text_expect(&t, "heap_v2/");
	rc = pf_builder_period(r.b, "space", "bytes", pf_text_int64(&t), err);
	if (!rc)
		rc = read_all(&r, err);
	free(r.names);
	free(r.threads);
	pf_buffer_release(&r.name_bytes);
	pf_index_release(&r.name_index);
	return rc;
}
