/*
 * maps.c: reading memory maps; see maps.h.
 *
 * Two things of the short form are rarely met and cheap: a prefix that a log
 * library put before the line ("… file.cc:12] ") is dropped, and "NAME=VALUE"
 * lines define $NAME for the lines that follow.
 */
#include "profile/maps.h"

#include <string.h>

#include "core/error.h"
#include "core/memory.h"
#include "profile/mappings.h"

enum { MAX_ATTRIBUTES = 32, MAX_LINE = 4 << 10, MAX_EXPANDED = 8 << 20, MAX_MAPPINGS = 1 << 20 };

/* What $NAME stands for, as ranges of the attributes' text. */
struct attribute {
	size_t name, name_size, value, value_size;
};

struct attributes {
	struct attribute items[MAX_ATTRIBUTES];
	size_t count;
	char text[MAX_LINE]; /* names and values, one after the other */
	size_t size;
	char line[MAX_LINE]; /* the line last expanded */
	size_t expanded;     /* bytes put into lines so far, at most MAX_EXPANDED */
};

struct entry {
	uint64_t start, limit, offset;
	struct pf_text filename, build_id;
	bool executable;
};

bool
pf_maps_begin(const struct pf_text *line)
{
	return pf_text_find(line, "--- Memory map: ---") || pf_text_find(line, "MAPPED_LIBRARIES:");
}

static bool
all_of(const struct pf_text *t, const char *set)
{
	for (const char *c = t->at; c < t->end; c++) {
		if (*c == '\0' || !strchr(set, *c))
			return false;
	}
	return t->at < t->end;
}

/* The whole of t as a hexadecimal number. */
static bool
is_hex(struct pf_text t, uint64_t *value)
{
	*value = pf_text_hex(&t);
	return !t.failure && t.at == t.end;
}

/* "fe:01", the device of /proc/PID/maps. */
static bool
is_device(struct pf_text t)
{
	pf_text_hex(&t);
	pf_text_expect(&t, ":");
	pf_text_hex(&t);
	return !t.failure && t.at == t.end;
}

static struct pf_text
without_suffix(struct pf_text t, const char *suffix)
{
	size_t size = strlen(suffix);

	if (pf_text_left(&t) > size && memcmp(t.end - size, suffix, size) == 0)
		t.end -= size;
	return t;
}

/* What follows the permissions in /proc/PID/maps: offset, device, inode, path. */
static bool
parse_proc(struct pf_text t, struct entry *e)
{
	struct pf_text word = pf_text_word(&t), inode;

	if (!is_device(word)) {
		if (!is_hex(word, &e->offset) || !is_device(pf_text_word(&t)))
			return false;
	}
	inode = pf_text_word(&t);
	if (!all_of(&inode, "0123456789"))
		return false;
	e->filename = pf_text_trimmed(without_suffix(pf_text_trimmed(t), " (deleted)"));
	return true;
}

/* What follows the range in the short form: FILE (@OFFSET) BUILDID, each optional. */
static void
parse_short(struct pf_text t, struct entry *e)
{
	struct pf_text word = pf_text_word(&t);
	uint64_t number;

	e->offset = 0;
	if (!pf_text_starts(&word, "(@")) {
		e->filename = word;
		word = pf_text_word(&t);
	}
	if (pf_text_skip(&word, "(@")) {
		word = without_suffix(word, ")");
		if (is_hex(word, &number))
			e->offset = number;
		word = pf_text_word(&t);
	}
	if (all_of(&word, "0123456789abcdefABCDEF"))
		e->build_id = word;
}

static bool
parse_entry(struct pf_text t, struct entry *e)
{
	struct pf_text rest, permissions;

	*e = (struct entry){.executable = true};
	pf_text_blanks(&t);
	(void)pf_text_skip(&t, "0x");
	e->start = pf_text_hex(&t);
	pf_text_blanks(&t);
	(void)pf_text_skip(&t, "-");
	pf_text_blanks(&t);
	(void)pf_text_skip(&t, "0x");
	e->limit = pf_text_hex(&t);
	(void)pf_text_skip(&t, ":");
	if (t.failure || (t.at < t.end && *t.at != ' ' && *t.at != '\t'))
		return false;
	e->filename = e->build_id = pf_text_of(t.at, 0);
	rest = t;
	permissions = pf_text_word(&rest);
	if (all_of(&permissions, "-rwxps")) {
		e->executable = memchr(permissions.at, 'x', pf_text_left(&permissions)) != NULL;
		t = rest;
	}
	if (!parse_proc(t, e))
		parse_short(t, e);
	return true;
}

