/* fields.c: see fields.h. */
#include "fields.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/number.h"

enum { MOST_PROBLEMS = 100, PATH_ROOM = 400 };

void *
pf_reading_get(struct pf_reading *r, size_t size)
{
	void *memory = r->problems->fatal ? NULL : pf_pool_get(r->pool, size, NULL);

	if (!memory)
		r->problems->fatal = PF_ENOMEM;
	return memory;
}

char *
pf_reading_copy(struct pf_reading *r, const char *text, size_t size)
{
	char *copy = pf_reading_get(r, size + 1);

	if (copy)
		memcpy(copy, text, size);
	return copy;
}

/* "scrape_configs[2].tls_config" */
static void
write_path(char *path, size_t room, const struct pf_place *place)
{
	size_t n;

	if (!place->parent) {
		path[0] = '\0';
		return;
	}
	write_path(path, room, place->parent);
	n = strlen(path);
	if (place->key)
		snprintf(path + n, room - n, "%s%s", n ? "." : "", place->key);
	else
		snprintf(path + n, room - n, "[%zu]", place->index);
}

void
pf_problem(struct pf_reading *r, const struct pf_place *place, const char *format, ...)
{
	struct pf_problems *p = r->problems;
	char path[PATH_ROOM], what[600];
	va_list args;

	if (p->count++ >= MOST_PROBLEMS)
		return;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	write_path(path, sizeof path, place);
	pf_buffer_printf(&p->text, "%s:", p->name);
	if (place->node && place->node->line)
		pf_buffer_printf(&p->text, "%zu:", place->node->line);
	pf_buffer_printf(&p->text, " %s%s%s\n", path, path[0] ? ": " : "", what);
	if (p->text.failed)
		p->fatal = PF_ENOMEM;
}

struct pf_place
pf_place_item(const struct pf_place *list, size_t i)
{
	return (struct pf_place){.parent = list, .index = i, .node = list->node->items[i]};
}

bool
pf_place_is_list(struct pf_reading *r, const struct pf_place *place)
{
	if (place->node->kind == PF_NODE_LIST)
		return true;
	if (!pf_node_is_null(place->node))
		pf_problem(r, place, "expected a list, not %s", pf_node_kind_name(place->node));
	return false;
}

struct unit {
	const char *name;
	double factor;
};

/* The unit at *text, longest first, stepped over; NULL: none. */
static const struct unit *
unit_at(const struct unit *units, const char **text)
{
	size_t size = strspn(*text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ%");

	for (; units->name; units++) {
		if (strlen(units->name) == size && strncmp(units->name, *text, size) == 0) {
			*text += size;
			return units;
		}
	}
	return NULL;
}

bool
pf_parse_duration(const char *text, double *seconds)
{
	static const struct unit units[] = {{"", 1}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600},
	    {"d", 86400}, {"w", 604800}, {"y", 31536000}, {NULL, 0}};
	double last = INFINITY;

	*seconds = 0;
	do {
		const struct unit *unit;
		double value;
		if (!pf_number_prefix(text, &value, &text) || !(unit = unit_at(units, &text)) ||
		    unit->factor >= last)
			return false;
		*seconds += value * unit->factor;
		last = unit->name[0] ? unit->factor : 0;
	} while (*text);
	return true;
}

bool
pf_parse_size(const char *text, uint64_t *bytes)
{
	static const struct unit units[] = {{"", 1}, {"B", 1}, {"K", 1024}, {"KB", 1024},
	    {"KiB", 1024}, {"M", 1048576}, {"MB", 1048576}, {"MiB", 1048576}, {"G", 1073741824},
	    {"GB", 1073741824}, {"GiB", 1073741824}, {"T", 1099511627776.}, {"TB", 1099511627776.},
	    {"TiB", 1099511627776.}, {NULL, 0}};
	const struct unit *unit;
	double value;

	if (!pf_number_prefix(text, &value, &text) || !(unit = unit_at(units, &text)) || *text ||
	    value * unit->factor > 9e18)
		return false;
	*bytes = (uint64_t)(value * unit->factor);
	return true;
}

