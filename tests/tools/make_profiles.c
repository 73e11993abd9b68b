/*
 * make_profiles.c: writes many profiles of one imagined service, for measurements. The same arguments give the same
 * bytes; profiles of different numbers differ as two minutes of one fleet do: the same code, other stacks and counts.
 *
 * Usage: make_profiles FOLDER FIRST COUNT SAMPLES go|native
 *
 * go      as Go's runtime writes: functions, files, lines and inlined calls, labels on some samples, messages in order
 *         of first use, quickly compressed
 * native  as C and C++ profilers write: addresses in seven mappings with build ids, loaded anywhere, tables behind the
 *         samples, well compressed
 *
 * SAMPLES are drawn; some are the same stack, so fewer are written. Stacks are walks down a call graph in which a few
 * callees of each function take most of the calls.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/gzip.h"
#include "core/index.h"
#include "core/memory.h"
#include "core/strings.h"
#include "core/wire.h"
#include "profile/fields.h"

enum {
	FUNCTIONS = 12000,
	ROOTS = 6,
	SITES = 4,
	MAPPINGS = 7,
	DEEPEST = 64,
	PERIOD = 10000000,
};

/* A call: what a location stands for. The site of an inlined function says where its caller calls it, too. */
struct frame {
	uint32_t function, site;
	uint32_t caller, caller_site; /* PF_NONE: not inlined */
};

struct stack {
	struct frame frames[DEEPEST];
	uint32_t locations[DEEPEST];
	size_t depth; /* leaf first once finished */
	uint32_t handler;
};

struct writer {
	bool go;
	uint64_t random;
	uint64_t slide[MAPPINGS];
	struct pf_buffer out, late, message, nested;
	struct pf_strings strings;
	struct pf_index locations, functions, samples;
	struct frame *frames; /* of each location */
	size_t frame_count, frame_capacity;
	uint32_t *function_items;
	size_t function_count, function_capacity;
	uint32_t *stacks; /* of the samples: depth, handler, count, locations */
	size_t stack_size, stack_capacity;
	uint32_t *sample_starts;
	size_t sample_count, sample_capacity;
};

static void
require(bool condition, const char *what)
{
	if (!condition) {
		fprintf(stderr, "make_profiles: %s\n", what);
		exit(1);
	}
}

/* SplitMix64 (Sebastiano Vigna, public domain). */
static uint64_t
mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static uint64_t
next(struct writer *w)
{
	return mix(w->random += 0x9e3779b97f4a7c15ULL);
}

/* What the service's code is like at a place: the same in every profile. */
static uint64_t
code(uint64_t a, uint64_t b)
{
	return mix(a * 0x9e3779b97f4a7c15ULL + b);
}

/* The function that a site calls, always further down; PF_NONE at the bottom. */
static uint32_t
callee(uint32_t function, uint32_t site)
{
	uint64_t r = code(function, 100 + site);
	uint64_t reach = site == SITES - 1 ? FUNCTIONS / 8 : 40 + function / 30;
	uint64_t to = function + 1 + r % reach;

	if (r >> 60 == 0) /* a few that everybody calls */
		to = FUNCTIONS - 1 - (r >> 8) % 200;
	return to < FUNCTIONS ? (uint32_t)to : PF_NONE;
}

static bool
is_inlined(uint32_t function)
{
	return code(function, 3) % 6 == 0;
}

static uint32_t
mapping_of(uint32_t function)
{
	uint64_t r = code(function, 4) % 16;

	return r < MAPPINGS ? (uint32_t)r : 0;
}

static uint64_t
address_of(const struct writer *w, const struct frame *f)
{
	uint64_t inlined = f->caller == PF_NONE ? 0 : 1 + f->caller_site;
	uint32_t code_of = f->caller == PF_NONE ? f->function : f->caller;
	uint32_t mapping = w->go ? 0 : mapping_of(code_of);

	return 0x401000 + w->slide[mapping] + (uint64_t)code_of * 384 + f->site * 64 +
	       f->function % 7 * 8 + inlined * 13;
}

static uint32_t
string(struct writer *w, const char *text)
{
	uint32_t id;

	require(!pf_strings_add(&w->strings, text, strlen(text), &id, NULL), "out of memory");
	return id;
}

static const char *
word(uint64_t r)
{
	static const char *const words[] = {"account", "batch", "cache", "decode", "encode",
	    "fetch", "group", "handle", "index", "journal", "key", "lookup", "message", "node",
	    "order", "parse", "query", "resolve", "stream", "transform", "update", "validate",
	    "write", "zone", "buffer", "client", "dispatch", "entry", "filter", "gather", "header",
	    "insert"};

	return words[r % (sizeof words / sizeof *words)];
}