/* "I0101 12:00:00.0 77 file.cc:12] 400000-…": what follows the bracket. */
static struct pf_text
without_log_prefix(struct pf_text line)
{
	const char *bracket = memchr(line.at, ']', pf_text_left(&line)), *c;
	struct pf_text after = line;

	if (!bracket || bracket + 1 == line.end || (bracket[1] != ' ' && bracket[1] != '\t') ||
	    memchr(line.at, '[', (size_t)(bracket - line.at)))
		return line;
	for (c = bracket; c > line.at && c[-1] >= '0' && c[-1] <= '9'; c--)
		;
	if (c == bracket || c - line.at < 2 || c[-1] != ':')
		return line;
	after.at = bracket + 1;
	return after;
}

/* The attribute whose name stands at `at`, or NULL. */
static const struct attribute *
attribute_at(const struct attributes *a, const struct pf_text *at)
{
	for (size_t i = 0; i < a->count; i++) {
		const struct attribute *item = &a->items[i];
		if (item->name_size <= pf_text_left(at) &&
		    memcmp(at->at, a->text + item->name, item->name_size) == 0)
			return item;
	}
	return NULL;
}

/* The line with every $NAME replaced once, good until the next call; as it is where that is too long. */
static struct pf_text
expand(struct attributes *a, struct pf_text line)
{
	struct pf_text t = line;
	size_t size = 0;

	if (a->count == 0 || a->expanded > MAX_EXPANDED ||
	    !memchr(line.at, '$', pf_text_left(&line)))
		return line;
	while (t.at < t.end) {
		const struct attribute *item = NULL;
		if (pf_text_skip(&t, "$")) {
			item = attribute_at(a, &t);
			t.at--;
		}
		const char *from = item ? a->text + item->value : t.at;
		size_t add = item ? item->value_size : 1;
		if (add > sizeof a->line - size)
			return line;
		memcpy(a->line + size, from, add);
		size += add;
		t.at += item ? 1 + item->name_size : 1;
	}
	a->expanded += size;
	return pf_text_of(a->line, size);
}

/* "NAME=VALUE"; one too many, or too long, is passed over like any other line. */
static void
define(struct attributes *a, struct pf_text line)
{
	const char *equals = memchr(line.at, '=', pf_text_left(&line));
	struct pf_text name, value;

	if (!equals || a->count == MAX_ATTRIBUTES)
		return;
	name = pf_text_trimmed(pf_text_of(line.at, (size_t)(equals - line.at)));
	value = pf_text_trimmed(pf_text_of(equals + 1, (size_t)(line.end - equals - 1)));
	if (name.at == name.end ||
	    pf_text_left(&name) + pf_text_left(&value) > sizeof a->text - a->size)
		return;
	a->items[a->count++] = (struct attribute){
	    .name = a->size,
	    .name_size = pf_text_left(&name),
	    .value = a->size + pf_text_left(&name),
	    .value_size = pf_text_left(&value),
	};
	memcpy(a->text + a->size, name.at, pf_text_left(&name));
	memcpy(a->text + a->size + pf_text_left(&name), value.at, pf_text_left(&value));
	a->size += pf_text_left(&name) + pf_text_left(&value);
}

static int
add_entry(struct pf_builder *b, const struct pf_lines *lines, const struct entry *e, size_t *count,
    struct pf_error *err)
{
	struct pf_profile *p = b->p;
	struct pf_mapping m = {.start = e->start, .limit = e->limit, .offset = e->offset};
	int rc;

	if (!e->executable)
		return 0;
	if (++*count > MAX_MAPPINGS)
		return pf_lines_error(lines, "more than 1048576 mappings", err);
	if (b->build == PF_BUILD_NOTHING)
		return 0;
	rc = pf_builder_string(b, e->filename, &m.filename, err);
	if (!rc)
		rc = pf_builder_string(b, e->build_id, &m.build_id, err);
	if (!rc)
		rc = PF_GROW(p->mappings, p->mapping_capacity, p->mapping_count + 1, err);
	if (!rc)
		p->mappings[p->mapping_count++] = m;
	return rc;
}

int
pf_maps_read_here(struct pf_builder *b, struct pf_lines *lines, struct pf_error *err)
{
	struct attributes attributes;
	struct entry e;
	size_t count = 0;
	int rc = 0;

	if (b->build == PF_BUILD_SAMPLES)
		return 0;
	attributes.count = attributes.size = attributes.expanded = 0;
	while (!rc && pf_lines_next(lines)) {
		struct pf_text line = expand(&attributes, without_log_prefix(lines->line));
		if (parse_entry(line, &e))
			rc = add_entry(b, lines, &e, &count, err);
		else
			define(&attributes, line);
	}
	return rc || b->build == PF_BUILD_NOTHING ? rc : pf_mappings_arrange(b->p, err);
}

int
pf_maps_read(struct pf_builder *b, struct pf_lines *lines, struct pf_error *err)
{
	if (b->build == PF_BUILD_SAMPLES)
		return 0;
	while (!pf_maps_begin(&lines->line) && pf_lines_next(lines))
		;
	return pf_maps_read_here(b, lines, err);
}