bool
pf_parse_share(const char *text, double *share)
{
	bool percent = *text && text[strlen(text) - 1] == '%';

	if (!pf_number_prefix(text, share, &text) || strcmp(text, percent ? "%" : "") != 0)
		return false;
	if (percent)
		*share /= 100;
	return true;
}

static bool
parse_count(const char *text, uint64_t *count)
{
	char *end;

	errno = 0;
	*count = strtoull(text, &end, 10);
	return isdigit((unsigned char)text[0]) && !*end && !errno;
}

static bool
parse_bool(const char *text, bool *value)
{
	*value = strcmp(text, "true") == 0;
	return *value || strcmp(text, "false") == 0;
}

static bool
parse_number(const char *text, double *value)
{
	bool negative = *text == '-';
	const char *rest;

	if (!pf_number_prefix(text + negative, value, &rest) || *rest)
		return false;
	*value = negative ? -*value : *value;
	return true;
}

static bool
parse_choice(const char *choices, const char *text, int *position)
{
	size_t size = strlen(text);

	*position = 0;
	for (const char *at = choices; at; ++*position) {
		size_t n = strcspn(at, "|");
		if (n == size && strncmp(at, text, n) == 0)
			return true;
		at = at[n] ? at + n + 1 : NULL;
	}
	return false;
}

/* A scalar's text; NULL with a mistake noted. */
static const char *
text_of(struct pf_reading *r, const struct pf_place *place)
{
	if (place->node->kind != PF_NODE_TEXT)
		pf_problem(r, place, "expected a value, not %s", pf_node_kind_name(place->node));
	else if (pf_node_is_null(place->node))
		pf_problem(r, place, "has no value");
	else
		return place->node->text;
	return NULL;
}

static void
read_path(struct pf_reading *r, const char *text, const char **path)
{
	size_t folder = r->folder && text[0] != '/' ? strlen(r->folder) + 1 : 0;
	char *whole = pf_reading_get(r, folder + strlen(text) + 1);

	if (!whole)
		return;
	if (folder)
		snprintf(whole, folder + 1, "%s/", r->folder);
	memcpy(whole + folder, text, strlen(text));
	*path = whole;
}

static void
read_strings(struct pf_reading *r, const struct pf_place *place, struct pf_words *words)
{
	struct pf_place one = *place;
	size_t count = place->node->kind == PF_NODE_LIST ? place->node->count : 1;

	if (pf_node_is_null(place->node))
		return;
	words->items = pf_reading_get(r, count * sizeof *words->items);
	words->count = 0;
	for (size_t i = 0; words->items && i < count; i++) {
		const char *text;
		if (place->node->kind == PF_NODE_LIST)
			one = pf_place_item(place, i);
		text = text_of(r, &one);
		if (text)
			words->items[words->count++] = text;
	}
}

static void
read_map(struct pf_reading *r, const struct pf_place *place, struct pf_pairs *pairs)
{
	const struct pf_node *node = place->node;

	if (pf_node_is_null(node))
		return;
	if (node->kind != PF_NODE_MAP) {
		pf_problem(r, place, "expected a mapping, not %s", pf_node_kind_name(node));
		return;
	}
	pairs->items = pf_reading_get(r, node->count * sizeof *pairs->items);
	pairs->count = 0;
	for (size_t i = 0; pairs->items && i < node->count; i++) {
		struct pf_place item = {
		    .parent = place, .key = node->keys[i]->text, .node = node->items[i]};
		if (node->items[i]->kind != PF_NODE_TEXT)
			pf_problem(r, &item, "expected a value, not %s",
			    pf_node_kind_name(node->items[i]));
		else
			pairs->items[pairs->count++] =
			    (struct pf_pair){node->keys[i]->text, node->items[i]->text};
	}
}

/* Stores a value that was parsed; else gives back what would have been one. */
static const char *
keep(bool parsed, void *member, const void *value, size_t size, const char *want)
{
	if (!parsed)
		return want;
	memcpy(member, value, size);
	return NULL;
}

static void
read_scalar(
    struct pf_reading *r, const struct pf_place *place, const struct pf_field *f, void *member)
{
	const char *text = text_of(r, place), *want = NULL;
	uint64_t count;
	double number;
	bool truth;
	int choice;

