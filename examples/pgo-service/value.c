/* value.c: see value.h. */
#include "value.h"

#include "hash.h"

#define SMALL_MAP 8

struct key
key_of(struct slice name)
{
	return (struct key){name.at, (uint32_t)name.size, hash_name(name.at, name.size)};
}

struct list *
list_new(struct arena *arena, size_t capacity)
{
	struct list *list = arena_alloc(arena, sizeof *list);

	if (!list)
		return NULL;
	*list = (struct list){0};
	list->items = arena_array(arena, capacity ? capacity : 1, sizeof *list->items);
	return list->items ? list : NULL;
}

static bool
index_map(struct map *map, struct arena *arena)
{
	uint32_t size = 16;

	while (size < map->capacity * 2)
		size *= 2;
	map->slots = arena_array(arena, size, sizeof *map->slots);
	if (!map->slots)
		return false;
	memset(map->slots, 0, size * sizeof *map->slots);
	map->mask = size - 1;
	for (uint32_t i = 0; i < map->count; i++) {
		uint32_t at = map->entries[i].key.hash & map->mask;

		while (map->slots[at])
			at = (at + 1) & map->mask;
		map->slots[at] = i + 1;
	}
	return true;
}

struct map *
map_new(struct arena *arena, size_t capacity)
{
	struct map *map;

	if (capacity > 1u << 24)
		return NULL;
	map = arena_alloc(arena, sizeof *map);
	if (!map)
		return NULL;
	*map = (struct map){.capacity = capacity ? (uint32_t)capacity : 4};
	map->entries = arena_array(arena, map->capacity, sizeof *map->entries);
	if (!map->entries)
		return NULL;
	if (map->capacity > SMALL_MAP && !index_map(map, arena))
		return NULL;
	return map;
}

static bool
grow_map(struct map *map, struct arena *arena)
{
	uint32_t capacity = map->capacity * 2;
	struct entry *entries;

	if (capacity > 1u << 24)
		return false;
	entries = arena_array(arena, capacity, sizeof *entries);
	if (!entries)
		return false;
	memcpy(entries, map->entries, map->count * sizeof *entries);
	map->entries = entries;
	map->capacity = capacity;
	return capacity <= SMALL_MAP || index_map(map, arena);
}

bool
map_set(struct map *map, struct arena *arena, struct key key, struct value value)
{
	struct entry *entry = map_entry(map, &key);
	uint32_t at;

	if (entry) {
		entry->value = value;
		return true;
	}
	if (map->count == map->capacity && !grow_map(map, arena))
		return false;
	map->entries[map->count++] = (struct entry){key, value};
	if (map->slots) {
		at = key.hash & map->mask;
		while (map->slots[at])
			at = (at + 1) & map->mask;
		map->slots[at] = map->count;
	}
	return true;
}

const struct value *
map_find(const struct map *map, const char *name)
{
	struct key key = key_of(slice_of(name));

	return map_get(map, &key);
}

static int
compare_text(struct value a, struct value b)
{
	uint32_t shorter = a.size < b.size ? a.size : b.size, i = 0;

	while (i < shorter && a.string[i] == b.string[i])
		i++;
	if (i < shorter)
		return (uint8_t)a.string[i] < (uint8_t)b.string[i] ? -1 : 1;
	return (a.size > b.size) - (a.size < b.size);
}

static int
compare_lists(const struct list *a, const struct list *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++) {
		int order = value_compare(a->items[i], b->items[i]);

		if (order)
			return order;
	}
	return (a->count > b->count) - (a->count < b->count);
}

int
value_compare(struct value a, struct value b)
{
	if (a.kind == VALUE_INTEGER && b.kind == VALUE_INTEGER)
		return (a.integer > b.integer) - (a.integer < b.integer);
	if (value_is_number(a) && value_is_number(b)) {
		double x = value_number(a), y = value_number(b);

		return (x > y) - (x < y);
	}
	if (value_is_text(a) && value_is_text(b))
		return compare_text(a, b);
	if (a.kind != b.kind)
		return a.kind < b.kind ? -1 : 1;
	switch (a.kind) {
	case VALUE_TRUTH:
		return (int)a.truth - (int)b.truth;
	case VALUE_LIST:
		return compare_lists(a.list, b.list);
	case VALUE_MAP:
		return (a.map > b.map) - (a.map < b.map);
	default:
		return 0;
	}
}

static void
print(struct value v, struct text *out, bool escape)
{
	switch (v.kind) {
	case VALUE_TRUTH:
		text_string(out, v.truth ? "true" : "false");
		break;
	case VALUE_INTEGER:
		text_integer(out, v.integer);
		break;
	case VALUE_REAL:
		text_real(out, v.real);
		break;
	case VALUE_STRING:
		if (escape)
			text_escaped(out, v.string, v.size);
		else
			text_put(out, v.string, v.size);
		break;
	case VALUE_HTML:
		text_put(out, v.string, v.size);
		break;
	case VALUE_LIST:
		for (size_t i = 0; i < v.list->count; i++) {
			if (i)
				text_put(out, ", ", 2);
			print(v.list->items[i], out, escape);
		}
		break;
	case VALUE_MAP:
		text_integer(out, v.map->count);
		text_string(out, v.map->count == 1 ? " entry" : " entries");
		break;
	default:
		break;
	}
}

void
value_print(struct value v, struct text *out)
{
	print(v, out, false);
}

void
value_print_html(struct value v, struct text *out)
{
	print(v, out, true);
}

const char *
value_kind_name(struct value v)
{
	static const char *const names[] = {
	    "nothing", "a truth", "a number", "a number", "text", "HTML", "a list", "a map"};

	return v.kind <= VALUE_MAP ? names[v.kind] : "unknown";
}
