/* builtins_list.c: lists and maps. Arguments are never changed: results are new lists. */
#include "builtins.h"

static struct value
member(struct value v, const struct key *name)
{
	const struct value *found = v.kind == VALUE_MAP ? map_get(v.map, name) : NULL;

	return found ? *found : NO_VALUE;
}

struct value
run_length(struct call *c)
{
	struct value v = c->arguments[0];
	int64_t count = 0;

	switch (v.kind) {
	case VALUE_NONE:
		return value_integer(0);
	case VALUE_LIST:
		return value_integer((int64_t)v.list->count);
	case VALUE_MAP:
		return value_integer(v.map->count);
	case VALUE_STRING:
	case VALUE_HTML:
		for (uint32_t i = 0; i < v.size; i++)
			count += ((uint8_t)v.string[i] & 0xc0) != 0x80;
		return value_integer(count);
	default:
		return call_fail(c, "text, a list or a map was expected");
	}
}

struct value
run_first(struct call *c)
{
	const struct list *list = call_list(c, 0);

	return list && list->count ? list->items[0] : NO_VALUE;
}

struct value
run_last(struct call *c)
{
	const struct list *list = call_list(c, 0);

	return list && list->count ? list->items[list->count - 1] : NO_VALUE;
}

struct value
run_reverse(struct call *c)
{
	const struct list *list = call_list(c, 0);
	struct list *result;

	if (!list)
		return NO_VALUE;
	result = list_new(c->arena, list->count);
	for (size_t i = list->count; result && i-- > 0;)
		result->items[result->count++] = list->items[i];
	return call_list_value(c, result);
}

struct value
run_slice(struct call *c)
{
	const struct list *list = call_list(c, 0);
	int64_t from = call_integer(c, 1, 0), count;
	struct list *result;

	if (!list || c->failure)
		return NO_VALUE;
	if (from < 0)
		from += (int64_t)list->count;
	if (from < 0 || (uint64_t)from > list->count)
		from = (int64_t)list->count;
	count = call_integer(c, 2, (int64_t)list->count - from);
	if (count < 0 || (uint64_t)count > list->count - (size_t)from)
		count = (int64_t)list->count - from;
	result = list_new(c->arena, (size_t)count);
	for (int64_t i = 0; result && i < count; i++)
		result->items[result->count++] = list->items[from + i];
	return call_list_value(c, result);
}

struct value
run_join(struct call *c)
{
	const struct list *list = call_list(c, 0);
	struct slice between = c->count > 1 ? call_text(c, 1) : slice_of(", ");

	if (!list)
		return NO_VALUE;
	text_clear(c->scratch);
	for (size_t i = 0; i < list->count; i++) {
		if (i)
			text_put(c->scratch, between.at, between.size);
		value_print(list->items[i], c->scratch);
	}
	return call_scratch(c, VALUE_STRING);
}

struct value
run_keys(struct call *c)
{
	const struct map *map;
	struct list *result;

	if (c->arguments[0].kind != VALUE_MAP)
		return call_fail(c, "a map was expected");
	map = c->arguments[0].map;
	result = list_new(c->arena, map->count);
	for (uint32_t i = 0; result && i < map->count; i++) {
		struct slice name = {map->entries[i].key.name, map->entries[i].key.size};

		result->items[result->count++] = value_string(name);
	}
	return call_list_value(c, result);
}

struct value
run_pluck(struct call *c)
{
	const struct list *list = call_list(c, 0);
	struct key name = key_of(call_text(c, 1));
	struct list *result;

	if (!list)
		return NO_VALUE;
	result = list_new(c->arena, list->count);
	for (size_t i = 0; result && i < list->count; i++)
		result->items[result->count++] = member(list->items[i], &name);
	return call_list_value(c, result);
}

struct value
run_where(struct call *c)
{
	const struct list *list = call_list(c, 0);
	struct key name = key_of(call_text(c, 1));
	struct list *result;

	if (!list)
		return NO_VALUE;
	result = list_new(c->arena, list->count);
	for (size_t i = 0; result && i < list->count; i++) {
		struct value v = member(list->items[i], &name);

		if (c->count > 2 ? value_equal(v, c->arguments[2]) : value_is_true(v))
			result->items[result->count++] = list->items[i];
	}
	return call_list_value(c, result);
}

static bool
list_has(const struct list *list, struct value v)
{
	for (size_t i = 0; i < list->count; i++) {
		if (value_equal(list->items[i], v))
			return true;
	}
	return false;
}

