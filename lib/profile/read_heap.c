/*
 * read_heap.c: heap texts of tcmalloc, of Go (debug=1) and of older jemallocs.
 *
 *	heap profile: 3: 4096 [10: 9000] @ heap_v2/524288
 *	1: 1024 [2: 2048] @ 0x401000 0x402000
 *
 * Each line: objects and bytes in use, and in brackets ever allocated; the word
 * after the header's @ says how they were sampled. Estimates are made line by
 * line, before anything is summed: a line's objects are of one size. All
 * addresses are return addresses.
 *
 * Nothing marks the end of the lines, but the header sums what they have in use, and all
 * writers go on after them: with a memory map or, Go, with the runtime's figures. Where
 * both are missing the text is cut off. The sum alone is no proof (gperftools leaves out
 * the lines that its buffer has no room for), nor is that of what was ever allocated.
 */
#include "profile/formats.h"

#include <inttypes.h>

#include "core/error.h"
#include "profile/builder.h"
#include "profile/maps.h"
#include "profile/noise.h"
#include "profile/unsample.h"

struct figures {
	int64_t objects, bytes;
};

struct reader {
	struct pf_builder *b;
	struct pf_lines lines;
	bool has_alloc;             /* the bracketed figures say something of their own */
	bool sampled;               /* with the profile's period as rate */
	struct figures said, found; /* in use, as counted: in the header, and in the lines so far */
	bool
	    incomparable; /* a difference of two profiles, or too much to sum: said and found mean nothing */
	bool has_end; /* Go's, which is a comment */
};

/* To the header, over warnings (%warn) that tcmalloc puts before it. */
static bool
find_header(struct pf_lines *lines, struct pf_text *header)
{
	while (pf_lines_next_content(lines)) {
		*header = pf_text_trimmed(lines->line);
		if (!pf_text_starts(header, "%"))
			return pf_text_skip(header, "heap profile:");
	}
	return false;
}

bool
pf_heap_recognise(const uint8_t *bytes, size_t size)
{
	struct pf_lines lines;
	struct pf_text header;

	pf_lines_init(&lines, "", bytes, size);
	return find_header(&lines, &header);
}

/* "objects: bytes [objects: bytes] @" */
static void
read_figures(struct pf_text *t, struct figures *in_use, struct figures *ever)
{
	in_use->objects = pf_text_int64(t);
	pf_text_expect(t, ":");
	in_use->bytes = pf_text_int64(t);
	pf_text_expect(t, "[");
	ever->objects = pf_text_int64(t);
	pf_text_expect(t, ":");
	ever->bytes = pf_text_int64(t);
	pf_text_expect(t, "]");
	pf_text_expect(t, "@");
}

/* What the word after the header's @ says of sampling; false if it is not known. */
static bool
read_kind(struct reader *r, struct pf_text *kind, int64_t *period)
{
	bool go = false;

	*period = 1;
	if (pf_text_starts(kind, "growth") || pf_text_starts(kind, "fragmentation"))
		return true;
	r->has_alloc = true;
	if (pf_text_equals(kind, "heapprofile"))
		return true;
	r->sampled = true;
	*period = 0;
	if (!pf_text_skip(kind, "heapz_v2") && !pf_text_skip(kind, "heap_v2")) {
		go = pf_text_skip(kind, "heap");
		if (!go)
			return false;
	}
	if (pf_text_skip(kind, "/"))
		*period = pf_text_int64(kind) / (go ? 2 : 1); /* Go writes twice its rate */
	return !kind->failure && kind->at == kind->end;
}

static int
read_header(struct reader *r, struct pf_text t, struct pf_error *err)
{
	struct figures in_use, ever;
	struct pf_text kind;
	int64_t period = 0;
	int rc;

	read_figures(&t, &in_use, &ever);
	kind = pf_text_word(&t);
	if (!t.failure && !read_kind(r, &kind, &period))
		pf_text_fail(&t, kind.failure ? kind.failure : "an unknown kind of heap profile");
	rc = pf_lines_check(&r->lines, &t, err);
	if (rc)
		return rc;
	r->said = in_use;
	r->has_alloc = r->has_alloc && ((ever.objects && ever.objects != in_use.objects) ||
					   (ever.bytes && ever.bytes != in_use.bytes));
	return pf_builder_period(r->b, "space", "bytes", period, err);
}

