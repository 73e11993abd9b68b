/*
 * read_java.c: heap and contention texts of Java agents, and the table of
 * locations that their CPU profiles end with too (see java.h).
 *
 *	--- contentionz 1 ---            heap: "--- heapz 1 ---"
 *	format = java
 *	resolution = microseconds
 *	sampling period = 100
 *	ms since reset = 6019923
 *	   14800   1 @ 0x0003 0x0004
 *
 *	   0x0003   com.example.Pool.take (Pool.java:139)
 *
 * Each line: the quantity first, then how often. Heap samples were taken every
 * 512 KiB. Addresses name table entries: none is a return address.
 */
#include "profile/formats.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "profile/java.h"
#include "profile/mappings.h"
#include "profile/noise.h"
#include "profile/unsample.h"

enum { HEAP_RATE = 512 << 10 };

struct reader {
	struct pf_builder *b;
	struct pf_lines lines;
	bool heap;
	uint32_t unit; /* of the quantity, a string */
};

/* What a location of the table stands for. */
struct entry {
	uint32_t function; /* PF_NONE: not in the table */
	int64_t line;
};

/* The table while it is read. */
struct table {
	struct pf_builder *b;
	struct entry *entries; /* one a location */
	struct pf_index names; /* functions by their name */
};

/* "NAME = VALUE" */
static bool
is_attribute(struct pf_text t, struct pf_text *name, struct pf_text *value)
{
	const char *equals = pf_text_find(&t, "=");

	if (!equals)
		return false;
	*name = pf_text_trimmed(pf_text_of(t.at, (size_t)(equals - t.at)));
	*value = pf_text_trimmed(pf_text_of(equals + 1, (size_t)(t.end - equals - 1)));
	return true;
}

bool
pf_java_recognise(const uint8_t *bytes, size_t size)
{
	struct pf_text t, name, value;
	struct pf_lines lines;

	pf_lines_init(&lines, "", bytes, size);
	if (!pf_lines_next_content(&lines))
		return false;
	t = pf_text_trimmed(lines.line);
	if (pf_text_equals(&t, "--- heapz 1 ---"))
		return true;
	if (!pf_text_equals(&t, "--- contentionz 1 ---"))
		return false;
	while (pf_lines_next_content(&lines) && is_attribute(lines.line, &name, &value)) {
		if (pf_text_equals(&name, "format"))
			return pf_text_equals(&value, "java");
		if (pf_text_equals(&name, "resolution"))
			return true;
	}
	return false;
}

static int
read_attribute(struct reader *r, struct pf_text name, struct pf_text value, struct pf_error *err)
{
	struct pf_profile *p = r->b->p;

	if (pf_text_equals(&name, "format")) {
		if (!pf_text_equals(&value, "java"))
			return pf_lines_error(&r->lines, "a format other than java", err);
	} else if (pf_text_equals(&name, "resolution")) {
		return pf_builder_string(r->b, value, &r->unit, err);
	} else if (!r->heap && pf_text_equals(&name, "sampling period")) {
		p->period = pf_text_int64(&value);
	} else if (!r->heap && pf_text_equals(&name, "ms since reset")) {
		p->duration_nanos = pf_text_int64(&value);
		if (__builtin_mul_overflow(p->duration_nanos, 1000000, &p->duration_nanos))
			pf_text_fail(&value, "a duration exceeds 64 bits of nanoseconds");
	}
	return pf_lines_check(&r->lines, &value, err);
}

static int
add_types(struct reader *r, struct pf_error *err)
{
	int rc = pf_builder_type(r->b, r->heap ? "inuse_objects" : "contentions", "count", err);

	if (!rc)
		rc = pf_builder_type(r->b, r->heap ? "inuse_space" : "delay", "", err);
	if (!rc)
		r->b->p->types[1].unit = r->unit;
	if (!rc && !r->heap)
		rc = pf_builder_period(r->b, "contentions", "count", r->b->p->period, err);
	return rc;
}

