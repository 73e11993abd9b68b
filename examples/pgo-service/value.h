/*
 * value.h: what templates compute with: nothing, truths, whole numbers, reals,
 * strings, lists and maps.
 *
 * Values are small and copied freely; what they point at lives in an arena and
 * is not changed once shared. HTML is a string that needs no escaping any more.
 */
#ifndef FOLIO_VALUE_H
#define FOLIO_VALUE_H

#include "arena.h"
#include "text.h"

enum value_kind {
	VALUE_NONE,
	VALUE_TRUTH,
	VALUE_INTEGER,
	VALUE_REAL,
	VALUE_STRING,
	VALUE_HTML,
	VALUE_LIST,
	VALUE_MAP,
};

struct value {
	uint32_t kind;
	uint32_t size; /* of strings */
	union {
		bool truth;
		int64_t integer;
		double real;
		const char *string;
		struct list *list;
		struct map *map;
	};
};

struct list {
	struct value *items;
	size_t count;
};

struct key {
	const char *name;
	uint32_t size;
	uint32_t hash;
};

struct entry {
	struct key key;
	struct value value;
};

/* Entries stay in the order of insertion; past a few, a table of positions finds them. */
struct map {
	struct entry *entries;
	uint32_t count, capacity;
	uint32_t *slots; /* position + 1, or 0; NULL in small maps */
	uint32_t mask;
};

#define NO_VALUE ((struct value){.kind = VALUE_NONE})

static inline struct value
value_truth(bool truth)
{
	return (struct value){.kind = VALUE_TRUTH, .truth = truth};
}

static inline struct value
value_integer(int64_t integer)
{
	return (struct value){.kind = VALUE_INTEGER, .integer = integer};
}

static inline struct value
value_real(double real)
{
	return (struct value){.kind = VALUE_REAL, .real = real};
}

static inline struct value
value_string(struct slice s)
{
	return (struct value){.kind = VALUE_STRING, .size = (uint32_t)s.size, .string = s.at};
}

static inline bool
value_is_text(struct value v)
{
	return v.kind == VALUE_STRING || v.kind == VALUE_HTML;
}

static inline bool
value_is_number(struct value v)
{
	return v.kind == VALUE_INTEGER || v.kind == VALUE_REAL;
}

static inline struct slice
value_slice(struct value v)
{
	return (struct slice){v.string, v.size};
}

struct key key_of(struct slice name);

/* An empty list or map with room for `capacity`; NULL without memory. A map grows, a list doesn't. */
struct list *list_new(struct arena *arena, size_t capacity);
struct map *map_new(struct arena *arena, size_t capacity);
/* Adds or replaces. False without memory. */
bool map_set(struct map *map, struct arena *arena, struct key key, struct value value);
static inline bool
keys_equal(const struct key *a, const struct key *b)
{
	return a->hash == b->hash && a->size == b->size && bytes_equal(a->name, b->name, a->size);
}

/* The entry under this name, or NULL. */
static inline struct entry *
map_entry(const struct map *map, const struct key *key)
{
	if (!map->slots) {
		for (uint32_t i = 0; i < map->count; i++) {
			if (keys_equal(&map->entries[i].key, key))
				return &map->entries[i];
		}
		return NULL;
	}
	for (uint32_t at = key->hash & map->mask; map->slots[at]; at = (at + 1) & map->mask) {
		struct entry *entry = &map->entries[map->slots[at] - 1];

		if (keys_equal(&entry->key, key))
			return entry;
	}
	return NULL;
}

/* The value under this name, or NULL. */
static inline const struct value *
map_get(const struct map *map, const struct key *key)
{
	struct entry *entry = map_entry(map, key);

	return entry ? &entry->value : NULL;
}

const struct value *map_find(const struct map *map, const char *name);

/* Nothing, false, zero and whatever is empty are false; all else is true. */
static inline bool
value_is_true(struct value v)
{
	switch (v.kind) {
	case VALUE_TRUTH:
		return v.truth;
	case VALUE_INTEGER:
		return v.integer != 0;
	case VALUE_REAL:
		return v.real != 0;
	case VALUE_STRING:
	case VALUE_HTML:
		return v.size != 0;
	case VALUE_LIST:
		return v.list->count != 0;
	case VALUE_MAP:
		return v.map->count != 0;
	default:
		return false;
	}
}

/* 0 for what is no number. */
static inline double
value_number(struct value v)
{
	if (v.kind == VALUE_INTEGER)
		return (double)v.integer;
	return v.kind == VALUE_REAL ? v.real : 0;
}

/* Under 0, 0 or over 0. Numbers compare by value, strings by bytes, other kinds by kind. */
int value_compare(struct value a, struct value b);

static inline bool
value_equal(struct value a, struct value b)
{
	if (value_is_text(a) && value_is_text(b))
		return a.size == b.size && bytes_equal(a.string, b.string, a.size);
	return value_compare(a, b) == 0;
}

/* As a person would read it: lists joined by commas, maps as their count of entries. */
void value_print(struct value v, struct text *out);
/* The same for HTML: everything escaped but what is HTML already. */
void value_print_html(struct value v, struct text *out);
const char *value_kind_name(struct value v);

#endif