/* In use comes last: readers take the last type unless told otherwise. */
static int
add_types(struct reader *r, struct pf_error *err)
{
	static const char *const both[] = {
	    "alloc_objects", "alloc_space", "inuse_objects", "inuse_space"};
	static const char *const one[] = {"objects", "space"};
	size_t n = r->has_alloc ? 4 : 2;
	int rc = 0;

	for (size_t i = 0; !rc && i < n; i++)
		rc = pf_builder_type(
		    r->b, r->has_alloc ? both[i] : one[i], i % 2 ? "bytes" : "count", err);
	return rc;
}

/* Turns counted figures into estimates of all; the mean size of one object goes to *size. */
static const char *
estimate(const struct reader *r, struct figures *f, int64_t *size)
{
	if (f->objects == 0)
		return f->bytes ? "bytes in no objects" : NULL;
	if ((f->objects < 0) != (f->bytes < 0) && f->bytes)
		return "objects and bytes of different signs";
	/* -2^63 / -1 is the one quotient that does not fit. */
	*size = f->objects == -1 && f->bytes == INT64_MIN ? INT64_MAX : f->bytes / f->objects;
	if (r->sampled && !pf_unsample(&f->objects, &f->bytes, r->b->p->period))
		return "the unsampled figures exceed 64 bits";
	return NULL;
}

static void
add_up(struct reader *r, const struct figures *in_use)
{
	r->incomparable |= in_use->objects < 0 || in_use->bytes < 0;
	r->incomparable |=
	    __builtin_add_overflow(r->found.objects, in_use->objects, &r->found.objects);
	r->incomparable |= __builtin_add_overflow(r->found.bytes, in_use->bytes, &r->found.bytes);
}

static int
add_line(struct reader *r, struct pf_error *err)
{
	struct figures in_use, ever;
	struct pf_text t = r->lines.line;
	int64_t size = 0, values[4];
	const char *wrong;
	size_t n = 0;
	int rc;

	read_figures(&t, &in_use, &ever);
	rc = pf_builder_callers(r->b, &r->lines, &t, err);
	if (rc)
		return rc;
	add_up(r, &in_use);
	wrong = r->has_alloc ? estimate(r, &ever, &size) : NULL;
	if (!wrong)
		wrong = estimate(r, &in_use, &size);
	if (wrong)
		return pf_lines_error(&r->lines, wrong, err);
	if (r->has_alloc) {
		values[n++] = ever.objects;
		values[n++] = ever.bytes;
	}
	values[n++] = in_use.objects;
	values[n++] = in_use.bytes;
	rc = pf_builder_number(r->b, "bytes", size, "", err);
	return rc ? rc : pf_builder_sample(r->b, values, err);
}

/* To the next line of figures; false where there are none any more. */
static bool
next_line(struct reader *r)
{
	while (pf_lines_next(&r->lines)) {
		struct pf_text t = pf_text_trimmed(r->lines.line);
		if (pf_text_left(&t) && *t.at != '#')
			return !pf_maps_begin(&r->lines.line);
		r->has_end |= pf_text_starts(&t, "# runtime.MemStats");
	}
	return false;
}

/* What follows when the lines are read: a map, or nothing. */
static int
check_end(struct reader *r, struct pf_error *err)
{
	if (pf_maps_begin(&r->lines.line) || r->has_end || r->incomparable ||
	    (r->found.objects >= r->said.objects && r->found.bytes >= r->said.bytes))
		return 0;
	return pf_error_set(err, PF_EINPUT,
	    "%s: cut off: by its header %" PRId64 " objects of %" PRId64
	    " bytes are in use, by its lines %" PRId64 " of %" PRId64
	    ", and what writers put after the last is missing",
	    r->lines.section, r->said.objects, r->said.bytes, r->found.objects, r->found.bytes);
}

int
pf_heap_read(struct pf_builder *b, struct pf_source *source, struct pf_error *err)
{
	struct reader r = {.b = b};
	struct pf_text header = pf_text_of("", 0);
	int rc;

	pf_lines_from(&r.lines, source);
	(void)find_header(&r.lines, &header);
	rc = read_header(&r, header, err);
	if (!rc)
		rc = add_types(&r, err);
	if (!rc)
		rc = pf_noise_set(r.b, PF_NOISE_HEAP, err);
	while (!rc && next_line(&r))
		rc = add_line(&r, err);
	if (!rc)
		rc = check_end(&r, err);
	if (!rc)
		rc = pf_maps_read(r.b, &r.lines, err);
	return rc;
}