/* Sampled figures to all; what is wrong with them, or NULL. values: count, quantity. */
static const char *
estimate(struct reader *r, int64_t *values, int64_t *size)
{
	int64_t period = r->b->p->period;
	bool fits;

	if (values[0] < 0 || values[1] < 0)
		return "a negative figure";
	if (r->heap) {
		if (values[0] == 0)
			return "bytes in no objects";
		*size = values[1] / values[0];
		fits = pf_unsample(&values[0], &values[1], HEAP_RATE);
	} else {
		fits = period == 0 || (!__builtin_mul_overflow(values[0], period, &values[0]) &&
					  !__builtin_mul_overflow(values[1], period, &values[1]));
	}
	return fits ? NULL : "the unsampled figures exceed 64 bits";
}

static int
add_line(struct reader *r, struct pf_error *err)
{
	struct pf_text t = r->lines.line;
	int64_t values[2], size = 0;
	const char *wrong;
	int rc = 0;

	values[1] = pf_text_int64(&t);
	values[0] = pf_text_int64(&t);
	pf_text_expect(&t, "@");
	for (pf_text_blanks(&t); !rc && t.at < t.end; pf_text_blanks(&t)) {
		uint64_t address;
		pf_text_expect(&t, "0x");
		address = pf_text_hex(&t);
		if (!t.failure)
			rc = pf_builder_address(r->b, address, err);
	}
	if (!rc)
		rc = pf_lines_check(&r->lines, &t, err);
	if (rc)
		return rc;
	wrong = estimate(r, values, &size);
	if (wrong)
		return pf_lines_error(&r->lines, wrong, err);
	if (r->heap)
		rc = pf_builder_number(r->b, "bytes", size, "", err);
	return rc ? rc : pf_builder_sample(r->b, values, err);
}

/* The last parenthesis that opens behind a blank, if the text ends with one that closes. */
static const char *
find_parenthesis(struct pf_text t)
{
	if (t.at == t.end || t.end[-1] != ')')
		return NULL;
	for (const char *c = t.end - 1; c > t.at; c--) {
		if (*c == '(' && (c[-1] == ' ' || c[-1] == '\t'))
			return c;
	}
	return NULL;
}

/* "file:line": cuts the line off; false if there is none. One beyond 64 bits is none that anybody knows. */
static bool
cut_line(struct pf_text *file, int64_t *line)
{
	const char *colon =
	    file->at < file->end ? memrchr(file->at, ':', pf_text_left(file)) : NULL;
	struct pf_text number;

	if (!colon || colon == file->at)
		return false;
	number = pf_text_of(colon + 1, (size_t)(file->end - colon - 1));
	(void)pf_text_skip(&number, "-");
	if (number.at == number.end)
		return false;
	for (const char *c = number.at; c < number.end; c++) {
		if (*c < '0' || *c > '9')
			return false;
	}
	*line = number.at[-1] == '-' ? 0 : pf_text_int64(&number);
	file->end = colon;
	return true;
}

/* "name (file:line)", "name (/path/to/library.so)" or a name alone. */
static void
split_name(struct pf_text t, struct pf_text *name, struct pf_text *file, int64_t *line)
{
	const char *open = find_parenthesis(t);

	*name = t;
	*file = pf_text_of(t.end, 0);
	*line = 0;
	if (!open) {
		if (pf_text_find(&t, "generated stub/JIT"))
			*name = pf_text_of("STUB", 4);
		return;
	}
	*name = pf_text_trimmed(pf_text_of(t.at, (size_t)(open - t.at)));
	*file = pf_text_of(open + 1, (size_t)(t.end - open - 2));
	if (cut_line(file, line))
		return;
	/* A library: its folder says nothing about the code. */
	for (const char *c = file->at; c < file->end; c++) {
		if (*c == '/')
			file->at = c + 1;
	}
}

/*
 * The function of a name. Its file is the first that the table gives: methods
 * of one name are one function to google/pprof, and so they are here.
 */
static int
intern(struct table *t, struct pf_text name, struct pf_text file, uint32_t *function,
    struct pf_error *err)
{
	struct pf_profile *p = t->b->p;
	uint32_t id, hash;
	size_t at = 0;
	int rc = pf_builder_string(t->b, name, &id, err);