static uint32_t
function_name(struct writer *w, uint32_t f)
{
	uint64_t r = code(f, 1);
	char text[160];

	snprintf(text, sizeof text, "github.com/example/shop/internal/%s/%s.(*%s%s).%s%s%u",
	    word(r), word(r >> 8), word(r >> 16), word(r >> 24), word(r >> 32), word(r >> 40),
	    f % 97);
	return string(w, text);
}

static uint32_t
file_name(struct writer *w, uint32_t f)
{
	uint64_t r = code(f, 1);
	char text[160];

	snprintf(text, sizeof text, "/build/src/github.com/example/shop/internal/%s/%s/%s.go",
	    word(r), word(r >> 8), word(code(f / 12, 2)));
	return string(w, text);
}

static void
emit(struct writer *w, struct pf_buffer *to, unsigned field)
{
	pf_wire_bytes(to, field, w->message.bytes, w->message.size);
	pf_buffer_clear(&w->message);
}

static void
emit_nested(struct writer *w, unsigned field)
{
	pf_wire_bytes(&w->message, field, w->nested.bytes, w->nested.size);
	pf_buffer_clear(&w->nested);
}

static struct pf_buffer *
tables(struct writer *w)
{
	return w->go ? &w->out : &w->late;
}

/* The id of a function, written when first used. */
static uint64_t
function_id(struct writer *w, uint32_t f)
{
	uint32_t hash = pf_hash_u64(f);
	size_t at = 0;

	for (uint32_t i = pf_index_first(&w->functions, hash, &at); i != PF_NONE;
	    i = pf_index_next(&w->functions, hash, &at)) {
		if (w->function_items[i] == f)
			return (uint64_t)i + 1;
	}
	require(!PF_GROW(w->function_items, w->function_capacity, w->function_count + 1, NULL) &&
		    !pf_index_add(&w->functions, hash, (uint32_t)w->function_count, NULL),
	    "out of memory");
	w->function_items[w->function_count++] = f;
	return w->function_count;
}

static void
write_functions(struct writer *w, size_t from)
{
	for (; from < w->function_count; from++) {
		uint32_t f = w->function_items[from], name = function_name(w, f);
		pf_wire_varint(&w->message, PF_FUNCTION_ID, from + 1);
		pf_wire_varint(&w->message, PF_FUNCTION_NAME, name);
		pf_wire_varint(&w->message, PF_FUNCTION_SYSTEM_NAME, name);
		pf_wire_varint(&w->message, PF_FUNCTION_FILENAME, file_name(w, f));
		pf_wire_varint(&w->message, PF_FUNCTION_START_LINE, 10 + f % 12 * 60);
		emit(w, tables(w), PF_PROFILE_FUNCTION);
	}
}

static void
add_line(struct writer *w, uint32_t function, uint32_t site)
{
	pf_wire_varint(&w->nested, PF_LINE_FUNCTION_ID, function_id(w, function));
	pf_wire_varint(&w->nested, PF_LINE_LINE, 12 + function % 12 * 60 + site * 7);
	emit_nested(w, PF_LOCATION_LINE);
}

static void
write_location(struct writer *w, const struct frame *f)
{
	size_t known = w->function_count;

	pf_wire_varint(&w->message, PF_LOCATION_ID, w->frame_count);
	pf_wire_varint(
	    &w->message, PF_LOCATION_MAPPING_ID, w->go ? 1 : 1 + mapping_of(f->function));
	pf_wire_varint(&w->message, PF_LOCATION_ADDRESS, address_of(w, f));
	if (w->go) {
		add_line(w, f->function, f->site);
		if (f->caller != PF_NONE)
			add_line(w, f->caller, f->caller_site);
	}
	emit(w, tables(w), PF_PROFILE_LOCATION);
	write_functions(w, known);
}

static bool
same_frame(const struct frame *a, const struct frame *b)
{
	return a->function == b->function && a->site == b->site && a->caller == b->caller &&
	       a->caller_site == b->caller_site;
}

/* The number of a location, written when first used. */
static uint32_t
location(struct writer *w, const struct frame *f)
{
	uint32_t hash = pf_hash_pair(
	    (uint64_t)f->function << 32 | f->caller, (uint64_t)f->site << 32 | f->caller_site);
	size_t at = 0;

	for (uint32_t i = pf_index_first(&w->locations, hash, &at); i != PF_NONE;
	    i = pf_index_next(&w->locations, hash, &at)) {
		if (same_frame(&w->frames[i], f))
			return i;
	}
	require(!PF_GROW(w->frames, w->frame_capacity, w->frame_count + 1, NULL) &&
		    !pf_index_add(&w->locations, hash, (uint32_t)w->frame_count, NULL),
	    "out of memory");
	w->frames[w->frame_count++] = *f;
	write_location(w, f);
	return (uint32_t)w->frame_count - 1;
}