struct value
run_unique(struct call *c)
{
	const struct list *list = call_list(c, 0);
	struct list *result;

	if (!list)
		return NO_VALUE;
	result = list_new(c->arena, list->count);
	for (size_t i = 0; result && i < list->count; i++) {
		if (!list_has(result, list->items[i]))
			result->items[result->count++] = list->items[i];
	}
	return call_list_value(c, result);
}

struct value
run_range(struct call *c)
{
	int64_t from = c->count > 1 ? call_integer(c, 0, 0) : 0;
	int64_t to = call_integer(c, c->count - 1, 0);
	struct list *result;

	if (c->failure)
		return NO_VALUE;
	if (to < from || from < -1000000 || to > 1000000 || to - from > 10000)
		return call_fail(c, "at most 10000 numbers, rising, were expected");
	result = list_new(c->arena, (size_t)(to - from));
	for (int64_t i = from; result && i < to; i++)
		result->items[result->count++] = value_integer(i);
	return call_list_value(c, result);
}

/* What is sorted, and by what. */
struct ranked {
	struct value by, item;
};

static int
compare_ranked(const struct ranked *a, const struct ranked *b, bool falling)
{
	int order = value_compare(a->by, b->by);

	return falling ? -order : order;
}

static void
insert_sort(struct ranked *items, size_t count, bool falling)
{
	for (size_t i = 1; i < count; i++) {
		struct ranked moved = items[i];
		size_t at = i;

		while (at && compare_ranked(&items[at - 1], &moved, falling) > 0) {
			items[at] = items[at - 1];
			at--;
		}
		items[at] = moved;
	}
}

/* A stable merge sort; `spare` has room for half the items. */
static void
merge_sort(struct ranked *items, size_t count, struct ranked *spare, bool falling)
{
	size_t half = count / 2, left = 0, right = half, to = 0;

	if (count <= 8) {
		insert_sort(items, count, falling);
		return;
	}
	merge_sort(items, half, spare, falling);
	merge_sort(items + half, count - half, spare, falling);
	memcpy(spare, items, half * sizeof *items);
	while (left < half) {
		if (right < count && compare_ranked(&spare[left], &items[right], falling) > 0)
			items[to++] = items[right++];
		else
			items[to++] = spare[left++];
	}
}

struct value
run_sort(struct call *c)
{
	const struct list *list = call_list(c, 0);
	struct key name = c->count > 1 ? key_of(call_text(c, 1)) : (struct key){0};
	bool falling = c->count > 2 && value_is_true(c->arguments[2]);
	struct ranked *items;
	struct list *result;

	if (!list)
		return NO_VALUE;
	result = list_new(c->arena, list->count);
	items = arena_array(c->arena, list->count + list->count / 2 + 1, sizeof *items);
	if (!result || !items)
		return call_list_value(c, NULL);
	for (size_t i = 0; i < list->count; i++) {
		items[i].item = list->items[i];
		items[i].by = name.size ? member(list->items[i], &name) : list->items[i];
	}
	merge_sort(items, list->count, items + list->count, falling);
	for (size_t i = 0; i < list->count; i++)
		result->items[result->count++] = items[i].item;
	return call_list_value(c, result);
}

static struct value
new_group(struct call *c, struct value key, size_t capacity)
{
	struct map *map = map_new(c->arena, 2);
	struct list *items = list_new(c->arena, capacity);

	if (!map || !items)
		return call_fail(c, "no memory is left for the request");
	map_set(map, c->arena, key_of(slice_of("key")), key);
	map_set(map, c->arena, key_of(slice_of("items")),
	    (struct value){.kind = VALUE_LIST, .list = items});
	return (struct value){.kind = VALUE_MAP, .map = map};
}

/* Maps of `key` and `items`, in the order in which keys first appear. */
struct value
run_group(struct call *c)
{
	const struct list *list = call_list(c, 0);
	struct key name = key_of(call_text(c, 1));
	struct list *result = list ? list_new(c->arena, list->count) : NULL;

	if (!result)
		return call_list_value(c, NULL);
	for (size_t i = 0; i < list->count && !c->failure; i++) {
		struct value key = member(list->items[i], &name);
		struct list *items;
		size_t at = 0;

		while (at < result->count &&
		       !value_equal(result->items[at].map->entries[0].value, key))
			at++;
		if (at == result->count) {
			struct value group = new_group(c, key, list->count - i);

			if (c->failure)
				return NO_VALUE;
			result->items[result->count++] = group;
		}
		items = result->items[at].map->entries[1].value.list;
		items->items[items->count++] = list->items[i];
	}
	return call_list_value(c, result);
}