	if (rc)
		return rc;
	hash = pf_hash_u64(id);
	for (*function = pf_index_first(&t->names, hash, &at); *function != PF_NONE;
	    *function = pf_index_next(&t->names, hash, &at)) {
		if (p->functions[*function].name == id)
			return 0;
	}
	rc = pf_builder_intern(t->b, name, file, function, err);
	return rc ? rc : pf_index_add(&t->names, hash, *function, err);
}

/* "0xADDRESS name …": an entry of the table, if a sample has the address. */
static int
read_entry(struct table *to, struct pf_text t, struct pf_error *err)
{
	struct pf_text name, file;
	uint64_t address;
	uint32_t i;

	pf_text_expect(&t, "0x");
	address = pf_text_hex(&t);
	if (t.failure || t.at == t.end || (*t.at != ' ' && *t.at != '\t'))
		return 0;
	i = pf_builder_find(to->b, address);
	if (i == PF_NONE)
		return 0;
	split_name(pf_text_trimmed(t), &name, &file, &to->entries[i].line);
	return intern(to, name, file, &to->entries[i].function, err);
}

/* Gives locations their lines; those without an entry keep a mapping, and no address either. */
static int
resolve(struct pf_profile *p, const struct entry *entries, struct pf_error *err)
{
	int rc = PF_GROW(p->lines, p->line_capacity, p->location_count, err);

	for (size_t i = 0; !rc && i < p->location_count; i++) {
		if (entries[i].function != PF_NONE) {
			p->locations[i].address = 0;
			p->lines[p->line_count++] = (struct pf_line){
			    .function = entries[i].function, .line = entries[i].line};
		}
		p->line_starts[i + 1] = p->line_count;
	}
	if (!rc)
		rc = pf_mappings_arrange(p, err);
	for (size_t i = 0; !rc && i < p->location_count; i++)
		p->locations[i].address = 0;
	return rc;
}

int
pf_java_locations(struct pf_builder *b, struct pf_lines *lines, struct pf_error *err)
{
	struct table table = {.b = b};
	int rc;

	if (!pf_builder_wants_tables(b))
		return 0;
	rc = PF_CALLOC(table.entries, b->p->location_count, err);
	for (size_t i = 0; !rc && i < b->p->location_count; i++)
		table.entries[i].function = PF_NONE;
	if (!rc) {
		do {
			rc = read_entry(&table, lines->line, err);
		} while (!rc && pf_lines_next(lines));
	}
	if (!rc)
		rc = resolve(b->p, table.entries, err);
	free(table.entries);
	pf_index_release(&table.names);
	return rc;
}

/* Whether a line of the table was reached: samples do not start with 0x. */
static bool
is_table(const struct pf_lines *lines)
{
	struct pf_text t = lines->line;

	pf_text_blanks(&t);
	return pf_text_starts(&t, "0x");
}

static int
read_all(struct reader *r, struct pf_error *err)
{
	struct pf_text name, value;
	bool more = pf_lines_next_content(&r->lines);
	int rc = 0;

	while (!rc && more && is_attribute(r->lines.line, &name, &value)) {
		rc = read_attribute(r, name, value, err);
		more = !rc && pf_lines_next_content(&r->lines);
	}
	if (!rc)
		rc = add_types(r, err);
	while (!rc && more && !is_table(&r->lines)) {
		rc = add_line(r, err);
		more = !rc && pf_lines_next_content(&r->lines);
	}
	return rc ? rc : pf_java_locations(r->b, &r->lines, err);
}

int
pf_java_read(struct pf_builder *b, struct pf_source *source, struct pf_error *err)
{
	struct reader r = {.b = b};
	struct pf_text title;
	int rc;

	pf_lines_from(&r.lines, source);
	(void)pf_lines_next_content(&r.lines);
	title = pf_text_trimmed(r.lines.line);
	r.heap = pf_text_starts(&title, "--- heapz");
	rc = pf_noise_set(b, r.heap ? PF_NOISE_HEAP : PF_NOISE_LOCKS, err);
	if (rc)
		return rc;
	rc = read_all(&r, err);
	return rc;
}
