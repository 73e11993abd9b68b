/* orders.c: an order's total: by a tree of the whole document, and by one walk over its text. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "buggycache.h"

/* The bug: a tree of a few hundred objects is made, looked at, written out and thrown away, for one number. */
char *
slow_json_handler(const struct request *r)
{
	json_t *order = r->body ? json_loadb(r->body, r->body_size, 0, NULL) : NULL, *item;
	double total = 0;
	size_t i;
	char *answer;

	if (!order)
		return NULL;
	json_array_foreach(json_object_get(order, "items"), i, item) total +=
	    json_number_value(json_object_get(item, "price")) *
	    json_number_value(json_object_get(item, "count"));
	json_object_set_new(order, "total", json_real(total));
	answer = json_dumps(order, JSON_COMPACT);
	json_decref(order);
	return answer;
}

/* The end of the string that begins at `at`, behind its closing quote; NULL: it has none. */
static const char *
skip_string(const char *at)
{
	for (at++; *at && *at != '"'; at++) {
		if (*at == '\\' && at[1])
			at++;
	}
	return *at ? at + 1 : NULL;
}

static bool
is_key(const char *from, const char *to, const char *name)
{
	size_t size = strlen(name);

	return (size_t)(to - from) == size + 2 && memcmp(from + 1, name, size) == 0 &&
	       to[strspn(to, " ")] == ':';
}

/* The number behind a key. */
static double
number_at(const char *key_end)
{
	return strtod(key_end + strcspn(key_end, ":") + 1, NULL);
}

/* The fix: the text is walked once, and copied with another total. */
char *
fast_json_handler(const struct request *r)
{
	const char *at = r->body, *total_from = NULL, *total_to = NULL, *end;
	double total = 0, price = 0;

	for (; at && *at; at = end) {
		if (*at != '"') {
			end = at + 1;
			continue;
		}
		end = skip_string(at);
		if (!end)
			return NULL;
		if (is_key(at, end, "price")) {
			price = number_at(end);
		} else if (is_key(at, end, "count")) {
			total += price * number_at(end);
		} else if (is_key(at, end, "total")) {
			total_from = end + strcspn(end, ":") + 1;
			total_to = total_from + strcspn(total_from, ",}");
		}
	}
	if (!total_from)
		return NULL;
	return text("%.*s%.2f%s", (int)(total_from - r->body), r->body, total, total_to);
}