/* A walk from a root down to wherever the sample was taken. */
static void
draw(struct writer *w, struct stack *s)
{
	uint64_t r = next(w);
	uint32_t function = (uint32_t)(r % ROOTS), caller = PF_NONE, caller_site = PF_NONE;

	s->handler = r >> 32 & 1 ? (uint32_t)(code(function, r >> 33 & 7) % 40) : PF_NONE;
	s->depth = 0;
	while (s->depth < DEEPEST) {
		r = next(w);
		uint32_t site = r % 32 < 27 ? 0 : r % 32 < 31 ? 1 : (uint32_t)(r >> 8) % SITES;
		uint32_t to = callee(function, site);
		bool ends = to == PF_NONE || (s->depth > 8 && (r >> 16) % 28 == 0);
		if (w->go && !ends && is_inlined(to) && caller == PF_NONE) {
			caller = function; /* its frame is part of the callee's */
			caller_site = site;
		} else {
			s->frames[s->depth++] = (struct frame){function, site, caller, caller_site};
			caller = caller_site = PF_NONE;
		}
		if (ends)
			break;
		function = to;
	}
	for (size_t i = 0; i < s->depth; i++)
		s->locations[s->depth - 1 - i] = location(w, &s->frames[i]);
}

/* Counts a stack: as a new sample or as one more of a known one. */
static void
count(struct writer *w, const struct stack *s)
{
	uint32_t hash = pf_hash_bytes(s->locations, s->depth * sizeof *s->locations) ^ s->handler;
	size_t at = 0;

	for (uint32_t i = pf_index_first(&w->samples, hash, &at); i != PF_NONE;
	    i = pf_index_next(&w->samples, hash, &at)) {
		uint32_t *known = &w->stacks[w->sample_starts[i]];
		if (known[0] == s->depth && known[1] == s->handler &&
		    memcmp(known + 3, s->locations, s->depth * sizeof *s->locations) == 0) {
			known[2]++;
			return;
		}
	}
	require(!PF_GROW(w->stacks, w->stack_capacity, w->stack_size + 3 + s->depth, NULL) &&
		    !PF_GROW(w->sample_starts, w->sample_capacity, w->sample_count + 1, NULL) &&
		    !pf_index_add(&w->samples, hash, (uint32_t)w->sample_count, NULL),
	    "out of memory");
	w->sample_starts[w->sample_count++] = (uint32_t)w->stack_size;
	w->stacks[w->stack_size++] = (uint32_t)s->depth;
	w->stacks[w->stack_size++] = s->handler;
	w->stacks[w->stack_size++] = 1;
	memcpy(w->stacks + w->stack_size, s->locations, s->depth * sizeof *s->locations);
	w->stack_size += s->depth;
}

static void
write_sample(struct writer *w, const uint32_t *stack)
{
	char text[64];

	for (uint32_t i = 0; i < stack[0]; i++)
		pf_buffer_uleb(&w->nested, (uint64_t)stack[3 + i] + 1);
	emit_nested(w, PF_SAMPLE_LOCATION_ID);
	pf_buffer_uleb(&w->nested, stack[2]);
	pf_buffer_uleb(&w->nested, (uint64_t)stack[2] * PERIOD);
	emit_nested(w, PF_SAMPLE_VALUE);
	if (stack[1] != PF_NONE) {
		pf_wire_varint(&w->nested, PF_LABEL_KEY, string(w, "handler"));
		snprintf(text, sizeof text, "/api/v1/%s/%u", word(stack[1]), stack[1]);
		pf_wire_varint(&w->nested, PF_LABEL_STRING, string(w, text));
		emit_nested(w, PF_SAMPLE_LABEL);
	}
	emit(w, &w->out, PF_PROFILE_SAMPLE);
}

static void
write_type(struct writer *w, unsigned field, const char *type, const char *unit)
{
	pf_wire_varint(&w->message, PF_VALUE_TYPE_TYPE, string(w, type));
	pf_wire_varint(&w->message, PF_VALUE_TYPE_UNIT, string(w, unit));
	emit(w, &w->out, field);
}