	if (!text)
		return;
	switch (f->kind) { /* a member keeps what it was unless its value is good */
	case PF_FIELD_BOOL:
		want =
		    keep(parse_bool(text, &truth), member, &truth, sizeof truth, "true or false");
		break;
	case PF_FIELD_COUNT:
		want =
		    keep(parse_count(text, &count), member, &count, sizeof count, "a whole number");
		break;
	case PF_FIELD_DURATION:
		want = keep(pf_parse_duration(text, &number), member, &number, sizeof number,
		    "a duration such as 30s, 5m or 1h30m");
		break;
	case PF_FIELD_SIZE:
		want = keep(pf_parse_size(text, &count), member, &count, sizeof count,
		    "a size such as 512MB or 2GiB");
		break;
	case PF_FIELD_SHARE:
		want = keep(pf_parse_share(text, &number), member, &number, sizeof number,
		    "a share such as 5% or 0.05");
		break;
	case PF_FIELD_NUMBER:
		want =
		    keep(parse_number(text, &number), member, &number, sizeof number, "a number");
		break;
	case PF_FIELD_CHOICE:
		want = keep(parse_choice(f->choices, text, &choice), member, &choice, sizeof choice,
		    f->choices);
		break;
	case PF_FIELD_PATH:
		read_path(r, text, member);
		break;
	default:
		*(const char **)member = text;
	}
	if (want)
		pf_problem(r, place, "%s: expected %s", text, want);
}

static void
read_field(
    struct pf_reading *r, const struct pf_place *place, const struct pf_field *f, void *object)
{
	void *member = (char *)object + f->offset;

	if (f->kind == PF_FIELD_CUSTOM)
		f->custom(r, place, member);
	else if (f->kind == PF_FIELD_STRINGS)
		read_strings(r, place, member);
	else if (f->kind == PF_FIELD_MAP)
		read_map(r, place, member);
	else
		read_scalar(r, place, f, member);
}

/* How many single letters differ between two keys, at most `most`. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[64], n = strlen(b);

	if (n >= sizeof row / sizeof *row)
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t corner = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < n; j++) {
			size_t best = corner + (a[i] != b[j]);
			corner = row[j + 1];
			if (corner + 1 < best)
				best = corner + 1;
			if (row[j] + 1 < best)
				best = row[j] + 1;
			row[j + 1] = best;
		}
	}
	return row[n];
}

static void
unknown_key(struct pf_reading *r, const struct pf_place *place, const struct pf_field *fields)
{
	const char *nearest = NULL;
	size_t best = 3;

	for (const struct pf_field *f = fields; f->key; f++) {
		size_t far = distance(place->key, f->key);
		if (far < best) {
			best = far;
			nearest = f->key;
		}
	}
	if (nearest)
		pf_problem(r, place, "unknown key; is %s meant?", nearest);
	else
		pf_problem(r, place, "unknown key");
}

static const struct pf_field *
find_field(const struct pf_field *fields, const char *key)
{
	while (fields->key && strcmp(fields->key, key) != 0)
		fields++;
	return fields->key ? fields : NULL;
}

void
pf_fields_read(
    struct pf_reading *r, const struct pf_place *place, const struct pf_field *fields, void *object)
{
	const struct pf_node *map = place->node;

	if (pf_node_is_null(map))
		return;
	if (map->kind != PF_NODE_MAP) {
		pf_problem(r, place, "expected a mapping, not %s", pf_node_kind_name(map));
		return;
	}
	for (size_t i = 0; i < map->count && !r->problems->fatal; i++) {
		struct pf_place item = {
		    .parent = place, .key = map->keys[i]->text, .node = map->items[i]};
		const struct pf_field *f = find_field(fields, item.key);
		struct pf_place key = item;
		key.node = map->keys[i];
		if (!f)
			unknown_key(r, &key, fields);
		else if (pf_node_get(map, item.key) != item.node)
			pf_problem(r, &key, "given twice");
		else
			read_field(r, &item, f, object);
	}
}