static void
write_mappings(struct writer *w)
{
	for (uint32_t i = 0; i < (w->go ? 1 : MAPPINGS); i++) {
		char file[64], build_id[48];
		snprintf(file, sizeof file, i ? "/usr/lib/lib%s.so" : "/srv/%s-server", word(i));
		snprintf(
		    build_id, sizeof build_id, "%016" PRIx64 "%016" PRIx64, code(i, 7), code(i, 8));
		pf_wire_varint(&w->message, PF_MAPPING_ID, i + 1);
		pf_wire_varint(&w->message, PF_MAPPING_START, 0x400000 + w->slide[i]);
		pf_wire_varint(&w->message, PF_MAPPING_LIMIT, 0xa00000 + w->slide[i]);
		pf_wire_varint(&w->message, PF_MAPPING_FILENAME, string(w, file));
		pf_wire_varint(&w->message, PF_MAPPING_BUILD_ID, string(w, build_id));
		pf_wire_varint(&w->message, PF_MAPPING_HAS_FUNCTIONS, w->go);
		emit(w, &w->out, PF_PROFILE_MAPPING);
	}
}

static void
write_rest(struct writer *w, uint64_t number)
{
	write_mappings(w);
	pf_buffer_add(&w->out, w->late.bytes, w->late.size);
	write_type(w, PF_PROFILE_PERIOD_TYPE, "cpu", "nanoseconds");
	for (uint32_t i = 0; i < w->strings.count; i++)
		pf_wire_bytes(&w->out, PF_PROFILE_STRING_TABLE, pf_strings_get(&w->strings, i),
		    pf_strings_size(&w->strings, i));
	pf_wire_varint(&w->out, PF_PROFILE_TIME_NANOS, (1700000000 + number * 60) * 1000000000);
	pf_wire_varint(&w->out, PF_PROFILE_DURATION_NANOS, 30000000000 + next(w) % 50000000);
	pf_wire_varint(&w->out, PF_PROFILE_PERIOD, PERIOD);
}

static void
begin(struct writer *w, uint64_t number)
{
	struct pf_strings none;

	w->random = mix(number);
	for (int i = 0; i < MAPPINGS; i++)
		w->slide[i] = w->go ? 0 : ((uint64_t)i << 36) + ((next(w) >> 40) << 12);
	pf_buffer_clear(&w->out);
	pf_buffer_clear(&w->late);
	pf_strings_release(&w->strings);
	require(!pf_strings_init(&none, NULL), "out of memory");
	w->strings = none;
	pf_index_release(&w->locations);
	pf_index_release(&w->functions);
	pf_index_release(&w->samples);
	w->frame_count = w->function_count = w->stack_size = w->sample_count = 0;
	write_type(w, PF_PROFILE_SAMPLE_TYPE, "samples", "count");
	write_type(w, PF_PROFILE_SAMPLE_TYPE, "cpu", "nanoseconds");
}

/* Without the care that pf_file_write() takes of each: these are many, and made again in no time. */
static bool
put_file(const char *path, const struct pf_buffer *b)
{
	FILE *f = fopen(path, "wb");
	bool written = f && fwrite(b->bytes, 1, b->size, f) == b->size;

	return f && fclose(f) == 0 && written;
}

static void
write_profile(struct writer *w, const char *folder, uint64_t number, uint64_t samples)
{
	struct pf_buffer packed;
	char path[4096];
	struct stack s;

	begin(w, number);
	for (uint64_t i = 0; i < samples; i++) {
		draw(w, &s);
		count(w, &s);
	}
	for (size_t i = 0; i < w->sample_count; i++)
		write_sample(w, w->stacks + w->sample_starts[i]);
	write_rest(w, number);
	pf_buffer_init(&packed, PF_BUFFER_NO_MAXIMUM);
	require(!w->out.failed && !w->late.failed && !w->message.failed && !w->nested.failed &&
		    !pf_gzip_deflate(&packed, w->out.bytes, w->out.size, w->go ? 1 : 6, NULL),
	    "out of memory");
	snprintf(path, sizeof path, "%s/%06" PRIu64 ".pb.gz", folder, number);
	require(put_file(path, &packed), path);
	pf_buffer_release(&packed);
}

int
main(int argc, char **argv)
{
	struct writer w = {.go = argc == 6 && strcmp(argv[5], "go") == 0};
	uint64_t first, count_of;

	require(argc == 6, "usage: make_profiles FOLDER FIRST COUNT SAMPLES go|native");
	pf_buffer_init(&w.out, PF_BUFFER_NO_MAXIMUM);
	pf_buffer_init(&w.late, PF_BUFFER_NO_MAXIMUM);
	pf_buffer_init(&w.message, PF_BUFFER_NO_MAXIMUM);
	pf_buffer_init(&w.nested, PF_BUFFER_NO_MAXIMUM);
	require(!pf_strings_init(&w.strings, NULL), "out of memory");
	first = strtoull(argv[2], NULL, 10);
	count_of = strtoull(argv[3], NULL, 10);
	for (uint64_t i = first; i < first + count_of; i++)
		write_profile(&w, argv[1], i, strtoull(argv[4], NULL, 10));
	return 0;
}
